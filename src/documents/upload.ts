import { typed } from "../aws/dynamodb/plain.ts";
import { pluralFileType } from "../model/keys.ts";
import { assertEntriesFit } from "./entry-append.ts";
import { buffers } from "./buffers.ts";
import type { UserDocuments } from "./entry.ts";
import { examine, type ExamineOptions, type UploadSource } from "./examine.ts";
import { failureOf } from "./failure.ts";
import { chunked, inParallel } from "../concurrency.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { beginGroup, type Checked } from "./upload-group.ts";
import { newEntry } from "./upload-plan.ts";
import type { UploadProgress, UploadRequest, UploadResult } from "./upload-request.ts";

/** Files whose entries are written together: two writes to the item, and one to the trail, for each such group. */
const groupSize = 30;
const firstGroupSize = 10;
/** Bytes of files that stay in memory from the check to the upload. */
const keptBytes = 96 * 1024 ** 2;
const examinedAtOnce = 4;

/**
 * Uploads files as documents of one user and gives each one's outcome, group by group. Of each group: check, hash and
 * scan; entries `UPLOADING`; objects; audit trail; entries `READY`. While a group is sent the next one is checked and gets
 * its entries, and the one before gets ready. A crash anywhere leaves entries that the same call takes up again, found by type, name and hash. One bad file does not
 * stop the others. Rejects with what concerns all of them, such as an item that would get too large, which is known
 * before anything is changed.
 */
export async function* uploadDocuments(
  site: ChangingSite,
  request: UploadRequest,
): AsyncGenerator<UploadResult> {
  const { files, onProgress, user: known } = request;
  assertRoom(site, request);
  let progress: UploadProgress = {
    files: files.length,
    doneFiles: 0,
    checkedBytes: 0,
    sentBytes: 0,
    bytesToSend: 0,
  };
  const advance = (by: Partial<UploadProgress>) => {
    progress = { ...progress, ...by };
    onProgress(progress);
  };
  const memory = buffers(keptBytes);
  const claimed = new Map<string, string>();
  const checkGroup = (group: readonly UploadSource[]) =>
    check(site, request, {
      files: group,
      buffers: memory,
      onRead: (bytes) => advance({ checkedBytes: progress.checkedBytes + bytes }),
    });

  const begin = async (group: readonly UploadSource[], user: UserDocuments) =>
    beginGroup(site, request, {
      user,
      checked: await checkGroup(group),
      buffers: memory,
      claimed,
      onSent: (bytes) => advance({ sentBytes: progress.sentBytes + bytes }),
      onToSend: (bytes) => advance({ bytesToSend: progress.bytesToSend + bytes }),
      onDone: () => advance({ doneFiles: progress.doneFiles + 1 }),
    });

  const [first = [], ...others] = groups(files);
  let beginning = heardLater(begin(first, known));
  let finishing: Promise<UploadResult[]> = Promise.resolve([]);
  try {
    for (const next of [...others, undefined]) {
      const begun = await beginning;
      if (next !== undefined) beginning = heardLater(begin(next, begun.user));
      const sent = await begun.send();
      const finished = await finishing;
      finishing = heardLater(sent.finish());
      yield* finished;
    }
    yield* await finishing;
  } finally {
    // What has arrived gets ready also when a later group fails; that failure is the one that is told.
    await Promise.allSettled([beginning, finishing]);
  }
}

/** The first one is smaller: until its entries are written nothing can be sent. */
function groups(files: readonly UploadSource[]): (readonly UploadSource[])[] {
  return [files.slice(0, firstGroupSize), ...chunked(files.slice(firstGroupSize), groupSize)];
}

/** A promise that is awaited in the next round: until then its failure is nobody's, which Node would end the process for. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Examines the files of a group, a few at once. */
async function check(
  site: ChangingSite,
  request: UploadRequest,
  { files, ...own }: Pick<ExamineOptions, "buffers" | "onRead"> & { files: readonly UploadSource[] },
): Promise<Checked[]> {
  const { maxBytes, allowed, scanner } = request;
  const options = { maxBytes, allowed, scanner, signal: site.signal, ...own };
  return inParallel(files, examinedAtOnce, async (source): Promise<Checked> => {
    try {
      return { source, file: await examine(source, options) };
    } catch (error) {
      return { source, failure: failureOf(site, error) };
    }
  });
}

/** As if each file were new, except those that seem to be there: a full item is told before the first byte is sent. */
function assertRoom(site: ChangingSite, request: UploadRequest): void {
  // A row for each has room.
  if (site.rows !== undefined) return;
  const { user, type, tags, expiresAt, maxBytes } = request;
  const { userId } = user;
  const present = new Set(
    user.entries
      .filter(({ document }) => document.status !== "DELETED" && document.type === pluralFileType(type))
      .map(({ document }) => document.name),
  );
  const likely = request.files.filter(({ name }) => !present.has(name));
  const entries = likely.map(({ name }) =>
    newEntry(
      {
        userId,
        type,
        name,
        tags,
        expiresAt,
        // The longest kind of those that are known, and a size of as many digits as there can be.
        ext: "pptx",
        contentType: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        sizeBytes: maxBytes,
        sha256: "0".repeat(64),
        judgement: "not-asked",
        uploadedBy: site.actor,
      },
      { now: site.now(), random: "0".repeat(24), urlOf: (key) => documentUrl(site, key) },
    ),
  );
  assertEntriesFit(userId, user.profile ?? { userId: { S: userId } }, entries.map(typed));
}
