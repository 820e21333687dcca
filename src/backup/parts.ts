import { promisify } from "node:util";
import { constants, crc32, gunzip, gzip } from "node:zlib";
import { bytes as bytesText } from "../model/bytes.ts";
import { DamagedError } from "./damage.ts";
import type { Repository } from "./repository.ts";
import type { Part } from "./snapshot.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/*
 * Lines are cut into parts by their content: a part ends behind a line whose CRC32 happens to have so many zero bits, so
 * that a line more or less changes the part it is in, and the parts behind stay what they were. Average 2 MiB for
 * lines of 1 KB.
 */
const leastBytes = 1024 ** 2;
const mostBytes = 8 * 1024 ** 2;
const endMask = 0x3ff;
/** A line more is the most that a part grows to: an item of 400 KB is at most some 2.5 MB of JSON. */
const mostRawBytes = mostBytes + 4 * 1024 ** 2;
/** Parts being compressed and written while more lines come. */
const underWay = 2;

/** A part as stored, with what it cost. */
export interface WrittenPart extends Part {
  readonly isNew: boolean;
  readonly storedBytes: number;
}

export interface PartWriter {
  /** Whole lines, each with its newline. Waits while enough is under way. The bytes must not be changed afterwards. */
  add(lines: Buffer): Promise<void>;
  /** Ends the part at hand, if it has a line: what comes next begins another. All that was added is stored then. */
  flush(): Promise<void>;
  /** Ends the last part and gives all, in order. */
  finish(): Promise<readonly WrittenPart[]>;
}

export interface PartOptions {
  /** Told of each part once it is stored, in order, and of its last line: a scan goes on behind it. */
  readonly onPart?: ((part: WrittenPart, lastLine: Buffer) => Promise<void> | void) | undefined;
  readonly signal?: AbortSignal;
}

/** Cuts lines into parts and stores them, gzipped: `gunzip` reads them, and so does DynamoDB's import from S3. */
export function partWriter(repository: Repository, { onPart, signal }: PartOptions = {}): PartWriter {
  const stored: WrittenPart[] = [];
  const pending: Promise<{ part: WrittenPart; lastLine: Buffer }>[] = [];
  let pieces: Buffer[] = [];
  let bytes = 0;
  let lines = 0;

  async function settle(atMost: number): Promise<void> {
    while (pending.length > atMost) {
      const next = await pending.shift();
      if (next === undefined) return;
      stored.push(next.part);
      await onPart?.(next.part, next.lastLine);
    }
  }

  async function cut(): Promise<void> {
    if (lines === 0) return;
    const storing = store(repository, { raw: Buffer.concat(pieces, bytes), lines, signal });
    // Heard when its turn comes; until then its failure is nobody's.
    storing.catch(() => undefined);
    pending.push(storing);
    pieces = [];
    bytes = 0;
    lines = 0;
    await settle(underWay);
  }

  return {
    async add(added) {
      let begin = 0;
      for (let at = 0; at < added.length;) {
        const end = lineEnd(added, at);
        lines += 1;
        const size = bytes + end - begin;
        if (size >= mostBytes || (size >= leastBytes && (crc32(added.subarray(at, end)) & endMask) === 0)) {
          pieces.push(added.subarray(begin, end));
          bytes = size;
          begin = end;
          await cut();
        }
        at = end;
      }
      if (begin < added.length) {
        pieces.push(added.subarray(begin));
        bytes += added.length - begin;
      }
    },
    async flush() {
      await cut();
      await settle(0);
    },
    async finish() {
      await cut();
      await settle(0);
      return stored;
    },
  };
}

function lineEnd(lines: Buffer, from: number): number {
  const newline = lines.indexOf(0x0a, from);
  if (newline === -1) throw new Error("a part takes whole lines only");
  return newline + 1;
}

async function store(
  repository: Repository,
  { raw, lines, signal }: { raw: Buffer; lines: number; signal: AbortSignal | undefined },
): Promise<{ part: WrittenPart; lastLine: Buffer }> {
  const zipped = await compress(raw, { level: constants.Z_BEST_SPEED, chunkSize: 1024 ** 2 });
  const { sha256, bytes, isNew, storedBytes } = await repository.putContent(zipped, signal);
  const lastLine = Buffer.from(raw.subarray(raw.lastIndexOf(0x0a, raw.length - 2) + 1));
  return { part: { sha256, bytes, lines, isNew, storedBytes }, lastLine };
}

/**
 * The lines of a part, without their newlines, in batches. All of the part is checked before the first line is given.
 * @throws DamagedError when it is missing, other than it was stored, or has another number of lines.
 */
export async function* partLines(
  repository: Repository,
  part: Part,
  signal?: AbortSignal,
): AsyncGenerator<readonly Buffer[]> {
  const raw = await readPart(repository, part, signal);
  let batch: Buffer[] = [];
  for (let at = 0; at < raw.length;) {
    const end = lineEnd(raw, at);
    batch.push(raw.subarray(at, end - 1));
    at = end;
    if (batch.length === 1000) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** All lines of a part with their newlines, checked. At most 8 MiB, or one line more. */
export async function readPart(repository: Repository, part: Part, signal?: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const name = repository.contentName(part.sha256);
  if (part.bytes > mostRawBytes) throw tooLarge(name);
  for await (const piece of repository.openContent(part, signal)) pieces.push(piece);
  const raw = await unzipped(Buffer.concat(pieces), name);
  let lines = 0;
  for (let at = 0; at < raw.length; lines++) {
    const newline = raw.indexOf(0x0a, at);
    if (newline === -1) throw new DamagedError(`${name} does not end with a whole line`);
    at = newline + 1;
  }
  if (lines !== part.lines) throw new DamagedError(`${name} has ${lines} lines, not ${part.lines}`);
  return raw;
}

async function unzipped(bytes: Buffer, name: string): Promise<Buffer> {
  try {
    return await decompress(bytes, { maxOutputLength: mostRawBytes });
  } catch (cause) {
    if (errorCode(cause) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(name);
    throw new DamagedError(`${name} cannot be decompressed`, cause);
  }
}

function tooLarge(name: string): DamagedError {
  return new DamagedError(`${name} is larger than the ${bytesText(mostRawBytes)} that a part can have`);
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
