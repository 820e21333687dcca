import type { CliError } from "./errors.ts";
import { pause } from "./retry.ts";

/*
 * What only one command may do at a time, it does under a lease: written where all can see it, renewed while it is at work, and
 * ended by itself when it is not. Where a lease lies and how it is taken, so that only one of two gets it, is its user's.
 */

/** This process, and how it tells whether another one of this machine lives. */
export interface Here {
  readonly host: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
}

/** Who has a lease. */
export interface LeaseOwner {
  readonly host: string;
  /** Undefined where an older version of the tool did not write it. */
  readonly pid: number | undefined;
}

/**
 * | owner                                       | its lease | standing |
 * |---------------------------------------------|-----------|----------|
 * | nobody                                      |           | free     |
 * | anybody                                     | ended     | free     |
 * | a process of this machine that is gone      | goes on   | free     |
 * | a process of this machine that lives        | goes on   | held     |
 * | this very process id: an earlier one of it  | goes on   | free     |
 * | somebody elsewhere                          | goes on   | unknown: dead, or at work |
 */
export function standingOf(
  owner: LeaseOwner | undefined,
  { host, pid, isAlive }: Here,
  isEnded: boolean,
): "free" | "held" | "unknown" {
  if (owner === undefined || isEnded) return "free";
  if (owner.host !== host || owner.pid === undefined) return "unknown";
  return owner.pid === pid || !isAlive(owner.pid) ? "free" : "held";
}

export interface FoundLease {
  readonly owner: LeaseOwner;
  readonly endsAtMs: number;
}

export interface WaitForLease<T extends FoundLease> {
  readonly look: () => Promise<T | undefined>;
  readonly here: Here;
  /** By the clock that `endsAtMs` is of. */
  readonly nowMs: () => number;
  /** Before each wait, with what is left of the lease. */
  readonly onWait: (found: T, leftMs: number) => void;
  readonly signal?: AbortSignal;
}

/** Between two looks; a countdown in seconds. */
const lookAgainMs = 1000;

/**
 * Waits for the end of a lease whose owner may be dead. One that is renewed meanwhile has a living owner, and is not waited for.
 */
export async function whenFree<T extends FoundLease>({
  look,
  here,
  nowMs,
  onWait,
  signal,
}: WaitForLease<T>): Promise<{ readonly isFree: boolean; readonly found: T | undefined }> {
  let first: T | undefined;
  for (;;) {
    const found = await look();
    const leftMs = (found?.endsAtMs ?? 0) - nowMs();
    const standing = standingOf(found?.owner, here, !(leftMs > 0));
    if (found === undefined || standing === "free") return { isFree: true, found };
    first ??= found;
    if (standing === "held" || found.endsAtMs !== first.endsAtMs) return { isFree: false, found };
    onWait(found, leftMs);
    await pause(Math.min(leftMs, lookAgainMs), signal);
  }
}

export interface KeepLease {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** False when it is another's by now. Should it reject, the next sign of life tries again; the lease ends by itself. */
  readonly renew: () => Promise<boolean>;
  readonly nowMs: () => number;
  readonly lost: () => CliError;
}

export interface KeptLease {
  /** @throws the error `lost` when it is another's, or may be. */
  assertHeld(): void;
  /** Runs one thing after the other, the signs of life among them. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  readonly isLost: boolean;
  /** It was found to be another's. */
  lose(): void;
  /** Ends the signs of life; resolves when the last is through. */
  stop(): Promise<void>;
}

/** Renews a lease that was just taken until it is stopped or lost. */
export function keepLease({ leaseMs, heartbeatMs, renew, nowMs, lost }: KeepLease): KeptLease {
  let renewedAt = nowMs();
  let isLost = false;
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const beat = async () => {
    const from = nowMs();
    if (await renew()) renewedAt = from;
    else isLost = true;
  };
  const heart = setInterval(() => void inTurn(beat).catch(() => undefined), heartbeatMs);
  heart.unref();
  return {
    inTurn,
    get isLost() {
      return isLost;
    },
    lose() {
      isLost = true;
    },
    assertHeld() {
      if (isLost || nowMs() - renewedAt >= leaseMs) throw lost();
    },
    async stop() {
      clearInterval(heart);
      await queue;
    },
  };
}
