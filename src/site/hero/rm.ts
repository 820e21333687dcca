import type { Audit } from "../../audit/audit.ts";
import type { HeroRole } from "../../model/keys.ts";
import { ownerId } from "../../model/user-id.ts";
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
 * `confirm` is asked with the URL that is live; it rejects to stop before anything is changed.
 */
export async function removeHero(
  site: HeroSite,
  role: HeroRole,
  options: {
    readonly now: () => Date;
    readonly dryRun: boolean;
    confirm(url: string): Promise<void>;
    readonly audit: Audit;
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
  await options.confirm(previousUrl);
  const event = { action: "hero.removed", userId: ownerId, details: { role, previousUrl } } as const;
  await options.audit.irreversible(event, () => changePointer(site, read, change));
  return { role, previousUrl, changed: true };
}
