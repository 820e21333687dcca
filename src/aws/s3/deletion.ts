import { CliError } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import { listVersions } from "./listing.ts";
import { inParallel } from "../../concurrency.ts";
import { abortable, deleteObject, headObject } from "./objects.ts";
import { backOff } from "../../retry.ts";
import { isRepeated } from "../setting.ts";

/** S3's limit of one DeleteObjects call. */
const keysPerCall = 1000;
const headsAtOnce = 8;

export interface Doomed {
  readonly key: string;
  readonly version?: string;
  /**
   * Deletes only the object with this ETag; else S3 answers PreconditionFailed for the key. Only without `version`: S3
   * compares with the current one. Needs s3:GetObject.
   */
  readonly ifMatch?: string;
}

/** One key that was not deleted, in S3's words. */
export interface DeleteFailure extends Pick<Doomed, "key" | "version"> {
  readonly code: string;
  readonly message: string;
}

export interface DeleteOutcome {
  readonly deleted: number;
  readonly failures: readonly DeleteFailure[];
}

/**
 * Deletes objects or versions, 1,000 a call. What S3 refuses is returned key by key, the rest is gone; keys for which
 * it is only too busy are sent again, with growing pauses; a call that fails as a whole is thrown. A key that does not
 * exist counts as deleted, as S3 does.
 */
export async function deleteObjects(
  aws: Aws,
  bucket: string,
  doomed: Iterable<Doomed> | AsyncIterable<Doomed>,
  signal?: AbortSignal,
): Promise<DeleteOutcome> {
  const outcome = { deleted: 0, failures: [] as DeleteFailure[] };
  const add = (batch: DeleteOutcome) => {
    outcome.deleted += batch.deleted;
    outcome.failures.push(...batch.failures);
  };
  let batch: Doomed[] = [];
  for await (const one of doomed) {
    refuseEmpty(one.key);
    if (unfitForXml(one.key)) {
      await deleteObject(aws, { bucket, ...one }, signal);
      outcome.deleted++;
      continue;
    }
    batch.push(one);
    if (batch.length === keysPerCall) {
      add(await deleteBatch(aws, bucket, { batch, signal }));
      batch = [];
    }
  }
  if (batch.length > 0) add(await deleteBatch(aws, bucket, { batch, signal }));
  return outcome;
}

/**
 * Deletes every version and delete marker of one key, or of all keys under a prefix, so that nothing can be brought
 * back. An empty key or prefix, and one of slashes and blanks only, is refused: it would mean the whole bucket.
 */
export async function deleteAllVersions(
  aws: Aws,
  bucket: string,
  what: { readonly key: string } | { readonly prefix: string },
  signal?: AbortSignal,
): Promise<DeleteOutcome> {
  refuseEmpty("key" in what ? what.key : what.prefix);
  return deleteObjects(aws, bucket, versionsToDelete(aws, { bucket, what }, signal), signal);
}

/** Every version and delete marker of one key, or of all keys under a prefix. */
export async function* versionsToDelete(
  aws: Aws,
  {
    bucket,
    what,
  }: { readonly bucket: string; readonly what: { readonly key: string } | { readonly prefix: string } },
  signal?: AbortSignal,
): AsyncGenerator<Doomed> {
  const prefix = "key" in what ? what.key : what.prefix;
  for await (const page of listVersions(aws, { bucket, prefix, signal })) {
    for (const { key, version } of page) {
      if (!("key" in what) || key === what.key) yield { key, version };
    }
  }
}

interface Batch {
  readonly batch: readonly Doomed[];
  readonly signal: AbortSignal | undefined;
}

/** S3's words for a key that may be asked for again. */
const passing = new Set(["SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted"]);

async function deleteBatch(aws: Aws, bucket: string, { batch, signal }: Batch): Promise<DeleteOutcome> {
  let open = batch;
  const refused: DeleteFailure[] = [];
  const tries = backOff({ signal });
  for (;;) {
    const failures = await sendBatch(aws, bucket, { batch: open, signal });
    const busy = failures.filter(({ code }) => passing.has(code));
    refused.push(...failures.filter(({ code }) => !passing.has(code)));
    if (busy.length < open.length) tries.advanced();
    if (busy.length === 0 || !(await tries.again())) {
      refused.push(...busy);
      return { deleted: batch.length - refused.length, failures: refused };
    }
    const again = new Set(busy.map(nameOf));
    open = open.filter((one) => again.has(nameOf(one)));
  }
}

function nameOf({ key, version = "" }: Pick<Doomed, "key" | "version">): string {
  return `${version}\n${key}`;
}

async function sendBatch(
  aws: Aws,
  bucket: string,
  { batch, signal }: Batch,
): Promise<readonly DeleteFailure[]> {
  const [s3, { DeleteObjectsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const answer = await s3.send(
    new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: {
        Quiet: true,
        Objects: batch.map(({ key, version, ifMatch }) => ({ Key: key, VersionId: version, ETag: ifMatch })),
      },
    }),
    abortable(signal),
  );
  const failures = (answer.Errors ?? []).map((error) => ({
    key: error.Key ?? "",
    version: error.VersionId === "" ? undefined : error.VersionId,
    code: error.Code ?? "",
    message: error.Message ?? "",
  }));
  if (!isRepeated(answer)) return failures;
  // What a first attempt deleted, whose answer was lost, is not as its ETag says any more.
  const isLeft = await inParallel(
    failures,
    headsAtOnce,
    async ({ key, code }) =>
      code !== "PreconditionFailed" || (await headObject(aws, { bucket, key }, signal)) !== undefined,
  );
  return failures.filter((_, at) => isLeft[at]);
}

function refuseEmpty(keyOrPrefix: string): void {
  if (/^[/\s]*$/.test(keyOrPrefix)) {
    throw new CliError(`refusing to delete under the empty prefix ${JSON.stringify(keyOrPrefix)}`, {
      hint: "Name a key or a prefix; a whole bucket is never deleted.",
    });
  }
}

/** Keys that the XML of DeleteObjects cannot carry go one by one, by their URL. */
function unfitForXml(key: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(key);
}
