import { crc32 } from "node:zlib";
import { converse, type Clamd, type ConversationOptions } from "./conversation.ts";
import { scannerFacts, type ScannerFacts } from "./engine.ts";
import { scanStream } from "./scan.ts";
import type { NotScanned } from "./verdict.ts";

/** How far the answers of a clamd can be relied on, as set in its clamd.conf. */
export interface ScannerTrial extends ScannerFacts {
  /** Whether it takes contents of the size that was asked about (`StreamMaxLength`). */
  readonly takesSize: boolean;
  /** Whether it says when a limit kept it from looking (`AlertExceedsMax`), instead of OK. */
  readonly tellsLimits: boolean;
  /** Whether it says when it met something encrypted (`AlertEncrypted`), instead of OK. */
  readonly tellsEncrypted: boolean;
}

/**
 * Finds out by harmless samples how a clamd is set, since its protocol has no question for that: an archive in more
 * archives than `MaxRecursion` can allow (100), an archive marked as encrypted, and the announcement of a content of
 * `sizeBytes`. A few kilobytes are sent. Rejects only with the signal's reason.
 */
export async function tryScanner(
  clamd: Clamd,
  sizeBytes: number,
  options: ConversationOptions,
): Promise<ScannerTrial | NotScanned> {
  const facts = await scannerFacts(clamd, options);
  if (!("engine" in facts)) return facts;
  const [takesSize, tellsLimits, tellsEncrypted] = await Promise.all([
    takes(clamd, sizeBytes, options),
    isNotClean(clamd, nested(101), options),
    isNotClean(clamd, archive(Buffer.from("nothing to be seen here"), { encrypted: true }), options),
  ]);
  options.signal?.throwIfAborted();
  return { ...facts, takesSize, tellsLimits, tellsEncrypted };
}

/** clamd refuses a frame that is too long by its header, before the first byte of it. */
async function takes(clamd: Clamd, sizeBytes: number, options: ConversationOptions): Promise<boolean> {
  const announcement = Buffer.from("zINSTREAM\0....");
  announcement.writeUInt32BE(Math.min(sizeBytes, 0xffff_ffff), announcement.length - 4);
  const { text } = await converse(clamd, options).finish(announcement, { hangUp: true });
  return !text.includes("INSTREAM size limit exceeded");
}

async function isNotClean(clamd: Clamd, sample: Buffer, options: ConversationOptions): Promise<boolean> {
  async function* content(): AsyncGenerator<Uint8Array> {
    yield sample;
  }
  const { result } = await scanStream(content(), clamd, { ...options, maxBytes: sample.length });
  return result !== "CLEAN";
}

function nested(levels: number): Buffer {
  let content = Buffer.from("nothing to be seen here");
  for (let level = 0; level < levels; level += 1) content = archive(content, { encrypted: false });
  return content;
}

/** A ZIP archive (APPNOTE 6.3.10) with one stored file; `encrypted` is the mark alone, on bytes that nobody can read. */
function archive(content: Buffer, { encrypted }: { readonly encrypted: boolean }): Buffer<ArrayBuffer> {
  const name = Buffer.from("a");
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(encrypted ? 1 : 0, 2);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(content.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const file = Buffer.concat([Buffer.from("PK\x03\x04"), fields, name, content]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(entry.length, 8);
  end.writeUInt32LE(file.length, 12);
  return Buffer.concat([file, entry, Buffer.from("PK\x05\x06"), end]);
}
