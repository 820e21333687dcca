import { forbidden } from "../audit/holds.ts";
import { trailOf } from "../audit/place.ts";
import { recoveryStatus, type RecoveryStatus } from "../backup/pitr.ts";
import { erasedUsers, ledgerEntry, tableErasures, type ErasureEntry } from "../backup/erasures.ts";
import { listSnapshots } from "../backup/snapshots.ts";
import { madeStore } from "../backup/open.ts";
import type { Store } from "../backup/store.ts";
import { liveLinks, type LiveLink } from "../documents/live-links.ts";
import { openDocuments, type DocumentSite } from "../documents/site.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { personalTables } from "../model/links.ts";
import { whyNoDocuments } from "../model/reach.ts";
import { accountKindAmong, rowSubjects } from "../model/person-rows.ts";
import { toldId } from "../model/user-id.ts";
import { tokensLiveMinutes } from "./change.ts";
import { assertNotHeld } from "./hold.ts";
import { openPeople } from "./people.ts";
import { findPerson, nobody, type People, type Person } from "./person.ts";
import { findMentions, type Mention } from "./mentions.ts";
import { refuseReserved, type PoolWork } from "./pool.ts";
import { findTraces, isErased, type Traces } from "./traces.ts";

/** Where a person is erased: what is looked through, and where copies of it may be. */
export interface ErasureSite extends People {
  /** Of the backups, where there is a repository. */
  readonly store: Store | undefined;
  /** To which links may be alive; undefined where the site keeps none. */
  readonly documents: DocumentSite | undefined;
}

/** People with what their erasure needs besides. */
export async function openErasure(context: Context, work: PoolWork): Promise<ErasureSite> {
  const store = await madeStore(context);
  const people = await openPeople(context, work, "and journals");
  const isOther = people.known === undefined && whyNoDocuments(people.model, "url") === undefined;
  const documents = isOther ? await openDocuments(context) : people.known?.documents;
  return { ...people, store, documents };
}

/** Copies that an erasure does not reach. Each ends by itself, and a restore from it leaves the person out. */
export interface Copies {
  readonly backups: readonly string[];
  /** Tables that can be brought back as they were, and for how long from now; null where that may not be read. */
  readonly recovery: readonly { readonly table: string; readonly until: Date | null }[];
}

/** What an erasure of one person will do. */
export interface ErasurePlan extends Person {
  readonly traces: Traces;
  /** Of which of the model's people the account is that is an item or a row among these. */
  readonly accountKind: string | undefined;
  /** Where else the person is named; undefined where that was not asked for. An erasure changes nothing there. */
  readonly mentions: readonly Mention[] | undefined;
  readonly links: readonly LiveLink[];
  readonly copies: Copies;
  /** How long those who are signed in can go on: tokens that were given out are not called back. */
  readonly tokenMinutes: number | undefined;
  /** Stands for the person in what stays, where the model wants that. */
  readonly pseudonym: string;
  /** Those of the ids that the ledger does not have yet. It has some after an earlier run, done or broken off. */
  readonly unlisted: readonly string[];
  /** Of which of the model's people the ledger says that they are; undefined where it says that of nobody. */
  readonly kind: string | undefined;
  /** What the ledger has of the person: of ids, too, that nobody can tell any more. */
  readonly listed: readonly ErasureEntry[];
}

/**
 * Finds everything of a person, and `isDeep` also where else they are named. Changes nothing. `salt` is for who is not on the ledger yet.
 * @throws CliError when nobody is found who could be meant and nobody of that name was erased before, when several could be meant, and when
 * there is a legal hold of the person or of something of theirs.
 */
