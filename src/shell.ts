import { spawn, type ChildProcess } from "node:child_process";

export interface ShellRun {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** What the command writes, to either of its outputs, as it comes. */
  readonly onOutput: (bytes: Uint8Array) => void;
}

/** Time for a command that was told to end. */
const graceMs = 3000;

/** Windows knows no groups of processes: there only the shell itself is ended. */
const hasGroups = process.platform !== "win32";

/**
 * Runs a command line of the owner's own by the system's shell, without input; resolves to its exit code, which is 1 where a
 * signal ended it. The command is over when its shell is: what it left behind in the background is ended then. Rejects on
 * abort, once the command is gone.
 */
export async function runShell(command: string, { env, cwd, signal, onOutput }: ShellRun): Promise<number> {
  signal.throwIfAborted();
  const child = spawn(command, {
    shell: true,
    cwd,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: hasGroups,
  });
  child.stdout.on("data", onOutput);
  child.stderr.on("data", onOutput);
  // The shell alone is not enough: its outputs stay open, and are waited for, while anything that it started has them.
  child.once("exit", () => end(child, "SIGKILL"));
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    end(child, "SIGTERM");
    timer = setTimeout(() => end(child, "SIGKILL"), graceMs);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => (signal.aborted ? reject(signal.reason as Error) : resolve(code ?? 1)));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(timer);
  }
}

/** Ends the command with all that it has started. */
function end(child: ChildProcess, how: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (!hasGroups) {
    child.kill(how);
    return;
  }
  try {
    process.kill(-child.pid, how);
  } catch (error) {
    // Nothing is left of it, or (EPERM, on macOS) nothing but what has ended.
    if (!(error instanceof Error && "code" in error && ["ESRCH", "EPERM"].includes(String(error.code))))
      throw error;
  }
}
