import type { TableMeasure } from "../aws/dynamodb/table-description.ts";
import { pause } from "../retry.ts";

/** Of a table with provisioned capacity, unless another rate is given. */
const defaultPercent = 25;

/**
 * Of how many seconds a table keeps the units that nobody used:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
 */
const burstSeconds = 300;

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
  /** How many seconds' units may be spent at once; default one. */
  readonly savedSeconds?: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * A bucket of tokens, full to begin with. A page's cost is known only when it is there: until then it counts as
 * much as the one before it, so that several read side by side keep to the rate together.
 */
export function readRate({ unitsPerSecond, savedSeconds = 1, now, wait }: RateOptions): ReadRate {
  const most = unitsPerSecond * savedSeconds;
  let tokens = most;
  let filledAt = now();
  let expected = 1;
  const reserved: number[] = [];
  let turn = Promise.resolve();

  function fill(): void {
    const at = now();
    tokens = Math.min(most, tokens + ((at - filledAt) / 1000) * unitsPerSecond);
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

/**
 * An on-demand table is read as fast as it goes; the capacity of another is the website's too. A share is one of the units that the
 * table has saved up as well, so that a small table is read at once.
 */
export function rateOf(
  site: { now(): Date; readonly signal?: AbortSignal },
  { readUnits, isProvisioned }: TableMeasure,
  rate: Rate | undefined,
): ReadRate | undefined {
  if (rate === undefined && !isProvisioned) return undefined;
  const clock = { now: () => site.now().getTime(), wait: (ms: number) => pause(ms, site.signal) };
  if (rate !== undefined && "unitsPerSecond" in rate) return readRate({ ...rate, ...clock });
  const share = (rate?.percent ?? defaultPercent) / 100;
  return readRate({ unitsPerSecond: Math.max(1, readUnits * share), savedSeconds: burstSeconds, ...clock });
}
