import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClassicLevel } from "classic-level";
import { StoreError } from "./errors.ts";

/** A held lock. Released by `release`, or by the kernel when the process ends in any other way. */
export interface Lock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** How long another holder is waited for. Default 10,000. */
  readonly waitMs?: number;
}

const shortestPauseMs = 10;
const longestPauseMs = 100;
const holderFile = "holder.json";

/**
 * Takes the lock that lies in `dir` (made if missing) for this process alone; also a second taker in the same process
 * has to wait. It is the lock that LevelDB takes on an empty database: the kernel lets go of it on `kill -9`, it works
 * on every platform, needs no further native code, and costs about 3 ms. Who holds it is written beside it, for the
 * message only.
 *
 * Rejects with a `StoreError` after `waitMs`, and with the signal's reason when aborted.
 */
export async function takeLock(dir: string, options: LockOptions = {}): Promise<Lock> {
  return takeLockUnless<never>(dir, async () => undefined, options);
}

/** The same, but asks `otherwise` before each pause, and what that finds is given in place of the lock. */
export async function takeLockUnless<T>(
  dir: string,
  otherwise: () => Promise<T | undefined>,
  options: LockOptions = {},
): Promise<Lock | T> {
  const { signal, waitMs = 10_000 } = options;
  const until = performance.now() + waitMs;
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    signal?.throwIfAborted();
    const database = await open(dir);
    if (database !== undefined) return hold(dir, database);
    const instead = await otherwise();
    if (instead !== undefined) return instead;
    const leftMs = until - performance.now();
    if (leftMs <= 0) throw await held(dir, waitMs);
    await pause(Math.min(leftMs, pauseMs * (0.5 + Math.random())), signal);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Undefined when another one has it, or took the folder away meanwhile: a reset does, while it holds the lock. */
async function open(dir: string): Promise<ClassicLevel | undefined> {
  // Tried again, since a reset may take it away between two steps.
  const make = () => mkdir(dir, { recursive: true, mode: 0o700 });
  await make().catch(make);
  const database = new ClassicLevel(join(dir, "db"), { writeBufferSize: 64 * 1024, compression: false });
  try {
    await database.open();
    return database;
  } catch (error) {
    if (isLocked(error) || !(await exists(dir))) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED";
}

async function hold(dir: string, database: ClassicLevel): Promise<Lock> {
  const holder = join(dir, holderFile);
  try {
    await rm(holder, { force: true });
    await writeFile(holder, JSON.stringify({ pid: process.pid }), { flag: "wx", mode: 0o600 });
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    async release() {
      await rm(holder, { force: true });
      await database.close();
    },
  };
}

async function held(dir: string, waitMs: number): Promise<StoreError> {
  const pid = await holderOf(dir);
  const who = pid === undefined ? "another process" : `another process (pid ${String(pid)})`;
  const message = `the local store is in use by ${who}, for more than ${String(waitMs / 1000)} s now`;
  return new StoreError("in-use", message, { pid });
}

async function holderOf(dir: string): Promise<number | undefined> {
  try {
    const { pid } = JSON.parse(await readFile(join(dir, holderFile), "utf8")) as { pid?: unknown };
    return typeof pid === "number" ? pid : undefined;
  } catch {
    // Not written yet, or just removed: then there is nobody to name.
    return undefined;
  }
}
