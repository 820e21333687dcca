import { constants, gunzipSync } from "node:zlib";
import { decodeText } from "../decode-text.ts";
import { CliError } from "../errors.ts";
import { isCameraRaw } from "./tiff-tags.ts";

export type ImageFormat = "jpeg" | "png" | "webp" | "avif" | "heic" | "tiff" | "gif";

export const imageFormats: Readonly<
  Record<ImageFormat, { readonly contentType: string; readonly extension: string }>
> = {
  jpeg: { contentType: "image/jpeg", extension: "jpg" },
  png: { contentType: "image/png", extension: "png" },
  webp: { contentType: "image/webp", extension: "webp" },
  avif: { contentType: "image/avif", extension: "avif" },
  heic: { contentType: "image/heic", extension: "heic" },
  tiff: { contentType: "image/tiff", extension: "tif" },
  gif: { contentType: "image/gif", extension: "gif" },
};

/** What people hand in by mistake, by its first bytes, and what it is called. */
const mistaken: readonly (readonly [start: string, what: string])[] = [
  ["%PDF-", "a PDF"],
  ["PK\x03\x04", "a zip archive or office document"],
  ["PK\x05\x06", "a zip archive"],
  ["8BPS", "a Photoshop document"],
  ["BM", "a BMP bitmap"],
  ["\x00\x00\x01\x00", "an icon (ICO)"],
  ["\x00\x00\x00\x0cJXL ", "a JPEG XL picture"],
  ["\xff\x0a", "a JPEG XL picture"],
  ["\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"],
  ["%!PS", "a PostScript file"],
  ["\x1aE\xdf\xa3", "a video"],
  ["\x7fELF", "a program"],
  ["MZ", "a program"],
];

const heicBrands = new Set(["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]);

/** How much of a text is looked at for its root element; the rest cannot make it a picture. */
const textProbeBytes = 1024 * 1024;
/** Deflate grows at most about a thousandfold, so that this much packed input stays harmless. */
const packedProbeBytes = 4096;

/**
 * The format by content, never by name. `name` stands for the picture in messages.
 * @throws CliError for whatever is not one of the formats: empty, SVG (plain, UTF-16 or gzipped), PDF, HTML, an
 * archive, a video, or nothing known; each says what to do instead.
 */
export function detectFormat(bytes: Uint8Array, name: string): ImageFormat {
  if (bytes.length === 0)
    throw new CliError(`${name} is empty`, { hint: "choose a file that holds a picture" });
  const start = latin1(bytes, 0, 16);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("GIF87a") || start.startsWith("GIF89a")) return "gif";
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return "webp";
  if (/^(?:II[*+]\0|MM\0[*+])/.test(start)) {
    if (isCameraRaw(bytes)) throw notAPicture(name, "a camera's raw file");
    return "tiff";
  }
  if (start.slice(4, 8) === "ftyp") return detectBrand(bytes, name);
  throw refuse(bytes, start, name);
}

/** Pictures and videos share one wrapper (ISO base media); the brands in its first box tell them apart. */
function detectBrand(bytes: Uint8Array, name: string): ImageFormat {
  const size = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), 256, bytes.length);
  const brands = [latin1(bytes, 8, 12)];
  for (let at = 16; at + 4 <= size; at += 4) brands.push(latin1(bytes, at, at + 4));
  if (brands.includes("avif") || brands.includes("avis")) return "avif";
  if (brands.some((brand) => heicBrands.has(brand))) return "heic";
  throw notAPicture(name, "a video or an unknown kind of media file");
}

function refuse(bytes: Uint8Array, start: string, name: string): CliError {
  const root = start.startsWith("\x1f\x8b") ? rootElement(unpackStart(bytes)) : rootElement(bytes);
  if (root === "svg") {
    return new CliError(`${name} is an SVG drawing, which can carry script and is never put into a bucket`, {
      hint: "export it as PNG and give that",
    });
  }
  if (root !== undefined) return notAPicture(name, root === "html" ? "an HTML page" : "an XML document");
  if (start.startsWith("\x1f\x8b")) return notAPicture(name, "a gzip archive");
  return notAPicture(name, mistaken.find(([magic]) => start.startsWith(magic))?.[1]);
}

function notAPicture(name: string, what: string | undefined): CliError {
  return new CliError(what === undefined ? `${name} is not a picture` : `${name} is ${what}, not a picture`, {
    hint: "give a JPEG, PNG, WebP, AVIF, TIFF or GIF (it is told by content, not by name)",
  });
}

function unpackStart(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, packedProbeBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(); // Not gzip after all: then it is nothing that is known.
  }
}

/** Local name of a markup document's first element in lower case; undefined when it is no markup. */
function rootElement(bytes: Uint8Array): string | undefined {
  const text = decodeText(bytes.subarray(0, textProbeBytes));
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++; // \s includes the byte order mark.
    const skipped = skipProlog(text, at);
    if (skipped === undefined) break;
    at = skipped;
  }
  const element = /^<(?:[\w.-]+:)?([a-z][\w.-]*)/i.exec(text.slice(at, at + 200));
  if (element?.[1] !== undefined)
    return /^(?:head|body|script)$/i.test(element[1]) ? "html" : element[1].toLowerCase();
  if (/^<!doctype\s+(?:html|svg)/i.test(text.slice(at, at + 40)))
    return /^<!doctype\s+svg/i.test(text.slice(at)) ? "svg" : "html";
  // A prolog without an end: some viewers are lenient about it, so the name is enough.
  return text.startsWith("<", at) && /<(?:[\w.-]+:)?svg[\s>]/i.test(text) ? "svg" : undefined;
}

/** The place behind one comment, instruction or doctype that begins at `at`; undefined when none does or it has no end. */
function skipProlog(text: string, at: number): number | undefined {
  const ends = (end: string, from = at): number | undefined => {
    const found = text.indexOf(end, from);
    return found === -1 ? undefined : found + end.length;
  };
  if (text.startsWith("<!--", at)) return ends("-->", at + 4);
  if (text.startsWith("<?", at)) return ends("?>");
  if (/^<!doctype\s+html/i.test(text.slice(at, at + 40))) return undefined;
  if (!/^<!doctype/i.test(text.slice(at, at + 9))) return undefined;
  const subset = text.indexOf("[", at);
  const close = text.indexOf(">", at);
  if (subset === -1 || close < subset) return ends(">");
  const subsetEnd = ends("]", subset);
  return subsetEnd === undefined ? undefined : ends(">", subsetEnd);
}

/** One character a byte: for comparing signatures. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end);
}
