import { holdsOf, liftHolds, putHold, readHolds, type Hold } from "../audit/holds.ts";
import type { TrailPlace } from "../audit/place.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { findPerson, nobody, type Person, type PersonSite } from "./person.ts";
import { findHoldings, isNothing } from "./traces.ts";

/** Where people are put under a legal hold: their holds are kept beside the audit trail. */
export interface HoldSite extends PersonSite {
  /** Where the audit trail is. */
  readonly trailPlace: TrailPlace;
}

type HoldingSite = HoldSite & { readonly trail: Pick<AuditTrail, "change"> };

/** Somebody with the legal holds of them. */
export interface HeldPerson {
  readonly person: Person;
  readonly holds: readonly Hold[];
}

/** The legal holds of who these ids stand for. */
export async function holdsOfPerson(
  { trailPlace }: Pick<HoldSite, "trailPlace">,
  ids: readonly string[],
): Promise<readonly Hold[]> {
  return [...new Set(ids.flatMap(holdsOf(await readHolds(trailPlace))))];
}

/**
 * Who is meant, and what holds them. Changes nothing.
 * @throws CliError when there is nobody who could be held, and when several could be meant.
 */
export async function findHeld(site: HoldSite, given: string): Promise<HeldPerson> {
  const person = await findPerson(site, given);
  const holds = await holdsOfPerson(site, person.ids);
  if (person.account === undefined && holds.length === 0 && isNothing(await findHoldings(site, person.ids)))
    throw nobody(given);
  return { person, holds };
}

/** Puts somebody under a legal hold: from then on no erasure and no retention run deletes anything of theirs. */
export async function holdPerson(
  site: HoldingSite,
  { userId, ids }: Pick<Person, "userId" | "ids">,
  { reason, salt }: { readonly reason: string; readonly salt: string },
): Promise<void> {
  const told = { action: "user.held" as const, userId: toldOf(userId), details: { reason } };
  const hold = { userId: toldOf(userId), ids, reason, salt, at: site.now() };
  await site.trail.change(told, () => putHold(site.trailPlace, hold));
}

/** Lifts the legal holds of somebody. */
export async function liftHold(site: HoldingSite, { person, holds }: HeldPerson): Promise<void> {
  const reason = holds.map((hold) => hold.reason).join("; ");
  const told = { action: "user.released" as const, userId: toldOf(person.userId), details: { reason } };
  await site.trail.change(told, () => liftHolds(site.trailPlace, holds, site.now()));
}

/** What is recorded is kept, and an address names somebody. */
function toldOf(userId: string): string | undefined {
  return userId.includes("@") ? undefined : userId;
}
