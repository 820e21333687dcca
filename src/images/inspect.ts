import type { Metadata, SharpOptions } from "sharp";
import { CliError } from "../errors.ts";
import { detectFormat, imageFormats } from "./format.ts";
import type { ImageFormat } from "./format.ts";
import { mendJpegHeaders } from "./mend-jpeg.ts";
import { findMetadata, isComplete } from "./metadata.ts";
import { loadSharp } from "./sharp.ts";

export interface ImageFacts {
  readonly format: ImageFormat;
  readonly contentType: string;
  /** Without a dot. */
  readonly extension: string;
  /** Pixels across, upright: after the EXIF orientation. */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8; 1 when the file names none. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** As libvips names what is stored: `srgb` and `b-w` with 8 bits, `rgb16` and `grey16` with 16, `cmyk`, `lab`. */
  readonly colourSpace: string;
  /** Frames of an animation or pages of a TIFF; only the first is ever shown. */
  readonly pages: number;
  /** What the file carries beside its pixels: the names of `findMetadata`. */
  readonly metadata: readonly string[];
}

export interface InspectOptions {
  /** The most pixels a picture may have; default 50 million. */
  readonly maxPixels?: number;
  /** What the picture is called in messages; default "the picture". */
  readonly name?: string;
}

const defaultMaxPixels = 50_000_000;
/** All frames of an animation together, as a multiple of the limit for one. */
const allFramesFactor = 10;

/**
 * Looks at a picture without decoding its pixels: format by content, size, orientation, metadata, and whether the
 * file goes on to its end. Damage inside the pixels shows when they are decoded: by the rendering, or by `checkDecodes`
 * where the bytes are used as they are. Only HEIC is decoded here, because whether this
 * decoder can read it cannot be asked otherwise.
 * @throws CliError for everything that is not to be used: not a picture, SVG, cut off, too large, no decoder
 */
export async function inspectImage(bytes: Uint8Array, options: InspectOptions = {}): Promise<ImageFacts> {
  const { name = "the picture", maxPixels = defaultMaxPixels } = options;
  const format = detectFormat(bytes, name);
  if (!isComplete(bytes, format)) throw damaged(name, "it ends in the middle");
  const header = await readHeader(bytes, format, name);
  const { width, height } = header.autoOrient;
  const pages = header.pages ?? 1;
  refuseSize({ width, height, frames: isAnimated(format) ? pages : 1 }, name, maxPixels);
  if (format === "heic") await checkDecodes(bytes, options);
  return {
    format,
    ...imageFormats[format],
    width,
    height,
    orientation: header.orientation ?? 1,
    hasAlpha: header.hasAlpha,
    colourSpace: header.space,
    pages,
    metadata: [...new Set([...findMetadata(bytes, format), ...knownToDecoder(header)])],
  };
}

/** What the decoder saw, which reads more kinds of wrapping than `findMetadata`. */
function knownToDecoder({ exif, xmp, iptc, hasProfile }: Metadata): string[] {
  const seen = {
    exif: exif !== undefined,
    xmp: xmp !== undefined,
    iptc: iptc !== undefined,
    icc: hasProfile,
  };
  return Object.entries(seen).flatMap(([name, isThere]) => (isThere ? [name] : []));
}

/**
 * Decodes every pixel of every frame once, in little memory, and keeps nothing: for bytes that are going to be used as they are.
 * Call `inspectImage` first; it bounds what has to be decoded.
 * @throws CliError when the picture is damaged or this decoder cannot read it
 */
export async function checkDecodes(bytes: Uint8Array, options: InspectOptions = {}): Promise<void> {
  const { name = "the picture", maxPixels = defaultMaxPixels } = options;
  const format = detectFormat(bytes, name);
  const sharp = await loadSharp();
  await decoded(bytes, { format, name }, (readable) =>
    sharp(readable, { ...decodeOptions(maxPixels * allFramesFactor), animated: isAnimated(format) })
      .resize(8, 8, { fit: "fill" })
      .raw()
      .toBuffer(),
  );
}

/**
 * How pictures are read: line by line, and refused at the first warning of the decoder rather than shown with
 * a grey half.
 */
export function decodeOptions(maxPixels = defaultMaxPixels): SharpOptions {
  return { failOn: "warning", sequentialRead: true, limitInputPixels: maxPixels };
}

/**
 * Decodes a picture and turns a failure into words. What every viewer overlooks in a JPEG's headers the decoder would
 * report as damage: then the same is tried with these put right.
 * @throws CliError
 */
export async function decoded<T>(
  bytes: Uint8Array,
  { format, name }: { readonly format: ImageFormat; readonly name: string },
  decode: (readable: Uint8Array) => Promise<T>,
): Promise<T> {
  try {
    return await decode(bytes).catch((error: unknown) => {
      const mended = format === "jpeg" ? mendJpegHeaders(bytes) : undefined;
      if (mended === undefined) throw error;
      return decode(mended);
    });
  } catch (error) {
    if (format === "heic") throw noHeic(name, error);
    throw damaged(name, "its pixels cannot be decoded", error);
  }
}

async function readHeader(bytes: Uint8Array, format: ImageFormat, name: string): Promise<Metadata> {
  const sharp = await loadSharp();
  // The limit is ours to explain, and nothing is decoded yet.
  const header = await decoded(bytes, { format, name }, (readable) =>
    sharp(readable, { limitInputPixels: false }).metadata(),
  );
  const expected = format === "avif" || format === "heic" ? "heif" : format;
  if (header.format !== expected)
    throw damaged(name, `it begins like ${format} and reads as ${header.format}`);
  return header;
}

/** Formats of which a viewer plays all frames; the pages of a TIFF are never read beyond the first. */
function isAnimated(format: ImageFormat): boolean {
  return format === "gif" || format === "webp";
}

function refuseSize(
  size: { width: number; height: number; frames: number },
  name: string,
  maxPixels: number,
): void {
  const { width, height, frames } = size;
  const pixels = width * height;
  if (pixels === 0) throw damaged(name, `it measures ${width} x ${height} pixels`);
  if (pixels > maxPixels) {
    throw new CliError(
      `${name} has ${width} x ${height} pixels, ${megapixels(pixels)} megapixels; at most ${megapixels(maxPixels)} are taken`,
      { hint: "scale it down first; nothing on a page needs more than 4000 pixels across" },
    );
  }
  if (pixels * frames > maxPixels * allFramesFactor) {
    throw new CliError(
      `${name} has ${frames} frames of ${width} x ${height} pixels, which is too much to read`,
      {
        hint: "save its first frame as a picture of its own and give that",
      },
    );
  }
}

function megapixels(pixels: number): string {
  return String(Math.round(pixels / 100_000) / 10);
}

function damaged(name: string, what: string, cause?: unknown): CliError {
  return new CliError(`${name} is damaged: ${what}`, {
    hint: "copy or download it again, or open it in a picture program and save it anew",
    cause,
  });
}

function noHeic(name: string, cause: unknown): CliError {
  return new CliError(`${name} is HEIC, which this installation cannot decode`, {
    hint: "save it as JPEG first: on a Mac `sips -s format jpeg in.heic --out out.jpg`, on Linux `heif-convert in.heic out.jpg`",
    cause,
  });
}
