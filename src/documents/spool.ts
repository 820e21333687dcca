import { bytes as human } from "../model/bytes.ts";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../errors.ts";

export interface Spooled {
  readonly path: string;
  /** Removes the file and its folder. */
  remove(): Promise<void>;
}

/**
 * Writes a stream to a file that only its owner may read: it must be seen whole before a byte of it is uploaded.
 * @throws CliError as soon as there are more bytes than are taken.
 */
export async function spool(
  stream: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-upload-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, "stdin");
  try {
    const file = await open(path, "wx", 0o600);
    try {
      let bytes = 0;
      for await (const chunk of stream) {
        signal.throwIfAborted();
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw new CliError(`stdin has more than the ${human(maxBytes)} that are taken`);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
