import type { Service } from "../end.ts";

/** What a failed call was about: S3's bare "Access Denied" names neither the action nor the resource. */
export interface ErrorOrigin {
  readonly service: Service;
  /** The API's own name of the call, such as `PutObject`. */
  readonly operation: string;
  /** Scheme and host that were addressed, once it was resolved. */
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly table?: string;
  /** What those said who could have given credentials, in order. */
  readonly refusals: readonly string[];
}

interface Context {
  readonly commandName?: string;
  readonly endpointV2?: { readonly url?: URL };
}

interface Arguments {
  readonly input: object;
  /** From the step on in which it is made. */
  readonly request?: { readonly headers: Readonly<Record<string, string>> };
}

interface Interceptable {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: Arguments) => Promise<never>,
        context: Context,
      ) => (args: Arguments) => Promise<never>,
      options: { step: "initialize" | "deserialize"; name: string; priority: "high"; override: true },
    ): void;
  };
}

const origins = new WeakMap<object, ErrorOrigin>();

/** The call that an SDK error came from; undefined for errors of other clients than those of `connect`. */
export function errorOrigin(error: unknown): ErrorOrigin | undefined {
  return typeof error === "object" && error !== null ? origins.get(error) : undefined;
}

/** Notes the call of an error that came after its answer, in the body. */
export function tellOrigin(error: unknown, origin: Omit<ErrorOrigin, "refusals">): void {
  if (typeof error === "object" && error !== null) origins.set(error, { ...origin, refusals: [] });
}

/**
 * Makes a client remember for each error which call it came from, and what `refusals` held then. The errors themselves are left as
 * they are, but for what signed the request: a server that echoes its headers would put the session token into the message.
 */
export function rememberOrigins(service: Service, client: unknown, refusals: readonly string[]): void {
  // Each SDK client types its stack by its own unions of inputs and outputs; this middleware needs none of them.
  const { middlewareStack } = client as Interceptable;
  middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        hideSigning(error, args.request?.headers ?? {});
        throw error;
      }
    },
    { step: "deserialize", name: "hideSigning", priority: "high", override: true },
  );
  middlewareStack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (typeof error === "object" && error !== null)
          origins.set(error, { ...originOf(service, context, args.input), refusals: [...refusals] });
        throw error;
      }
    },
    { step: "initialize", name: "rememberOrigins", priority: "high", override: true },
  );
}

function hideSigning(error: unknown, headers: Readonly<Record<string, string>>): void {
  if (!(error instanceof Error)) return;
  const token = headers["x-amz-security-token"];
  const signature = /Signature=([0-9a-f]+)/.exec(headers["authorization"] ?? "")?.[1];
  const secrets = [token, token && encodeURIComponent(token), signature].filter((text) => text !== undefined);
  const fields = error as unknown as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(error)) {
    const text = fields[name];
    if (typeof text !== "string" || !secrets.some((secret) => text.includes(secret))) continue;
    fields[name] = secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  }
}

function originOf(service: Service, context: Context, input: object): Omit<ErrorOrigin, "refusals"> {
  const { Bucket, Key, TableName, RequestItems } = input as {
    Bucket?: string;
    Key?: unknown;
    TableName?: string;
    /** Of a batch; those of this program are of one table. */
    RequestItems?: object;
  };
  return {
    service,
    operation: (context.commandName ?? "").replace(/Command$/, ""),
    endpoint: context.endpointV2?.url?.origin,
    bucket: Bucket,
    // A DynamoDB `Key` is a map of attributes, which may be personal data.
    key: typeof Key === "string" ? Key : undefined,
    table: TableName ?? Object.keys(RequestItems ?? {})[0],
  };
}
