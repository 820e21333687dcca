import { CliError } from "../errors.ts";
import { bytes } from "../model/bytes.ts";

/** Far more than a small file of a repository has: a manifest names each part of a backup, some hundred bytes each. */
export const maxSmallFileBytes = 64 * 1024 ** 2;

export function tooLarge(what: string): CliError {
  return new CliError(`${what} is larger than the ${bytes(maxSmallFileBytes)} that it can have`);
}

/** A file of the repository. */
export interface StoredFile {
  /** With `/` between folders, none in front. */
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** Where a repository lies: a folder, or a prefix of a bucket. Names are those of `StoredFile`. */
export interface Store {
  /** For messages. */
  readonly where: string;
  stat(name: string, signal?: AbortSignal): Promise<StoredFile | undefined>;
  /** A small file whole; undefined when there is none. @throws CliError for one of more than `maxSmallFileBytes`. */
  readBytes(name: string, signal?: AbortSignal): Promise<Buffer | undefined>;
  open(name: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Whole and durable, or not at all; what is there stays. */
  create(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<"created" | "exists">;
  /** The same, of a file of any size. */
  createFromFile(name: string, path: string, signal?: AbortSignal): Promise<"created" | "exists">;
  /** Whole and durable, or not at all, in the place of what is there. */
  replace(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** The same, of a file of any size. */
  replaceFromFile(name: string, path: string, signal?: AbortSignal): Promise<void>;
  /** Files whose name begins with `prefix`, ascending by name, in bounded memory. */
  list(prefix: string, signal?: AbortSignal): AsyncGenerator<StoredFile>;
  /** What is gone already is no error. */
  remove(names: readonly string[], signal?: AbortSignal): Promise<void>;
}
