import { setTimeout as sleep } from "node:timers/promises";
import { errorName, httpStatus } from "./setting.ts";

/** What a service says when it is only too busy. The SDK tries again three times by itself; a long run meets more. */
const busy = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TransactionConflictException",
  "TransactionInProgressException",
  "InternalServerError",
  "SlowDown",
]);

const attempts = 10;
const firstPauseMs = 50;
const longestPauseMs = 5000;

/** Runs a call again while the service is too busy for it, with pauses of full jitter; then the error passes. */
export async function whileBusy<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isBusy(error) || attempt === attempts) throw error;
      await jitter(attempt, signal);
    }
  }
}

/** Whether the service is only too busy: the same call may succeed later. */
export function isBusy(error: unknown): boolean {
  return busy.has(errorName(error) ?? "") || httpStatus(error) === 503;
}

/** A pause by chance, up to a bound that doubles with each attempt: so many who wait do not come back at once. */
export async function jitter(attempt: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const mostMs = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs);
  await sleep(Math.random() * mostMs, undefined, signal === undefined ? {} : { signal });
}
