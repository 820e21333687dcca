import { inParallel } from "../concurrency.ts";
import type { ItemChange, Left, Migration, MigrationSite } from "./migration.ts";
import { planFor, pointless } from "./plan-for.ts";
import { peopleAtOnce } from "./runner.ts";
import { readUnit, scanUnits } from "./units.ts";

/** What a migration would do, or has not done, with all that is stored as it stands now. */
export interface Survey {
  readonly looked: number;
  /** Items that are no person's, which no migration touches. */
  readonly nobodies: number;
  /** People whose items would change. */
  readonly people: number;
  readonly objects: number;
  readonly bytes: number;
  readonly left: readonly Left[];
  /** What would have to change and is not left for a reason. */
  readonly unfinished: readonly Left[];
  /** How many values would be given up. */
  readonly losses: number;
  /** Some of the changes, the first ones found. */
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly userId: string;
  readonly changes: readonly ItemChange[];
}

const mostSamples = 3;

/** Goes through all items and reads nothing but what a migration concerns; writes nothing. */
export async function surveyAll(
  site: MigrationSite,
  migration: Migration,
  pageSize: number,
): Promise<Survey> {
  const seeing: MigrationSite = { ...site, hashes: "foreseen" };
  const sum = { looked: 0, nobodies: 0, people: 0, objects: 0, bytes: 0, losses: 0 };
  const left: Left[] = [];
  const unfinished: Left[] = [];
  const samples: Sample[] = [];
  const seen = new Set<string>();
  if (pointless(migration, site) !== undefined) return { ...sum, left, unfinished, samples };
  for await (const { items, nobodies } of scanUnits(seeing, { pageSize })) {
    sum.looked += items.length;
    sum.nobodies += nobodies;
    const concerned = items
      .filter((unit) => migration.verify(unit, seeing).length > 0)
      .map(({ userId }) => userId)
      .filter((userId) => !seen.has(userId));
    const userIds = [...new Set(concerned)];
    for (const userId of userIds) seen.add(userId);
    const steps = await inParallel(userIds, peopleAtOnce, async (userId) => {
      const unit = await readUnit(seeing, userId);
      return { userId, step: await planFor(migration, unit, seeing), faults: migration.verify(unit, seeing) };
    });
    for (const { userId, step, faults } of steps) {
      left.push(...step.left);
      const reasons = new Set(step.left.map(({ what }) => what));
      unfinished.push(
        ...faults.filter(({ what }) => !reasons.has(what)).map((fault) => ({ userId, ...fault })),
      );
      if (step.changes.length === 0) continue;
      sum.people += 1;
      sum.objects += step.moves.length;
      sum.bytes += step.moves.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
      sum.losses += step.losses.length;
      if (samples.length < mostSamples) samples.push({ userId, changes: step.changes });
    }
  }
  return { ...sum, left, unfinished, samples };
}
