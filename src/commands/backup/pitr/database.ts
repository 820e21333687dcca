import { planPast, restorePast, type PastSite, type RestoredPast } from "../../../backup/pitr-database.ts";
import {
  backupBefore,
  databaseRecovery,
  keptBackups,
  type Before,
  type DatabaseRecovery,
} from "../../../backup/pitr-reach.ts";
import { readConfiguration } from "../../../backup/configuration.ts";
import { CliError, exitCodes } from "../../../errors.ts";
import { localTime } from "../../../output/dates.ts";
import { count } from "../../../output/text.ts";
import { trialName } from "../../../sql/scratch.ts";
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
  const now = world.now();
  for (const database of await databases.openThere(() => true)) {
    const kept = repository && (await keptBackups(repository, database.role, { now, signal: world.signal }));
    found.push(await databaseRecovery(database, kept ?? [], now));
  }
  return found;
}

interface PastFlags {
  readonly database: string;
  readonly at: NamedMoment;
  readonly into: string;
  readonly repo?: string;
}

/** Plans, asks, makes a database as one was at a moment, and prints. */
export async function restoreDatabase(run: Run, flags: PastFlags): Promise<void> {
  const { site, before, at } = await pastSite(run, flags);
  const past = await planPast(site, before, at);
  const { into } = site;
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
  const restored = await restorePast(past, { audit: run.audit, onProgress: follow(run, working) });
  working.stop();
  await run.print(restored, asText);
}

/** What is meant by the flags, open. */
async function pastSite(
  run: Run,
  { database: wanted, at: named, into: name, repo }: PastFlags,
): Promise<{ readonly site: PastSite; readonly before: Before; readonly at: Date }> {
  const { config, world } = run;
  const { signal } = world;
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
  const before = await backupBefore(original, await keptBackups(repository, role, { now, signal }), at);
  refuseOtherModel(run, before.manifest);
  const [scratch] = await databases.open(isMeant, { name: trialName({ now, random: world.randomHex(4) }) });
  const [into] = await databases.open(isMeant, { name });
  const { address } = original;
  if (scratch === undefined || into === undefined || address === undefined)
    throw new RangeError(`database ${role} was not opened`);
  const site = {
    aws,
    repository,
    model: config.site,
    declaration: configuredSite(config),
    trailTable: config.tables.auditLog,
    scratch,
    into,
    address,
    spool: spoolFolder(run),
    path: world.env["PATH"],
    signal,
    now: () => world.now(),
  };
  return { site, before, at };
}

function asText({ database, backup, at, rows, replayed, erased }: RestoredPast): string {
  const { rows: gone, accounts, names } = erased;
  return [
    `made ${database} as of ${localTime(at)}: ${count(rows, "row")} of ${backup}, then ${count(replayed, "change")} of the binary log`,
    ...(gone + accounts + names === 0
      ? []
      : [
          `of people who were erased: ${[
            ...(gone === 0 ? [] : [`${count(gone, "row")} left out`]),
            ...(accounts === 0 ? [] : [`${count(accounts, "account")} kept by the id alone`]),
            ...(names === 0 ? [] : [`${count(names, "row")} kept without the name`]),
          ].join(", ")}`,
        ]),
  ].join("\n");
}
