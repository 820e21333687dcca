import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { restoredStatus } from "../model/documents.ts";
import { entriesAttribute as list } from "../model/mawps.ts";
import { documentItemKey, removedKey, storedEntry } from "./entries.ts";
import { assertEntriesFit, goneProfile } from "./entry-append.ts";
import type { ChangeOutcome, StoredEntry, UserDocuments } from "./entry.ts";
import type { DocumentSite } from "./site.ts";

/**
 * Brings removed entries back to where they stood, as they stood, and forgets them, in one transaction each. Those that are not among
 * the removed ones any more are `missing`.
 * @throws CliError when the profile has no room, is gone, or has something else than a list.
 */
export async function bringBack(
  site: DocumentSite,
  { userId, profile }: Pick<UserDocuments, "userId" | "profile">,
  entries: readonly StoredEntry[],
): Promise<ChangeOutcome> {
  const changed: StoredEntry[] = [];
  const missing: StoredEntry[] = [];
  let isNull = profile?.[list]?.NULL === true;
  for (const entry of entries) {
    const { place = "profile", raw: whole = entry.raw } = entry.before ?? {};
    // One that was deleted softly before it was removed comes back as it was before both.
    const { deletedAt: _at, deletedBy: _by, status, ...rest } = whole;
    const raw = status?.S === "DELETED" ? { ...rest, status: { S: restoredStatus(entry.document) } } : whole;
    const forget = {
      kind: "delete" as const,
      table: site.ownTable,
      key: removedKey(entry),
      conditions: [{ path: "id", is: "present" as const }],
    };
    const stands = storedEntry(site, { userId, place, index: 0, raw });
    if (place === "profile") {
      if (profile === undefined) throw goneProfile(userId);
      assertEntriesFit(userId, profile, [{ M: raw }]);
    }
    const back: TransactStep =
      place === "api"
        ? { kind: "put", table: site.apiTable, item: raw, conditions: [{ path: "userId", is: "absent" }] }
        : {
            kind: "update",
            table: site.table,
            key: documentItemKey(site, userId, "profile"),
            change: isNull
              ? { set: [{ path: list, value: { L: [{ M: raw }] } }] }
              : { append: [{ path: list, values: [{ M: raw }] }] },
            conditions: [
              { path: "userId", is: "present" },
              ...(isNull ? [{ path: list, is: "equal" as const, to: { NULL: true } }] : []),
            ],
          };
    const refusal = await transact(site.aws, [back, forget], site.signal);
    if (refusal !== undefined) {
      missing.push(entry);
      continue;
    }
    changed.push(stands);
    if (place !== "api") isNull = false;
  }
  return { changed, missing, refused: [] };
}
