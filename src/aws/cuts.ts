import { backOff } from "../retry.ts";
import type { Limits } from "./limits.ts";

/** Codes of connections that broke or stood still, on the way there or back. */
const broken = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_SOCKET_CONNECTION_TIMEOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "HPE_INVALID_EOF_STATE",
]);

/** Whether a connection to a server broke, or was given up because nothing came. */
export function isCut(error: unknown): boolean {
  return broken.has(codeOf(error) ?? "") || (error instanceof Error && error.name === "TimeoutError");
}

/** Whether nothing came in time. The SDK calls connections that were cut timeouts, too. */
export function isLate(error: unknown): boolean {
  const isCutOff = ["ECONNRESET", "EPIPE"].includes(codeOf(error) ?? "");
  return error instanceof Error && error.name === "TimeoutError" && !isCutOff;
}

/** How long what is late was waited for, where the SDK did not wait itself. */
export const waitedMs = new WeakMap<Error, number>();

/** The code of an error of the network, or of what it was caused by. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : codeOf(error.cause);
}

export interface Repeats {
  /** To be called with what was cut: pauses, then true; false at once when it is not to be repeated. Rejects on an abort. */
  again(error: unknown): Promise<boolean>;
  /** The same for an answer that asks for patience. */
  whenBusy(): Promise<boolean>;
  /** It got further. */
  advanced(): void;
}

/**
 * Repeats what goes past the SDK's own repetitions, within the same limits: a body that breaks off, and calls of the public. What is
 * waited for in vain is not waited for longer than one call may be.
 */
export function repeats(
  { attempts, firstDelayMs, silentMs, inVainMs }: Limits,
  signal: AbortSignal | undefined,
): Repeats {
  const tries = backOff({ attempts, firstDelayMs, signal });
  let lateMs = 0;
  return {
    async again(error) {
      if (!isCut(error)) return false;
      if (isLate(error)) lateMs += silentMs;
      return !(lateMs > 0 && lateMs + silentMs > inVainMs) && tries.again();
    },
    whenBusy: () => tries.again(),
    advanced() {
      lateMs = 0;
      tries.advanced();
    },
  };
}
