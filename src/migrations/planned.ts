import type { Tell } from "../amount.ts";
import type { BackupPlan } from "../backup/native.ts";
import type { Context } from "../context.ts";
import { changedCode, pending, revertible } from "./choose.ts";
import { differences, type Difference } from "./differences.ts";
import type { Left, MigrationSite } from "./migration.ts";
import { pointless } from "./plan-for.ts";
import { migrations, type Registered } from "./registry.ts";
import { defaultBatchSize } from "./runner.ts";
import { assertSafetyNet, planTableBackup } from "./safety-net.ts";
import { openMigrations, type Standpoint } from "./site.ts";
import { surveyAll } from "./survey.ts";

/** What a migration would do. */
export interface Planned {
  readonly migration: string;
  readonly description: string;
  readonly items: number;
  /** Items that are no person's, and are not among these. */
  readonly nobodies: number;
  /** People whose items would change. */
  readonly changes: number;
  readonly objects: number;
  readonly bytes: number;
  /** What would be given up, in general; null when nothing is. */
  readonly lossy: string | null;
  /** So many values would be. */
  readonly losses: number;
  /** Why there is nothing to do for it here; null when there may be. */
  readonly pointless: string | null;
  readonly left: readonly Left[];
  readonly samples: readonly { readonly userId: string; readonly differences: readonly Difference[] }[];
}

export interface UpWanted {
  /** The last that is applied; all without. */
  readonly to: string | undefined;
  /** Applied migrations whose code has changed since count as applied as they are. */
  readonly acceptChanged: boolean;
  /** DynamoDB is to back up the table first. */
  readonly nativeBackup: boolean;
  /** Without another way back a backup has to be there, in this repository or as configured; undefined where none is asked for. */
  readonly backupIn: { readonly repo: string | undefined } | undefined;
}

export interface UpPlan extends Standpoint {
  readonly wanted: UpWanted;
  readonly plans: readonly Planned[];
  /** Applied migrations that would be taken for applied with the code that is here. */
  readonly changed: readonly string[];
  readonly backups: readonly BackupPlan[];
}

/**
 * What `up` would do, on what is stored now; only reads.
 * @throws CliError as `pending` does, and unless it is a dry run where nothing would bring back what is changed.
 */
export async function planUp(context: Context, wanted: UpWanted): Promise<UpPlan> {
  const { site, states } = await openMigrations(context);
  const chosen = pending(migrations, states, wanted);
  const changed = changedCode(migrations, states).map(({ migration: { id } }) => id);
  const plans = await planAll(context, site, chosen);
  const isBackedUp = wanted.nativeBackup && chosen.length > 0;
  const backups = isBackedUp ? await planTableBackup(context, site.table) : [];
  if (!context.dryRun && !isBackedUp && chosen.length > 0 && wanted.backupIn !== undefined)
    await assertSafetyNet(context, wanted.backupIn.repo, site.table);
  return { site, states, wanted, plans, changed, backups };
}

export interface DownPlan extends Standpoint {
  readonly to: string | undefined;
  readonly plans: readonly {
    readonly migration: string;
    readonly changed: number;
    readonly objects: number;
  }[];
}

/** What `down` would take back, the newest first; only reads. @throws CliError as `revertible` does. */
export async function planDown(context: Context, to: string | undefined): Promise<DownPlan> {
  const { site, states } = await openMigrations(context);
  const plans = revertible(migrations, states, to).map(({ migration: { id } }) => ({
    migration: id,
    changed: states.get(id)?.counts.changed ?? 0,
    objects: states.get(id)?.counts.objects ?? 0,
  }));
  return { site, states, to, plans };
}

/** Plans each of the migrations on what is stored now. */
async function planAll(
  { progress }: { readonly progress: Tell },
  site: MigrationSite,
  chosen: readonly Registered[],
): Promise<readonly Planned[]> {
  const plans: Planned[] = [];
  for (const { migration } of chosen) {
    progress(`planning ${migration.id}`);
    const survey = await surveyAll(site, migration, defaultBatchSize);
    plans.push({
      migration: migration.id,
      description: migration.description,
      items: survey.looked,
      nobodies: survey.nobodies,
      changes: survey.people,
      objects: survey.objects,
      bytes: survey.bytes,
      lossy: migration.lossy ?? null,
      losses: survey.losses,
      pointless: pointless(migration, site) ?? null,
      left: survey.left,
      samples: survey.samples.map(({ userId, changes }) => ({
        userId,
        differences: changes.flatMap(differences),
      })),
    });
  }
  return plans;
}
