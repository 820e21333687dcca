import { bytes as asBytes } from "../../model/bytes.ts";
import { bar } from "../../output/bar.ts";
import { csvLine } from "../../output/csv.ts";
import type { Layout } from "../../output/layout.ts";
import { facts, table, type Column } from "../../output/table.ts";
import { count, grouped } from "../../output/text.ts";
import { databaseBytes, type DatabaseUse } from "../../usage/databases.ts";
import type { Day } from "../../usage/history.ts";
import type { BackupsUse, TableUse, Usage } from "../../usage/measure.ts";
import {
  bytesOf,
  nothing,
  parts,
  type Amount,
  type Group,
  type Grouping,
  type Sums,
} from "../../usage/sums.ts";

interface Grouped extends Usage {
  readonly by: Grouping;
}

interface Shown extends Grouped {
  readonly before: Day | undefined;
}

/** For people: the sums, the groups with bars, the tables and those of databases. */
export async function usageText(shown: Shown, layout: Layout): Promise<string> {
  const { tables, databases = [], backups, accounts, before, by } = shown;
  const total = facts([
    ["files as of", asOfText(shown)],
    ...filesFacts(shown),
    ["tables", tables.length === 0 ? undefined : asBytes(tables.reduce((sum, { bytes }) => sum + bytes, 0))],
    ["databases", databases.length === 0 ? undefined : asBytes(databaseBytes(databases))],
    ["backups", backups === undefined ? undefined : backupsText(backups)],
    ["accounts", accounts === undefined ? undefined : `about ${grouped(accounts)}`],
    ["since", before === undefined ? undefined : sinceText(shown, before)],
  ]);
  const sections = [total, ...(shown.files === null ? [] : [await groupsText(shown.groups, by, layout)])];
  if (tables.length > 0 && by === "entity") sections.push(await tablesText(tables, layout));
  if (databases.length > 0 && by === "entity") sections.push(await databasesText(databases, layout));
  return sections.join("\n\n");
}

/** What is not known is no nothing: of buckets that could not be looked at, and of inventories that have current objects alone. */
function filesFacts({ files, uncountedBuckets, inventories = [] }: Usage): [string, string][] {
  if (files === null) return [["files", "not known"]];
  const { objects, noncurrent, markers, unfinished } = files;
  const { length: buckets } = uncountedBuckets;
  const without = buckets === 0 ? "" : `, without ${count(buckets, "bucket")}`;
  const isOfOldVersions = inventories.length === 0 || inventories.some(({ isCurrentOnly }) => !isCurrentOnly);
  const old = (text: string) => (isOfOldVersions ? `${text}${without}` : "not known");
  return [
    ["files", `${amountText(objects, "object")}${without}`],
    ["old versions", old(amountText(noncurrent, "version"))],
    ["delete markers", old(grouped(markers.count))],
    ["unfinished uploads", `${amountText(unfinished, "upload")}${without}`],
  ];
}

