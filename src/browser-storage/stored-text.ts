import { CliError } from "../errors.ts";

export interface StorageQuery {
  /** As `new URL(...).origin` gives it. */
  readonly origin: string;
  readonly key: string;
}

export interface StoredText {
  readonly text: string;
  /** The file or folder it was read from. */
  readonly file: string;
  /** When the browser last wrote there. It writes some seconds after the page did. */
  readonly writtenAt: Date;
}

/** Browsers give an origin about 10 MB of localStorage; whatever unpacks to much more is damaged. */
const maxValueBytes = 64 * 2 ** 20;

/** @throws CliError where the bytes are no Snappy block. */
export async function unsnappy(value: Uint8Array): Promise<Uint8Array> {
  const { default: snappy } = await import("snappyjs");
  try {
    // snappyjs answers a Buffer with a Buffer and wants the plain kind for the plain kind.
    return snappy.uncompress(Uint8Array.from(value), maxValueBytes);
  } catch (error) {
    throw unknownForm(error);
  }
}

/** For a stored value that cannot be decoded. Quotes nothing of it. */
export function unknownForm(cause?: unknown): CliError {
  return new CliError("the browser holds the key in a form that is damaged or not known", {
    hint: "take the value out of the browser itself: `mawps twin snippet` prints a line for its console",
    cause,
  });
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
