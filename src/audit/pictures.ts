import { errorName } from "../aws/setting.ts";
import type { AuditAction, AuditEntry } from "../model/audit.ts";
import { parsePublicUrl, type KnownPlaces, type ObjectAddress } from "../model/urls.ts";
import { listAudit } from "./list.ts";
import type { TrailPlace } from "./place.ts";

/** What makes a picture live, or takes it away: its details name pictures that a pointer named. */
const pictureActions: ReadonlySet<string> = new Set<AuditAction>([
  "hero.changed",
  "hero.rolled-back",
  "hero.removed",
  "avatar.changed",
  "avatar.removed",
]);

/** The entries that tell which pictures of a user were live, oldest first; none where there is no trail. */
export async function pictureEntries(trail: TrailPlace, userId: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  try {
    for await (const entry of listAudit(trail, { userId })) {
      if (pictureActions.has(entry.action)) entries.push(entry);
    }
  } catch (error) {
    if (errorName(error) !== "ResourceNotFoundException") throw error;
  }
  return entries.reverse();
}

/** The objects that an entry names as pictures that were live: the new one and the one before. */
export function picturesNamed({ details }: AuditEntry, places: KnownPlaces): ObjectAddress[] {
  const { bucket, key, url, previousUrl } = details;
  const own = typeof bucket === "string" && typeof key === "string" ? [{ bucket, key }] : [];
  const told = [url, previousUrl].flatMap((text) =>
    typeof text === "string" ? (parsePublicUrl(text, places) ?? []) : [],
  );
  return [...own, ...told];
}
