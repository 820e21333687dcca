import type { CompletedPart } from "@aws-sdk/client-s3";
import { crc32 } from "node:zlib";
import { stoppable } from "../../concurrency.ts";
import { CliError } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { combineCrc32, crcToBase64 } from "./checksums.ts";
import type { Aws } from "../clients.ts";
import {
  abortable,
  headerInput,
  headObject,
  tagQuery,
  type ObjectHeaders,
  type WriteCondition,
} from "./objects.ts";
import { errorName, httpStatus, isRepeated } from "../setting.ts";
import { leavePayloadUnsigned } from "../raw/unsigned-payload.ts";

/** S3's limit of one upload. */
export const maxParts = 10_000;
/** Few enough calls that the SDK's work for each does not count, small enough to hold several in memory. */
export const defaultPartBytes = 8 * 1024 ** 2;
const maxBytesInFlight = 4 * defaultPartBytes;
const maxLanes = 4;

export interface UploadTarget extends ObjectHeaders, WriteCondition {
  readonly bucket: string;
  readonly key: string;
}

/** A multipart upload under way at S3. */
export interface OpenUpload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** The server compares a CRC32 over the whole object; servers without that compare the parts only. */
  readonly sumsWhole: boolean;
}

/** A part that S3 has. */
export interface SentPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly crc: number;
}

/**
 * Bytes to send, in order. `fill` puts the next bytes into the buffer and tells how many: the whole buffer, less only
 * at the end, 0 past the end. It is never called again before its promise has settled.
 */
export type Fill = (buffer: Buffer) => Promise<number>;

export interface SendParts {
  readonly upload: OpenUpload;
  readonly fill: Fill;
  readonly partSizeBytes: number;
  /** Parts under way; by default as many of that size as the memory for them holds. */
  readonly atOnce?: number | undefined;
  /** Parts that S3 has already; they are read (and so seen by whoever reads along), compared and not sent. */
  readonly present: ReadonlyMap<number, SentPart>;
  readonly onSent: (sizeBytes: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** How many parts are in memory and under way at once; one buffer each. */
function laneCount(partSizeBytes: number): number {
  return Math.max(1, Math.min(maxLanes, Math.floor(maxBytesInFlight / partSizeBytes)));
}

/** Begins a multipart upload whose final object gets a CRC32 over all its bytes. Repeated, it may have begun more than one. */
export async function beginUpload(
  aws: Aws,
  target: UploadTarget,
  signal?: AbortSignal,
): Promise<OpenUpload & { readonly isRepeated: boolean }> {
  const [s3, { CreateMultipartUploadCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const answer = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket: target.bucket,
      Key: target.key,
      ...headerInput(target),
      Tagging: target.tags && tagQuery(target.tags),
      ChecksumAlgorithm: "CRC32",
      ChecksumType: "FULL_OBJECT",
    }),
    abortable(signal),
  );
  if (answer.UploadId === undefined) throw new Error("the server began an upload without giving its id");
  const sumsWhole = answer.ChecksumType === "FULL_OBJECT";
  const { bucket, key } = target;
  return { bucket, key, uploadId: answer.UploadId, sumsWhole, isRepeated: isRepeated(answer) };
}

/**
 * Sends the parts, several at once, each from its own buffer that is used again: memory stays at lanes x part size
 * whatever the object's size. Reading is serial and in order. On failure or abort all lanes stop before this rejects, and
 * the upload stays as it is: S3 has every part that was reported by `onSent`.
 */
export async function sendParts(aws: Aws, send: SendParts): Promise<SentPart[]> {
  const [s3, { UploadPartCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const { signal, stop } = stoppable(send.signal);
  const { bucket: Bucket, key: Key, uploadId: UploadId } = send.upload;
  const sent: SentPart[] = [];
  let read = 0;
  let lastReading: Promise<unknown> = Promise.resolve();

  async function readNext(buffer: Buffer): Promise<{ number: number; body: Buffer } | undefined> {
    signal.throwIfAborted();
    const sizeBytes = await send.fill(buffer);
    if (sizeBytes === 0) return undefined;
    if (++read > maxParts) {
      throw new CliError(
        `${Key} is larger than ${maxParts} parts of ${bytes(send.partSizeBytes)}, which is all that S3 takes`,
        { hint: "Upload it from a file, whose size is known beforehand." },
      );
    }
    return { number: read, body: buffer.subarray(0, sizeBytes) };
  }

  async function lane(): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(send.partSizeBytes);
    for (;;) {
      const reading = lastReading.then(() => readNext(buffer));
      lastReading = reading;
      const part = await reading;
      if (part === undefined) return;
      const crc = crc32(part.body);
      const known = send.present.get(part.number);
      if (known === undefined) {
        const command = new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber: part.number,
          Body: part.body,
          ContentLength: part.body.byteLength,
          ChecksumCRC32: crcToBase64(crc),
        });
        leavePayloadUnsigned(command);
        const answer = await s3.send(command, { abortSignal: signal });
        const sizeBytes = part.body.byteLength;
        sent[part.number - 1] = { number: part.number, sizeBytes, etag: answer.ETag ?? "", crc };
        send.onSent(sizeBytes);
      } else {
        if (known.crc !== crc) throw changedMeanwhile(Key);
        sent[part.number - 1] = known;
      }
    }
  }

