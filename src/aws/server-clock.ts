import type { End } from "./clients.ts";

/** Hears the time in the answers of servers. */
export interface ServerClock {
  /** The same end, listened to. */
  listening(end: End): End;
  /** The time of the server that answered last, to about a second; undefined before. */
  now(): Date | undefined;
}

export function serverClock(): ServerClock {
  let told: { readonly time: number; readonly atMs: number } | undefined;
  return {
    listening: (end) => ({
      async handle(request, options) {
        const answer = await end.handle(request, options);
        // What is asked for without a signature may come from a cache, with the time of then.
        if (isSigned(request)) {
          const { headers = {} } = answer.response as { headers?: Readonly<Record<string, string>> };
          const time = Date.parse(headers["date"] ?? headers["Date"] ?? "");
          if (!Number.isNaN(time)) told = { time, atMs: performance.now() };
        }
        return answer;
      },
      destroy: () => end.destroy?.(),
    }),
    now: () => (told === undefined ? undefined : new Date(told.time + performance.now() - told.atMs)),
  };
}

/** Whether a request is one to AWS: what anybody may see is asked for without a signature. */
export function isSigned(request: unknown): boolean {
  return "authorization" in (request as { headers: object }).headers;
}
