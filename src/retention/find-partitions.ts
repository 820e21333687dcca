import { tableRole, twinName } from "../model/database.ts";
import { hasTriggers } from "../sql/catalogue.ts";
import { foreignKeysTo } from "../sql/row-table.ts";
import { partitionsOut } from "../sql/partition-twin.ts";
import { countRows, partitionText, readTimePartitions, type TimePartition } from "../sql/partitions.ts";
import { streamReading } from "../sql/rows.ts";
import { ownersWhereHeld } from "../stores/row-owners.ts";
import { storedOf, type Table } from "../stores/sql-table.ts";
import type { Stored } from "../stores/store.ts";
import type { RetentionRule } from "../model/declaration.ts";
import { decide } from "./decide-row.ts";
import type { PartitionDue } from "./plan-entry.ts";
import { agesOf, day, isPast } from "./rules.ts";
import type { RetentionSite } from "./site.ts";

/** What of a table is due partition by partition. */
export interface FoundPartitions {
  readonly due: readonly PartitionDue[];
  /** The partitions whose rows go one by one; undefined where that is all of the table. */
  readonly left: readonly string[] | undefined;
  /** How many rows stay until all of their partition is past. */
  readonly waiting: number;
}

/**
 * Of a table that is partitioned by the time that a rule goes by: the partitions whose whole range is older than the rule's period, each with a
 * look at all of its rows, and what a killed run has taken out of the table. Nothing is changed.
 * @param only one partition; all where it is left out.
 */
export async function findPartitions(
  site: RetentionSite,
  role: string,
  only?: string,
): Promise<FoundPartitions> {
  if (!isRowsRole(site, role)) return { due: [], left: undefined, waiting: 0 };
  const table = await site.store.tableOf(role);
  const { sql, place } = table.database;
  const found = await readTimePartitions(sql, place, table.rows.name);
  const out = (await partitionsOut(sql, place)).get(table.rows.name);
  const { column = "", partitions = [] } = found ?? {};
  const isDropping = found !== undefined && isDroppable(site, role, { table, partitions });
  const looking = { site, role, table, isDropping, rules: rulesBy(site, table, column) };
  const isMeant = (name: string) => only === undefined || name === only;
  const due: PartitionDue[] = [];
  const whole = new Set<string>();
  const byName = new Map(partitions.map((each) => [each.name, each]));
  if (out !== undefined && isMeant(out)) due.push(await takenOut(looking, out, byName.get(out)));
  if (!isDropping) return { due, left: undefined, waiting: 0 };
  for (const partition of partitions.filter(({ name }) => isMeant(name))) {
    const known = due.find((each) => each.partition === partition.name);
    // What came to a partition after its rows were taken out goes row by row, until it is empty.
    if (known !== undefined && known.rows > 0) continue;
    const entry = await wholly(looking, partition);
    if (entry === undefined) continue;
    if (known !== undefined) due.splice(due.indexOf(known), 1);
    due.push(entry);
    if (entry.action === "purge") whole.add(partition.name);
  }
  const others = partitions.filter(({ name }) => !whole.has(name));
  if (!isWhole(table)) return { due, left: whole.size === 0 ? undefined : namesOf(others), waiting: 0 };
  const isPastWhole = ({ endMs }: TimePartition) => rulePast(looking, endMs) !== undefined;
  let waiting = 0;
  for (const { name } of only === undefined ? others.filter((each) => !isPastWhole(each)) : [])
    waiting += await countRows(sql, partitionText(sql, table.rows.name, name));
  return { due, left: namesOf(others.filter(isPastWhole)), waiting };
}

/** Whether rows of an entity are in a table of an open database. */
export function isRowsRole({ model, databases }: RetentionSite, role: string): boolean {
  const isThere = databases.some((each) => role.startsWith(`${each.role}.`));
  return isThere && Object.values(model.entities).some(({ from }) => tableRole(from) === role);
}

