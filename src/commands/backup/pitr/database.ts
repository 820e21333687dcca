import {
  assertPossible,
  backupBefore,
  databaseRecovery,
  restorePast,
} from "../../../backup/pitr-database.ts";
import type { DatabaseRecovery, Kept, PastDatabase, RestoredPast } from "../../../backup/pitr-database.ts";
import { readConfiguration } from "../../../backup/configuration.ts";
import { erasedUsers } from "../../../backup/erasures.ts";
import type { Repository } from "../../../backup/repository.ts";
import { readLedger } from "../../../backup/restore-audit.ts";
import { listSnapshots, readManifest } from "../../../backup/snapshots.ts";
import { CliError, exitCodes } from "../../../errors.ts";
import { localTime } from "../../../output/dates.ts";
import { count } from "../../../output/text.ts";
import { trialPrefix } from "../../../sql/scratch.ts";
import { configuredSite } from "../../../target.ts";
import { follow } from "../../follow.ts";
import type { Run } from "../../run.ts";
import type { NamedMoment } from "../moment.ts";
import { openBackups, refuseOtherModel, spoolFolder, storeOf } from "../repository.ts";

/** Of each database of the model; none where no server is named for any of them. */
export async function recoveryOfDatabases(run: Run, repo: string | undefined): Promise<DatabaseRecovery[]> {
  const databases = await run.databases();
  if (databases.declared.length === 0) return [];
  const { world } = run;
  const hasBackups = (await readConfiguration(await storeOf(run, repo, "reads"), world.signal)) !== undefined;
  const repository = hasBackups ? await openBackups(run, repo) : undefined;
  const found: DatabaseRecovery[] = [];
  for (const database of await databases.openThere(() => true)) {
    const kept = repository === undefined ? [] : await keptOf(run, repository, database.role);
    found.push(await databaseRecovery(database, kept, world.now()));
  }
  return found;
}

/** The backups of a database, newest first, without those that were found damaged. */
async function keptOf({ world }: Run, repository: Repository, role: string): Promise<Kept[]> {
  const { signal } = world;
  const kept: Kept[] = [];
  const { snapshots } = await listSnapshots(repository, { now: world.now(), signal });
  for (const { id, lastCheck } of snapshots) {
    if (lastCheck?.outcome === "failed") continue;
    const manifest = await readManifest(repository, id, signal);
    const snapshot = (manifest.databases ?? []).find((each) => each.role === role);
    if (snapshot !== undefined) kept.push({ manifest, snapshot });
  }
  return kept;
}

interface PastFlags {
  readonly database: string;
  readonly at: NamedMoment;
  readonly into: string;
  readonly repo?: string;
}

/** Plans, asks, makes a database as one was at a moment, and prints. */
export async function restoreDatabase(run: Run, flags: PastFlags): Promise<void> {
  const past = await pastOf(run, flags);
  const { before, at, into } = past;
  await assertPossible(past);
  const state = `${before.snapshot.name} as of ${localTime(at)}`;
  if (run.config.dryRun) {
    const planned = {
      dryRun: true,
      database: into.name,
      from: before.snapshot.name,
      at,
      backup: before.manifest.id,
    };
    return run.print(
      planned,
      () => `would make ${into.name} of ${state}: the backup ${before.manifest.id}, then the binary log`,
    );
  }
  await run.confirm({ question: `Make the database ${into.name} of ${state}?`, destructive: false });
  const working = await run.progress("restoring");
  const site = { ...past.site, onProgress: follow(run, working) };
  const { role, name } = before.snapshot;
  const details = { backupId: before.manifest.id, role, from: name, name: into.name, to: at.toISOString() };
  const restored = await run.audit.irreversible(
    { action: "backup.restored", details },
    () => restorePast({ ...past, site }),
    ({ rows, replayed }) => ({ items: rows, done: replayed }),
  );
  working.stop();
  await run.print(restored, asText);
}

async function pastOf(
  run: Run,
  { database: wanted, at: named, into: name, repo }: PastFlags,
): Promise<PastDatabase> {
  const { config, world } = run;
  if (!/^[\w-]{1,63}$/.test(name))
    throw new CliError("a database is named by up to 63 of A-Z, a-z, 0-9, _ and -", {
      exitCode: exitCodes.usage,
    });
  const databases = await run.databases();
  const declared = databases.declared.find((each) => [each.role, each.name].includes(wanted));
  if (declared === undefined) {
    throw new CliError(`the model declares no database ${wanted}`, {
      exitCode: exitCodes.usage,
      hint: `there is ${databases.declared.map(({ role }) => role).join(", ") || "none"}`,
    });
  }
  const now = world.now();
  const moment = named.of(now);
  const at = moment === "latest" ? now : moment;
  if (at > now) throw new CliError("the moment has not come yet", { exitCode: exitCodes.usage });
  const { role } = declared;
  const isMeant = (each: { readonly role: string }) => each.role === role;
  const [aws, repository, [original]] = await Promise.all([
    run.aws("writes"),
    openBackups(run, repo),
    databases.openThere(isMeant),
  ]);
  if (original === undefined) throw new RangeError(`database ${role} was not opened`);
  const before = await backupBefore(original, await keptOf(run, repository, role), at);
  refuseOtherModel(run, before.manifest);
  const seconds = Math.floor(now.getTime() / 1000);
  const [scratch] = await databases.open(isMeant, { name: `${trialPrefix}${seconds}_${world.randomHex(4)}` });
  const [into] = await databases.open(isMeant, { name });
  const { address } = original;
  if (scratch === undefined || into === undefined || address === undefined)
    throw new RangeError(`database ${role} was not opened`);
  const { manifest } = before;
  const spool = spoolFolder(run);
  const ledger = await readLedger({ aws, repository, manifest, spool, signal: world.signal }, [
    config.tables.auditLog,
  ]);
  return {
    before,
    at,
    scratch,
    into,
    address,
    isLedgerEmpty: ledger.length === 0,
    path: world.env["PATH"],
    site: {
      aws,
      repository,
      manifest,
      model: config.site,
      declaration: configuredSite(config),
      prefix: "",
      onConflict: "fail",
      scope: { only: [] },
      isErased: erasedUsers(ledger),
      spool,
      signal: world.signal,
      now: () => world.now(),
      onProgress: () => undefined,
    },
  };
}

function asText({ database, backup, at, rows, replayed, suppressed }: RestoredPast): string {
  return [
    `made ${database} as of ${localTime(at)}: ${count(rows, "row")} of ${backup}, then ${count(replayed, "change")} of the binary log`,
    ...(suppressed === 0 ? [] : [`${count(suppressed, "row")} of people who were erased did not come back`]),
  ].join("\n");
}
