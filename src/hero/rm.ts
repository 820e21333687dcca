import type { HeroRole } from "../model/keys.ts";
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
 * `mayGoOn` is asked with the URL that is live, before anything is changed; it rejects to stop.
 */
export async function removeHero(
  site: HeroSite,
  role: HeroRole,
  options: { readonly now: () => Date; readonly dryRun: boolean; mayGoOn(url: string): Promise<void> },
): Promise<Removal> {
  const read = await readPointer(site);
  const previousUrl = role === "hover" ? read.pointer.profileImageHover : read.pointer.profileImageDefault;
  if (previousUrl === null) return { role, previousUrl, changed: false };
  const update = planPointer(read, { [role]: null }, options.now());
  if (options.dryRun) return { role, previousUrl, changed: false };
  await options.mayGoOn(previousUrl);
  await writePointer(site, read, update);
  return { role, previousUrl, changed: true };
}