  const lanes = Array.from({ length: send.atOnce ?? laneCount(send.partSizeBytes) }, () =>
    lane().catch((error: unknown) => {
      stop(error);
      throw error;
    }),
  );
  const settled = await Promise.allSettled(lanes);
  // The first failure is the cause; those of the other lanes only say that they were stopped.
  send.signal?.throwIfAborted();
  signal.throwIfAborted();
  const failed = settled.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return sent;
}

/** What S3 and the sender agree on at the end. */
export interface CompletedUpload {
  readonly etag: string;
  readonly version: string | undefined;
  /** Base64, over all bytes. */
  readonly crc32: string;
  /** What S3 compared: the whole object, or only each part (servers and uploads without a sum of the whole). */
  readonly verified: "object" | "parts";
}

/**
 * Puts the parts together. S3 compares size and CRC32 of the whole and refuses what differs; the answer is compared once
 * more here. Rejects with S3's 412 when the condition does not hold (then the parts are still there). Where the answer
 * to a first attempt got lost S3 no longer knows the upload, or the condition does not hold any more; then the object itself tells
 * that it is complete.
 */
export async function completeUpload(
  aws: Aws,
  upload: OpenUpload,
  {
    parts,
    condition,
    signal,
  }: { parts: readonly SentPart[]; condition: WriteCondition; signal?: AbortSignal },
): Promise<CompletedUpload> {
  const [s3, { CompleteMultipartUploadCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const crc = parts.reduce((sum, part) => combineCrc32(sum, part.crc, part.sizeBytes), 0);
  const expected = crcToBase64(crc);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  let answer;
  try {
    answer = await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: upload.bucket,
        Key: upload.key,
        UploadId: upload.uploadId,
        MultipartUpload: {
          Parts: parts.map((part): CompletedPart => ({
            PartNumber: part.number,
            ETag: part.etag,
            ChecksumCRC32: crcToBase64(part.crc),
          })),
        },
        ...(upload.sumsWhole ? { ChecksumType: "FULL_OBJECT", ChecksumCRC32: expected } : {}),
        MpuObjectSize: sizeBytes,
        IfNoneMatch: condition.ifNoneMatch,
        IfMatch: condition.ifMatch,
      }),
      abortable(signal),
    );
  } catch (error) {
    const mayBeDone = errorName(error) === "NoSuchUpload" || (httpStatus(error) === 412 && isRepeated(error));
    if (!mayBeDone) throw error;
    const head = await headObject(aws, upload, signal);
    if (head?.checksum?.value !== expected || head.sizeBytes !== sizeBytes) throw error;
    return { etag: head.etag, version: head.version, crc32: expected, verified: "object" };
  }
  const whole = answer.ChecksumCRC32 !== undefined && !answer.ChecksumCRC32.includes("-");
  if (whole && answer.ChecksumCRC32 !== expected) {
    throw new CliError(`S3 holds other bytes at ${upload.key} than were sent (CRC32 differs)`, {
      hint: "Upload it again; if it happens again, something on the way changes the data.",
    });
  }
  return {
    etag: answer.ETag ?? "",
    version: answer.VersionId,
    crc32: expected,
    verified: whole ? "object" : "parts",
  };
}

/** Removes an upload with its parts; one that is gone already is fine. */
export async function removeUpload(
  aws: Aws,
  upload: Pick<OpenUpload, "bucket" | "key" | "uploadId">,
): Promise<void> {
  const [s3, { AbortMultipartUploadCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  try {
    await s3.send(
      new AbortMultipartUploadCommand({ Bucket: upload.bucket, Key: upload.key, UploadId: upload.uploadId }),
    );
  } catch (error) {
    if (!(error instanceof Error && error.name === "NoSuchUpload")) throw error;
  }
}

/** The source was written to while it was read: what would be stored is neither the old nor the new file. */
export function changedMeanwhile(name: string): CliError {
  return new CliError(`${name}: the file changed while it was being uploaded`, {
    hint: "Run the upload again when nothing writes to the file any more.",
  });
}
