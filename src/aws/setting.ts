import { setTimeout as sleep } from "node:timers/promises";

/**
 * A setting as it was read: its value, undefined where none was ever made, or `unsupported` where the server (an
 * emulator in AWS's place) does not know the setting at all.
 */
export type Reading<T> = T | undefined | "unsupported";

/** Runs a reading call; the service's word for "not configured" becomes undefined. Other errors pass. */
export async function reading<T>(read: () => Promise<T>, absent: string): Promise<Reading<T>> {
  try {
    return await read();
  } catch (error) {
    if (errorName(error) === absent) return undefined;
    if (isUnsupported(error)) return "unsupported";
    throw error;
  }
}

/** Whether the server says that it does not know the call: AWS itself never does for the calls used here. */
export function isUnsupported(error: unknown): boolean {
  const name = errorName(error);
  return name === "NotImplemented" || name === "UnknownOperationException" || httpStatus(error) === 501;
}

/** Whether the caller lacks a permission. Not by the status: a wrong key or clock is a 403 too. */
export function isDenied(error: unknown): boolean {
  const name = errorName(error);
  return name === "AccessDenied" || name === "AccessDeniedException";
}

/** Whether the service answered; false when it was never reached (network, credentials, abort). */
export function isAnswer(error: unknown): boolean {
  return httpStatus(error) !== undefined;
}

/** HTTP status of an SDK error that came from an answer. */
export function httpStatus(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** The service's name of an error. */
export function errorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the first repetition; doubled each time up to ten seconds. Tests shorten it. */
  readonly firstDelayMs?: number;
}

/**
 * Runs a call again while its error is one that passes by itself, at most `attempts` times; then the error passes.
 * For what the SDK does not retry of its own accord: settings that take a moment to be known everywhere.
 */
export async function whilePassing<T>(
  call: () => Promise<T>,
  passes: (error: unknown) => boolean,
  { signal, firstDelayMs = 500, attempts }: WaitOptions & { readonly attempts: number },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= attempts || !passes(error)) throw error;
      await pause(firstDelayMs * 2 ** (attempt - 1), signal);
    }
  }
}

/** Sleeps at most ten seconds; rejects with the signal's reason. */
export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await sleep(Math.min(delayMs, 10_000), undefined, signal === undefined ? {} : { signal });
}
