import type { LocalOptions, LocalRequest, LocalResponse } from "../service.ts";
import type { Authenticated } from "../sigv4.ts";
import type { Blobs } from "./blobs.ts";
import { S3Fault } from "./fault.ts";
import type { Locks } from "./locks.ts";
import type { ObjectIndex } from "./object-index.ts";
import type { Bucket } from "./records.ts";

/** An open store. */
export interface Store {
  readonly index: ObjectIndex;
  readonly blobs: Blobs;
  readonly locks: Locks;
  readonly options: LocalOptions;
}

/** What a request is about. */
export interface Target {
  readonly bucket?: string;
  /** Decoded; any Unicode. */
  readonly key?: string;
}

export type Sender = Authenticated | { readonly kind: "anonymous" };

/** One request on its way through the store. */
export interface Call {
  readonly store: Store;
  readonly request: LocalRequest;
  readonly headers: LocalRequest["headers"];
  readonly query: ReadonlyMap<string, string>;
  readonly target: Target;
  readonly sender: Sender;
  readonly now: Date;
  /** Whether the sender may do something else besides; no key means the bucket itself. */
  may(action: string, place?: { readonly bucket?: Bucket; readonly key?: string }): boolean;
}

/** The store's only account. AWS's own documents use these digits for an account that is none. */
export const accountId = "000000000000";
/** Canonical user id of that account. */
export const ownerId = "0".repeat(63).padEnd(64, "1");

/** The bucket a call is about. Throws NoSuchBucket. */
export function bucketOf(call: Call): Bucket {
  const name = call.target.bucket ?? "";
  const bucket = call.store.index.bucket(name);
  if (bucket === undefined) throw new S3Fault("NoSuchBucket", { fields: { BucketName: name } });
  return bucket;
}

export function keyOf(call: Call): string {
  return call.target.key ?? "";
}

export function respond(
  status: number,
  headers: Readonly<Record<string, string | undefined>> = {},
  body: string | Uint8Array = "",
): LocalResponse {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value;
  if (status !== 204 && status !== 304) kept["content-length"] ??= String(bytes.length);
  return { status, headers: kept, body: bytes };
}

export function respondXml(
  document: string,
  headers: Readonly<Record<string, string | undefined>> = {},
): LocalResponse {
  return respond(200, { "content-type": "application/xml", ...headers }, document);
}

/** S3 keeps times in whole seconds. */
export function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function httpTime(ms: number): string {
  return new Date(ms).toUTCString();
}

/** A whole number between limits from the query. Throws InvalidArgument. */
export function numberOf(
  call: Call,
  name: string,
  limits: { readonly missing: number; readonly min: number; readonly max: number },
): number {
  const text = call.query.get(name);
  if (text === undefined || text === "") return limits.missing;
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= limits.min && value <= 2_147_483_647)) {
    throw new S3Fault("InvalidArgument", {
      message: `Provided ${name} not an integer or within integer range`,
      fields: { ArgumentName: name, ArgumentValue: text },
    });
  }
  return Math.min(value, limits.max);
}