/** Of the tables of the model that no rule reads those of which a killed run has taken rows out: the model has changed since. */
export async function tablesLeftBehind(site: RetentionSite): Promise<string[]> {
  const roles = new Set(Object.values(site.model.entities).map(({ from }) => tableRole(from) ?? ""));
  const found: string[] = [];
  for (const { role: database, sql, place } of site.databases) {
    for (const table of (await partitionsOut(sql, place)).keys()) {
      const role = `${database}.${table}`;
      if (roles.has(role) && !site.tables.has(role)) found.push(role);
    }
  }
  return found;
}

function namesOf(partitions: readonly TimePartition[]): string[] {
  return partitions.map(({ name }) => name);
}

/** Whether rows of the table go with all of their partition, or not at all. */
function isWhole({ entities }: Table): boolean {
  const rules = entities.flatMap(([, { expires = [] }]) => expires);
  return rules.length > 0 && rules.every(({ partitions }) => partitions === "whole");
}

/** The rule by which a range that ends then is past. */
function rulePast({ rules, site }: Looking, endMs: number | undefined): RetentionRule | undefined {
  return rules.find((each) => endMs !== undefined && isPast(each, endMs, site.rules));
}

/** Whether nothing but the rows of a table decides, and nothing else goes or is told with them. */
function isDroppable(
  site: RetentionSite,
  role: string,
  { table, partitions }: { readonly table: Table; readonly partitions: readonly TimePartition[] },
): boolean {
  const known = site.tables.get(role);
  if (known?.expires !== true || known.namesFiles || known.keepsNewest) return false;
  const { catalogue, entities, rows } = table;
  if (entities.some(([, { expires = [] }]) => expires.some(({ unreferred }) => unreferred))) return false;
  // Neither a foreign key nor a trigger hears of a partition that is exchanged, and rows that are put back would be new ones to them.
  const isHeard = hasTriggers(catalogue, [rows.name, ...namesOf(partitions)], ["INSERT", "DELETE"]);
  return !isHeard && foreignKeysTo(catalogue, rows.name).length === 0;
}

/** The rules that are on and by which rows are deleted by a column alone. */
function rulesBy({ rules }: RetentionSite, { entities }: Table, column: string): RetentionRule[] {
  return entities.flatMap(([, { expires = [] }]) =>
    expires.flatMap((expiry) => {
      const rule = expiry.since === column && expiry.do === "delete" ? rules.byId.get(expiry.id) : undefined;
      return rule === undefined || rule.by !== "run" ? [] : [rule];
    }),
  );
}

interface Looking {
  readonly site: RetentionSite;
  readonly role: string;
  readonly table: Table;
  /** Whether rows go by partitions; what is out of the table comes back where they do not, or no more. */
  readonly isDropping: boolean;
  readonly rules: readonly RetentionRule[];
}

/** A partition whose range is past; undefined for one that is not, or in which every row stays. */
async function wholly(
  looking: Looking,
  { name, endMs, bytes }: TimePartition,
): Promise<PartitionDue | undefined> {
  const { site, role, table } = looking;
  const rule = rulePast(looking, endMs);
  if (rule === undefined || endMs === undefined || twinName(table.rows.name) === undefined) return undefined;
  const from = partitionText(table.database.sql, table.rows.name, name);
  const { rows, staying, why } = await judgeRows(site, table, from);
  if (rows > 0 && staying === rows) return undefined;
  const entry = entryOf(site, table, { role, rule, name, rows, bytes, endMs });
  if (staying === 0) return { ...entry, reason: `all of it is older than ${day(endMs)}` };
  return {
    ...entry,
    action: "keep",
    ...agesOf({ rule, sinceMs: endMs, action: "keep" }, site.rules),
    reason: `${staying.toLocaleString("en")} of ${rows.toLocaleString("en")} rows stay, the others go one by one: ${why}`,
  };
}

