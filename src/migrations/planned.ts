import type { Tell } from "../amount.ts";
import { differences, type Difference } from "./differences.ts";
import type { Left, MigrationSite } from "./migration.ts";
import { pointless } from "./plan-for.ts";
import type { Registered } from "./registry.ts";
import { defaultBatchSize } from "./runner.ts";
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

/** Plans each of the migrations on what is stored now. */
export async function planAll(
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
