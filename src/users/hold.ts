import { assertNoHold, holdsOfAny, liftHolds, putHold, readHolds, type Hold } from "../audit/holds.ts";
import type { TrailPlace } from "../audit/place.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { CliError, exitCodes } from "../errors.ts";
import { findPerson, namesOf, nobody, type Person, type PersonSite } from "./person.ts";
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
  return holdsOfAny(await readHolds(trailPlace), ids);
}

/** @throws CliError where one of the ids stands for somebody who is under a legal hold. */
export async function assertNotHeld(
  site: Pick<HoldSite, "trailPlace">,
  ids: readonly string[],
): Promise<void> {
  assertNoHold(await holdsOfPerson(site, ids));
}

/**
 * Who is meant, and what holds them. Changes nothing.
 * @throws CliError when there is nobody who could be held, and when several could be meant.
 */
export async function findHeld(site: HoldSite, given: string): Promise<HeldPerson> {
  const person = await findPerson(site, given);
  const holds = await holdsOfPerson(site, person.ids);
  const isKnown = person.account !== undefined || person.subject !== undefined || holds.length > 0;
  if (!isKnown && isNothing(await findHoldings(site, person.ids))) throw nobody(given);
  return { person, holds };
}

/** A hold with what people call whom it holds; undefined where nobody knows them any more. */
export interface NamedHold extends Hold {
  readonly name: string | undefined;
}

/** All that stand, the oldest first. */
export async function listHolds(site: HoldSite): Promise<readonly NamedHold[]> {
  const holds = await readHolds(site.trailPlace);
  const names = await namesOf(site, [...new Set(holds.flatMap(({ userId }) => userId ?? []))]);
  return holds.map((hold) => ({ ...hold, name: names.get(hold.userId ?? "") }));
}

/** Which holds are to be lifted: that of a number, or those of somebody. */
export interface Lifting {
  /** Undefined where the number alone is given. */
  readonly given: string | undefined;
  readonly number: number | undefined;
  readonly isAll: boolean;
}

interface ToLift {
  readonly name: string;
  readonly holds: readonly Hold[];
  /** How many others of theirs go on standing; undefined where that cannot be told. */
  readonly others: number | undefined;
}

/**
 * The holds that are meant, and of whom they are. Changes nothing.
 * @throws CliError where there is no such hold or person, and where several holds stand of which none is named.
 */
export async function findLifting(site: HoldSite, { given, number, isAll }: Lifting): Promise<ToLift> {
  if (given === undefined) {
    const all = await readHolds(site.trailPlace);
    const hold = all.find(({ sequence }) => sequence === number);
    if (hold === undefined) throw noHold(`there is no legal hold ${number}`);
    const { userId } = hold;
    if (userId === undefined)
      return { name: "somebody known by an address alone", holds: [hold], others: undefined };
    const name = (await namesOf(site, [userId])).get(userId) ?? userId;
    return { name, holds: [hold], others: all.filter((each) => each.userId === userId).length - 1 };
  }
  const { person, holds } = await findHeld(site, given);
  const { name } = person;
  if (number !== undefined) {
    const meant = holds.filter(({ sequence }) => sequence === number);
    if (meant.length === 0) throw noHold(`${name} is under no legal hold ${number}`);
    return { name, holds: meant, others: holds.length - 1 };
  }
  if (holds.length > 1 && !isAll) {
    const all = holds.map(({ sequence, reason }) => `${sequence} (${reason})`).join(", ");
    throw new CliError(`${name} is under ${holds.length} legal holds: ${all}; nothing was changed`, {
      exitCode: exitCodes.usage,
      hint: "--hold <number> lifts one of them, --all lifts all",
    });
  }
  return { name, holds, others: 0 };
}

function noHold(message: string): CliError {
  return new CliError(message, { hint: "`mawps user hold list` shows them" });
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

/** Lifts legal holds of one person. */
export async function liftHold(site: HoldingSite, holds: readonly Hold[]): Promise<void> {
  const reason = holds.map((hold) => hold.reason).join("; ");
  const told = { action: "user.released" as const, userId: holds[0]?.userId, details: { reason } };
  await site.trail.change(told, () => liftHolds(site.trailPlace, holds, site.now()));
}

/** What is recorded is kept, and an address names somebody. */
function toldOf(userId: string): string | undefined {
  return userId.includes("@") ? undefined : userId;
}
