import { jitteredMs } from "../retry.ts";
import { codeOf, isCut, isLate, waitedMs } from "./cuts.ts";
import type { Limits, Reach } from "./limits.ts";
import { errorName, httpStatus } from "./setting.ts";

/** A server of which nothing was heard yet is perhaps not there at all: such errors are repeated a few times only. */
const unreachable = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);
const attemptsUnreached = 3;

/** What the SDK does not repeat of its own accord, though nothing was done: somebody else was at the same item or key. */
const collided = new Set(["TransactionConflictException", "ConditionalRequestConflict", "OperationAborted"]);

/** Reasons of a cancelled transaction that pass by themselves. */
export const passingReasons = new Set([
  "None",
  "TransactionConflict",
  "ThrottlingError",
  "ProvisionedThroughputExceeded",
]);

interface Token {
  readonly failed: number;
  readonly delayMs: number;
  /** It was sent again by the server's time. */
  readonly isCorrected: boolean;
  /** Spent on answers that did not come, and on waiting as servers asked. */
  readonly inVainMs: number;
  readonly begunAtMs: number;
  getRetryCount(): number;
  getRetryDelay(): number;
}

interface Failure {
  readonly errorType: "CLIENT_ERROR" | "SERVER_ERROR" | "THROTTLING" | "TRANSIENT";
  readonly error?: unknown;
  readonly retryAfterHint?: Date;
}

/**
 * How the SDK's clients repeat calls: as `retry` does, with full jitter, up to ten times while the network cuts and the service refuses
 * or throttles; not longer than the limit where no answer comes, and a few times only where no server was ever heard.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function sdkRetries(limits: Limits, reach: Reach) {
  let isHeard = false;
  return {
    async acquireInitialRetryToken(): Promise<Token> {
      return token({ failed: 0, delayMs: 0, inVainMs: 0, isCorrected: false });
    },
    async refreshRetryTokenForRetry(given: Token, failure: Failure): Promise<Token> {
      const { error, retryAfterHint } = failure;
      if (httpStatus(error) !== undefined) isHeard = true;
      const failed = given.failed + 1;
      const { isCorrected } = given;
      const cameLate = isLate(error);
      const beforeMs = waitedMs.get(error as Error) ?? 0;
      const inVainMs = given.inVainMs + (cameLate ? beforeMs + performance.now() - given.begunAtMs : 0);
      const isTooLong = inVainMs > 0 && inVainMs + limits.silentMs > limits.inVainMs;
      const attempts = isHeard || !unreachable.has(codeOf(error) ?? "") ? limits.attempts : attemptsUnreached;
      const isOver = failed >= attempts || isTooLong || (cameLate && reach.isSilent);
      if (isOver && cameLate) reach.isSilent = true;
      const isMarked = failure.errorType === "TRANSIENT" && hasNewTime(error);
      if (isMarked && isOfTheClock(error)) {
        if (isCorrected) throw error;
        // By the right time it is answered at once, or refused for another reason.
        return token({ failed, delayMs: 0, inVainMs, isCorrected: true });
      }
      // What is still under way when its command has ended is broken off for good.
      if (isOver || reach.isClosed || !(isMarked ? passesByItself(error) : isPassing(failure))) throw error;
      const { firstDelayMs } = limits;
      const askedMs = retryAfterHint === undefined ? 0 : Math.max(retryAfterHint.getTime() - Date.now(), 0);
      // The server asks for patience; more than it has itself is not given, and what is given is in vain so far.
      const patientMs = Math.min(askedMs, limits.silentMs);
      const delayMs = Math.max(jitteredMs(failed, { firstDelayMs }), patientMs);
      if (performance.now() + delayMs > (reach.leaveAtMs ?? Infinity)) throw error;
      return token({ failed, delayMs, inVainMs: inVainMs + patientMs, isCorrected });
    },
    recordSuccess(): void {
      isHeard = true;
    },
  };
}

function token(state: Pick<Token, "failed" | "delayMs" | "inVainMs" | "isCorrected">): Token {
  return {
    ...state,
    begunAtMs: performance.now() + state.delayMs,
    getRetryCount: () => state.failed,
    getRetryDelay: () => state.delayMs,
  };
}

function isPassing({ errorType, error }: Failure): boolean {
  return errorType !== "CLIENT_ERROR" || passesByItself(error);
}

function passesByItself(error: unknown): boolean {
  if (isCut(error) || collided.has(errorName(error) ?? "")) return true;
  const reasons = cancellationReasons(error);
  return reasons.length > 0 && reasons.every((reason) => passingReasons.has(reason));
}

/**
 * While the machine's clock is off, the SDK marks whatever a server refuses as corrected, to be repeated with the server's time: a
 * missing key, too. Only what the clock can have caused is repeated, and once.
 */
function hasNewTime(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true && (httpStatus(error) ?? 500) < 500;
}

/** How servers say that a signature is not of their time; a HEAD is answered without a word. */
const ofTheClock = new Set([
  "AuthFailure",
  "InvalidSignatureException",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);

function isOfTheClock(error: unknown): boolean {
  return ofTheClock.has(errorName(error) ?? "") || httpStatus(error) === 403;
}

/** Why a transaction was cancelled, a word for each of its steps; empty for every other error. */
export function cancellationReasons(error: unknown): string[] {
  if (errorName(error) !== "TransactionCanceledException") return [];
  const { CancellationReasons: reasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
  return reasons.map(({ Code = "None" }) => Code);
}
