import { readBoxes, readGifBlocks, readJpegSegments, readPngChunks, readWebpChunks } from "./containers.ts";
import type { Container, Part } from "./containers.ts";
import { latin1 } from "./format.ts";
import type { ImageFormat } from "./format.ts";
import { describeHeif } from "./heif-items.ts";
import { describeExif, describeTiff } from "./tiff-tags.ts";

/** Chunks that say how the pixels look (PNG third edition, APNG); all others are told. */
const pictureChunks = new Set(
  "IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split(" "),
);
/** PNG texts that hold more than text: XMP by its own rule, the others as ImageMagick wrote them before `eXIf`. */
const textKeywords: ReadonlyMap<string, string> = new Map([
  ["XML:com.adobe.xmp", "xmp"],
  ["Raw profile type xmp", "xmp"],
  ["Raw profile type exif", "exif"],
  ["Raw profile type APP1", "exif"],
  ["Raw profile type iptc", "iptc"],
  ["Raw profile type icc", "icc"],
]);
const pictureWebpChunks = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF"]);
/** SOF, DHT, DAC, SOS, DQT, DNL, DRI, DHP and EXP. */
const pictureMarkers = /^(?:C[0-9A-F]|D[A-F])$/;

interface Reader {
  readonly read: (bytes: Uint8Array) => Container;
  readonly describe: (parts: readonly Part[], bytes: Uint8Array) => string[];
}

const readers: Readonly<Record<ImageFormat, Reader>> = {
  jpeg: { read: readJpegSegments, describe: (parts) => parts.flatMap(describeSegment) },
  png: { read: readPngChunks, describe: (parts) => parts.flatMap(describeChunk) },
  webp: { read: readWebpChunks, describe: (parts) => parts.flatMap(describeWebpChunk) },
  gif: { read: readGifBlocks, describe: (parts) => parts.flatMap(describeBlock) },
  avif: { read: readBoxes, describe: describeHeif },
  heic: { read: readBoxes, describe: describeHeif },
  tiff: {
    read: (bytes) => ({ parts: [], end: bytes.length }),
    describe: (_parts, bytes) => describeTiff(bytes),
  },
};

/**
 * Names what the file carries beside its picture: `exif`, `gps`, `thumbnail`, `xmp`, `iptc`, `icc`, `comment`,
 * `c2pa`, `trailing data` behind the picture's end (`video` and `further pictures` where that is known to be in it),
 * `unreadable rest` where it breaks off, and whatever else is not pixels by its own name (`APP14`, `chunk tIME`, `box uuid`). Each name once, in the order found; an empty list means that nothing is there but
 * the picture. A JFIF header without thumbnail counts as the picture's. Reads the bytes itself and trusts no
 * decoder, so that it can check what an encoder wrote.
 */
export function findMetadata(bytes: Uint8Array, format: ImageFormat): string[] {
  const { read, describe } = readers[format];
  const { parts, end } = read(bytes);
  const rest = end === undefined ? ["unreadable rest"] : describeTrailing(bytes.subarray(end));
  return [...new Set([...describe(parts, bytes), ...rest])];
}

/** Phones put a motion photo's film there, cameras the further pictures of a multi-picture file. */
function describeTrailing(rest: Uint8Array): string[] {
  if (rest.length === 0) return [];
  const has = (signature: string) =>
    Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength).includes(signature, 0, "latin1");
  return [
    "trailing data",
    ...(has("ftyp") ? ["video"] : []),
    ...(has("\xff\xd8\xff") ? ["further pictures"] : []),
  ];
}

/** Whether the file goes on to its own end. TIFF has none to look for: there only decoding tells. */
export function isComplete(bytes: Uint8Array, format: ImageFormat): boolean {
  return readers[format].read(bytes).end !== undefined;
}

function describeSegment({ name, data }: Part): string[] {
  const starts = (signature: string): boolean => latin1(data, 0, signature.length) === signature;
  if (pictureMarkers.test(name)) return [];
  if (name === "COM") return ["comment"];
  if (name === "APP0" && starts("JFIF\0")) {
    const hasThumbnail = data[12] !== 0 || data[13] !== 0;
    return data.length === 14 && !hasThumbnail ? [] : ["thumbnail"];
  }
  if (name === "APP0" && starts("JFXX\0")) return ["thumbnail"];
  if (name === "APP1" && starts("Exif\0")) return describeExif(data.subarray(6));
  if (name === "APP1" && starts("http://ns.adobe.com/x")) return ["xmp"];
  if (name === "APP2" && starts("ICC_PROFILE\0")) return ["icc"];
  if (name === "APP13" && starts("Photoshop 3.0\0")) return ["iptc"];
  if (name === "APP11" && latin1(data, 0, data.length).includes("jumb")) return ["c2pa"];
  if (name === "stray") return ["stray bytes"];
  return [name.startsWith("APP") ? name : `marker ${name}`];
}

function describeChunk({ name, data }: Part): string[] {
  if (pictureChunks.has(name)) return [];
  switch (name) {
    case "eXIf":
      return describeExif(data);
    case "iCCP":
      return ["icc"];
    case "iTXt":
    case "tEXt":
    case "zTXt":
      return [textKeywords.get(latin1(data, 0, 80).split("\0", 1).join()) ?? "comment"];
    case "caBX":
      return ["c2pa"];
    default:
      return [`chunk ${name}`];
  }
}

function describeWebpChunk({ name, data }: Part): string[] {
  if (pictureWebpChunks.has(name)) return [];
  switch (name) {
    case "EXIF":
      return describeExif(latin1(data, 0, 4) === "Exif" ? data.subarray(6) : data);
    case "XMP ":
      return ["xmp"];
    case "ICCP":
      return ["icc"];
    case "C2PA":
      return ["c2pa"];
    case "stray":
      return ["stray bytes"];
    default:
      return [`chunk ${name}`];
  }
}

function describeBlock({ name, data }: Part): string[] {
  switch (name) {
    case "image":
      return [];
    case "control":
      return data.length > 8 ? ["extension control"] : [];
    case "NETSCAPE2.0": // How often an animation repeats, and how much is to be buffered.
    case "ANIMEXTS1.0":
      return data.length > 25 ? [`extension ${name}`] : [];
    case "comment":
    case "text":
      return ["comment"];
    case "XMP DataXMP":
      return ["xmp"];
    case "ICCRGBG1012":
      return ["icc"];
    default:
      return [`extension ${name}`];
  }
}
