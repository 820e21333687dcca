import type { Aws } from "../../aws/clients.ts";
import type { ExportPlace } from "../../aws/dynamodb/table-export.ts";
import {
  createBackup,
  type BackupPlan,
  type CreatedBackup,
  type CreateProgress,
} from "../../backup/create.ts";
import { exportPlace } from "../../backup/native-engine.ts";
import { beginPending, type Pending } from "../../backup/pending.ts";
import { waitForPrune } from "../../backup/prune-lock.ts";
import type { Rate } from "../../backup/rate.ts";
import { refuseOpenSecrets } from "../../backup/secrets.ts";
import type { BackupSite } from "../../backup/site.ts";
import type { Declaration } from "../../model/declaration.ts";
import { secretColumnsOf } from "../../model/database.ts";
import { modelHash } from "../../model/hash.ts";
import { version } from "../../version.ts";
import { ensureBackups, keyFolder, spoolFolder } from "./repository.ts";
import type { Run } from "../run.ts";

export interface Creation {
  readonly aws: Aws;
  readonly declaration: Declaration;
  readonly plan: BackupPlan;
  readonly repo?: string;
  readonly only: readonly string[];
  readonly rate: Rate | undefined;
  readonly encryptTo?: readonly string[];
  /** Secrets may lie open in the backup. */
  readonly withSecrets?: true;
  readonly engine: "scan" | "aws";
  readonly exportTo?: ExportPlace;
  readonly onProgress: (progress: CreateProgress) => void;
}

/** Opens or makes the repository, takes up what was broken off or begins anew, and makes the backup. */
export async function createdBackup(run: Run, creation: Creation): Promise<CreatedBackup> {
  const { config } = run;
  const { aws, declaration, plan, only, rate, engine } = creation;
  await run.audit.open();
  const repository = await ensureBackups(run, creation.repo, {
    encryptTo: creation.encryptTo,
    beforeOpen: secretsRefused(run, creation),
  });
  const exportTo = engine === "aws" ? exportPlace(repository, creation.exportTo) : undefined;
  const options = {
    only: [...only].sort(),
    engine,
    exportTo: exportTo ?? null,
    region: aws.region,
    names: namesOf(declaration).concat((plan.databases ?? []).map(({ sql }) => sql.where)),
  };
  return inPending(run, { aws, declaration, repository, options }, async (site, pending) =>
    createBackup(site, {
      plan,
      pending,
      rate,
      tool: `mawps ${version}`,
      modelHash: modelHash(config.site),
      account: await accountOf(run),
      exportTo,
      onProgress: creation.onProgress,
    }),
  );
}

/** By which a backup names its AWS account; a local store has none. */
export async function accountOf(run: Run): Promise<string | undefined> {
  return run.config.target === "local" ? undefined : run.account();
}

interface InPending extends Pick<BackupSite, "aws" | "declaration" | "repository"> {
  /** What the backup holds depends on these. */
  readonly options: unknown;
}

/** Takes up a backup with the same options that was broken off, or begins one, and does something while no prune takes away what it stores. */
export async function inPending<T>(
  run: Run,
  { aws, declaration, repository, options }: InPending,
  act: (site: BackupSite, pending: Pending) => Promise<T>,
): Promise<T> {
  const { world, config } = run;
  const { machine, signal } = world;
  const now = () => world.now();
  const randomHex = (size: number) => world.randomHex(size);
  const beginning = { options, ...machine, keyFolder: keyFolder(run), now, randomHex, signal };
  const pending = await beginPending(repository, beginning);
  try {
    if (pending.resumed) run.note(`going on with ${pending.id}, which was interrupted`);
    // What is being removed may be what this backup relies on. The prune looks for pending backups after it has begun.
    await waitForPrune(repository, { ...machine, now, signal }, () =>
      run.note("a prune is at work in the repository; waiting for its end"),
    );
    const { audit } = run;
    const spool = spoolFolder(run);
    const { target } = config;
    return await act({ aws, declaration, repository, target, spool, audit, signal, now, randomHex }, pending);
  } finally {
    pending.stop();
  }
}

/** Where a backup may not lie open: what to do before it would; undefined where it may. */
export function secretsRefused(
  { world, config }: Run,
  {
    aws,
    declaration,
    plan,
    rate,
    withSecrets,
  }: Pick<Creation, "aws" | "declaration" | "plan" | "rate" | "withSecrets">,
): (() => Promise<void>) | undefined {
  if (withSecrets === true) return undefined;
  const site = { aws, declaration, signal: world.signal, now: () => world.now() };
  return () =>
    refuseOpenSecrets(site, {
      tables: plan.tables,
      databases: (plan.databases ?? []).map((database) => ({
        database,
        columns: secretColumnsOf(config.site, database.role),
      })),
      rate,
      hint: "encrypt the backup (--encrypt-to, or a passphrase), or pass --with-secrets if whoever reads it may have them",
    });
}

/** A backup of one environment is never gone on with in another. */
function namesOf({ tables, buckets, userPool }: Declaration): readonly string[] {
  return [...tables, ...buckets].map(({ name }) => name).concat(userPool?.id ?? []);
}
