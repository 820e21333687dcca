import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Command {
  readonly command: readonly [string, ...string[]];
  /** Succeeds as soon as the server takes connections. */
  readonly ping: readonly [string, ...string[]];
  /** In which it works. */
  readonly folder: string;
  /** As whom it runs, where that is another user. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
}

/** A server that runs. */
export interface Running {
  /** Ends it by a signal; resolves when all of its processes have ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server, and waits until it takes connections. @throws where it ends before, or the wait is broken off. */
export async function launch({ command, ping, folder, as }: Command, signal?: AbortSignal): Promise<Running> {
  const [program, ...options] = command;
  const child = spawn(program, options, { stdio: "ignore", cwd: folder, ...as });
  // Asked for at once: whoever asks later may have missed it.
  const ended = once(child, "close");
  ended.catch(() => undefined);
  const end = async (by: NodeJS.Signals) => {
    child.kill(by);
    await ended.catch(() => undefined);
  };
  try {
    await answering(child, ping, signal);
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
  return { end };
}

/** Waits until it takes connections. @throws once it has ended, by itself or by a signal. */
async function answering(
  server: ChildProcess,
  [program, ...options]: Command["ping"],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const end = server.exitCode ?? server.signalCode;
    if (end !== null) throw new Error(`the server ended with ${end}`);
    const answers = await run(program, options).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await sleep(100);
  }
}
