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
