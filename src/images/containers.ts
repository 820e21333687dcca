import { CliError } from "../errors.ts";
import { latin1 } from "./format.ts";

/** One segment, chunk or box of a picture file. `data` is a view, without header and checksum. */
export interface Part {
  readonly name: string;
  readonly data: Uint8Array;
}

export interface Container {
  readonly parts: readonly Part[];
  /** Where the picture ends in the file; undefined when the file breaks off before its end. */
  readonly end: number | undefined;
}

/** More than any real picture has; a file made of nothing else takes a hundred times its size in memory. */
const maxParts = 100_000;

/** @throws CliError when there are more parts than a picture has. */
function add(parts: Part[], part: Part): void {
  if (parts.length >= maxParts) {
    throw new CliError(
      `the picture has more than ${maxParts} frames and other parts, which is too much to read`,
      {
        hint: "save its first frame as a picture of its own and give that",
      },
    );
  }
  parts.push(part);
}

/** A container that goes on beyond the end of the file. */
const cutOff = (parts: readonly Part[]): Container => ({ parts, end: undefined });

/**
 * JPEG (ITU-T T.81, annex B): parts are named `APP0` to `APP15`, `COM`, else by the marker's two digits (`DB`).
 * Bytes between segments that belong to none are a part `stray`. Entropy-coded data is passed over.
 */
export function readJpegSegments(bytes: Uint8Array): Container {
  const parts: Part[] = [];
  let at = 2;
  for (;;) {
    const marker = nextMarker(bytes, at);
    if (marker === undefined) return cutOff(parts);
    if (marker.at > at) add(parts, { name: "stray", data: bytes.subarray(at, marker.at) });
    at = marker.at + marker.length;
    const { code } = marker;
    if (code === 0xd9) return { parts, end: at };
    if (code === 0x01 || (code >= 0xd0 && code <= 0xd8)) continue; // TEM, RST0-7 and SOI stand alone.
    const high = bytes[at];
    const low = bytes[at + 1];
    if (high === undefined || low === undefined) return cutOff(parts);
    const length = (high << 8) | low;
    if (length < 2 || at + length > bytes.length) return cutOff(parts);
    add(parts, { name: segmentName(code), data: bytes.subarray(at + 2, at + length) });
    at += length;
    if (code === 0xda) at = skipEntropyCoded(bytes, at);
  }
}

function segmentName(code: number): string {
  if (code >= 0xe0 && code <= 0xef) return `APP${code - 0xe0}`;
  return code === 0xfe ? "COM" : code.toString(16).toUpperCase().padStart(2, "0");
}

/** The next marker: one or more 0xFF, then a byte that is neither 0x00 nor 0xFF. */
function nextMarker(
  bytes: Uint8Array,
  from: number,
): { at: number; length: number; code: number } | undefined {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    let length = 1;
    while (bytes[at + length] === 0xff) length++;
    const code = bytes[at + length];
    if (code === undefined) return undefined;
    if (code !== 0) return { at, length: length + 1, code };
    at += length;
  }
  return undefined;
}

/** Up to the first marker that is no restart: 0xFF00 is a stuffed byte of the data. */
function skipEntropyCoded(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 2)) {
    const code = bytes[at + 1];
    if (code === 0xff) at--; // A fill byte: look again from the next one.
    else if (code !== 0 && (code === undefined || code < 0xd0 || code > 0xd7)) return at;
  }
  return bytes.length;
}

/** PNG (ISO 15948): parts are named by chunk type. */
export function readPngChunks(bytes: Uint8Array): Container {
  const view = viewOf(bytes);
  const parts: Part[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const name = latin1(bytes, at + 4, at + 8);
    if (at + 12 + length > bytes.length) return cutOff(parts);
    add(parts, { name, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
    if (name === "IEND") return { parts, end: at };
  }
  return cutOff(parts);
}

/** WebP (RFC 9649): parts are named by the RIFF chunks' four characters, those inside frames come last. */
export function readWebpChunks(bytes: Uint8Array): Container {
  const end = bytes.length < 12 ? Infinity : 8 + viewOf(bytes).getUint32(4, true);
  const parts: Part[] = [];
  readRiff(bytes.subarray(12, Math.min(end, bytes.length)), parts);
  for (const { data } of parts.filter(({ name }) => name === "ANMF")) readRiff(data.subarray(16), parts);
  return end > bytes.length ? cutOff(parts) : { parts, end };
}

/** Adds the chunks to `parts`; bytes that are too few for one are a part `stray`. */
function readRiff(bytes: Uint8Array, parts: Part[]): void {
  const view = viewOf(bytes);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at + 4, true);
    add(parts, { name: latin1(bytes, at, at + 4), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  if (at < bytes.length) add(parts, { name: "stray", data: bytes.subarray(at) });
}

/**
 * GIF 89a: ends at its trailer or, as for every viewer, behind its last image where no further block begins. Parts are `image`, `comment`, `text`, `control` or an application extension's eleven characters.
 */
export function readGifBlocks(bytes: Uint8Array): Container {
  const parts: Part[] = [];
  let at = 13 + colourTableBytes(bytes[10]);
  for (;;) {
    const start = at;
    const introducer = bytes[at];
    if (introducer === 0x3b) return { parts, end: at + 1 };
    if (introducer === 0x21) at += 2;
    else if (introducer === 0x2c) at += 11 + colourTableBytes(bytes[at + 9]);
    else return parts.some(({ name }) => name === "image") ? { parts, end: at } : cutOff(parts);
    let size = bytes[at];
    while (size !== undefined && size > 0) {
      at += 1 + size;
      size = bytes[at];
    }
    if (size === undefined) return cutOff(parts);
    at++;
    add(parts, { name: gifBlockName(bytes, start), data: bytes.subarray(start, at) });
  }
}

function gifBlockName(bytes: Uint8Array, start: number): string {
  if (bytes[start] === 0x2c) return "image";
  switch (bytes[start + 1]) {
    case 0xf9:
      return "control";
    case 0xfe:
      return "comment";
    case 0x01:
      return "text";
    default:
      return latin1(bytes, start + 3, start + 14);
  }
}

function colourTableBytes(flags = 0): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** Boxes of ISO/IEC 14496-12 (AVIF, HEIC), one level: parts are named by box type. */
export function readBoxes(bytes: Uint8Array): Container {
  const view = viewOf(bytes);
  const parts: Part[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const short = view.getUint32(at);
    const name = latin1(bytes, at + 4, at + 8);
    const header = short === 1 ? 16 : 8;
    if (at + header > bytes.length) return cutOff(parts);
    // Size 0 means up to the end of the file, 1 that a size of 64 bits follows.
    const size = short === 0 ? bytes.length - at : short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    // What is no box begins where the last one ended: for the caller to judge.
    if (size < header || !/^[\x20-\x7e]{4}$/.test(name)) return { parts, end: at };
    if (at + size > bytes.length) return cutOff(parts);
    add(parts, { name, data: bytes.subarray(at + header, at + size) });
    at += size;
  }
  return { parts, end: at };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
