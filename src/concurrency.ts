import { setMaxListeners } from "node:events";

/**
 * `work` over all items, at most `limit` at a time; answers in the items' order. The first error ends it, but not before
 * what is under way has come to its end: nothing goes on behind the caller's back.
 */
export async function inParallel<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items].entries();
  let failed = false;
  const worker = async () => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: limit }, worker));
  const failure = ended.find((each) => each.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results;
}

/** A signal that follows another one and can be given by itself. Every call under way may listen to it. */
export function stoppable(followed: AbortSignal | undefined): {
  readonly signal: AbortSignal;
  readonly stop: (reason?: unknown) => void;
} {
  const own = new AbortController();
  const signal = AbortSignal.any([...(followed === undefined ? [] : [followed]), own.signal]);
  setMaxListeners(0, signal);
  return { signal, stop: (reason) => own.abort(reason) };
}

/**
 * All of the work side by side, each part with a signal. The first failure ends the others by it, and is thrown once they have
 * ended: nothing goes on behind the caller's back.
 */
export async function sideBySide<T extends readonly unknown[]>(
  signal: AbortSignal | undefined,
  work: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> },
): Promise<T> {
  const { signal: both, stop } = stoppable(signal);
  let failure: { readonly error: unknown } | undefined;
  const one = async (part: (signal: AbortSignal) => Promise<unknown>) => {
    try {
      return await part(both);
    } catch (error) {
      failure ??= { error };
      stop();
      return undefined;
    }
  };
  const results = await Promise.all(work.map(one));
  if (failure !== undefined) throw failure.error;
  // One for each part, in their order.
  return results as readonly unknown[] as T;
}

/** Lets work in while there is room for it, in the order of asking; what needs more than all of it is let in alone. */
export interface Room {
  within<T>(amount: number, work: () => Promise<T>): Promise<T>;
}

export function roomFor(most: number): Room {
  const waiting: { readonly amount: number; readonly enter: () => void }[] = [];
  let free = most;
  const admit = () => {
    for (let next = waiting[0]; next !== undefined && next.amount <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.amount;
      next.enter();
    }
  };
  return {
    async within(wanted, work) {
      const amount = Math.min(wanted, most);
      await new Promise<void>((enter) => {
        waiting.push({ amount, enter });
        admit();
      });
      try {
        return await work();
      } finally {
        free += amount;
        admit();
      }
    },
  };
}

/**
 * The same values, the first of which is asked for at once: what several sources wait for is waited for side by side. An
 * error passes when its place has come; a reader that stops early ends the source.
 */
export function begunAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T, void> {
  const values = source[Symbol.asyncIterator]();
  const first = values.next();
  first.catch(() => undefined);
  return (async function* () {
    try {
      for (let next = await first; next.done !== true; next = await values.next()) yield next.value;
    } finally {
      await values.return?.();
    }
  })();
}

/** In parts of at most so many. Pure. */
export function chunked<T>(all: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < all.length; at += size) chunks.push(all.slice(at, at + size));
  return chunks;
}
