import {
  assertNoHold,
  coversAll,
  holdsOfAny,
  liftHolds,
  putHold,
  readHolds,
  type Hold,
} from "../audit/holds.ts";
import { trailOf } from "../audit/place.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { toldId } from "../model/user-id.ts";
import { openPeople } from "./people.ts";
import { findPerson, namesOf, nobody, type Person, type People } from "./person.ts";
import { findHoldings, isNothing } from "./traces.ts";

/** Legal holds are kept beside the audit trail. */
type Kept = Pick<People, "aws" | "declaration" | "signal">;

/** Somebody with the legal holds of them. */
export interface HeldPerson {
  readonly person: Person;
  /** Of this person. */
  readonly holds: readonly Hold[];
  /** Of others, whom one of the person's names stands for too: nothing of the person's is deleted while they stand. */
  readonly others: readonly Hold[];
}

/** The legal holds of who these ids stand for. */
export async function holdsOfPerson(kept: Kept, ids: readonly string[]): Promise<readonly Hold[]> {
  return holdsOfAny(await readHolds(trailOf(kept)), ids);
}

/** @throws CliError where one of the ids stands for somebody who is under a legal hold. */
export async function assertNotHeld(kept: Kept, ids: readonly string[]): Promise<void> {
  assertNoHold(await holdsOfPerson(kept, ids));
}

/**
 * Who is meant, and what holds them. Changes nothing.
 * @throws CliError when there is nobody who could be held, and when several could be meant.
 */
export async function findHeld(site: People, given: string): Promise<HeldPerson> {
  const person = await findPerson(site, given);
  const all = await holdsOfPerson(site, person.ids);
  const isKnown = person.account !== undefined || person.subject !== undefined || all.length > 0;
  if (!isKnown && !(await hasAnything(site, person.ids))) throw nobody(site, given);
  const holds = all.filter((hold) => isOf(hold, person));
  return { person, holds, others: all.filter((hold) => !holds.includes(hold)) };
}

/** Whether anything is stored of somebody without an account, rows of databases too. */
async function hasAnything(site: People, ids: readonly string[]): Promise<boolean> {
  if (!isNothing(await findHoldings(site, ids))) return true;
  const rows = await site.rows?.rowsOf(undefined, ids);
  return rows !== undefined && rows.length > 0;
}

/** Whether a hold was put on this person, and not on somebody else whom an address of theirs stands for. */
function isOf(hold: Hold, { userId, subject }: Person): boolean {
  const isSameKind = hold.subject === undefined || subject === undefined || hold.subject === subject;
  return isSameKind && hold.userId === toldId(userId);
}

/** Whether one of the person's holds is for this reason, and is one of all that stands for them now. Pure. */
export function isHeldFor({ person, holds }: HeldPerson, reason: string): boolean {
  return holds.some((hold) => hold.reason === reason && coversAll(hold, person.ids));
}

/** A hold with what people call whom it holds; undefined where nobody knows them any more. */
export interface NamedHold extends Hold {
  readonly name: string | undefined;
}

/** Why people could not be asked for their names. */
interface Nameless {
  readonly nameless: CliError | undefined;
}

/** All that stand, the oldest first. */
export async function listHolds(
  context: Context,
): Promise<Nameless & { readonly holds: readonly NamedHold[] }> {
  const holds = await readHolds(trailOf(context));
  const { names, nameless } = await namesWhereTold(context, holds);
  return { holds: holds.map((hold, at) => ({ ...hold, name: names[at] })), nameless };
}

/** What the people of these holds are called, in their order; what can be told without is not kept back where nobody can be asked. */
async function namesWhereTold(
  context: Context,
  holds: readonly Hold[],
): Promise<Nameless & { readonly names: readonly (string | undefined)[] }> {
  if (holds.every(({ userId }) => userId === undefined)) return { names: [], nameless: undefined };
  try {
    return { names: await namesOf(await openPeople(context, "reads"), holds), nameless: undefined };
  } catch (error) {
    context.signal.throwIfAborted();
    const { explain } = await import("../aws/explain/explain.ts");
    const { region, endpointUrl } = context.aws;
    const nameless = error instanceof CliError ? error : explain(error, { region, endpointUrl });
    if (nameless === undefined) throw error;
    return { names: [], nameless };
  }
}

