import { CliError } from "../errors.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { withoutTwins } from "../sql/partition-twin.ts";
import { rowTables } from "../sql/row-table.ts";
import { linesOfRows } from "../sql/rows.ts";
import { inTransaction } from "../sql/transaction.ts";
import { DamagedError } from "./damage.ts";
import { partWriter } from "./parts.ts";
import { goOnBehind, type Pending } from "./pending.ts";
import { recoveryText } from "./recovery-text.ts";
import type { BackupSite } from "./site.ts";
import type { ArchivedPartition, Manifest, RowsSnapshot } from "./snapshot.ts";
import { commitSnapshot, listSnapshots, readManifest, recordCheck } from "./snapshots.ts";
import { verifySnapshot } from "./verify.ts";

/** Rows of a partition, in the table that they stand in while they are out of their own. */
export interface RowsToArchive {
  readonly database: Database;
  readonly table: string;
  readonly partition: string;
  readonly twin: string;
}

interface Archiving {
  readonly pending: Pending;
  readonly made: Pick<Manifest, "tool" | "modelHash" | "account">;
}

/**
 * Keeps the rows as a backup of their table alone, and reads all of it again. A repository whose key is not here is only looked at for
 * whether every part is there. Where an archive of the same rows is whole already, that is the one.
 * @throws CliError unless all rows are there.
 */
export async function archiveRows(
  site: BackupSite,
  { database, table, partition, twin }: RowsToArchive,
  { pending, made }: Archiving,
): Promise<{ readonly backupId: string; readonly rows: number }> {
  const { repository, signal } = site;
  const { sql, role, name, engine, file } = database;
  await goOnBehind(site, pending);
  const from = site.now().toISOString();
  const catalogue = withoutTwins(await readCatalogue(sql, database.place));
  const whole = rowTables(catalogue, engine).find((each) => each.name === table);
  if (whole === undefined) throw new CliError(`table ${name}.${table} is not there; nothing was deleted`);
  const writer = partWriter(repository, { signal });
  let rows = 0;
  await inTransaction(sql, "ROLLBACK", async () => {
    for await (const lines of linesOfRows(sql, { ...whole, name: twin })) {
      await writer.add(lines.bytes);
      rows += lines.rows;
    }
  });
  const parts = (await writer.finish()).map(({ sha256, bytes, lines }) => ({ sha256, bytes, lines }));
  const archive = { database: role, table, partition };
  const tables = [{ name: table, rows, parts }];
  const known = await sameArchive(site, archive, tables);
  if (known === undefined) {
    const { sha256, bytes } = await repository.putContent(Buffer.from(file), signal);
    const to = site.now().toISOString();
    const manifest: Manifest = {
      format: 1,
      id: pending.id,
      ...made,
      model: site.declaration.name,
      schemaVersion: null,
      target: site.target,
      region: site.aws.region,
      startedAt: pending.startedAt.toISOString(),
      endedAt: to,
      engine: "scan",
      tables: [],
      buckets: [],
      databases: [
        {
          role,
          name,
          engine,
          from,
          to,
          rows,
          catalogue: Object.fromEntries(catalogue),
          file: { sha256, bytes },
          tables,
        },
      ],
      left: [`all but partition ${partition} of ${table}`],
      archive,
    };
    await pending.assertOwner();
    const recovery = recoveryText({ manifest, repository });
    await commitSnapshot(repository, { manifest, recovery }, signal);
  }
  const backupId = known ?? pending.id;
  await assertThere(site, backupId, tables);
  if (known === undefined)
    await site.audit.record({ action: "backup.created", details: { backupId, items: rows, table } });
  await pending.end();
  return { backupId, rows };
}

/** An archive of exactly these rows, of a run that was killed behind it. */
async function sameArchive(
  { repository, signal, ...site }: BackupSite,
  { database, table, partition }: ArchivedPartition,
  [rows]: readonly RowsSnapshot[],
): Promise<string | undefined> {
  if (!repository.canRead) return undefined;
  const { snapshots } = await listSnapshots(repository, { now: site.now(), signal });
  for (const { id } of snapshots.filter(({ isArchive }) => isArchive)) {
    const manifest = await readManifest(repository, id, signal).catch((error: unknown) => {
      if (error instanceof DamagedError) return undefined;
      throw error;
    });
    const of = manifest?.archive;
    if (of?.database !== database || of.table !== table || of.partition !== partition) continue;
    const stored = manifest?.databases?.[0]?.tables[0];
    const names = (each: RowsSnapshot | undefined) => each?.parts.map(({ sha256 }) => sha256).join(" ");
    if (stored?.rows === rows?.rows && names(stored) === names(rows)) return id;
  }
  return undefined;
}

async function assertThere(site: BackupSite, id: string, tables: readonly RowsSnapshot[]): Promise<void> {
  const { repository, signal, spool, aws } = site;
  const lost = (why: string) =>
    new CliError(`the archive ${id} is not whole: ${why}; no row was deleted`, {
      hint: "`mawps backup verify` tells more; run the same command again, which makes it anew",
    });
  if (!repository.canRead) {
    for (const { sha256 } of tables.flatMap(({ parts }) => parts))
      if (!(await repository.hasContent(sha256, signal)))
        throw lost(`${repository.contentName(sha256)} is missing`);
    return;
  }
  const options = { share: 1, seed: id, aws: async () => aws, spool, signal, onProgress: () => undefined };
  const { faults, rows } = await verifySnapshot(repository, id, options);
  const stated = tables.reduce((sum, each) => sum + each.rows, 0);
  const [fault] = faults;
  if (fault !== undefined) throw lost(fault);
  if (rows !== stated) throw lost(`it has ${rows ?? 0} of ${stated} rows`);
  const at = site.now().toISOString();
  await recordCheck(
    repository,
    { snapshot: id, kind: "verify", at, outcome: "ok", share: 1, faults: 0 },
    signal,
  );
}