export async function planErasure(
  site: ErasureSite,
  given: string,
  { salt, isDeep }: { readonly salt: string; readonly isDeep: boolean },
): Promise<ErasurePlan> {
  refuseReserved(given);
  const { aws, known, documents, signal } = site;
  const ledger: ErasureEntry[] = [];
  for await (const entry of tableErasures({ aws, table: trailOf(site).table, signal })) ledger.push(entry);
  const isListed = erasedUsers(ledger);
  const person = await findPerson(site, given, isListed);
  const { userId, ids, account, subject } = person;
  // Where there is one kind of people, or nobody knows of which they are, an entry is for whoever has the id.
  const kinds = rowSubjects(site.model).map((each) => each.subject);
  const kind = kinds.length > 1 ? subject : undefined;
  await assertNotHeld(site, ids);
  const listed = ofPerson(ledger, ids, kind);
  const pseudonym = pseudonymOf(listed[0]?.salt ?? salt, userId);
  const [traces, links, copies, tokenMinutes] = await Promise.all([
    findTraces(site, person, pseudonym),
    documents === undefined || toldId(userId) === undefined
      ? []
      : liveLinks(documents, trailOf(site), userId),
    copiesOf(site),
    account === undefined || known === undefined ? undefined : tokensLiveMinutes(known),
  ]);
  if (traces.held.length > 0) throw forbidden("things of theirs are", traces.held);
  await assertUnblocked(site, traces);
  // What is left of whoever has the id is of all kinds, and an entry for one of them has a restore bring the others back.
  const theirs = kind === undefined && kinds.length > 1 && !isErased(traces) ? kinds : [kind];
  const unlisted = ids.filter((id) => !theirs.every((each) => isListed(id, each)));
  if (account === undefined && isErased(traces) && unlisted.length === ids.length) throw nobody(site, given);
  const mentions = isDeep ? await findMentions(site, person, traces) : undefined;
  const found = [...traces.items, ...traces.changes, ...traces.rows];
  const accountKind = accountKindAmong(site.model, found, subject);
  return {
    ...person,
    traces,
    accountKind,
    mentions,
    links,
    copies,
    tokenMinutes,
    unlisted,
    listed,
    kind,
    pseudonym,
  };
}

/** Whether an earlier run has done all of it. Pure. */
export function isDone({ account, traces, unlisted }: ErasurePlan): boolean {
  return account === undefined && isErased(traces) && unlisted.length === 0;
}

/** Why rows may not be erased: they are somebody else's too, or foreign keys have others, that stay, refer to them or go along. */
export async function obstaclesOf(
  { rows }: Pick<ErasureSite, "rows">,
  traces: Pick<Traces, "shared" | "rows">,
): Promise<readonly string[]> {
  return [...traces.shared, ...((await rows?.obstacles(traces.rows)) ?? [])];
}

/** @throws CliError where there are such obstacles. */
export async function assertUnblocked(site: ErasureSite, traces: Traces): Promise<void> {
  const obstacles = await obstaclesOf(site, traces);
  if (obstacles.length === 0) return;
  throw new CliError("the database does not let go of all that is the person's alone; nothing was changed", {
    hint: "link those rows to the person in the model, or change them or their foreign keys",
    details: obstacles,
  });
}

/** The same for one person in all that names them; nobody without the ledger can tell who it is. */
function pseudonymOf(salt: string, userId: string): string {
  return `erased-${ledgerEntry(userId, salt, new Date(0)).hash.slice(0, 16)}`;
}

/** One salt is for all ids of a person. */
function ofPerson(
  ledger: readonly ErasureEntry[],
  ids: readonly string[],
  kind: string | undefined,
): ErasureEntry[] {
  const isTheirs = (entry: ErasureEntry) => ids.some((id) => erasedUsers([entry])(id, kind));
  const salts = new Set(ledger.filter(isTheirs).map(({ salt }) => salt));
  return ledger.filter(({ salt }) => salts.has(salt));
}

async function copiesOf(site: ErasureSite): Promise<Copies> {
  const { aws, declaration, model, signal, store } = site;
  const now = site.now();
  const names = new Set(personalTables(model).map(({ role }) => role));
  const tables = declaration.tables.filter(({ role }) => names.has(role));
  const [recovery, backups] = await Promise.all([
    recoveryStatus({ aws, signal }, tables),
    store === undefined ? [] : listSnapshots({ store }, { now, signal }).then(({ snapshots }) => snapshots),
  ]);
  const mayBe = ({ state }: RecoveryStatus) => state === "on" || state === "may not be read";
  return {
    backups: backups.map(({ id }) => id),
    recovery: recovery.filter(mayBe).map(({ table, state, days = mostRecoveryDays }) => ({
      table,
      until: state === "on" ? new Date(now.getTime() + days * 86_400_000) : null,
    })),
  };
}

/** The longest that DynamoDB keeps for point-in-time recovery. */
const mostRecoveryDays = 35;
