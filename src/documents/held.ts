import { assertNoHold, holdsOfAny, holdsOfSite, type Hold } from "../audit/holds.ts";
import type { Context } from "../context.ts";
import { ownersOf } from "../stores/row-owners.ts";
import { attachmentRow } from "./row-accounts.ts";
import { entryWithId } from "./entries.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import { changeDocumentsWith, type ChangingSite, type DocumentSite } from "./site.ts";
import { findDocuments } from "./users.ts";

/**
 * Those of the holds that are of whose these entries are. Of an entry that is a row a hold is also that of whomever else it names or goes by.
 * @param entries of which versions would go, or what is shown of them.
 */
export async function holdsOfPerson(
  holds: readonly Hold[],
  { rows }: Pick<DocumentSite, "rows">,
  { userId, entries }: Pick<UserDocuments, "userId" | "entries">,
): Promise<readonly Hold[]> {
  if (holds.length === 0) return holds;
  const stored = entries.flatMap(({ row }: StoredEntry) => row ?? []);
  // Of what has no entry it is known by what it is attached to.
  const around = rows && stored.length === 0 ? await attachmentRow(rows, userId) : undefined;
  const owners = rows === undefined ? [] : await ownersOf(rows, around === undefined ? stored : [around]);
  return holdsOfAny(holds, [...new Set([userId, ...owners.flat()])]);
}

/** @throws CliError where there is such a hold: nothing of theirs is to be deleted. */
export async function assertPersonNotHeld(...of: Parameters<typeof holdsOfPerson>): Promise<void> {
  assertNoHold(await holdsOfPerson(...of));
}

/**
 * The documents of somebody, to change the one with this id; nothing is changed yet.
 * @returns `assertFree`: looks again, for right before something is deleted.
 * @throws CliError where there is none with this id, and where a hold stands on whose it is, as `assertFree` does.
 */
export async function changeUnheld(
  context: Context,
  given: string,
  id: string,
): Promise<{
  readonly site: ChangingSite;
  readonly user: UserDocuments;
  readonly assertFree: () => Promise<void>;
}> {
  const [{ site, seen: user }, holds] = await Promise.all([
    changeDocumentsWith(context, (look) => findDocuments(look, given)),
    holdsOfSite(context),
  ]);
  entryWithId(user, id);
  const meant = { ...user, entries: user.entries.filter(({ document }) => document.id === id) };
  await assertPersonNotHeld(holds, site, meant);
  return {
    site,
    user,
    assertFree: async () => assertPersonNotHeld(await holdsOfSite(context), site, meant),
  };
}
