import { bytes } from "../model/bytes.ts";
import { createHash } from "node:crypto";
import { defaultPartBytes } from "../aws/s3/multipart.ts";
import { headObject, putObject } from "../aws/s3/objects.ts";
import { uploadFile } from "../aws/s3/upload.ts";
import { CliError } from "../errors.ts";
import { fromObjectMetadata, objectMetadata } from "../model/documents.ts";
import { assertUnchanged, changed, type Examined } from "./examine.ts";
import type { DocumentSite } from "./site.ts";

export interface Send {
  readonly file: Examined;
  readonly id: string;
  readonly key: string;
  readonly uploadedBy: string;
  /** An earlier run may have come far, or to the end. */
  readonly isContinued: boolean;
  /** Bytes that S3 has got beyond those reported before. */
  readonly onSent: (bytes: number) => void;
  readonly onNote: (note: string) => void;
}

/** Whether a file goes in parts, several at once. */
export function isLarge({ sizeBytes }: Examined): boolean {
  return sizeBytes > defaultPartBytes;
}

/**
 * Brings the bytes that were hashed and scanned into the bucket, exactly these: those read a second time are
 * hashed again, and nothing is stored when they differ. S3 compares them with a CRC32 before it answers; where a server's
 * answer does not say so, the stored object is asked for. An object that is there already is left; where keys are made of
 * plain names, another's object is never replaced: then S3 answers 412.
 */
export async function send(site: DocumentSite, one: Send): Promise<void> {
  const { aws, bucket, rows, signal } = site;
  const { file, key } = one;
  if (one.isContinued && (await storedId(site, one)) !== undefined) {
    one.onNote(`${file.source.label}: its bytes already exist`);
    one.onSent(file.sizeBytes);
    return;
  }
  const target = {
    bucket,
    key,
    contentType: file.type.contentType,
    metadata: objectMetadata({
      id: one.id,
      name: file.source.name,
      sha256: file.sha256,
      uploadedBy: one.uploadedBy,
    }),
    signal,
    ...(rows === undefined || rows.replaces ? {} : { ifNoneMatch: "*" as const }),
  };
  assertUnchanged(file);
  if (file.bytes !== undefined) {
    const answer = await putObject(aws, { ...target, body: file.bytes });
    one.onSent(file.sizeBytes);
    if (!answer.isCompared) await assertStored(site, one);
    return;
  }
  let sent = 0;
  const uploaded = await uploadFile(aws, {
    ...target,
    source: { path: file.source.path },
    parts: rows?.parts,
    onRead: rehash(file),
    onProgress(storedBytes) {
      one.onSent(storedBytes - sent);
      sent = storedBytes;
    },
    onStartedOver: (why) => one.onNote(`${file.source.label}: ${why}; starting over`),
  });
  if (uploaded.resumedBytes > 0) {
    one.onNote(
      `${file.source.label}: went on after ${bytes(uploaded.resumedBytes)} of ${bytes(file.sizeBytes)}`,
    );
  }
  if (uploaded.verified !== "object") await assertStored(site, one);
}

/** Fails at the last byte, before anything is completed, when the bytes are not those of the examination. */
function rehash(file: Examined): (bytes: Uint8Array) => void {
  const hash = createHash("sha256");
  let read = 0;
  return (bytes) => {
    read += bytes.byteLength;
    if (read > file.sizeBytes) throw changed();
    hash.update(bytes);
    if (read === file.sizeBytes && hash.digest("hex") !== file.sha256) throw changed();
  };
}

/** The id of the document whose bytes, by size and hash, lie at its key; "" where nobody noted one. Objects are written whole or not at all. */
async function storedId(site: DocumentSite, { key, file }: Send): Promise<string | undefined> {
  const head = await headObject(site.aws, { bucket: site.bucket, key }, site.signal);
  const { sha256, id = "" } = fromObjectMetadata(head?.metadata ?? {});
  return head?.sizeBytes === file.sizeBytes && sha256 === file.sha256 ? id : undefined;
}

/** Whether what is stored is this document, whoever sent it. */
export async function isSent(site: DocumentSite, one: Send): Promise<boolean> {
  return (await storedId(site, one)) === one.id;
}

async function assertStored(site: DocumentSite, one: Send): Promise<void> {
  if ((await storedId(site, one)) !== undefined) return;
  throw new CliError(`what S3 holds at ${one.key} is not what was sent`, {
    hint: "run the command again; if it happens again, something on the way changes the data",
  });
}