/** `2026-03-01 01:00 UTC, by an inventory`, or from when to when the buckets' inventories are. */
function asOfText({ inventories = [] }: Usage): string | undefined {
  const times = inventories.map(({ asOf }) => `${asOf.toISOString().slice(0, 16).replace("T", " ")} UTC`);
  const [first, last] = [times.toSorted()[0], times.toSorted().at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return first === last ? `${first}, by inventory` : `${first} to ${last}, by inventories`;
}

function amountText({ count: number, bytes }: Amount, one: string): string {
  return `${count(number, one)}, ${asBytes(bytes)}`;
}

/** `14 files, 2.1 MB in /backups`, with what a listing of objects does not show. */
function backupsText(backups: BackupsUse): string {
  const { objects, noncurrent, unfinished, where, isAmongFiles } = backups;
  return [
    `${amountText(objects, "file")} in ${where}`,
    ...(noncurrent.count === 0 ? [] : [amountText(noncurrent, "old version")]),
    ...(unfinished.count === 0 ? [] : [amountText(unfinished, "unfinished upload")]),
    ...(isAmongFiles ? ["counted with the files above, too"] : []),
  ].join("; ");
}

/** `2026-03-01: +3 objects, +1.2 MB of files, -40 KB of old versions` */
function sinceText(usage: Usage, before: Day): string {
  const { tables, databases = [], backups } = usage;
  const databasesNow = databaseBytes(databases);
  const backupsNow = backups === undefined ? 0 : bytesOf(backups);
  const { objects, noncurrent, unfinished } = usage.files ?? nothing;
  const tableBytes = tables
    .flatMap((table) => [table, ...table.indexes])
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = (now: number, then: number, what: string) =>
    now === then ? [] : [`${now < then ? "-" : "+"}${asBytes(Math.abs(now - then))} of ${what}`];
  const more = objects.count - before.objects;
  const changes = [
    ...(more === 0 ? [] : [`${more < 0 ? "-" : "+"}${count(Math.abs(more), "object")}`]),
    ...bytes(objects.bytes, before.objectBytes, "files"),
    ...bytes(noncurrent.bytes, before.noncurrentBytes, "old versions"),
    ...bytes(unfinished.bytes, before.unfinishedBytes, "unfinished uploads"),
    ...bytes(tableBytes, before.tableBytes, "tables"),
    ...bytes(databasesNow, before.databaseBytes ?? databasesNow, "databases"),
    ...bytes(backupsNow, before.backupBytes ?? backupsNow, "backups"),
  ];
  return `${before.day}: ${changes.length === 0 ? "as much as then" : changes.join(", ")}`;
}

const titles: Readonly<Record<Grouping, string>> = {
  entity: "KIND",
  user: "USER",
  type: "TYPE",
  class: "STORAGE CLASS",
  age: "AGE",
};

const none: Readonly<Record<Grouping, string>> = {
  entity: "undeclared",
  user: "nobody's",
  type: "without an ending",
  class: "delete markers",
  age: "of an unknown age",
};

const barWidth = 12;

async function groupsText(groups: readonly Group[], by: Grouping, layout: Layout): Promise<string> {
  if (groups.length === 0) return "no files";
  const largest = Math.max(1, ...groups.map(({ bytes }) => bytes));
  const amounts = (title: string, part: keyof Sums): Column<Group> => ({
    title,
    cell: (group) =>
      group[part].count === 0 ? "" : `${grouped(group[part].count)}, ${asBytes(group[part].bytes)}`,
    align: "right",
  });
  const inBucket: Column<Group> = { title: "BUCKET", cell: ({ bucket = "" }) => bucket, least: 12 };
  return table(
    groups,
    [
      {
        title: titles[by],
        cell: ({ group }) => group ?? none[by],
        least: 12,
        tone: ({ group }) => (group === null && by === "entity" ? "warning" : undefined),
      },
      ...(by === "entity" ? [inBucket] : []),
      amounts("OBJECTS", "objects"),
      amounts("OLD VERSIONS", "noncurrent"),
      {
        title: "MARKERS",
        cell: ({ markers }) => (markers.count === 0 ? "" : grouped(markers.count)),
        align: "right",
      },
      amounts("UNFINISHED", "unfinished"),
      { title: "ALL", cell: ({ bytes }) => asBytes(bytes), align: "right" },
      { title: "", cell: ({ bytes }) => bar(bytes / largest, barWidth) },
    ],
    layout,
  );
}

function tablesText(tables: readonly TableUse[], layout: Layout): Promise<string> {
  const rows = tables.flatMap(({ table: name, entities, items, bytes, indexes }) => [
    { name, index: "", items, bytes, entities: entities.join(", ") },
    ...indexes.map((index) => ({ ...index, name, index: index.name, entities: "" })),
  ]);
  return table(
    rows,
    [
      { title: "TABLE", cell: ({ name }) => name, least: 12 },
      { title: "INDEX", cell: ({ index }) => index, least: 8 },
      { title: "ITEMS", cell: ({ items }) => grouped(items), align: "right" },
      { title: "BYTES", cell: ({ bytes }) => asBytes(bytes), align: "right" },
      { title: "KINDS", cell: ({ entities }) => entities, least: 12 },
    ],
    layout,
  );
}

function databasesText(databases: readonly DatabaseUse[], layout: Layout): Promise<string> {
  return table(
    databases.flatMap(({ database, tables }) => tables.map((each) => ({ ...each, database }))),
    [
      { title: "DATABASE", cell: ({ database }) => database, least: 12 },
      { title: "TABLE", cell: ({ name }) => name, least: 12 },
      { title: "ROWS", cell: ({ rows }) => (rows === null ? "?" : `≈ ${grouped(rows)}`), align: "right" },
      { title: "BYTES", cell: ({ bytes }) => asBytes(bytes), align: "right" },
      { title: "INDEXES", cell: ({ indexBytes }) => asBytes(indexBytes), align: "right" },
      { title: "KINDS", cell: ({ entities }) => entities.join(", "), least: 12 },
    ],
    layout,
  );
}

/** A row a group, then one a table and index; of a table of a database one for all of its indexes. */
export function usageCsv({ groups, by, tables, databases = [], backups, accounts }: Grouped): string {
  const amounts = (group: Sums) => parts.flatMap((part) => [group[part].count, group[part].bytes]);
  const rest = [null, null, null, null, null, null];
  const rows = [
    ["kind", "store", "group", ...parts.flatMap((part) => [part, `${part}Bytes`])],
    ...groups.map((group) => [by, group.bucket ?? null, group.group, ...amounts(group)]),
    ...tables.flatMap(({ table: name, items, bytes, indexes }) => [
      ["table", name, null, items, bytes, ...rest],
      ...indexes.map((index) => ["index", name, index.name, index.items, index.bytes, ...rest]),
    ]),
    ...databases.flatMap(({ database, tables }) =>
      tables.flatMap(({ name, rows, bytes, indexBytes }) => [
        ["database-table", database, name, rows, bytes, ...rest],
        ["database-indexes", database, name, null, indexBytes, ...rest],
      ]),
    ),
    ...(backups === undefined ? [] : [["backups", backups.where, null, ...amounts(backups)]]),
    ...(accounts === undefined ? [] : [["accounts", null, null, accounts, null, ...rest]]),
  ];
  return rows.map(csvLine).join("");
}
