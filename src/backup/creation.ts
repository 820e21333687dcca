import type { ExportPlace } from "../aws/dynamodb/table-export.ts";
import type { Context, Unconnected } from "../context.ts";
import { CliError } from "../errors.ts";
import { bytes } from "../model/bytes.ts";
import type { Declaration } from "../model/declaration.ts";
import { secretColumnsOf, tablesOf } from "../model/database.ts";
import { modelHash } from "../model/hash.ts";
import {
  createBackup,
  planBackup,
  type BackupPlan,
  type CreatedBackup,
  type CreateProgress,
  type DatabaseChoice,
} from "./create.ts";
import { exportPlace } from "./native-engine.ts";
import { ensureBackups, foreseeBackups } from "./open.ts";
import { assertOutside, placeOf } from "./place.ts";
import { beginPending, type Pending } from "./pending.ts";
import { waitForPrune } from "./prune-lock.ts";
import type { Rate } from "./rate.ts";
import type { Repository } from "./repository.ts";
import { refuseOpenSecrets } from "./secrets.ts";
import type { BackupSite } from "./site.ts";

export interface Creation {
  readonly repo?: string;
  readonly only: readonly string[];
  readonly rate: Rate | undefined;
  readonly encryptTo?: readonly string[];
  /** Secrets may lie open in the backup. */
  readonly withSecrets?: true;
  readonly engine: "scan" | "aws";
  readonly exportTo?: ExportPlace;
}

export interface PlannedCreation {
  readonly context: Context;
  readonly creation: Creation;
  readonly plan: BackupPlan;
}

/**
 * Looks at what there is to back up, and whether it may be; for a dry run at the repository, too. A place that is none ends it before
 * the target is opened.
 */
export async function planCreation(unconnected: Unconnected, creation: Creation): Promise<PlannedCreation> {
  const { repo, only, engine, encryptTo } = creation;
  const place = placeOf(unconnected, repo);
  const context = { ...unconnected, aws: await unconnected.connect() };
  context.audit.prepare();
  const plan = await planBackup(context, only, databaseChoice(context));
  assertOutside(place, plan.buckets);
  if (engine === "scan") refuseTooLarge(context, plan);
  for (const what of plan.missing) context.warn(`${what} does not exist and is not in this backup`);
  const planned = { context, creation, plan };
  if (context.dryRun) await foreseeBackups(context, repo, { encryptTo, beforeOpen: secretsRefused(planned) });
  return planned;
}

function databaseChoice(context: Context): DatabaseChoice | undefined {
  const { model } = context;
  if (model.databases === undefined) return undefined;
  const declared = Object.entries(model.databases).map(([role, { name }]) => ({
    role,
    name,
    tables: tablesOf(model, role),
  }));
  return { declared, open: (wants) => context.databasesNamed(wants) };
}

/** Beyond a certain size one machine is the wrong place for a table to go through. */
function refuseTooLarge({ backups: { maxTableBytes: most } }: Context, { tables }: BackupPlan): void {
  const large = tables.find(({ measure }) => measure.bytes > most);
  if (large === undefined) return;
  throw new CliError(
    `table ${large.name} has ${bytes(large.measure.bytes)}; at most ${bytes(most)} are read here`,
    {
      hint: "--engine aws lets DynamoDB export it; backup.maxTableBytes sets the limit",
    },
  );
}

/** Opens or makes the repository, takes up what was interrupted or begins anew, and makes the backup. */
export async function createPlanned(
  planned: PlannedCreation,
  onProgress: (progress: CreateProgress) => void,
): Promise<CreatedBackup> {
  const { context, creation, plan } = planned;
  const { only, rate, engine, encryptTo } = creation;
  const { aws, declaration, model } = context;
  await context.audit.open();
  const beforeOpen = secretsRefused(planned);
  const repository = await ensureBackups(context, creation.repo, { encryptTo, beforeOpen });
  const exportTo = engine === "aws" ? exportPlace(repository, creation.exportTo) : undefined;
  const options = {
    only: [...only].sort(),
    engine,
    exportTo: exportTo ?? null,
    region: aws.region,
    names: namesOf(declaration).concat((plan.databases ?? []).map(({ sql }) => sql.where)),
  };
  return inPending(context, { repository, options }, async (site, pending) =>
    createBackup(site, {
      plan,
      pending,
      rate,
      tool: `mawps ${context.version}`,
      modelHash: modelHash(model),
      account: await accountOf(context),
      exportTo,
      onProgress,
    }),
  );
}

/** By which a backup names its AWS account; a local store has none. */
export async function accountOf(context: Context): Promise<string | undefined> {
  return context.target === "local" ? undefined : context.account();
}

interface InPending {
  readonly repository: Repository;
  /** What the backup holds depends on these. */
  readonly options: unknown;
}

/** Takes up a backup with the same options that was interrupted, or begins one, and does something while no prune takes away what it stores. */
export async function inPending<T>(
  context: Context,
  { repository, options }: InPending,
  act: (site: BackupSite, pending: Pending) => Promise<T>,
): Promise<T> {
  const { aws, declaration, target, audit, machine, signal, backups } = context;
  const { spool, keyFolder } = backups;
  const now = () => context.now();
  const randomHex = (size: number) => context.randomHex(size);
  const pending = await beginPending(repository, { options, ...machine, keyFolder, now, randomHex, signal });
  try {
    if (pending.resumed) context.note(`going on with ${pending.id}, which was interrupted`);
    // What is being removed may be what this backup relies on. The prune looks for pending backups after it has begun.
    await waitForPrune(repository, { ...machine, now, signal }, () =>
      context.note("a prune is at work in the repository; waiting for its end"),
    );
    return await act({ aws, declaration, repository, target, spool, audit, signal, now, randomHex }, pending);
  } finally {
    pending.stop();
  }
}

/** Where a backup may not lie open: what to do before it would; undefined where it may. */
function secretsRefused({ context, creation, plan }: PlannedCreation): (() => Promise<void>) | undefined {
  if (creation.withSecrets === true) return undefined;
  return () =>
    refuseOpenSecrets(context, {
      tables: plan.tables,
      databases: (plan.databases ?? []).map((database) => ({
        database,
        columns: secretColumnsOf(context.model, database.role),
      })),
      rate: creation.rate,
      hint: "encrypt the backup (--encrypt-to, or a passphrase), or pass --with-secrets if whoever reads it may have them",
    });
}

/** A backup of one environment is never gone on with in another. */
function namesOf({ tables, buckets, userPool }: Declaration): readonly string[] {
  return [...tables, ...buckets].map(({ name }) => name).concat(userPool?.id ?? []);
}
