import { getObject, headObject } from "../../aws/s3/objects.ts";
import { errorName, httpStatus, isDenied } from "../../aws/setting.ts";
import { verificationOf } from "../../aws/s3/verification.ts";
import { begunAhead } from "../../concurrency.ts";
import { CliError } from "../../errors.ts";
import type { People } from "../person.ts";
import type { OwnedVersion } from "../traces.ts";
import type { KeptFile, KeptFiles } from "./kept-files.ts";
import type { Missing } from "./values.ts";

/** A file's bytes, to be read to their end or left, and their CRC32 then, where it is summed up; or why they cannot be read. */
type Body =
  | { readonly bytes: AsyncIterable<Uint8Array>; readonly crc32?: (() => number) | undefined }
  | Missing["why"];

/** So many files are asked for before it is their turn: the store answers while earlier ones are written. */
const askedAhead = 4;

/** Files one behind the other. What an interrupted export has kept of them is not asked for again. */
export async function* openedFiles(
  site: People,
  versions: readonly OwnedVersion[],
  kept: KeptFiles | undefined,
): AsyncGenerator<{ readonly version: OwnedVersion; readonly body: Body }, void> {
  const asked: Promise<Body>[] = [];
  try {
    for (const [at, version] of versions.entries()) {
      for (let next = at + asked.length; asked.length <= askedAhead && next < versions.length; next += 1) {
        const body = opened(site, versions[next] ?? version, kept);
        body.catch(() => undefined);
        asked.push(body);
      }
      const body = await asked.shift();
      if (body !== undefined) yield { version, body };
    }
  } finally {
    for (const each of await Promise.allSettled(asked))
      if (each.status === "fulfilled" && typeof each.value !== "string") await leave(each.value.bytes);
  }
}

async function opened(site: People, version: OwnedVersion, kept: KeptFiles | undefined): Promise<Body> {
  const begun = kept?.of(version);
  if (begun?.isWhole === true) return { bytes: begun.read() };
  try {
    if (begun !== undefined) {
      const goesOn = await goingOn(site, version, begun);
      if (goesOn !== undefined) return goesOn;
    }
    const { body, verification } = await getObject(site.aws, { ...nameOf(version), signal: site.signal });
    return { bytes: begunAhead(body), crc32: verification?.crc32 };
  } catch (error) {
    if (httpStatus(error) === 404 && errorName(error) !== "NoSuchBucket") return "vanished";
    if (errorName(error) === "InvalidObjectState") return "archived";
    if (isDenied(error)) return "denied";
    throw error;
  }
}

/**
 * What was kept of a file's beginning, and the rest from the store, compared with the sum that the store has of the whole; undefined where it
 * has none, so that nothing tells whether the beginning is right, or does not send the rest alone.
 */
async function goingOn(
  { aws, signal }: People,
  version: OwnedVersion,
  begun: KeptFile,
): Promise<Exclude<Body, string> | undefined> {
  const head = await headObject(aws, nameOf(version), signal);
  if (head === undefined) return undefined;
  const sum = verificationOf(head);
  if (head.etag !== version.etag || head.sizeBytes !== version.bytes || sum.by === "size") return undefined;
  const range = { first: begun.bytes };
  const rest = await getObject(aws, { ...nameOf(version), range, ifMatch: head.etag, signal });
  const sources = [begun.read(), begunAhead(rest.body)];
  if (rest.head.sizeBytes !== version.bytes - begun.bytes) {
    // A server that knows no ranges sends the whole.
    for (const source of sources) await leave(source);
    return undefined;
  }
  const bytes = async function* () {
    try {
      for (const source of sources) {
        for await (const chunk of source) {
          sum.update(chunk);
          yield chunk;
        }
      }
    } finally {
      for (const source of sources) await leave(source);
    }
    if (sum.matches()) return;
    await begun.forget();
    throw new CliError(`${version.key}: the bytes kept of it are not those that S3 holds (${sum.by})`, {
      hint: "What was kept is removed: run the command again.",
    });
  };
  return { bytes: bytes(), crc32: sum.crc32 };
}

/** Ends what is not read any more, so that nothing waits for it. */
async function leave(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _chunk of body) break;
  } catch {
    // It has ended.
  }
}

function nameOf({ bucket, key, version }: OwnedVersion): Pick<OwnedVersion, "bucket" | "key" | "version"> {
  return { bucket, key, version };
}
