import { json } from "../output/text.ts";

/** More is not held back, whatever comes. */
const mostHeld = 64 * 1024;

/**
 * Writes an object a line. Lines that come together are written together (a system call for each took a fifth of the CPU of a
 * long list); whenever the rows let wait, what is there is written, so that a reader never waits for more than its line.
 */
export async function writeJsonLines(
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  write: (text: string) => Promise<void>,
): Promise<void> {
  let held = "";
  let writing = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;
  let timer: NodeJS.Immediate | undefined;
  const flush = () => {
    clearImmediate(timer);
    timer = undefined;
    const text = held;
    held = "";
    writing = writing.then(() => write(text)).catch((error: unknown) => void (failure ??= { error }));
    return writing;
  };
  try {
    for await (const row of rows) {
      if (failure !== undefined) break;
      held += `${json(row)}\n`;
      if (held.length >= mostHeld) await flush();
      else timer ??= setImmediate(() => void flush());
    }
  } finally {
    await flush();
  }
  if (failure !== undefined) throw failure.error;
}
