import type { Aws } from "../aws/clients.ts";
import { listNativeBackups } from "../aws/dynamodb/native-backups.ts";
import { readRecoveryWindow } from "../aws/dynamodb/table-recovery.ts";
import { readAsked } from "../aws/cloudwatch/requests.ts";
import { findUnusedIndexes } from "../aws/cloudwatch/unused-indexes.ts";
import { isDenied, isUnsupported } from "../aws/setting.ts";
import { inParallel, sideBySide } from "../concurrency.ts";
import type { Declaration } from "../model/declaration.ts";
import { costGroupOf, costOf, type Cost, type Stored, type Terms } from "./cost.ts";
import { measureUsage, type Usage, type UsageQuery } from "./measure.ts";
import { pricesIn, type Price } from "./prices.ts";

interface CostQuery extends Omit<UsageQuery, "by" | "also" | "user"> {
  readonly prices: readonly Price[];
  /** Waited for beside the rest. */
  readonly due?: Promise<Stored["due"]> | undefined;
  /** Whether the metrics of AWS itself are there to be asked: a local store has none. */
  readonly isMetered: boolean;
}

export interface MeasuredCost
  extends Cost, Pick<Usage, "missing" | "failures" | "inventories" | "uncountedBuckets"> {
  readonly region: string;
}

/** What a month costs, and by kinds what it costs that for. */
export interface PricedUsage {
  readonly usage: Usage;
  readonly cost: MeasuredCost;
}

const tablesAtOnce = 16;

/**
 * Measures what costs something and puts prices to it. Only reads. What may not be looked at is among the failures, and the
 * figures are without it.
 */
export async function measureCost(aws: Aws, query: CostQuery): Promise<PricedUsage> {
  const { declaration, now, prices } = query;
  const terms = termsOf(declaration);
  const failures: Usage["failures"][number][] = [];
  /** Of all tables, for which the answers are asked beside the listing of the files. */
  const ofTables = <T>(signal: AbortSignal, read: (table: string) => Promise<T>) =>
    inParallel(declaration.tables, tablesAtOnce, async ({ name }) => {
      signal.throwIfAborted();
      try {
        return { name, value: await read(name) };
      } catch (error) {
        if (isDenied(error)) failures.push({ what: `table ${name}`, why: (error as Error).message });
        else if (!isUnsupported(error)) throw error;
        return { name, value: undefined };
      }
    });
  const [{ alsoGroups = [], backupGroups, ...usage }, recoveries, backups, asked, due] = await sideBySide(
    query.signal,
    [
      (signal) => measureUsage(aws, { ...query, signal, by: "entity", also: costGroupOf(now, terms) }),
      (signal) => ofTables(signal, (table) => readRecoveryWindow(aws, table, signal)),
      (signal) => ofTables(signal, (table) => backupBytes(aws, table, signal)),
      async (signal) => (query.isMetered ? readAsked(aws, askedOf(declaration), { now, signal }) : undefined),
      async () => query.due,
    ],
  );
  const recovering = recoveries.flatMap(({ name, value }) =>
    value !== undefined && value !== "unsupported" && value.enabled ? [name] : [],
  );
  const unused = await inParallel(usage.tables, tablesAtOnce, async ({ table, indexes }) => {
    const declared = declaration.tables.find(({ name }) => name === table)?.indexes ?? [];
    const extra = indexes
      .map(({ name }) => name)
      .filter((name) => !declared.some((each) => each.name === name));
    const found = await findUnusedIndexes(aws, { table, indexes: extra }, query);
    return found.map((each) => ({ ...each, table }));
  });
  const { region } = declaration;
  const cost = costOf(
    {
      files: alsoGroups,
      backupFiles: backupGroups,
      tables: usage.tables,
      scaled: new Map(
        declaration.tables.flatMap(({ name, capacity }) =>
          capacity === undefined ? [] : [[name, capacity]],
        ),
      ),
      recovering: new Set(recovering),
      nativeBackupBytes: backups.reduce((sum, { value = 0 }) => sum + value, 0),
      accounts: usage.accounts,
      plan: usage.accountPlan ?? "ESSENTIALS",
      unusedIndexes: unused.flat(),
      asked,
      buckets: bucketsThere(declaration, usage),
      due,
    },
    pricesIn(prices, region),
    { now, terms },
  );
  const { missing, inventories, uncountedBuckets } = usage;
  const told = {
    missing,
    uncountedBuckets,
    failures: [...usage.failures, ...failures],
    ...(inventories && { inventories }),
  };
  return { usage, cost: { ...cost, region, ...told } };
}

async function backupBytes(aws: Aws, table: string, signal: AbortSignal): Promise<number> {
  let sum = 0;
  for await (const backups of listNativeBackups(aws, table, signal))
    // What DynamoDB itself keeps of a deleted table costs nothing.
    for (const { bytes = 0, type } of backups) sum += type === "SYSTEM" ? 0 : bytes;
  return sum;
}

function askedOf({ tables, buckets }: Declaration): Parameters<typeof readAsked>[1] {
  return {
    tables: tables.map(({ name, indexes }) => ({ name, indexes: indexes.map((index) => index.name) })),
    buckets: buckets.map(({ name }) => name),
  };
}

function bucketsThere({ buckets }: Declaration, { missing }: Pick<Usage, "missing">): string[] {
  return buckets.map(({ name }) => name).filter((name) => !missing.includes(`bucket ${name}`));
}

/** The days that the site's lifecycle rules have; where it has none, those that AWS's own pages recommend. */
function termsOf({ buckets }: Declaration): Terms {
  const rules = buckets.flatMap(({ lifecycle }) => lifecycle);
  const daysOf = (pick: (rule: (typeof rules)[number]) => number | undefined) =>
    rules.flatMap((rule) => pick(rule) ?? [])[0];
  return {
    unfinished: daysOf(({ abortMultipartAfterDays }) => abortMultipartAfterDays) ?? 7,
    noncurrent: daysOf(({ expireNoncurrentAfterDays }) => expireNoncurrentAfterDays) ?? 30,
    objects: 30,
    isTiered: buckets.every(({ lifecycle }) =>
      lifecycle.some(({ intelligentTieringAfterDays }) => intelligentTieringAfterDays !== undefined),
    ),
  };
}
