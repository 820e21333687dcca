import type { DatabasePlan } from "./database-restore.ts";
import type { BucketPlan } from "./restore-object-plan.ts";
import type { RestorePlan } from "./restore-plan.ts";
import { noCounts, type FateCounts } from "./restore-site.ts";
import type { TablePlan } from "./restore-table-plan.ts";

/** Whether there is anything to be written. */
export function isDue({ tables, buckets, users, databases, erasures }: RestorePlan): boolean {
  const writes = ({ state, counts }: TablePlan | BucketPlan) =>
    state !== "there" || counts.create + counts.overwrite > 0;
  const cors = buckets.some((bucket) => bucket.cors === "write");
  const accounts = users === undefined ? 0 : users.steps.length + users.groups.length;
  return (
    databases.some(isRowsDue) ||
    cors ||
    erasures + accounts > 0 ||
    tables.some(writes) ||
    buckets.some(writes)
  );
}

/** Of rows that come back, how many are due by a rule of retention at once. */
export interface RowsDue {
  readonly table: string;
  readonly rule: string;
  readonly rows: number;
}

/** Those of a database, by tables and rules. */
export function rowsDueAgain({ tables }: DatabasePlan): RowsDue[] {
  return tables.flatMap(({ table, due }) =>
    [...due].map(([rule, rows]) => ({ table: table.name, rule, rows })),
  );
}

/** Rows that were meant, and stay away. */
export function leftRows({
  databases,
}: Pick<RestorePlan, "databases">): readonly { readonly what: string; readonly why: string }[] {
  return databases.flatMap(({ part }) => part?.left ?? []);
}

/** What differs and stays as it is, in lines; empty when all can be restored. */
export function conflictsOf({ tables, buckets, users, databases }: RestorePlan): string[] {
  const told = (name: string, { conflict }: { conflict: number }, examples: readonly string[]) => {
    if (conflict === 0) return [];
    const more = conflict > examples.length ? ", ..." : "";
    return [`${name}: ${conflict.toLocaleString("en")} (${examples.join(", ")}${more})`];
  };
  return [
    ...tables.flatMap(({ name, counts, differing }) => told(name, counts, differing.map(keyWords))),
    ...buckets.flatMap(({ name, counts, differing }) => told(name, counts, differing)),
    ...databases.flatMap(({ name, tables: rows }) =>
      rows.flatMap(({ table, counts, differing }) => told(`${name}.${table.name}`, counts, differing)),
    ),
    ...(users === undefined
      ? []
      : told(
          "accounts",
          { conflict: users.counts.conflict + users.counts.skip },
          users.differing.slice(0, 5).map(({ username }) => username),
        )),
  ];
}

/** `user-1 + user-profile`: the values of a key. */
function keyWords(key: Readonly<Record<string, unknown>>): string {
  return Object.values(key)
    .map((value) => Object.values(value as Record<string, unknown>)[0])
    .map(String)
    .join(" + ");
}

/** Whether anything is to be made or written. */
function isRowsDue({ state, writes, tables }: DatabasePlan): boolean {
  return (
    state === "missing" ||
    writes.length > 0 ||
    tables.some(({ counts }) => counts.create + counts.overwrite > 0)
  );
}

/** The counts of all tables together. */
export function rowCounts({ tables }: DatabasePlan): FateCounts {
  const sum = noCounts();
  for (const { counts } of tables) {
    sum.create += counts.create;
    sum.same += counts.same;
    sum.conflict += counts.conflict;
    sum.overwrite += counts.overwrite;
    sum.suppressed += counts.suppressed;
  }
  return sum;
}
