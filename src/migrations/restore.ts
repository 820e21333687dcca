import { backOff } from "../retry.ts";
import type { JournalRecord, MigrationSite, Restored } from "./migration.ts";
import { settleMoves, takeBack } from "./object-moves.ts";
import { sameValue } from "./typed-json.ts";
import { readUnit } from "./units.ts";
import { backward, touched, writeChanges } from "./write-changes.ts";

const attempts = 5;

/**
 * Brings back what a person's items and objects were before a step, from the journal's record of it. Only attributes that the
 * step wrote are written, and only while they are as it left them: a person who saved since keeps what they saved, and is
 * reported. May be called again after a crash. Order: the objects at their former keys, the items, then the copies go.
 */
export async function restore(site: MigrationSite, record: JournalRecord): Promise<Restored> {
  const restored = await restoreItems(site, record);
  // Whatever came of it, and also after a crash in between: of each object the one that is named stays.
  await settleMoves(site, record);
  return restored;
}

async function restoreItems(site: MigrationSite, record: JournalRecord): Promise<Restored> {
  const tries = backOff({ attempts, signal: site.signal });
  for (;;) {
    const found = await standing(site, record);
    if (typeof found === "string") return { conflict: found };
    if (found.length === 0) return { outcome: "unchanged" };
    for (const move of record.moves) {
      if (!(await takeBack(site, move))) {
        return { conflict: `its object cannot be brought back: ${move.from}` };
      }
    }
    if (await writeChanges(site, record.userId, found.map(backward))) return { outcome: "restored" };
    if (!(await tries.again())) return { conflict: "its item keeps changing" };
  }
}

/** The changes that are still as they were left; those that are as before need nothing; anything else is a conflict. */
async function standing(
  site: MigrationSite,
  { userId, changes }: JournalRecord,
): Promise<readonly JournalRecord["changes"][number][] | string> {
  const { items } = await readUnit(site, userId);
  const left = [];
  for (const change of changes) {
    const item = items.find(({ place }) => place === change.place)?.item;
    if (item === undefined) return `its item is gone`;
    const names = touched(change);
    if (names.every((name) => sameValue(item[name], change.before[name]))) continue;
    const other = names.find((name) => !sameValue(item[name], change.set[name]));
    if (other !== undefined) return `somebody changed "${other}" since`;
    left.push(change);
  }
  return left;
}
