import type { End } from "./end.ts";

/** Hears the time in the answers of servers. */
export interface ServerClock {
  /** The same end, listened to. */
  listening(end: End): End;
  /** The time of the server that answered last, to about a second; undefined before. */
  now(): Date | undefined;
}

/**
 * By `now`, the machine's clock, and how far that was from the server's with its last answer. A server tells the second in
 * which it answered, somewhere between the request and the answer's arrival: only what lies outside of that is a difference.
 */
export function serverClock(now: () => Date): ServerClock {
  let aheadMs: number | undefined;
  return {
    listening: (end) => ({
      async handle(request, options) {
        const sentMs = now().getTime();
        const answer = await end.handle(request, options);
        // What is asked for without a signature may come from a cache, with the time of then.
        if (isSigned(request)) {
          const { headers = {} } = answer.response as { headers?: Readonly<Record<string, string>> };
          const toldMs = Date.parse(headers["date"] ?? headers["Date"] ?? "");
          if (!Number.isNaN(toldMs)) {
            aheadMs = Math.max(0, sentMs - (toldMs + 999)) + Math.min(0, now().getTime() - toldMs);
          }
        }
        return answer;
      },
      destroy: () => end.destroy?.(),
    }),
    now: () => (aheadMs === undefined ? undefined : new Date(now().getTime() - aheadMs)),
  };
}

/** Whether a request is one to AWS: what anybody may see is asked for without a signature. */
export function isSigned(request: unknown): boolean {
  return "authorization" in (request as { headers: object }).headers;
}
