import { isDeepStrictEqual } from "node:util";
import { CliError } from "../errors.ts";
import { groupedBy } from "../model/graph.ts";
import { holds } from "../model/items.ts";
import { own } from "../model/json.ts";
import { isAbout } from "../model/links.ts";
import { objectsOf } from "../model/objects.ts";
import { isStandIn } from "../model/person-rows.ts";
import { fileOf, isOfOthers, isOwnFile, type FilePlace, type FileSite } from "../model/row-files.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import { namesFiles, valuesIn } from "../stores/person-tables.ts";
import {
  chunksOf,
  databaseOf,
  keyWords,
  planTableRows,
  rowsTable,
  type ComparedRow,
  type DatabasePlan,
  type RowsPlan,
} from "./database-restore.ts";
import { rowJudge, type JudgedRow, type JudgeRow } from "./erased-rows.ts";
import { linkedRows, type LinkedRow, type LinksOfRow } from "./linked-rows.ts";
import type { Planning } from "./restore-compare.ts";
import { fileName, isPerson } from "./restore-scope.ts";
import type { RestoreSite } from "./restore-site.ts";
import type { RowWithFile } from "./returning-rows.ts";
import { rowParents, type RowParents } from "./row-parents.ts";
import { refuseForeignSchemas } from "./schema-part.ts";
import { snapshotTables, type DatabaseSnapshot } from "./snapshot.ts";

/** A part of a database that is restored: rows of one person, or a single one. */
interface Part {
  readonly site: RestoreSite;
  readonly snapshot: DatabaseSnapshot;
  readonly database: Database;
  /** Of the database. */
  readonly tables: readonly RowTable[];
  /** What keys of files mean, by the roles of their buckets. */
  readonly files: FileSite["files"];
  readonly linksOf: LinksOfRow;
  /** Undefined where nobody was erased. */
  readonly erased: JudgeRow | undefined;
  readonly isMeant: (table: RowTable, row: Row) => boolean;
}

/** What was noted of the rows of the backup on the way. */
interface Noted {
  readonly left: { what: string; why: string }[];
  readonly along: string[];
  readonly files: Set<string>;
  readonly withFile: RowWithFile[];
  /** By tables, how many rows only name the person. */
  readonly naming: Map<string, number>;
}

/**
 * Compares the rows of a snapshot that are meant with those that are there, and looks for what they refer to. What is missing of that comes along
 * where it is nobody else's; where it does not, the row stays away, with all that refers to it. The keys of these are in memory, not the rows.
 * @throws CliError where the database lacks a table for them, as a part makes none, and where the one row that is meant would stay away, or
 * could not be told from others there.
 */
export async function planPart(
  site: RestoreSite,
  snapshot: DatabaseSnapshot,
  planning: Pick<Planning, "isLedgerEmpty" | "onSuppressed">,
): Promise<DatabasePlan> {
  const database = databaseOf(site, snapshot);
  await refuseForeignSchemas(site, { id: site.manifest.id, databases: [snapshot] });
  if (!database.isThere) throw withoutTables(site, `there is no database ${database.name}`);
  const catalogue = await readCatalogue(database.sql, database.place);
  const part = await partOf(site, snapshot, { database, catalogue, isLedgerEmpty: planning.isLedgerEmpty });
  const parents = rowParents({
    sql: database.sql,
    catalogue,
    tables: part.tables,
    read: (name) => rowsNamed(site, snapshot, name),
    fateOf: (table, row) => parentFate(part, table, row),
  });
  const judge: JudgeRow = (table, row) => judged(part, parents, { table, row });
  for (;;) {
    const { plans, noted, isNew } = await compareAll(part, parents, judge);
    // What comes along refers to more, and what stays away keeps more away.
    if ((await parents.resolve()) || isNew) continue;
    refuseAlone(site, noted);
    const suppressed = plans.some(({ counts }) => counts.suppressed > 0);
    if (suppressed) planning.onSuppressed(site.scope.userId ?? "");
    return {
      role: snapshot.role,
      name: database.name,
      state: "there",
      snapshot,
      writes: [],
      tables: plans.filter(({ counts }) => Object.values(counts).some((count) => count > 0)),
      judge,
      part: { ...noted, naming: [...noted.naming] },
    };
  }
}

