import { randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { Fault } from "./fault.ts";
import { openDatabase, type Database } from "./json-database.ts";
import { parseJson } from "./json.ts";
import type { LocalOptions, LocalRequest, LocalResponse, LocalService } from "./service.ts";
import { readBody, signatureFault } from "./signed-json.ts";

/** More than any call of these APIs takes. */
const requestLimitBytes = 1024 * 1024;

export type JsonOperation = (input: Readonly<Record<string, unknown>>) => Promise<object>;

/** A service whose calls are JSON objects posted to one address, each named by the header `x-amz-target`. */
export interface JsonService {
  /** What stands before the dot of the header. */
  readonly api: string;
  /** What signatures are for. */
  readonly signedFor: string;
  readonly contentType: string;
  /** Calls that need no signature. */
  readonly unsigned?: readonly string[];
  /** The operation of that name; undefined where there is none. */
  readonly operation: (name: string) => Promise<JsonOperation> | undefined;
}

/** A service whose operations are few, and work on one database. */
interface SmallService extends Pick<JsonService, "api" | "signedFor" | "contentType"> {
  /** By their names. */
  readonly operations: (database: Database) => Readonly<Record<string, JsonOperation>>;
}

/**
 * Opens (or makes) a service with its database in `dir`. The folder belongs to one process at a time: the caller holds the store's lock.
 * Every acknowledged write is on the disk.
 */
export async function openJsonService(
  dir: string,
  options: LocalOptions,
  { operations, ...named }: SmallService,
): Promise<LocalService> {
  const database = await openDatabase(dir, { sync: true });
  const offered = new Map(Object.entries(operations(database)));
  const service = {
    ...named,
    operation(name: string) {
      const found = offered.get(name);
      return found === undefined ? undefined : Promise.resolve(found);
    },
  };
  return {
    handle: (request) => answerJson(service, request, options),
    close: () => database.close(),
  };
}

/** Answers one request: every fault as the service would. Rejects only when the request was aborted. */
export async function answerJson(
  service: JsonService,
  request: LocalRequest,
  options: LocalOptions,
): Promise<LocalResponse> {
  try {
    return respond(service, 200, await answer(service, request, options), options.now());
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    return refusal(service, error, options.now());
  }
}

async function answer(service: JsonService, request: LocalRequest, options: LocalOptions): Promise<object> {
  const { signedFor, unsigned = [] } = service;
  const body = await readBody(request, requestLimitBytes);
  if (body === undefined) throw new Fault("RequestEntityTooLarge", "The request is too large.", 413);
  const [api, name = ""] = (request.headers["x-amz-target"] ?? "").split(".");
  const operation = api === service.api ? service.operation(name) : undefined;
  const fault = unsigned.includes(name)
    ? undefined
    : signatureFault(request, body, { ...options, service: signedFor });
  if (fault !== undefined) throw new Fault(fault.type, fault.message);
  if (request.method !== "POST" || operation === undefined)
    throw new Fault("UnknownOperationException", `${name} is not offered by the local store`);
  return (await operation)(parse(unpacked(request, body)));
}

/** A client packs what is long. */
function unpacked({ headers }: LocalRequest, body: Buffer): Buffer {
  if (headers["content-encoding"] !== "gzip") return body;
  try {
    return gunzipSync(body, { maxOutputLength: requestLimitBytes });
  } catch {
    throw new Fault("SerializationException", "The request is not packed as it says, or too long");
  }
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = parseJson(body.toString());
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
    return parsed as Readonly<Record<string, unknown>>;
  throw new Fault("SerializationException", "The request is not a JSON object");
}

function refusal(service: JsonService, error: unknown, now: Date): LocalResponse {
  if (!(error instanceof Fault)) {
    const message = `the local store failed: ${error instanceof Error ? error.message : String(error)}`;
    return respond(service, 500, { __type: "InternalErrorException", message }, now);
  }
  const { type, message, status } = error;
  const { headers, ...rest } = respond(service, status, { __type: type, message }, now);
  return {
    ...rest,
    headers: { ...headers, "x-amzn-errortype": `${type}:`, "x-amzn-errormessage": headerText(message) },
  };
}

/** A header takes no line's end and no character beyond Latin-1. */
function headerText(message: string): string {
  return message.replaceAll(/[^\x20-\x7e]/g, " ").trim();
}

function respond({ contentType }: JsonService, status: number, document: object, now: Date): LocalResponse {
  const body = Buffer.from(JSON.stringify(document));
  return {
    status,
    headers: {
      "content-type": contentType,
      "content-length": String(body.length),
      // By this a client corrects a clock that is off, and sends again.
      date: now.toUTCString(),
      "x-amzn-requestid": randomUUID(),
    },
    body,
  };
}
