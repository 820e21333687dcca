import { resolve } from "node:path";
import { type RequestHandler, requestHandler } from "./request-handler.ts";
import type { LocalCredentials } from "./service.ts";
import { type LocalStore, openStore } from "./store.ts";

export { StoreError, type StoreFault } from "./errors.ts";
export { type RequestHandler, requestHandler } from "./request-handler.ts";
export { serve, type Served, type ServeOptions } from "./serve.ts";
export { localPoolId, type LocalCredentials, type LocalService } from "./service.ts";
export { type LocalStore, openStore, resetStore, type StoreOptions } from "./store.ts";

export interface LocalEndOptions {
  /** The clients' region. Default eu-central-1. */
  readonly region?: string;
  /** The clock that the services go by. Default the machine's. */
  readonly now?: () => Date;
}

/** Folders that are open in this process, by their whole path, with the handlers that use them. */
const opened = new Map<
  string,
  { readonly store: Promise<LocalStore>; readonly users: Set<RequestHandler> }
>();
/** Stores that are being closed: the next to open one of them waits for that. */
const closing = new Map<string, Promise<void>>();

/**
 * S3 in a folder, for `new S3Client({ requestHandler: localS3(dir), credentials: localCredentials(dir), region })`. The folder is
 * made, opened and locked with the first request. The ends of one folder share it, with the options of the first to ask; it is
 * let go of when the last client on it is destroyed, or the process ends.
 */
export function localS3(dir: string, options: LocalEndOptions = {}): RequestHandler {
  return end(dir, options, (store) => store.s3());
}

/** DynamoDB in a folder, as `localS3`. */
export function localDynamoDb(dir: string, options: LocalEndOptions = {}): RequestHandler {
  return end(dir, options, (store) => store.dynamodb());
}

/** Cognito's user pools in a folder, as `localS3`. */
export function localCognito(dir: string, options: LocalEndOptions = {}): RequestHandler {
  return end(dir, options, (store) => store.cognito());
}

/** CloudWatch's metrics and alarms in a folder, as `localS3`; it speaks the SDK's JSON. */
export function localCloudWatch(dir: string, options: LocalEndOptions = {}): RequestHandler {
  return end(dir, options, (store) => store.cloudwatch());
}

/** Application Auto Scaling in a folder, as `localS3`: what may be scaled is kept, and nothing is. */
export function localAutoScaling(dir: string, options: LocalEndOptions = {}): RequestHandler {
  return end(dir, options, (store) => store.autoscaling());
}

/** The one account of a folder, as the SDK's `credentials`: signatures are checked, so clients need it. */
export function localCredentials(
  dir: string,
  options: LocalEndOptions = {},
): () => Promise<LocalCredentials> {
  return async () => (await share(resolve(dir), options).store).credentials;
}

/** Resolves when nothing of this process has the folder any more, once its clients are destroyed. */
export async function localClosed(dir: string): Promise<void> {
  await closing.get(resolve(dir));
}

function end(
  dir: string,
  options: LocalEndOptions,
  service: (store: LocalStore) => ReturnType<LocalStore["s3"]>,
): RequestHandler {
  const path = resolve(dir);
  const handler: RequestHandler = {
    ...requestHandler({
      async handle(request) {
        const { store, users } = share(path, options);
        users.add(handler);
        return (await service(await store)).handle(request);
      },
      close: () => Promise.resolve(),
    }),
    destroy: () => release(path, handler),
  };
  return handler;
}

function share(path: string, { region = "eu-central-1", now = () => new Date() }: LocalEndOptions) {
  const known = opened.get(path);
  if (known !== undefined) return known;
  const store = (closing.get(path) ?? Promise.resolve()).then(() => openStore(path, { region, now }));
  const made = { store, users: new Set<RequestHandler>() };
  opened.set(path, made);
  // What could not be opened may be mended: the next request tries again.
  store.catch(() => opened.delete(path));
  return made;
}

function release(path: string, handler: RequestHandler): void {
  const shared = opened.get(path);
  if (shared === undefined || !shared.users.delete(handler) || shared.users.size > 0) return;
  opened.delete(path);
  const done = shared.store
    .then((store) => store.close())
    .catch(() => undefined)
    .finally(() => closing.delete(path));
  closing.set(path, done);
}
