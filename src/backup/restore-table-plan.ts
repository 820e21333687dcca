import { keysPerGet } from "../aws/raw/get-raw-items.ts";
import { keyNames } from "../aws/dynamodb/make-table.ts";
import { describeTable, type DescribedTable } from "../aws/dynamodb/table-description.ts";
import { chunked, inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { keysText, sameKeys } from "../model/declaration.ts";
import type { Amount } from "../amount.ts";
import type { JsonObject } from "../model/json.ts";
import { parseItemLine } from "./item-line.ts";
import { compare, type Compared, type Planning } from "./restore-compare.ts";
import { isAllTaken, keyOf, type LineTable, lookInto, regrouped, sourcesOf } from "./restore-items.ts";
import { destinationOf, type FateCounts, fates, noCounts, type RestoreSite } from "./restore-site.ts";
import type { TableSnapshot } from "./snapshot.ts";
import { toolRoles } from "../model/tool-tables.ts";

/** What tells that a table was made by a restore that has not come to its end; its value is the snapshot's id. */
export const restoringTag = "mawps:restoring";

/** What is to be done to one table. */
export interface TablePlan extends LineTable {
  readonly snapshot: TableSnapshot;
  /** `unfinished`: an earlier restore of the same snapshot made it and was ended. */
  readonly state: "missing" | "unfinished" | "there";
  readonly counts: FateCounts;
  /** One for each line of each source; undefined where the table is missing: then nothing stands in the way of any. */
  readonly fates: readonly Uint8Array[] | undefined;
  /** The first that differ, by their keys. */
  readonly differing: readonly JsonObject[];
  /** Settings that the snapshot has and a table that is there has not; they are told, not written. */
  readonly missingSettings: readonly string[];
}

/** Differing ones that are named. */
const named = 5;
/** Reads, or writes, under way at once, 100 items each. */
export const callsAtOnce = 8;
export const linesAtOnce = callsAtOnce * keysPerGet * 4;

/**
 * Compares a table of the snapshot with the one that it goes to, line by line; writes nothing. Every part is checked on the
 * way. Memory: a byte an item besides what is being compared.
 * @throws DamagedError; CliError when the table that is there has other keys.
 */
export async function planTable(
  site: RestoreSite,
  snapshot: TableSnapshot,
  planning: Planning,
): Promise<TablePlan> {
  const name = destinationOf(site, "table", snapshot);
  const there = await describeTable(site.aws, name, site.signal);
  const { keys } = snapshot.description;
  if (there !== undefined && !sameKeys(there.description.keys, keys)) {
    throw new CliError(
      `table ${name} has the keys ${keysText(there.description.keys)}, the backup's ${keysText(keys)}; nothing was changed`,
      { hint: "restore it beside: --into-prefix test-, or --into-table with a new name" },
    );
  }
  const table = { role: snapshot.role, name, keys: keyNames(keys), described: keys };
  const tally: Tally = { counts: noCounts(), differing: [] };
  const base = { ...table, snapshot, counts: tally.counts, differing: tally.differing };
  if (there === undefined) {
    await countLines(site, { table, snapshot, planning, tally });
    return { ...base, state: "missing", fates: undefined, missingSettings: [] };
  }
  const state = there.description.tags[restoringTag] === site.manifest.id ? "unfinished" : "there";
  const all: Uint8Array[] = [];
  for (const source of sourcesOf(site, snapshot)) {
    const found = new Uint8Array(source.lines);
    let at = 0;
    for await (const lines of regrouped(source.open(), linesAtOnce)) {
      site.onProgress(`comparing ${name}`, itemsOf(tally, snapshot));
      const compared = await inParallel(chunked(lines, keysPerGet), callsAtOnce, (chunk) =>
        compare(site, { table, planning, lines: chunk }),
      );
      for (const one of compared.flat()) {
        found[at++] = fates.indexOf(one.fate);
        note(tally, one, table.keys);
      }
    }
    all.push(found);
  }
  const missingSettings = state === "there" ? missing(there.description, snapshot.description) : [];
  return guardTrail({ ...base, state, fates: all, missingSettings });
}

interface Tally {
  readonly counts: FateCounts;
  readonly differing: JsonObject[];
}

function note({ counts, differing }: Tally, one: Compared, keys: readonly string[]): void {
  if (one.fate !== "left out") counts[one.fate] += 1;
  const differs = one.fate === "conflict" || one.fate === "overwrite";
  if (differs && differing.length < named && one.candidate !== undefined)
    differing.push(keyOf(one.candidate.item, keys));
}

function itemsOf({ counts }: Tally, { items }: TableSnapshot): Amount {
  return { done: Object.values(counts).reduce((sum, count) => sum + count, 0), total: items, of: "items" };
}

interface Counting {
  readonly table: LineTable;
  readonly snapshot: TableSnapshot;
  readonly planning: Planning;
  readonly tally: Tally;
}

async function countLines(site: RestoreSite, { table, snapshot, planning, tally }: Counting): Promise<void> {
  const takeAll = isAllTaken(site, planning.isLedgerEmpty);
  for (const source of sourcesOf(site, snapshot)) {
    for await (const lines of source.open()) {
      site.onProgress(`checking ${table.name}`, itemsOf(tally, snapshot));
      if (takeAll) {
        for (const line of lines) parseItemLine(line, table);
        tally.counts.create += lines.length;
        continue;
      }
      for (const line of lines) {
        const { fate = "create" } = lookInto(site, { table, ...planning }, line);
        if (fate !== "left out") tally.counts[fate] += 1;
      }
    }
  }
}

/**
 * The audit trail is a chain: of two that differ in one place none can be put into the other. Where an entry that is there
 * is not the snapshot's, none of the snapshot's entries is added behind or between: what is there stays as it is, to
 * be verified by itself, and the older chain can be restored beside it. The ledger of erasures in the same table has been
 * read by itself, before: see restore-audit.ts.
 */
function guardTrail(plan: TablePlan): TablePlan {
  if (plan.role !== toolRoles.audit || plan.counts.conflict === 0 || plan.fates === undefined) return plan;
  const create = fates.indexOf("create");
  const conflict = fates.indexOf("conflict");
  for (const source of plan.fates) {
    for (const [at, fate] of source.entries()) if (fate === create) source[at] = conflict;
  }
  const { counts } = plan;
  return { ...plan, counts: { ...counts, create: 0, conflict: counts.conflict + counts.create } };
}

function missing(there: DescribedTable, wanted: DescribedTable): string[] {
  const tags = Object.entries(wanted.tags).filter(
    ([name, value]) => !name.startsWith("aws:") && there.tags[name] !== value,
  );
  return [
    ...(wanted.expiryAttribute === undefined || there.expiryAttribute === wanted.expiryAttribute
      ? []
      : [`expiry by ${wanted.expiryAttribute}`]),
    ...(wanted.recoveryDays === undefined || (there.recoveryDays ?? 0) >= wanted.recoveryDays
      ? []
      : [`recovery of ${wanted.recoveryDays} days`]),
    ...(wanted.stream === undefined || there.stream === wanted.stream ? [] : [`stream ${wanted.stream}`]),
    ...(wanted.deletionProtection && !there.deletionProtection ? ["deletion protection"] : []),
    ...wanted.indexes
      .filter(({ name }) => !there.indexes.some((index) => index.name === name))
      .map(({ name }) => `index ${name}`),
    ...tags.map(([name]) => `tag ${name}`),
  ];
}