/** Which holds are to be lifted: that of a number, or those of somebody. */
export interface Lifting {
  /** Undefined where the number alone is given. */
  readonly given: string | undefined;
  readonly number: number | undefined;
  readonly isAll: boolean;
}

interface ToLift extends Nameless {
  /** Undefined where the hold is of an address alone, and nobody was named. */
  readonly userId: string | undefined;
  readonly name: string;
  readonly holds: readonly Hold[];
  /** How many others go on standing that keep what is theirs; undefined where that cannot be told. */
  readonly others: number | undefined;
}

/**
 * The holds that are meant, and of whom they are. Somebody else's is meant by its number alone. Changes nothing.
 * @throws CliError where there is no such hold or person, and where several holds stand of which none is named.
 */
export async function findLifting(context: Context, { given, number, isAll }: Lifting): Promise<ToLift> {
  if (given === undefined) return findNumbered(context, number);
  const { person, holds, others } = await findHeld(await openPeople(context, "reads"), given);
  const { userId, name } = person;
  if (number !== undefined) {
    if (others.some(({ sequence }) => sequence === number)) return findNumbered(context, number);
    const meant = holds.filter(({ sequence }) => sequence === number);
    if (meant.length === 0) throw noHold(`${name} is under no legal hold ${number}`);
    return { userId, name, holds: meant, others: holds.length + others.length - 1, nameless: undefined };
  }
  if (holds.length === 0 && others.length > 0) {
    throw new CliError(
      `${name} is under no legal hold, but has a name in common with whom these hold: ${listed(others)}; nothing was changed`,
      { hint: "--hold <number> lifts one of somebody else; `mawps user hold list` shows whose it is" },
    );
  }
  if (holds.length > 1 && !isAll) {
    throw new CliError(
      `${name} is under ${holds.length} legal holds: ${listed(holds)}; nothing was changed`,
      {
        exitCode: exitCodes.usage,
        hint: "--hold <number> lifts one of them, --all lifts all",
      },
    );
  }
  return { userId, name, holds, others: others.length, nameless: undefined };
}

async function findNumbered(context: Context, number: number | undefined): Promise<ToLift> {
  const all = await readHolds(trailOf(context));
  const hold = all.find(({ sequence }) => sequence === number);
  if (hold === undefined) throw noHold(`there is no legal hold ${number}`);
  const { userId, subject } = hold;
  if (userId === undefined) {
    const name = "somebody known by an address alone";
    return { userId, name, holds: [hold], others: undefined, nameless: undefined };
  }
  const { names, nameless } = await namesWhereTold(context, [hold]);
  const theirs = all.filter((each) => each.userId === userId && each.subject === subject);
  return { userId, name: names[0] ?? userId, holds: [hold], others: theirs.length - 1, nameless };
}

function listed(holds: readonly Hold[]): string {
  return holds.map(({ sequence, reason }) => `${sequence} (${reason})`).join(", ");
}

function noHold(message: string): CliError {
  return new CliError(message, { hint: "`mawps user hold list` shows them" });
}

/** Puts somebody under a legal hold: from then on no erasure and no retention run deletes anything of theirs. */
export async function holdPerson(
  context: Context,
  { userId, subject, ids }: Pick<Person, "userId" | "subject" | "ids">,
  { reason, salt }: { readonly reason: string; readonly salt: string },
): Promise<number> {
  const told = { action: "user.held" as const, userId: toldId(userId), details: { reason } };
  const hold = { userId: toldId(userId), subject, ids, reason, salt, at: context.now() };
  return context.audit.change(told, () => putHold(trailOf(context), hold));
}

/** Lifts legal holds of one person. */
export async function liftHold(context: Context, holds: readonly Hold[]): Promise<void> {
  const reason = holds.map((hold) => hold.reason).join("; ");
  const told = { action: "user.released" as const, userId: holds[0]?.userId, details: { reason } };
  await context.audit.change(told, () => liftHolds(trailOf(context), holds, context.now()));
}
