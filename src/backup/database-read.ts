import { CliError } from "../errors.ts";
import { retry } from "../retry.ts";
import { readCatalogue, tableNames, type Catalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { serverCode } from "../sql/explain.ts";
import { tableOfTwin, withoutTwins } from "../sql/partition-twin.ts";
import { countRows } from "../sql/partitions.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import { linesOfRows } from "../sql/rows.ts";
import type { Reading } from "./create-tables.ts";
import { partWriter, type WrittenPart } from "./parts.ts";
import type { BackupSite } from "./site.ts";
import type { DatabaseSnapshot, RowsSnapshot } from "./snapshot.ts";

interface DatabaseState {
  readonly snapshot: DatabaseSnapshot;
  readonly storedBytes: number;
}

/**
 * Reads all rows of a database as they are at one moment, on one connection. Somebody who changes its tables meanwhile has it
 * begin anew. Broken off, it begins anew too, as that moment is gone with the connection; what it has stored is found again.
 */
export async function readDatabase(
  site: BackupSite,
  database: Database,
  { pending, cost, onRead }: Reading,
): Promise<DatabaseSnapshot> {
  const step = `database-${database.role}`;
  const begun = pending.steps.get(step) as DatabaseState | undefined;
  if (begun !== undefined) {
    onRead(begun.snapshot.rows);
    cost.storedBytes += begun.storedBytes;
    return begun.snapshot;
  }
  const { role, name, engine, file } = database;
  let storedBytes = 0;
  const tell = (count: number) => onRead(count);
  const from = site.now().toISOString();
  const read = await retry(() => snapshotOf(site, database, tell), isChangedTable, {
    attempts: 3,
    signal: site.signal,
  });
  const tables: RowsSnapshot[] = read.tables.map(({ table, parts }) => ({
    name: table.name,
    rows: parts.reduce((sum, { lines }) => sum + lines, 0),
    parts: parts.map(({ sha256, bytes, lines }) => ({ sha256, bytes, lines })),
  }));
  for (const { parts } of read.tables) for (const part of parts) storedBytes += part.storedBytes;
  const stored = await site.repository.putContent(Buffer.from(file), site.signal);
  storedBytes += stored.storedBytes;
  const snapshot: DatabaseSnapshot = {
    role,
    name,
    engine,
    from,
    to: site.now().toISOString(),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    catalogue: Object.fromEntries(read.catalogue),
    file: { sha256: stored.sha256, bytes: stored.bytes },
    ...(read.log === undefined ? {} : { log: read.log }),
    tables,
  };
  cost.storedBytes += storedBytes;
  await pending.step(step, { snapshot, storedBytes });
  return snapshot;
}

/** Tables came to be between a look for them and the moment that is read. */
class NewTables extends CliError {}

/** MySQL: a table's definition changed since the transaction began. PostgreSQL: one is gone, or there are more. */
function isChangedTable(error: unknown): boolean {
  return error instanceof NewTables || ["ER_TABLE_DEF_CHANGED", "42P01"].includes(serverCode(error));
}

const beginnings = {
  mysql: [
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
  ],
  postgres: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
} as const;

interface Read {
  readonly catalogue: Catalogue;
  readonly log: DatabaseSnapshot["log"];
  readonly tables: readonly { readonly table: RowTable; readonly parts: readonly WrittenPart[] }[];
}

async function snapshotOf(
  { repository, signal }: BackupSite,
  { sql, engine, place, name: database }: Database,
  onRead: (rows: number) => void,
): Promise<Read> {
  // With its partitions each of them is locked.
  const tablesIn = (all: Catalogue) => rowTables(all, engine).map(({ name }) => name);
  const locked = engine === "postgres" ? tablesIn(await readCatalogue(sql, place)) : [];
  for (const statement of beginnings[engine]) await sql.run(statement);
  try {
    // Before the moment that is read, which begins with the first look behind it ("LOCK" in the manual): a DETACH or TRUNCATE in between leaves rows out.
    if (locked.length > 0)
      await sql.run(`LOCK TABLE ${locked.map((name) => sql.quoted(name)).join(", ")} IN ACCESS SHARE MODE`);
    const log = engine === "mysql" ? await logPosition(sql) : undefined;
    const all = await readCatalogue(sql, place);
    const unlocked = engine === "postgres" ? tablesIn(all).find((name) => !locked.includes(name)) : undefined;
    if (unlocked !== undefined)
      throw new NewTables(`table ${unlocked} of database ${database} came while it was to be read`, {
        hint: "run the same command again when nobody makes tables there",
      });
    const catalogue = withoutTwins(all);
    const tables = [];
    const read = rowTables(catalogue, engine);
    const twins = tableNames(all).filter((name) => tableOfTwin(all, name) !== undefined);
    for (const table of read) {
      const writer = partWriter(repository, { signal });
      // With what retention has taken out of it and not yet come to an end with.
      for (const name of [table.name, ...twins.filter((twin) => tableOfTwin(all, twin) === table.name)]) {
        let rows = 0;
        for await (const lines of linesOfRows(sql, { ...table, name })) {
          await writer.add(lines.bytes);
          rows += lines.rows;
          onRead(lines.rows);
        }
        const counted = await countRows(sql, sql.quoted(name));
        // A stream that ends early, without an error, would be a backup that is not whole.
        if (counted !== rows) throw new CliError(`table ${name} has ${counted} rows, and ${rows} were read`);
      }
      tables.push({ table, parts: await writer.finish() });
    }
    return { catalogue, log, tables };
  } finally {
    // Where the connection is gone, so is the transaction.
    await sql.run("ROLLBACK").catch(() => undefined);
  }
}

/** Where the binary log stood at the moment of the snapshot: MariaDB tells it; undefined where nobody does. */
async function logPosition(sql: Database["sql"]): Promise<DatabaseSnapshot["log"]> {
  const rows = await sql.rows("SHOW STATUS LIKE 'binlog_snapshot%'");
  const values = new Map(rows.map((row) => [row["Variable_name"]?.toLowerCase(), row["Value"]]));
  const file = values.get("binlog_snapshot_file") ?? "";
  return file === "" ? undefined : { file, position: Number(values.get("binlog_snapshot_position")) };
}
