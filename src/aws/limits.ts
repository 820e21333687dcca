/** How long a server may be silent, and how often a call is repeated. */
export interface Limits {
  readonly connectMs: number;
  /** Until the head of an answer is there, from when the body may have been sent; without a byte in either direction. */
  readonly silentMs: number;
  /** The same for calls that S3 works on for long before it answers: copies, and putting parts together. */
  readonly silentAtWorkMs: number;
  /** In vain for one call in all, repetitions included. */
  readonly inVainMs: number;
  /** Tries of one call. */
  readonly attempts: number;
  /** See `Patience`. */
  readonly firstDelayMs: number;
  /** For a page of the web, sendings on included. */
  readonly pageMs: number;
  /** A command that has ended is held up so long for its metrics. */
  readonly metricsMs: number;
}

export const defaultLimits: Limits = {
  connectMs: 10_000,
  silentMs: 20_000,
  silentAtWorkMs: 40_000,
  inVainMs: 80_000,
  attempts: 10,
  firstDelayMs: 100,
  pageMs: 30_000,
  metricsMs: 3000,
};

/** What all clients of one target know of the way to it. */
export interface Reach {
  /** A server was waited for in vain, and none has answered since: what still comes is not waited for long. */
  isSilent: boolean;
  /** The command has ended: nothing is asked for again. */
  isClosed: boolean;
  /** Whoever waits goes then, by `performance.now()`: no call is repeated later. */
  leaveAtMs?: number;
}
