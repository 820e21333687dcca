import type { Context, Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { trialName } from "../sql/scratch.ts";
import { readConfiguration } from "./configuration.ts";
import { openBackups, refuseOtherModel, storeOf } from "./open.ts";
import type { PastSite } from "./pitr-database.ts";
import {
  backupBefore,
  databaseRecovery,
  keptBackups,
  type Before,
  type DatabaseRecovery,
} from "./pitr-reach.ts";

/** From when to when each database of the model can be restored; of one whose server nobody names that is an error. */
export async function recoveryOfDatabases(
  context: Context,
  repo: string | undefined,
): Promise<DatabaseRecovery[]> {
  if (Object.keys(context.model.databases ?? {}).length === 0) return [];
  const { signal } = context;
  const hasBackups = (await readConfiguration(await storeOf(context, repo), signal)) !== undefined;
  const repository = hasBackups ? await openBackups(context, repo) : undefined;
  const found: DatabaseRecovery[] = [];
  const now = context.now();
  for (const database of await context.databases(() => true)) {
    const kept = repository && (await keptBackups(repository, database.role, { now, signal }));
    found.push(await databaseRecovery(database, kept ?? [], now));
  }
  return found;
}

/** Which database is to be made, of what. */
export interface PastWanted {
  /** By role or name. */
  readonly database: string;
  /** The moment that is meant, by the present one. */
  readonly at: (now: Date) => Date | "latest";
  /** Name of the new one. */
  readonly into: string;
  readonly repo?: string;
  /** Where programs are found. */
  readonly path: string | undefined;
}

export interface OpenedPast {
  readonly site: PastSite;
  readonly before: Before;
  readonly at: Date;
}

/** Opens what is meant; wrong names end it before the target is opened. */
export async function openPast(
  context: Unconnected,
  { database: wanted, at: momentAt, into: name, repo, path }: PastWanted,
): Promise<OpenedPast> {
  const { model, declaration, tables, backups, signal } = context;
  if (!/^[\w-]{1,63}$/.test(name))
    throw new CliError("a database is named by up to 63 of A-Z, a-z, 0-9, _ and -", {
      exitCode: exitCodes.usage,
    });
  const declared = Object.entries(model.databases ?? {});
  const [role, of] = declared.find((each) => [each[0], each[1].name].includes(wanted)) ?? [];
  if (role === undefined || of === undefined) {
    throw new CliError(`the model declares no database ${wanted}`, {
      exitCode: exitCodes.usage,
      hint: `there is ${declared.map(([each]) => each).join(", ") || "none"}`,
    });
  }
  if (of.engine !== "mysql") {
    throw new CliError(
      `${of.name} is a database of PostgreSQL, which cannot be restored to a moment between two backups`,
      {
        exitCode: exitCodes.usage,
        hint: "`mawps backup restore <backup> --only databases --into-prefix before-` restores one beside it",
      },
    );
  }
  const now = context.now();
  const moment = momentAt(now);
  const at = moment === "latest" ? now : moment;
  if (at > now) throw new CliError("the moment has not come yet", { exitCode: exitCodes.usage });
  const isMeant = (each: { readonly role: string }) => each.role === role;
  const [aws, repository, [original]] = await Promise.all([
    context.connect(),
    openBackups(context, repo),
    context.databases(isMeant),
  ]);
  if (original === undefined) throw new RangeError(`database ${role} was not opened`);
  const before = await backupBefore(original, await keptBackups(repository, role, { now, signal }), at);
  refuseOtherModel(context, before.manifest);
  const trial = trialName({ now, random: context.randomHex(4) });
  const [scratch] = await context.databasesNamed(isMeant, { name: trial });
  const [into] = await context.databasesNamed(isMeant, { name });
  const { address } = original;
  if (scratch === undefined || into === undefined || address === undefined)
    throw new RangeError(`database ${role} was not opened`);
  const site = {
    aws,
    repository,
    model,
    declaration,
    trailTable: tables.auditLog,
    scratch,
    into,
    address,
    spool: backups.spool,
    path,
    signal,
    now: () => context.now(),
  };
  return { site, before, at };
}
