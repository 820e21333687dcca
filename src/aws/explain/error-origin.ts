import type { Service } from "../clients.ts";

/** What a failed call was about: S3's bare "Access Denied" names neither the action nor the resource. */
export interface ErrorOrigin {
  readonly service: Service;
  /** The API's own name of the call, such as `PutObject`. */
  readonly operation: string;
  /** Scheme and host that were addressed, once it was resolved. */
  readonly endpoint?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly table?: string | undefined;
}

interface Context {
  readonly commandName?: string;
  readonly endpointV2?: { readonly url?: URL };
}

interface Interceptable {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { input: object }) => Promise<never>,
        context: Context,
      ) => (args: { input: object }) => Promise<never>,
      options: { step: "initialize"; name: string; priority: "high"; override: true },
    ): void;
  };
}

const origins = new WeakMap<object, ErrorOrigin>();

/** The call that an SDK error came from; undefined for errors of other clients than those of `connect`. */
export function errorOrigin(error: unknown): ErrorOrigin | undefined {
  return typeof error === "object" && error !== null ? origins.get(error) : undefined;
}

/** Makes a client remember for each error which call it came from. The errors themselves are left as they are. */
export function rememberOrigins(service: Service, client: unknown): void {
  // Each SDK client types its stack by its own unions of inputs and outputs; this middleware needs none of them.
  (client as Interceptable).middlewareStack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (typeof error === "object" && error !== null)
          origins.set(error, originOf(service, context, args.input));
        throw error;
      }
    },
    { step: "initialize", name: "rememberOrigins", priority: "high", override: true },
  );
}

function originOf(service: Service, context: Context, input: object): ErrorOrigin {
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
