/** How fast tables may be read, in capacity units a second. */
export interface ReadRate {
  /** Waits until another page may be asked for. */
  take(): Promise<void>;
  /** What that page has cost, as DynamoDB tells it. */
  spent(units: number): void;
}

export interface RateOptions {
  readonly unitsPerSecond: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * A bucket of tokens that holds one second's units. A page's cost is known only when it is there: until then it counts as
 * much as the one before it, so that several read side by side keep to the rate together.
 */
export function readRate({ unitsPerSecond, now, wait }: RateOptions): ReadRate {
  let tokens = unitsPerSecond;
  let filledAt = now();
  let expected = 1;
  const reserved: number[] = [];
  let turn = Promise.resolve();

  function fill(): void {
    const at = now();
    tokens = Math.min(unitsPerSecond, tokens + ((at - filledAt) / 1000) * unitsPerSecond);
    filledAt = at;
  }

  async function reserve(): Promise<void> {
    fill();
    while (tokens <= 0) {
      await wait(Math.ceil((-tokens / unitsPerSecond) * 1000) + 1);
      fill();
    }
    tokens -= expected;
    reserved.push(expected);
  }

  return {
    take() {
      // One after the other: two must not take the same tokens.
      const mine = turn.then(() => reserve());
      turn = mine.catch(() => undefined);
      return mine;
    },
    spent(units) {
      tokens += (reserved.shift() ?? 0) - units;
      expected = Math.max(1, units);
    },
  };
}
