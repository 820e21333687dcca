import { spawn } from "node:child_process";

export interface ShellRun {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** What the command writes, to either of its outputs, as it comes. */
  readonly onOutput: (bytes: Uint8Array) => void;
}

/**
 * Runs a command line of the owner's own by the system's shell, without input; resolves to its exit code, which is 1 where a
 * signal ended it. Rejects on abort, once the command is gone.
 */
export async function runShell(command: string, { env, cwd, signal, onOutput }: ShellRun): Promise<number> {
  signal.throwIfAborted();
  const child = spawn(command, { shell: true, cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", onOutput);
  child.stderr.on("data", onOutput);
  const stop = () => child.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => (signal.aborted ? reject(signal.reason as Error) : resolve(code ?? 1)));
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
