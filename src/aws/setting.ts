import { errorOrigin } from "./explain/error-origin.ts";
import type { Patience } from "../retry.ts";

/**
 * A setting as it was read: its value, undefined where none was ever made, or `unsupported` where the server (an
 * emulator in AWS's place) does not know the setting at all.
 */
export type Reading<T> = T | undefined | "unsupported";

/** How DynamoDB says of the recovery of a table that there is no such table, and how servers in its place do. */
export const noTable = ["TableNotFoundException", "ResourceNotFoundException"] as const;

/** Runs a reading call; the service's words for "not configured" become undefined. Other errors pass. */
export async function reading<T>(read: () => Promise<T>, ...absent: readonly string[]): Promise<Reading<T>> {
  try {
    return await read();
  } catch (error) {
    if (absent.includes(errorName(error) ?? "")) return undefined;
    if (isUnsupported(error)) return "unsupported";
    throw error;
  }
}

/**
 * Whether the server says that it does not offer the action, which AWS itself never does for those used here. Servers in AWS's place
 * have many words for it; a text is believed only of them, and a 405 only where it is not about an object (a delete marker has it).
 */
export function isUnsupported(error: unknown): boolean {
  if (unoffered.has(errorName(error) ?? "") || httpStatus(error) === 501) return true;
  const origin = errorOrigin(error);
  if (httpStatus(error) === 405) return origin?.key === undefined;
  const isOfAnother = origin?.endpoint !== undefined && !isOfAws(origin.endpoint);
  return isOfAnother && error instanceof Error && tellsUnoffered.test(error.message);
}

const unoffered = new Set([
  "NotImplemented",
  "NotImplementedError",
  "UnknownOperationException",
  "InvalidAction",
]);

const tellsUnoffered =
  /\bnot (?:yet )?(?:been )?(?:implemented|supported)\b|\bun(?:known|supported) (?:\w+ ){0,3}(?:action|operation)\b|\bendpoint belongs to\b/i;

function isOfAws(endpoint: string): boolean {
  return /\.amazonaws\.com(?:\.cn)?$/.test(endpoint);
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

/** Whether a server failed at a request, or answered what the SDK cannot read: that says nothing of its other answers. */
export function isOutage(error: unknown): boolean {
  return (httpStatus(error) ?? 0) >= 500 || isUnreadable(error);
}

/** Whether the SDK could not read an answer that came. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Error && error.message.includes("Deserialization error: to see the raw response");
}

/** HTTP status of an SDK error that came from an answer. */
export function httpStatus(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** Whether a call was sent more than once until this answer: an earlier one may have been done, with its answer lost. */
export function isRepeated(answer: unknown): boolean {
  const { $metadata } = (answer ?? {}) as { $metadata?: { attempts?: number } };
  return ($metadata?.attempts ?? 1) > 1;
}

/** The service's name of an error. */
export function errorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** Whether the service is only too busy, as it still was after all the repetitions of the call. */
export function isBusy(error: unknown): boolean {
  return busy.has(errorName(error) ?? "") || httpStatus(error) === 503;
}

const busy = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TransactionConflictException",
  "TransactionInProgressException",
  "InternalServerError",
  "SlowDown",
]);

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Before the first repetition. Tests shorten it. */
  readonly firstDelayMs?: number;
}

/** For settings that take a moment to be known everywhere, which clients do not repeat of their own accord. */
export const settling: Patience = { attempts: 12, firstDelayMs: 500, longestDelayMs: 10_000 };

/** Does something with a table or bucket that need not be there. */
export async function whereThere(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Pages of a table or bucket that need not be there. */
export async function* pagesWhereThere<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ["ResourceNotFoundException", "NoSuchBucket"].includes(errorName(error) ?? "");
}
