import { pause } from "../retry.ts";
import { CliError } from "../errors.ts";
import { type Here as ThisProcess, keepLease } from "../lease.ts";
import { isRecord } from "../model/json.ts";
import { heartbeatMs, isLive } from "./pending.ts";
import type { Repository } from "./repository.ts";

/*
 * One prune at a time: `locks/prune-<n>.json`, rewritten every half minute. Where the one that is there belongs to a dead
 * command the next takes n + 1, which only one can. The former one, should it live after all, finds a higher number before
 * it removes anything more, and stops.
 *
 * Beside `backup create`: create writes its pending file, then looks for locks; prune writes its lock, then looks for pending
 * files. So at least one of the two sees the other.
 */

/** Whoever asks, and by which clock. */
export interface Here extends ThisProcess {
  readonly now: () => Date;
  readonly signal?: AbortSignal;
}

interface LockOwner {
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly beatAt: string;
}

export interface PruneLock {
  /** When it was taken, by the clock of the store: what is younger came after it. In whole seconds, rounded down. */
  readonly takenAt: Date;
  /** Rejects when it is another's by now, or may be: before each thing that is removed. */
  assertHeld(): Promise<void>;
  /** Once; also after a failure. */
  release(): Promise<void>;
}

/** Others count a lock as dead after three minutes without a heartbeat; its owner stops well before. */
const leaseMs = 2 * 60_000;
const lookAgainMs = 2000;

/**
 * Takes the lock, over from a dead command too.
 * @throws CliError when another prune is at work.
 */
export async function takePruneLock(repository: Repository, here: Here): Promise<PruneLock> {
  const { store } = repository;
  const found = await locks(repository, here.signal);
  const live = found.find(({ owner }) => owner !== undefined && isLive(owner, here))?.owner;
  if (live !== undefined) {
    throw new CliError(
      `a prune is at work in ${store.where}, since ${live.startedAt} by process ${live.pid} on ${live.host}`,
      { hint: "wait for its end" },
    );
  }
  const number = (found.at(-1)?.number ?? 0) + 1;
  const startedAt = here.now().toISOString();
  const name = nameOf(number);
  const bytes = () => json({ host: here.host, pid: here.pid, startedAt, beatAt: here.now().toISOString() });
  if ((await store.create(name, bytes(), here.signal)) === "exists") {
    throw new CliError(`another prune has begun in ${store.where} in this very moment`, {
      hint: "wait for its end",
    });
  }
  const taken = await store.stat(name, here.signal);
  const lost = () =>
    new CliError("this prune was at rest for too long; what is left to remove stays", {
      hint: "run the command again",
    });
  const lease = keepLease({
    leaseMs,
    heartbeatMs,
    lost,
    nowMs: () => here.now().getTime(),
    async renew() {
      // Gone: another took it for dead and is done. Writing it again would bring it back to life.
      if ((await store.stat(name)) === undefined) return false;
      await store.replace(name, bytes());
      return true;
    },
  });

  return {
    takenAt: new Date(Math.floor((taken?.modifiedAt.getTime() ?? 0) / 1000) * 1000),
    async assertHeld() {
      const last = (await locks(repository, here.signal)).at(-1);
      if (last?.number !== number) lease.lose();
      lease.assertHeld();
    },
    async release() {
      await lease.stop();
      // The dead ones first: while the last one stands, nobody begins at 1 again.
      const mine = (await locks(repository)).filter((lock) => lock.number <= number);
      await store.remove(mine.map((lock) => lock.name));
    },
  };
}

/** Whether a prune is removing contents, as far as can be told from here. */
export async function pruneUnderWay(repository: Repository, here: Here): Promise<boolean> {
  const found = await locks(repository, here.signal);
  return found.some(({ owner }) => owner !== undefined && isLive(owner, here));
}

/** Resolves once no prune is at work; `onWait` is called once where it is not so at first. */
export async function waitForPrune(repository: Repository, here: Here, onWait: () => void): Promise<void> {
  for (let look = 1; await pruneUnderWay(repository, here); look += 1) {
    if (look === 1) onWait();
    await pause(lookAgainMs, here.signal);
  }
}

interface FoundLock {
  readonly name: string;
  readonly number: number;
  /** Undefined for a file that nobody who is at work has written. */
  readonly owner: LockOwner | undefined;
}

/** Ascending by number. */
async function locks({ store }: Repository, signal?: AbortSignal): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for await (const { name } of store.list("locks/prune-", signal)) {
    const number = Number(/^locks\/prune-(\d+)\.json$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(number)) continue;
    const bytes = await store.readBytes(name, signal);
    if (bytes !== undefined) found.push({ name, number, owner: ownerIn(bytes) });
  }
  return found.sort((one, other) => one.number - other.number);
}

function nameOf(number: number): string {
  return `locks/prune-${number}.json`;
}

function json(owner: LockOwner): Buffer {
  return Buffer.from(`${JSON.stringify(owner)}\n`);
}

function ownerIn(bytes: Buffer): LockOwner | undefined {
  let found: unknown;
  try {
    found = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  const isOwner =
    isRecord(found) &&
    ["host", "startedAt", "beatAt"].every((name) => typeof found[name] === "string") &&
    typeof found["pid"] === "number";
  return isOwner ? (found as object as LockOwner) : undefined;
}
