import { readTable } from "../../aws/dynamodb/table-settings.ts";
import { errorName } from "../../aws/setting.ts";
import { openDocumentSite, profilesOf } from "../../documents/site.ts";
import { CliError } from "../../errors.ts";
import { takeLock, type HeldLock } from "../../migrations/lock.ts";
import type { MigrationSite } from "../../migrations/migration.ts";
import type { Runner } from "../../migrations/runner.ts";
import { count } from "../../output/text.ts";
import { version } from "../../version.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";
import type { Progress } from "../spinner.ts";

/** Opens the target for migrations. */
export async function migrationSite(run: Run, access: Access): Promise<MigrationSite> {
  const context = await run.context(access);
  const { aws, tables, declaration, signal } = context;
  const websites = readTable(aws, tables.userDocuments, signal);
  const site = openDocumentSite({
    ...profilesOf(context),
    migrationsTable: tables.migrations,
    hashes: "read" as const,
    secrets: declaration.secrets,
  });
  const [opened, table] = await Promise.all([site, websites]);
  return { ...opened, isWebsiteOfToday: table !== undefined };
}

/** Items that are worked on between two notes of how far the run is. */
export const defaultBatchSize = 50;

/** Works with the lock held, and gives it back whatever comes. */
export async function withRunner<T>(
  run: Run,
  site: MigrationSite,
  { batchSize, work }: { readonly batchSize: number; readonly work: (runner: Runner) => Promise<T> },
): Promise<T> {
  const by = await run.actor();
  const owner = { id: run.world.randomHex(16), actor: by };
  let lock: HeldLock;
  let waiting: Promise<Progress> | undefined;
  try {
    lock = await takeLock(site, {
      owner,
      here: run.world.machine,
      onWait({ actor, host }, leftMs) {
        const text = `${actor} on ${host} may have died: its lock ends in ${Math.ceil(leftMs / 1000)} s`;
        if (waiting === undefined) waiting = run.progress(text);
        else void waiting.then((progress) => progress.update(text));
      },
    });
  } catch (error) {
    if (errorName(error) !== "ResourceNotFoundException") throw error;
    throw new CliError(`there is no table ${site.migrationsTable} to note migrations in`, {
      hint: "`mawps setup` makes it",
      cause: error,
    });
  } finally {
    (await waiting)?.stop();
  }
  let progress: Progress | undefined;
  try {
    progress = await run.progress("migrating");
    const working = progress;
    return await work({
      site,
      lock,
      by,
      tool: `mawps/${version}`,
      batchSize,
      onProgress: (id, counts) =>
        working.update(`${id}: ${count(counts.looked, "item")}, ${counts.changed} changed`),
    });
  } finally {
    progress?.stop();
    await lock.release();
  }
}
