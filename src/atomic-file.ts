import { link, open, rename, rm } from "node:fs/promises";
import { CliError } from "./errors.ts";

type Texts = AsyncIterable<string> | Iterable<string>;

interface Written {
  /** By default its owner alone can read it: it tells of people. */
  readonly mode?: number;
  /** By default it is on the disk when this resolves; a cache need not wait for that. */
  readonly isDurable?: boolean;
  /** What to do where the name is taken. */
  readonly hint?: string;
}

/**
 * Writes text into a new file, whole or not at all.
 * @throws CliError when the file is there already or its folder is not.
 */
export async function writeNewFile(file: string, texts: Texts, written: Written = {}): Promise<void> {
  // link, unlike rename, fails where the name is taken.
  await write(file, texts, { ...written, name: link });
}

/**
 * The same in place of a file that may be there.
 * @throws CliError when its folder is not there.
 */
export async function replaceFile(file: string, texts: Texts, written: Written = {}): Promise<void> {
  await write(file, texts, { ...written, name: rename });
}

async function write(
  file: string,
  texts: Texts,
  {
    name,
    mode = 0o600,
    isDurable = true,
    hint = "choose another name, or remove it",
  }: Written & { readonly name: (part: string, file: string) => Promise<void> },
): Promise<void> {
  const refuse = (error: unknown): never => {
    throw refusal(error, { file, hint });
  };
  const part = `${file}.${crypto.randomUUID()}.part`;
  const handle = await open(part, "wx", mode).catch(refuse);
  try {
    let pending = "";
    for await (const text of texts) {
      pending += text;
      if (pending.length < chunkCharacters) continue;
      await handle.appendFile(pending);
      pending = "";
    }
    await handle.appendFile(pending);
    if (isDurable) await handle.sync();
    await name(part, file).catch(refuse);
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}

const chunkCharacters = 64 * 1024;

function refusal(error: unknown, { file, hint }: { file: string; hint: string }): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EEXIST") return new CliError(`${file} is there already`, { hint });
  if (code === "ENOENT" || code === "ENOTDIR") return new CliError(`the folder of ${file} does not exist`);
  if (code === "EACCES" || code === "EROFS" || code === "ENOSPC" || code === "EPERM") {
    return new CliError(`cannot write ${file}: ${code}`, { cause: error });
  }
  return error;
}
