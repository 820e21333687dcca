import type { Aws } from "../clients.ts";
import { pause } from "../../retry.ts";

export interface PaceOptions {
  readonly perSecond: number;
  readonly now: () => Date;
  /** Waits so many milliseconds; default a timer. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Sends a call when its turn has come. What Cognito throttles all the same is repeated by the client. */
export type Paced = <T>(call: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * Cognito counts an account's calls by category: 30 a second for lists of users, 25 for changes of users. The website
 * works on the same pool, so a long run of ours leaves it some.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html#category_operations
 */
export const listsPerSecond = 25;
export const changesPerSecond = 20;

/** Calls to AWS below its quota. A server in AWS's place has none: there they do not wait. */
export function pacedFor(
  aws: Pick<Aws, "endpointUrl">,
  { perSecond, now }: Pick<PaceOptions, "perSecond" | "now">,
): Paced {
  return paced({ perSecond: aws.endpointUrl === undefined ? perSecond : Infinity, now });
}

/** Spaces calls evenly, also those of several callers at once. A clock that jumps costs a second at most. */
export function paced({ perSecond, now, wait = pause }: PaceOptions): Paced {
  const intervalMs = 1000 / perSecond;
  let freeAt = 0;
  const turn = async (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted();
    const time = now().getTime();
    const start = freeAt > time + 1000 ? time : Math.max(time, freeAt);
    freeAt = start + intervalMs;
    if (start > time) await wait(start - time, signal);
  };
  return async (call, signal) => {
    await turn(signal);
    return call();
  };
}
