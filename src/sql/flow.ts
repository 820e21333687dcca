import type { Collector, RowSink } from "./line-writer.ts";

/** Batches on their way from a connection, which brings them by itself, to whoever takes them one by one. */
export interface Flow<T> {
  readonly push: (batch: T) => void;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** Fails where nothing comes for so long. Left early, what still comes is thrown away. */
  batches(timeoutMs: number): AsyncGenerator<T>;
}

interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** So many lie ready; then the connection is paused. */
const mostReady = 2;

/** Has the answer to what is asked flow: a batch whenever there is enough for one, the rest in the end. */
export function flowing<T>(
  connection: Pausable,
  { collector, ask }: { readonly collector: Collector<T>; readonly ask: (sink: RowSink) => Promise<void> },
): Flow<T> {
  const batches = flow<T>(connection);
  const end = () => {
    collector.end();
    if (collector.isFull()) batches.push(collector.take());
  };
  const fill = async () => {
    try {
      await ask({ ...collector, end });
      if (!collector.isEmpty()) batches.push(collector.take());
      batches.end();
    } catch (error) {
      batches.fail(error);
    }
  };
  void fill();
  return batches;
}

export function flow<T>(connection: Pausable): Flow<T> {
  const ready: T[] = [];
  let state: "flows" | "ended" | "left" = "flows";
  let failure: unknown;
  let isPaused = false;
  let wake: () => void = () => undefined;
  const finish = (error?: unknown) => {
    if (state === "flows") state = "ended";
    failure = error;
    wake();
  };
  return {
    push(batch) {
      if (state === "left") return;
      ready.push(batch);
      wake();
      if (isPaused || ready.length < mostReady) return;
      isPaused = true;
      connection.pause();
    },
    end: () => finish(),
    fail: finish,
    async *batches(timeoutMs) {
      try {
        for (;;) {
          const batch = ready.shift();
          if (batch !== undefined) {
            yield batch;
          } else if (state === "ended") {
            if (failure !== undefined) throw failure;
            return;
          } else {
            if (isPaused) {
              isPaused = false;
              connection.resume();
            }
            await woken(timeoutMs);
          }
        }
      } finally {
        state = "left";
        if (isPaused) connection.resume();
      }
    },
  };

  /** A server that stops in the middle is not waited for. */
  function woken(timeoutMs: number): Promise<void> {
    if (ready.length > 0 || state === "ended") return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("statement timeout")), timeoutMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
