import type { Sharp } from "sharp";
import { CliError } from "../errors.ts";
import { imageFormats } from "./format.ts";
import type { ImageFormat } from "./format.ts";
import { decodeOptions, decoded, inspectImage } from "./inspect.ts";
import type { ImageFacts, InspectOptions } from "./inspect.ts";
import { findMetadata } from "./metadata.ts";
import { loadSharp } from "./sharp.ts";

/** A picture ready for the web: upright, sRGB, without alpha and without any metadata. */
export interface Picture {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  readonly contentType: string;
  /** Without a dot. */
  readonly extension: string;
}

interface RenderOptions extends InspectOptions {
  /** What `inspectImage` found in these very bytes, where that was asked before; else it is asked here. */
  readonly facts?: ImageFacts;
}

export interface JpegOptions extends RenderOptions {
  /** Pixels across at most; a smaller picture stays as it is. */
  readonly maxWidth: number;
  /** 1 to 100, on JPEG's own scale. */
  readonly quality: number;
  /** Cuts the middle out in this shape and at most this size; a smaller picture keeps the shape only. */
  readonly crop?: { readonly width: number; readonly height: number };
}

type VariantFormat = "webp" | "avif";

export interface VariantOptions extends RenderOptions {
  /** Pixels across, each at most the source's own width. */
  readonly widths: readonly number[];
  readonly formats: readonly VariantFormat[];
  /** 1 to 100, on JPEG's scale: the other encoders are set to look like it. */
  readonly quality: number;
  /** Looked at before each picture: an encoder that runs cannot be stopped. */
  readonly signal?: AbortSignal;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** WebP stores 14 bits for a side; a taller picture is made narrower instead of failing. */
const maxVariantSide = 16_383;

/**
 * A progressive JPEG of any picture `inspectImage` takes: turned upright by its EXIF orientation, colours
 * converted from its profile to sRGB, alpha laid on white, scaled down and never up, no metadata (the bytes
 * written are parsed again to be sure of that).
 * @throws CliError when the picture is refused or damaged
 */
export async function renderJpeg(bytes: Uint8Array, options: JpegOptions): Promise<Picture> {
  const facts = options.facts ?? (await inspectImage(bytes, options));
  const target = options.crop === undefined ? within(facts, options.maxWidth) : cropped(facts, options);
  const { name = "the picture", quality } = options;
  const made = await decoded(bytes, { format: facts.format, name }, async (readable) => {
    const pipeline = await open(readable, facts, { ...options, ...target });
    // Not mozjpeg: on 12 megapixels scaled to 2560 it takes 330 ms instead of 180, and at equal PSNR (40.5 dB) it
    // saves a fifth of 400 KB. Browsers that count bytes get the variants, which save more.
    return pipeline
      .jpeg({ quality, progressive: true, chromaSubsampling: "4:2:0" })
      .toBuffer({ resolveWithObject: true });
  });
  return checked(made, "jpeg", name);
}

/**
 * The picture in each format at each width, narrowest first; widths beyond the source's fall together into one at
 * its own width. The source is decoded once, to the widest variant; the narrower ones are made from that,
 * one after the other, so that only one encoder holds memory at a time.
 * @throws CliError when the picture is refused or damaged
 */
export async function renderVariants(bytes: Uint8Array, options: VariantOptions): Promise<Picture[]> {
  const facts = options.facts ?? (await inspectImage(bytes, options));
  const sizes = variantSizes(facts, options.widths);
  const widest = sizes.at(-1);
  if (widest === undefined) return [];
  const source = { format: facts.format, name: options.name ?? "the picture" };
  const { data, info } = await decoded(bytes, source, async (readable) =>
    (await open(readable, facts, { ...options, ...widest })).raw().toBuffer({ resolveWithObject: true }),
  );
  const sharp = await loadSharp();
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const bySize: Picture[][] = [];
  // The widest first: what the allocator got for it serves the others (peak 215 to 245 MB instead of 215 to 280).
  for (const { width, height } of sizes.toReversed()) {
    const pictures: Picture[] = [];
    for (const format of options.formats) {
      options.signal?.throwIfAborted();
      const scaled = sharp(data, { raw }).resize(width, height, { fit: "fill" });
      const made = await encode(scaled, format, options.quality).toBuffer({ resolveWithObject: true });
      pictures.push(checked(made, format, source.name));
    }
    bySize.unshift(pictures);
  }
  return bySize.flat();
}

async function open(bytes: Uint8Array, facts: ImageFacts, options: InspectOptions & Size): Promise<Sharp> {
  const sharp = await loadSharp();
  const upright = sharp(bytes, decodeOptions(options.maxPixels))
    .autoOrient()
    .resize(options.width, options.height, { fit: "cover", position: "centre" })
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb");
  // sharp takes 16-bit RGB with a profile to Display P3 for its own work (`processingProfile` in its pipeline.cc) and
  // leaves it there unless an output profile is named: without this, such pictures come out dull.
  const wide = facts.colourSpace === "rgb16" && facts.metadata.includes("icc");
  return wide ? upright.withIccProfile("srgb", { attach: false }) : upright;
}

/** The encoders' scales differ: sharp's own defaults for a like look are 80 (JPEG, WebP) and 50 (AVIF). AVIF's effort 4 takes seven times as long as 3 and saves 6 %. */
function encode(pipeline: Sharp, format: VariantFormat, quality: number): Sharp {
  if (format === "webp") return pipeline.webp({ quality });
  return pipeline.avif({ quality: Math.max(1, Math.round((quality * 5) / 8)), effort: 3 });
}

/** @throws CliError when an encoder wrote more than pixels. */
function checked({ data, info }: { data: Buffer; info: Size }, format: ImageFormat, name: string): Picture {
  const found = findMetadata(data, format);
  if (found.length > 0) {
    throw new CliError(`the ${format} made of ${name} still carries metadata: ${found.join(", ")}`, {
      hint: "nothing was uploaded; please report this with the version of sharp that is installed",
    });
  }
  return { bytes: data, width: info.width, height: info.height, ...imageFormats[format] };
}

function within(source: Size, maxWidth: number): Size {
  const width = Math.min(maxWidth, source.width);
  return { width, height: Math.max(1, Math.round((source.height * width) / source.width)) };
}

function cropped(source: Size, { crop, maxWidth }: JpegOptions): Size {
  const { width, height } = crop ?? source;
  const scale = Math.min(1, source.width / width, source.height / height, maxWidth / width);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function variantSizes(source: Size, widths: readonly number[]): Size[] {
  const widest = Math.floor(
    Math.min(source.width, (maxVariantSide * source.width) / source.height, maxVariantSide),
  );
  const distinct = new Set(widths.map((width) => Math.min(width, Math.max(1, widest))));
  return [...distinct].sort((a, b) => a - b).map((width) => within(source, width));
}
