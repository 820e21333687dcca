import { bytes as bytesText } from "../model/bytes.ts";
import { converse, type Clamd, type Conversation, type ConversationOptions } from "./conversation.ts";
import { engineVersion } from "./engine.ts";
import { judge, notScanned, type Verdict } from "./verdict.ts";

export interface ScanOptions extends ConversationOptions {
  /** Above it nothing is sent and nothing is ever clean: clamd says OK unseen to what exceeds limits of its own. */
  readonly maxBytes: number;
}

/** One content on its way to clamd, while its reader does something else with the same chunks. */
export interface Scan {
  /**
   * Sends a copy of the chunk on and resolves when it left this process: wait for it, or the memory fills. Does not
   * fail: when clamd is not there or breaks off, further chunks are dropped, and `end` tells why.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Whether nothing more is sent, because the verdict stands or clamd is gone. */
  isDecided(): boolean;
  /** The verdict on all that was written. Rejects only with the reason of the signal; a second call gets the same. */
  end(): Promise<Verdict>;
  /** Breaks off, for a reader that stops in the middle. Without it or `end` the connection stays open. */
  discard(): void;
}

const engineGone = notScanned("dropped", "clamd closed the connection before it had everything");

/** clamd takes any length below `StreamMaxLength`; this one keeps what it reads ahead of that limit small. */
const frameBytes = 64 * 1024;

/**
 * Scans what is written to it: `zINSTREAM` with a connection of its own, opened with the first byte, so that an
 * empty content costs none (clamd would call it OK). The engine's version is asked on another.
 * @see https://docs.clamav.net/manual/Usage/Scanning.html#clamd
 */
export function startScan(clamd: Clamd, options: ScanOptions): Scan {
  let bytes = 0;
  let stream: Conversation | undefined;
  let verdict: Promise<Verdict> | undefined;
  const broken = new AbortController();
  const connection = { timeoutMs: options.timeoutMs, signal: broken.signal };

  function breakOff(): void {
    options.signal?.removeEventListener("abort", breakOff);
    broken.abort();
  }

  function open(): Conversation {
    const opened = converse(clamd, connection);
    // Not waited for: it goes out before every later chunk in any case.
    void opened.send(Buffer.from("zINSTREAM\0"));
    return opened;
  }

  async function conclude(): Promise<Verdict> {
    options.signal?.throwIfAborted();
    if (bytes === 0) return notScanned("empty", "there is nothing to scan");
    if (!(bytes <= options.maxBytes)) {
      return notScanned(
        "too-large",
        `larger than ${bytesText(options.maxBytes)}, above which nothing is scanned`,
      );
    }
    if (stream === undefined) {
      return notScanned("dropped", "the scan was interrupted here");
    }
    // Asked while the content lacks its end: in that time an answer that came too early is seen for what it is.
    const facts = stream.isOver() ? engineGone : await engineVersion(clamd, connection);
    const reply = await stream.finish(frameHeader(0));
    options.signal?.throwIfAborted();
    return judge(reply, "engine" in facts ? facts.engine : facts);
  }

  if (options.signal?.aborted === true) breakOff();
  else options.signal?.addEventListener("abort", breakOff);
  return {
    async write(chunk) {
      if (verdict !== undefined) throw new Error("the scan has ended: what is written now has no verdict");
      if (chunk.byteLength === 0) return;
      bytes += chunk.byteLength;
      if (!(bytes <= options.maxBytes)) breakOff();
      if (broken.signal.aborted) return;
      stream ??= open();
      await stream.send(framed(chunk));
    },
    isDecided: () => broken.signal.aborted || stream?.isOver() === true,
    async end() {
      verdict ??= conclude().finally(breakOff);
      return await verdict;
    },
    discard: breakOff,
  };
}

/**
 * Scans a content on its own, a chunk at a time. Rejects with the source's error or the signal's reason; all that
 * goes wrong with clamd is a verdict. Once nothing more can change it, the rest of the source is left unread.
 */
export async function scanStream(
  source: AsyncIterable<Uint8Array>,
  clamd: Clamd,
  options: ScanOptions,
): Promise<Verdict> {
  const scan = startScan(clamd, options);
  try {
    for await (const chunk of source) {
      await scan.write(chunk);
      if (scan.isDecided()) break;
    }
    return await scan.end();
  } finally {
    scan.discard();
  }
}

/** The chunk in frames: the length as four bytes, big-endian, then the bytes. */
function framed(chunk: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < chunk.byteLength; start += frameBytes) {
    const piece = chunk.subarray(start, start + frameBytes);
    parts.push(frameHeader(piece.byteLength), piece);
  }
  return Buffer.concat(parts);
}

/** A length of 0 ends the stream. */
function frameHeader(length: number): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return header;
}
