import type { HeroRole } from "../../model/keys.ts";
import { changePointer, isUntouched, liveIn, planPointer, readPointer } from "./pointer.ts";
import type { HeroSite } from "./site.ts";

export interface Removal {
  readonly role: HeroRole;
  readonly previousUrl: string | null;
  /** False when nothing was live. */
  readonly changed: boolean;
}

/**
 * Takes a picture off the website: its pointer becomes null, the object stays for a rollback.
 * `carryOut` is given the URL that is live and the one step that changes something; it rejects to stop before it.
 */
export async function removeHero(
  site: HeroSite,
  role: HeroRole,
  options: {
    readonly now: () => Date;
    readonly dryRun: boolean;
    carryOut(url: string, remove: () => Promise<void>): Promise<void>;
  },
): Promise<Removal> {
  const read = await readPointer(site);
  const previousUrl = liveIn(read, role);
  if (previousUrl === null) return { role, previousUrl, changed: false };
  const change = {
    plan: (state: typeof read) => planPointer(state, { [role]: null }, options.now()),
    holds: isUntouched(role),
  };
  // Before anything is asked: an item without room is refused.
  change.plan(read);
  if (options.dryRun) return { role, previousUrl, changed: false };
  await options.carryOut(previousUrl, async () => void (await changePointer(site, read, change)));
  return { role, previousUrl, changed: true };
}
