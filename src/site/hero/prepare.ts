import { resolve } from "node:path";
import { CliError } from "../../errors.ts";
import { checkDecodes, inspectImage, type ImageFacts } from "../../images/inspect.ts";
import { renderJpeg, renderVariants, type Picture } from "../../images/picture.ts";
import { readImage } from "../../images/read.ts";
import type { HeroRole } from "../../model/keys.ts";

/** Widths of the responsive variants, in pixels. */
const variantWidths = [640, 1280, 1920];

export interface ImageSource {
  readonly role: HeroRole;
  /** A path, or `-` for stdin. */
  readonly source: string;
}

/** A picture that was read and looked at, and may be used; not yet decoded. */
interface OpenedImage {
  readonly role: HeroRole;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly facts: ImageFacts;
}

/** Pictures that may be used, being rendered in threads of their own. */
export interface ImagesUnderWay {
  /** Rejects with a CliError when the pixels are damaged. */
  readonly prepared: Promise<readonly PreparedImage[]>;
}

/** A picture as it will be stored. */
export interface PreparedImage {
  readonly role: HeroRole;
  readonly originalBytes: number;
  readonly main: Picture;
  readonly variants: readonly Picture[];
  /** What of the original's metadata is still in the bytes: only when they are kept as they are. */
  readonly keptMetadata: readonly string[];
}

export interface RenderOptions {
  /** Pixels. */
  readonly maxWidth: number;
  /** 1 to 100. */
  readonly quality: number;
  readonly keepOriginal: boolean;
  readonly responsive: boolean;
}

/**
 * Reads every image and refuses what must not become public, before anything is opened or written; then renders them beside whatever
 * is opened and done meanwhile. Where that fails, no more pictures are begun.
 * @throws CliError naming the image and what to do
 */
export async function withImages<T>(
  sources: readonly ImageSource[],
  from: { readonly cwd: string; readonly stdin: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
  { use, ...options }: RenderOptions & { readonly use: (images: ImagesUnderWay) => Promise<T> },
): Promise<T> {
  const opened: OpenedImage[] = [];
  for (const { role, source } of sources) {
    const name = source === "-" ? "standard input" : source;
    const bytes = await readImage(source === "-" ? from.stdin : resolve(from.cwd, source), { name });
    opened.push({ role, name, bytes, facts: await inspectImage(bytes, { name }) });
  }
  const needless = new AbortController();
  const prepared = renderImages(opened, options, AbortSignal.any([from.signal, needless.signal]));
  // Told to whoever waits for the pictures; a caller that fails before has an error of its own.
  prepared.catch(() => {});
  try {
    return await use({ prepared });
  } finally {
    needless.abort();
  }
}

/**
 * Decodes and renders the images, one after the other: each holds its pixels in memory.
 * An abort is noticed between two pictures.
 * @throws CliError when the pixels are damaged
 */
async function renderImages(
  images: readonly OpenedImage[],
  options: RenderOptions,
  signal: AbortSignal,
): Promise<PreparedImage[]> {
  const prepared: PreparedImage[] = [];
  for (const { role, name, bytes, facts } of images) {
    const { maxWidth, quality } = options;
    signal.throwIfAborted();
    const main = options.keepOriginal
      ? await kept(bytes, facts, name)
      : await renderJpeg(bytes, { maxWidth, quality, name, facts });
    const variants = options.responsive
      ? await renderVariants(bytes, {
          widths: variantWidths,
          formats: ["avif", "webp"],
          quality,
          name,
          facts,
          signal,
        })
      : [];
    prepared.push({
      role,
      originalBytes: bytes.byteLength,
      main,
      variants,
      keptMetadata: options.keepOriginal ? facts.metadata : [],
    });
  }
  return prepared;
}

/** What every browser of today shows as it is. */
const shownByBrowsers: ReadonlySet<string> = new Set(["jpeg", "png", "webp", "avif", "gif"]);

async function kept(bytes: Uint8Array, facts: ImageFacts, name: string): Promise<Picture> {
  if (!shownByBrowsers.has(facts.format)) {
    throw new CliError(`${name} is ${facts.format.toUpperCase()}, which browsers do not show`, {
      hint: "without --keep-original it becomes a JPEG",
    });
  }
  await checkDecodes(bytes, { name });
  const { width, height, contentType, extension } = facts;
  return { bytes: Buffer.from(bytes), width, height, contentType, extension };
}
