import type { TableMeasure } from "../aws/dynamodb/table-description.ts";
import { pause } from "../retry.ts";

/** Of a table with provisioned capacity, unless another rate is given. */
const defaultPercent = 25;

/** Share of what a table bears, or capacity units a second. */
export type Rate = { readonly percent: number } | { readonly unitsPerSecond: number };

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

/** What a scan is told so that it keeps to a rate, where there is one. */
export function pacing(rate: ReadRate | undefined): {
  readonly beforePage?: () => Promise<void>;
  readonly onConsumed?: (units: number) => void;
} {
  if (rate === undefined) return {};
  return { beforePage: () => rate.take(), onConsumed: (units) => rate.spent(units) };
}

/** An on-demand table is read as fast as it goes; the capacity of another is the website's too. */
export function rateOf(
  site: { now(): Date; readonly signal?: AbortSignal },
  { readUnits, isProvisioned }: TableMeasure,
  rate: Rate | undefined,
): ReadRate | undefined {
  if (rate === undefined && !isProvisioned) return undefined;
  const { percent = defaultPercent } = rate !== undefined && "percent" in rate ? rate : {};
  const unitsPerSecond =
    rate !== undefined && "unitsPerSecond" in rate
      ? rate.unitsPerSecond
      : Math.max(1, (readUnits * percent) / 100);
  return readRate({
    unitsPerSecond,
    now: () => site.now().getTime(),
    wait: (ms) => pause(ms, site.signal),
  });
}
