import { setTimeout as sleep } from "node:timers/promises";

/** How long something is tried again. */
export interface Patience {
  /** Tries in all, the first one included. Default 10. */
  readonly attempts?: number;
  /** The longest pause after the first try; it doubles with each. Default 100. */
  readonly firstDelayMs?: number;
  /** Default 5000. */
  readonly longestDelayMs?: number;
}

export interface RetryOptions extends Patience {
  readonly signal?: AbortSignal;
}

export interface BackOff {
  /** To be called after a try that failed: pauses, then true; false at once when no try is left. Rejects on an abort. */
  again(): Promise<boolean>;
  /** Something was reached: the tries are counted anew. */
  advanced(): void;
}

const defaults = { attempts: 10, firstDelayMs: 100, longestDelayMs: 5000 };

/** Counts tries and pauses between them, for a loop that may get further bit by bit. */
export function backOff({ attempts = defaults.attempts, signal, ...patience }: RetryOptions = {}): BackOff {
  let failed = 0;
  return {
    async again() {
      failed += 1;
      if (failed >= attempts) return false;
      await pause(jitteredMs(failed, patience), signal);
      return true;
    },
    advanced() {
      failed = 0;
    },
  };
}

/** Runs a call until it succeeds, its error is one that does not pass by itself, or no try is left: then the error passes. */
export async function retry<T>(
  call: () => Promise<T>,
  passes: (error: unknown) => boolean,
  options: RetryOptions = {},
): Promise<T> {
  const tries = backOff(options);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!passes(error) || !(await tries.again())) throw error;
    }
  }
}

/** A pause by chance after so many failed tries, between none and a bound that doubles: many who wait do not come back at once. */
export function jitteredMs(
  failed: number,
  {
    firstDelayMs = defaults.firstDelayMs,
    longestDelayMs = defaults.longestDelayMs,
  }: Omit<Patience, "attempts"> = {},
): number {
  return Math.random() * Math.min(firstDelayMs * 2 ** (failed - 1), longestDelayMs);
}

/** Sleeps; rejects with the signal's reason. */
export async function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await sleep(delayMs, undefined, { signal });
}
