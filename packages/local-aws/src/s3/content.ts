import { createHash } from "node:crypto";
import type { LocalRequest } from "../service.ts";
import type { Call, Store } from "./call.ts";
import { type Checksum, type ChecksumAlgorithm, startChecksum } from "./checksums.ts";
import { type Received, receive } from "./receive.ts";
import type { Segment, StoredObject } from "./records.ts";

/** Bytes that are on the disk, durably, and that no record refers to yet. */
export interface NewContent {
  readonly bytes: number;
  readonly etag: string;
  readonly checksum: Checksum;
  readonly segments: readonly Segment[];
  /** Removes the file again; for when no record came to refer to it. */
  discard(): Promise<void>;
}

/** Takes in a request's body as a blob. A body that is refused or breaks off leaves nothing behind. */
export async function storeBody(
  call: Call,
  checksum: ChecksumAlgorithm,
): Promise<NewContent & { readonly received: Received }> {
  let received: Received | undefined;
  const content = await storeBytes(call.store, call.request.signal, async (write) => {
    received = await receive(call, { checksum, write });
    return received;
  });
  if (received === undefined) throw new Error("a body was stored without having been received");
  return { ...content, received };
}

/** Copies a run of a stored object's bytes into a blob of its own. The caller has retained the source. */
export async function copyContent(
  call: Call,
  source: StoredObject,
  options: { readonly start: number; readonly end: number; readonly checksum: ChecksumAlgorithm },
): Promise<NewContent> {
  return await storeBytes(call.store, call.request.signal, async (write) => {
    const md5 = createHash("md5");
    const summing = startChecksum(options.checksum);
    let bytes = 0;
    for await (const piece of call.store.blobs.read(source.segments, options.start, options.end)) {
      md5.update(piece);
      summing.update(piece);
      bytes += piece.length;
      await write(piece);
    }
    const value = summing.digest().toString("base64");
    return {
      bytes,
      md5: md5.digest("hex"),
      checksum: { algorithm: options.checksum, value, type: "FULL_OBJECT" },
    };
  });
}

/** Stores what a producer writes. Empty content needs no file. */
export async function storeBytes(
  store: Store,
  signal: LocalRequest["signal"],
  produce: (
    write: (bytes: Uint8Array) => Promise<void>,
  ) => Promise<{ bytes: number; md5: string; checksum: Checksum }>,
): Promise<NewContent> {
  let writer: Awaited<ReturnType<typeof store.blobs.create>> | undefined;
  const discard = async () => await writer?.discard();
  try {
    const produced = await produce(async (bytes) => {
      signal?.throwIfAborted();
      if (bytes.length === 0) return;
      writer ??= await store.blobs.create();
      await writer.write(bytes);
    });
    signal?.throwIfAborted();
    await writer?.finish();
    const { bytes, md5, checksum } = produced;
    const segments = writer === undefined ? [] : [{ blob: writer.blob, bytes }];
    return { bytes, etag: md5, checksum, segments, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Runs `work`, which gives the content a record; when it fails, the content is removed again. */
export async function keepingUnlessFailed<T>(content: NewContent, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await content.discard();
    throw error;
  }
}