async function partOf(
  site: RestoreSite,
  snapshot: DatabaseSnapshot,
  {
    database,
    catalogue,
    isLedgerEmpty,
  }: {
    readonly database: Database;
    readonly catalogue: Catalogue;
    readonly isLedgerEmpty: boolean;
  },
): Promise<Part> {
  const { model, scope, isErased } = site;
  const tables = rowTables(catalogue, database.engine);
  assertSameKey(site, snapshot, tables);
  const reading = { model, database, tables, read: (name: string) => rowsNamed(site, snapshot, name) };
  const { person, row: single } = scope;
  const linksOf = await linkedRows(
    reading,
    (value, subject) => person !== undefined && isPerson(person, value, subject),
  );
  const isMeant = (table: RowTable, row: Row) =>
    single === undefined
      ? linksOf(table, row)?.theirs.some(isAbout) === true
      : table.name === single.table && table.key.every((name, at) => own(row, name) === single.key[at]);
  const erased = isLedgerEmpty
    ? undefined
    : await rowJudge({ ...reading, catalogue, isErased, onSuppressed: () => undefined });
  const files = site.declaration.buckets.map(({ role }) => ({
    bucket: role,
    kinds: objectsOf(model, role),
  }));
  return { site, snapshot, database, tables, files, linksOf, erased, isMeant };
}

function rowsNamed(site: RestoreSite, { tables }: DatabaseSnapshot, name: string) {
  const rows = tables.find((each) => each.name === name);
  return rows && chunksOf(site, rows);
}

function judged(
  part: Part,
  parents: RowParents,
  { table, row: stored }: { readonly table: RowTable; readonly row: Row },
): JudgedRow {
  const { site, linksOf, erased, isMeant } = part;
  const isAlong = !isMeant(table, stored);
  if (isAlong && !parents.isAlong(table, stored)) return { row: stored, is: "left out" };
  const { row, is } = erased?.(table, stored) ?? { row: stored, is: "whole" as const };
  const obstacle = parents.obstacle(table, row);
  if (isAlong) return { row, is: is === "whole" ? "along" : is, obstacle };
  // Rows that are somebody else's by now, or too, are nobody's to overwrite.
  const isOwn = (each: Row) => {
    const linked = linksOf(table, each);
    return linked?.theirs.some(isAbout) === true && !isShared(linked, each);
  };
  const mayReplace =
    site.scope.person === undefined ? undefined : (over: Row) => isOwn(stored) && isOwn(over);
  return { row, is, obstacle, mayReplace };
}

/** Whether a row is about somebody else besides those who are meant. */
function isShared({ kind, theirs }: LinkedRow, row: Row): boolean {
  const saying = kind.links.filter(({ role }) => role === "subject");
  return [...groupedBy(saying, ({ column }) => column)].some(
    ([column, links]) => (own(row, column) ?? "") !== "" && !links.some((link) => theirs.includes(link)),
  );
}

/** Of a row that is missing and referred to. */
function parentFate(part: Part, table: RowTable, row: Row): "along" | { readonly why: string } {
  const { site, linksOf, erased, isMeant } = part;
  const is = erased?.(table, row).is;
  if (is === "suppressed") return { why: "was erased" };
  if (isMeant(table, row)) return "along";
  if (site.scope.row !== undefined) return { why: "is not there" };
  const linked = is === "emptied" ? undefined : linksOf(table, row);
  const isSomebodys = (linked?.kind.links ?? []).some((link) => {
    const value = own(row, link.column) ?? "";
    return isAbout(link) && value !== "" && !isStandIn(site.model, value);
  });
  return isSomebodys ? { why: "is not there, and is somebody else's" } : "along";
}

/** One pass over all rows of the backup that may be meant, parents before their children. */
async function compareAll(part: Part, parents: RowParents, judge: JudgeRow) {
  const { site, snapshot, database, tables } = part;
  const noted: Noted = { left: [], along: [], files: new Set(), withFile: [], naming: new Map() };
  const plans: RowsPlan[] = [];
  let isNew = false;
  for (const { name } of ordered(snapshot, tables)) {
    const rows = snapshot.tables.find((each) => each.name === name);
    if (rows === undefined || !(mayHold(part, name) || parents.hasAlong(name))) continue;
    if (!tables.some((each) => each.name === name))
      throw withoutTables(site, `database ${database.name} has no table ${name}`);
    const table = rowsTable({ database, snapshot, tables }, rows);
    const noting: JudgeRow = (of, row) => {
      note(part, noted, { table: of, row });
      return judge(of, row);
    };
    const onCompared = ({ row, fate, obstacle }: ComparedRow) => {
      if (obstacle !== undefined) {
        const isMeant = part.isMeant(table, row);
        if (isMeant) noted.left.push({ what: `${name} ${keyWords(table, row)}`, why: obstacle });
        const why = isMeant ? "does not come back either" : `cannot come along, as ${obstacle}`;
        isNew = parents.keepAway(table, row, why) || isNew;
      }
      if (fate !== "create" && fate !== "overwrite") return;
      parents.ask(table, row);
      const what = `${name} ${keyWords(table, row)}`;
      const file = ownFile(part, table, row);
      if (file !== undefined) noted.withFile.push({ what, file });
      if (!part.isMeant(table, row)) noted.along.push(what);
    };
    const planned = { table, snapshot: rows, isNew: false, isEmpty: false, judge: noting };
    plans.push(await planTableRows(site, database, { ...planned, onCompared }));
  }
  return { plans, noted, isNew };
}