/** What stands in the twin of a partition: due as a whole, or to be put back. */
async function takenOut(
  looking: Looking,
  name: string,
  partition: TimePartition | undefined,
): Promise<PartitionDue> {
  const { site, role, table, isDropping, rules } = looking;
  const twin = twinName(table.rows.name) ?? "";
  const { rows, staying, why, newestMs } = await judgeRows(site, table, table.database.sql.quoted(twin));
  const endMs = partition?.endMs;
  const sinceMs = endMs ?? newestMs ?? site.rules.at.getTime();
  const [first] = table.entities.flatMap(([, { expires = [] }]) => expires);
  const rule =
    rulePast(looking, sinceMs) ??
    rules[0] ??
    ({ id: first?.id ?? "none", what: "", by: "run", action: "purge" } satisfies RetentionRule);
  const entry = entryOf(site, table, { role, rule, name, rows, bytes: 0, endMs, sinceMs });
  const told = "taken out of the table by a run that was broken off";
  if (isDropping && rows > 0 && staying === 0) return { ...entry, reason: told };
  const some =
    staying === 0 ? "rows of the table go one by one" : `${staying.toLocaleString("en")} rows stay: ${why}`;
  const back = rows === 0 ? "without rows" : some;
  return {
    ...entry,
    action: "put-back",
    ...agesOf({ rule, sinceMs, action: "keep" }, site.rules),
    reason: `${told}; ${back}`,
  };
}

interface Entry {
  readonly role: string;
  readonly rule: RetentionRule;
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly endMs: number | undefined;
  readonly sinceMs?: number;
}

function entryOf(
  { rules }: RetentionSite,
  { database, rows: { name: table } }: Table,
  { role, rule, name, rows, bytes, endMs, sinceMs = endMs ?? 0 }: Entry,
): PartitionDue {
  return {
    kind: "partition",
    action: "purge",
    rule: rule.id,
    by: "run",
    reason: "",
    userId: null,
    bytes,
    ...agesOf({ rule, sinceMs, action: "purge" }, rules),
    table: `${database.name}.${table}`,
    role,
    partition: name,
    rows,
    ...(endMs === undefined ? {} : { before: new Date(endMs).toISOString() }),
  };
}

/** What the rules say of rows together. */
export interface JudgedRows {
  readonly rows: number;
  /** How many are not to be deleted, or are of no entity of the model. */
  readonly staying: number;
  /** Of the first of them. */
  readonly why: string;
  /** The latest time from which the age of one counts. */
  readonly newestMs: number | undefined;
}

/** Looks at every row of a partition or twin, as it stands behind `FROM`, by the rules and holds of the site. */
export async function judgeRows(site: RetentionSite, table: Table, from: string): Promise<JudgedRows> {
  const rows = await countRows(table.database.sql, from);
  let [known, staying] = [0, 0];
  let why: string | undefined;
  let newestMs: number | undefined;
  for await (const page of pagesFrom(table, from)) {
    const owners = await ownersWhereHeld(site, page);
    for (const stored of page) {
      known += 1;
      const verdict = decide(site, stored, owners.get(stored));
      if (verdict?.action !== "purge") {
        staying += 1;
        why ??= verdict?.reason ?? "no rule deletes them";
      } else newestMs = Math.max(newestMs ?? verdict.sinceMs, verdict.sinceMs);
    }
  }
  const strange = Math.max(0, rows - known);
  return {
    rows: Math.max(rows, known),
    staying: staying + strange,
    why: why ?? "they are of no entity of the model",
    newestMs,
  };
}

/** The rows of some partitions of a table that are of an entity, page by page. */
export async function* rowsOfPartitions(
  { store }: RetentionSite,
  role: string,
  names: readonly string[],
): AsyncGenerator<readonly Stored[]> {
  const table = await store.tableOf(role);
  const { sql } = table.database;
  for (const name of names) yield* pagesFrom(table, partitionText(sql, table.rows.name, name));
}

async function* pagesFrom(table: Table, from: string): AsyncGenerator<readonly Stored[]> {
  for await (const page of streamReading(table.database.sql, table.rows, from))
    yield page.flatMap((row) => storedOf(table, row) ?? []);
}
