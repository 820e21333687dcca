import type { HeroRole } from "../../model/keys.ts";
import { planPointer, readPointer, writePointer } from "./pointer.ts";
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
  const previousUrl = role === "hover" ? read.pointer.profileImageHover : read.pointer.profileImageDefault;
  if (previousUrl === null) return { role, previousUrl, changed: false };
  const update = planPointer(read, { [role]: null }, options.now());
  if (options.dryRun) return { role, previousUrl, changed: false };
  await options.carryOut(previousUrl, () => writePointer(site, read, update));
  return { role, previousUrl, changed: true };
}
