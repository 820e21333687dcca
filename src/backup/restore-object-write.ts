import { putObject, type ObjectHeaders } from "../aws/s3/objects.ts";
import { errorName, httpStatus, isBusy } from "../aws/setting.ts";
import type { ObjectPut } from "../aws/s3/stored-object.ts";
import { uploadStream } from "../aws/s3/upload.ts";
import { inParallel } from "../concurrency.ts";
import { backOff } from "../retry.ts";
import type { ObjectLine } from "./object-line.ts";
import { partLines } from "./parts.ts";
import { type BucketPlan, lookAt, objectsAtOnce, type LookedAt } from "./restore-object-plan.ts";
import { fates, type RestoreSite } from "./restore-site.ts";
import type { Writing } from "./restore-table-write.ts";

/** Up to this size an object is held in memory and sent in one call, and so many at once; larger ones go in parts. */
const wholeBytes = 8 * 1024 ** 2;
const largeAtOnce = 2;
const smallAtOnce = Math.min(objectsAtOnce, 8);

/**
 * Writes the objects of the plan with all their headers, metadata and tags: new ones only where none is, others only over
 * the one that was seen; in a versioned bucket that one stays as an older version. What could not be written is told.
 */
export async function writeBucket(site: RestoreSite, plan: BucketPlan, writing: Writing): Promise<void> {
  const { repository, signal } = site;
  for (const [at, part] of plan.snapshot.parts.entries()) {
    const found = plan.fates[at] ?? new Uint8Array();
    if (!found.some(isWritten)) continue;
    let number = 0;
    for await (const lines of partLines(repository, part, signal)) {
      const due = lines.filter(() => isWritten(found[number++]));
      const small = due.filter((line) => sizeOf(line) <= wholeBytes);
      const large = due.filter((line) => sizeOf(line) > wholeBytes);
      await inParallel(small, smallAtOnce, (line) => writeOne(site, plan, { writing, line }));
      await inParallel(large, largeAtOnce, (line) => writeOne(site, plan, { writing, line }));
    }
  }
}

function isWritten(fate: number | undefined): boolean {
  const name = fates[fate ?? 0];
  return name === "create" || name === "overwrite";
}

function sizeOf(line: Buffer): number {
  return (JSON.parse(line.toString()) as ObjectLine).seen.size;
}

/** Looks at what moved meanwhile before it is given up. */
const mostLooks = 5;

async function writeOne(
  site: RestoreSite,
  plan: BucketPlan,
  { writing, line }: { readonly writing: Writing; readonly line: Buffer },
): Promise<void> {
  const { role, name: bucket } = plan;
  const place = { role, bucket, isMissing: false, planning: writing.planning };
  const tries = backOff({ attempts: mostLooks, signal: site.signal });
  for (;;) {
    const looked = await lookAt(site, place, line);
    const fail = (why: string) => writing.onFailed({ left: { bucket, key: looked.object.put.Key }, why });
    if (looked.fate === "conflict") return fail("was changed by somebody else meanwhile");
    if (looked.fate !== "create" && looked.fate !== "overwrite") return;
    try {
      await put(site, bucket, looked);
      return writing.onWritten(1);
    } catch (error) {
      if (isBusy(error)) return fail("S3 is too busy");
      if (!isLostRace(error)) throw error;
      if (!(await tries.again())) return fail("is being changed by others again and again");
    }
  }
}

/** 412: it is not as it was seen. 409: it is being written. 404: what was to be overwritten is gone. */
function isLostRace(error: unknown): boolean {
  const status = httpStatus(error);
  return status === 412 || status === 409 || errorName(error) === "NoSuchKey";
}

async function put(site: RestoreSite, bucket: string, { object, there }: LookedAt): Promise<void> {
  const { aws, repository, signal } = site;
  const { content, seen } = object;
  const target = {
    bucket,
    key: object.put.Key,
    ...headersOf(object.put),
    ...(there === undefined ? { ifNoneMatch: "*" as const } : { ifMatch: there.etag }),
    signal,
  };
  const source = repository.openContent({ sha256: content, bytes: seen.size }, signal);
  if (seen.size > wholeBytes) {
    await uploadStream(aws, { ...target, source, partSizeBytes: partSizeFor(seen.size) });
    return;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  await putObject(aws, { ...target, body: Buffer.concat(pieces) });
}

/** S3 takes 10,000 parts. */
function partSizeFor(sizeBytes: number): number {
  const mebibyte = 1024 ** 2;
  return Math.max(wholeBytes, Math.ceil(sizeBytes / 9_000 / mebibyte) * mebibyte);
}

function headersOf(put: ObjectPut): ObjectHeaders {
  return {
    contentType: put.ContentType,
    cacheControl: put.CacheControl,
    contentDisposition: put.ContentDisposition,
    contentEncoding: put.ContentEncoding,
    contentLanguage: put.ContentLanguage,
    expires: put.Expires === undefined ? undefined : new Date(put.Expires),
    storageClass: put.StorageClass,
    redirectLocation: put.WebsiteRedirectLocation,
    metadata: put.Metadata,
    tags: put.Tagging === undefined ? undefined : Object.fromEntries(new URLSearchParams(put.Tagging)),
  };
}
