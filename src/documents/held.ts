import { assertNoHold, holdsOfAny, type Hold } from "../audit/holds.ts";
import { ownersOf } from "../stores/row-owners.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import type { DocumentSite } from "./site.ts";

/**
 * Of an entry that is a row a hold is also that of whomever else it names or goes by.
 * @param holds those that stand.
 * @param entries of which versions would go, or what is shown of them.
 * @throws CliError where one is of such a person: nothing of theirs is to be deleted.
 */
export async function assertPersonNotHeld(
  holds: readonly Hold[],
  { rows }: Pick<DocumentSite, "rows">,
  { userId, entries }: Pick<UserDocuments, "userId" | "entries">,
): Promise<void> {
  if (holds.length === 0) return;
  const stored = entries.flatMap(({ row }: StoredEntry) => row ?? []);
  const owners = rows === undefined ? [] : await ownersOf(rows, stored);
  assertNoHold(holdsOfAny(holds, [...new Set([userId, ...owners.flat()])]));
}
