/*
 * Which backups stay. A pure decision over their times, all in UTC.
 *
 * | rule    | stays                                                                                        |
 * |---------|----------------------------------------------------------------------------------------------|
 * | last    | the newest N                                                                                 |
 * | daily   | the newest of each of the last N days that have one                                          |
 * | weekly  | the newest of each of the last N weeks that have one; ISO 8601: from Monday, `2026-W01`       |
 * | monthly | the newest of each of the last N months that have one                                        |
 * | within  | what is at most so much older than the newest: where backups cease, time alone removes none   |
 * | always  | the newest of all, and the newest that was verified or drilled, the last that still held so   |
 *
 * Each rule counts among the backups that leave out the same.
 */

export interface PrunePolicy {
  readonly last?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly withinMs?: number;
}

/** A backup, as far as its time and its checks go. */
export interface Aged {
  readonly id: string;
  readonly startedAt: Date;
  /** When all of it was last found whole, and last restored on trial. */
  readonly verifiedAt?: Date;
  readonly drilledAt?: Date;
  readonly lastCheck?: { readonly outcome: "ok" | "failed" };
  /** What `--only` left out of it; absent where it holds all, and where that cannot be known. */
  readonly left?: string;
}

export interface Verdict {
  readonly id: string;
  readonly startedAt: Date;
  readonly isKept: boolean;
  /** Each rule that keeps it; none for one that goes. */
  readonly reasons: readonly string[];
}

/** Whether it would keep nothing of its own accord. */
export function isEmptyPolicy({ last, daily, weekly, monthly, withinMs }: PrunePolicy): boolean {
  return [last, daily, weekly, monthly, withinMs].every((amount) => amount === undefined || amount === 0);
}

/**
 * Decides about each backup, newest first. Those that leave something out count among their like: a newer backup of the
 * accounts alone does not replace one of everything.
 */
export function decidePrune(all: readonly Aged[], policy: PrunePolicy): Verdict[] {
  const kinds = new Set(all.map(({ left }) => left));
  const verdicts = [...kinds].flatMap((kind) =>
    decideAlike(
      all.filter(({ left }) => left === kind),
      policy,
    ),
  );
  return verdicts.sort(newestFirst);
}

function decideAlike(all: readonly Aged[], policy: PrunePolicy): Verdict[] {
  const sorted = [...all].sort(newestFirst);
  const reasons = new Map<string, string[]>(sorted.map(({ id }) => [id, []]));
  const keep = (one: Aged | undefined, why: string) => {
    if (one !== undefined) reasons.get(one.id)?.push(one.left === undefined ? why : `${why} (--only)`);
  };

  keep(sorted[0], "newest");
  const isProven = ({ verifiedAt, drilledAt }: Aged) => verifiedAt !== undefined || drilledAt !== undefined;
  const proven = sorted.filter(isProven);
  keep(proven[0], "newest verified");
  // One that failed since may be lost; the last that has not is as dear.
  const holding = proven.find(({ lastCheck }) => lastCheck?.outcome !== "failed");
  if (holding !== proven[0]) keep(holding, "newest verified that did not fail since");

  for (const one of sorted.slice(0, policy.last ?? 0)) keep(one, "last");
  for (const [rule, periodOf] of periods) {
    const seen = new Set<string>();
    for (const one of sorted) {
      const period = periodOf(one.startedAt);
      if (seen.size >= (policy[rule] ?? 0)) break;
      if (seen.has(period)) continue;
      seen.add(period);
      keep(one, `${rule} ${period}`);
    }
  }
  const { withinMs = 0 } = policy;
  const newest = sorted[0]?.startedAt.getTime() ?? 0;
  if (withinMs > 0) {
    for (const one of sorted) if (newest - one.startedAt.getTime() <= withinMs) keep(one, "within");
  }
  return sorted.map(({ id, startedAt }) => {
    const found = reasons.get(id) ?? [];
    return { id, startedAt, isKept: found.length > 0, reasons: found };
  });
}

/** Two of one second differ in their ids: the order is the same wherever it is made. */
function newestFirst(one: Aged, other: Aged): number {
  const difference = other.startedAt.getTime() - one.startedAt.getTime();
  if (difference !== 0) return difference;
  return one.id < other.id ? 1 : -1;
}

const periods = [
  ["daily", (at: Date) => at.toISOString().slice(0, 10)],
  ["weekly", isoWeek],
  ["monthly", (at: Date) => at.toISOString().slice(0, 7)],
] as const;

const dayMs = 24 * 60 * 60_000;

/** The year of a week is that of its Thursday. */
export function isoWeek(at: Date): string {
  const day = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
  const thursday = new Date(day + (4 - (at.getUTCDay() === 0 ? 7 : at.getUTCDay())) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs / 7) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