/** Those that the database lacks come last. */
function ordered({ tables: stored }: DatabaseSnapshot, tables: readonly RowTable[]) {
  const there = tables.filter(({ name }) => stored.some((each) => each.name === name));
  return [...there, ...stored.filter(({ name }) => !tables.some((each) => each.name === name))];
}

/** Whether a table may have rows that are meant. */
function mayHold({ site, database }: Part, name: string): boolean {
  const { model, scope } = site;
  if (scope.row !== undefined) return scope.row.table === name;
  return Object.values(model.entities).some(
    ({ from, links = [] }) =>
      "database" in from && from.database === database.role && from.table === name && links.length > 0,
  );
}

/** What a row tells besides: the file that it names, and that it only names the person. */
function note(
  part: Part,
  { files, naming }: Noted,
  { table, row }: { readonly table: RowTable; readonly row: Row },
): void {
  if (!part.isMeant(table, row)) {
    if ((part.linksOf(table, row)?.theirs.length ?? 0) > 0)
      naming.set(table.name, (naming.get(table.name) ?? 0) + 1);
    return;
  }
  const file = ownFile(part, table, row);
  if (file !== undefined) files.add(fileName(file.bucket, file.key));
}

/** The file that a row names which is meant; its bucket by its role. Undefined for none, and for one that is somebody else's. */
function ownFile(
  { site, database, files: kinds, erased, isMeant }: Part,
  table: RowTable,
  row: Row,
): FilePlace | undefined {
  const { model, scope } = site;
  if (!isMeant(table, row) || (erased !== undefined && erased(table, row).is !== "whole")) return undefined;
  for (const [entity, declared] of Object.entries(model.entities)) {
    const { from, when } = declared;
    const isThere = "database" in from && from.database === database.role && from.table === table.name;
    if (!isThere || !namesFiles(entity, declared)) continue;
    const fields = valuesIn({ database, rows: table }, declared, row);
    const place = holds(when, fields) ? fileOf({ model, files: kinds }, { entity, fields }) : undefined;
    const isOthers =
      place !== undefined && scope.person !== undefined && isOfOthers({ model }, place, scope.person);
    if (place !== undefined && !isOthers && isOwnFile({ model }, { entity, fields }, place)) return place;
  }
  return undefined;
}

/** A single row that cannot come back is a mistake in what was asked for; of a person's, the others come back. */
function refuseAlone({ scope }: RestoreSite, { left }: Noted): void {
  const [first] = left;
  if (scope.row === undefined || first === undefined) return;
  throw new CliError(`${first.what} cannot come back: ${first.why}; nothing was changed`, {
    hint: "bring that back first, by --item as well, or all of the person by --user",
  });
}

/** A single row is named by the key that its table has in the backup. */
function assertSameKey(
  { scope }: RestoreSite,
  snapshot: DatabaseSnapshot,
  tables: readonly RowTable[],
): void {
  const table = scope.row?.table;
  const keyIn = (all: readonly RowTable[]) => all.find(({ name }) => name === table)?.key;
  const [stored, live] = [keyIn(snapshotTables(snapshot)), keyIn(tables)];
  if (stored === undefined || live === undefined || isDeepStrictEqual(stored, live)) return;
  const has = live.length === 0 ? "has no primary key" : `has the primary key ${live.join(", ")}`;
  throw new CliError(
    `table ${table} ${has}, and in the backup ${stored.join(", ")}: the row cannot be told from others; nothing was changed`,
    { hint: "give the table its key back first; `mawps doctor` tells how it differs from the model" },
  );
}

function withoutTables({ prefix }: RestoreSite, what: string): CliError {
  const beside = prefix === "" ? "" : ` --into-prefix ${prefix}`;
  return new CliError(`${what}, and a part of a backup makes none; nothing was changed`, {
    hint: `\`mawps backup restore --only databases${beside}\` makes it with all rows${prefix === "" ? "; `mawps setup` makes it empty" : ""}`,
  });
}
