import type { ObjectPut } from "../aws/s3/stored-object.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { DamagedError } from "./damage.ts";

/** An object in a backup. `put` is what PutObject takes, so that the AWS CLI can bring it back. */
export interface ObjectLine {
  /** SHA-256 of its bytes, hex: a content of the repository. */
  readonly content: string;
  /** How it was found. No value holds a brace: the text of `put` begins behind the first one that closes. */
  readonly seen: {
    readonly versionId?: string;
    readonly etag: string;
    readonly size: number;
    /** ISO 8601. */
    readonly lastModified: string;
  };
  readonly put: ObjectPut;
}

/** The line with its newline. The order of the members is a promise: RECOVERY.md takes it apart with sed. */
export function objectLineText({ content, seen, put }: ObjectLine): string {
  return `${JSON.stringify({ content, seen, put })}\n`;
}

/** @throws DamagedError when it is no such line. */
export function parseObjectLine(line: Uint8Array): ObjectLine {
  let found: unknown;
  try {
    found = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString("utf8"));
  } catch {
    found = undefined;
  }
  if (!isObjectLine(found)) throw new DamagedError("a part with objects holds a line that is none");
  return found;
}

function isObjectLine(found: unknown): found is ObjectLine {
  if (!isRecord(found) || !isRecord(found["seen"]) || !isRecord(found["put"])) return false;
  const { content, seen, put } = found;
  const { Metadata: metadata = {}, ...headers } = put;
  const areTexts = (record: JsonObject) => Object.values(record).every((each) => typeof each === "string");
  return (
    typeof content === "string" &&
    /^[\da-f]{64}$/.test(content) &&
    Number.isSafeInteger(seen["size"]) &&
    Number(seen["size"]) >= 0 &&
    typeof put["Key"] === "string" &&
    areTexts(headers) &&
    isRecord(metadata) &&
    areTexts(metadata)
  );
}
