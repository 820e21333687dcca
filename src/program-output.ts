import { spawn } from "node:child_process";
import { once } from "node:events";
import { CliError } from "./errors.ts";

export interface ProgramRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * What a program prints, as it comes, and as fast as it is taken. Left early, the program is ended.
 * @throws CliError where it fails, with the last line that it told of.
 */
export async function* programOutput(
  program: string,
  { args, env, signal }: ProgramRun,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const child = spawn(program, args, { env: { ...env }, stdio: ["ignore", "pipe", "pipe"], signal });
  let told = "";
  child.stderr.on("data", (bytes: Buffer) => (told = `${told}${bytes.toString()}`.slice(-1000)));
  // Heard below; an abort is told by its signal.
  const closed = once(child, "close");
  closed.catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = (await closed) as [number | null];
    if (code === 0) return;
    const [last = ""] = told.trim().split("\n").slice(-1);
    throw new CliError(`${program} ended with ${code ?? "a signal"}: ${last.replace(/^ERROR: /, "")}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    child.kill();
  }
}

/** The first of these programs that is there. @throws CliError with a hint where none is. */
export async function programThere(
  names: readonly string[],
  env: ProgramRun["env"],
  { signal, hint }: { readonly signal: AbortSignal; readonly hint: string },
): Promise<string> {
  for (const name of names) {
    try {
      for await (const _ of programOutput(name, { args: ["--version"], env, signal }));
      return name;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  throw new CliError(`${names.join(" or ")} is not installed`, { hint });
}
