import { holdsOfAny, readHolds, type Hold } from "../audit/holds.ts";
import { trailOf } from "../audit/place.ts";
import type { Context } from "../context.ts";
import { groupsOfUser } from "../aws/cognito/groups.ts";
import { lastSignIn, readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { own, timeOf } from "../model/json.ts";
import { accountColumns, rowSubjects } from "../model/person-rows.ts";
import { peopleHints } from "../model/user-id.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { readDocuments } from "../documents/entries.ts";
import type { UserDocuments } from "../documents/entry.ts";
import type { DocumentSite } from "../documents/site.ts";
import { findAccount, findDocuments } from "../documents/users.ts";
import { CliError } from "../errors.ts";
import { readProgress } from "../site/progress/read.ts";
import { computeOverall } from "../site/progress/overall.ts";
import { progressAttributes } from "../model/mawps.ts";
import type { AccountRow } from "../stores/person-rows.ts";
import { accountAmong } from "./account-items.ts";
import { exportNumbers, planExport, planFor, type ExportNumbers, type ExportPlan } from "./export/plan.ts";
import { rowAccount, type ListedAccount } from "./list.ts";
import { knownPerson, subjectMeant, type People } from "./person.ts";
import { refuseReserved, type AccountSite } from "./pool.ts";

/** A person as the pool and the tables know them. */
export interface Shown {
  readonly userId: string;
  /** Undefined for somebody who has data and no account. */
  readonly details: AccountDetails | undefined;
  /** The legal holds of them. */
  readonly holds: readonly Hold[];
  readonly holdings: Holdings;
  /** How many pages are completed, of how many, and to what extent. */
  readonly progress: { readonly completed: number; readonly pages: number; readonly percent: number };
  readonly activity: Activity | undefined;
}

/**
 * Who somebody is, in the pool and in the tables, by a user name, a sub or an address.
 * @throws CliError when nobody is found in either, and when several could be meant.
 */
export async function showUser(
  site: AccountSite & Pick<Context, "declaration">,
  documents: DocumentSite,
  given: string,
): Promise<Shown> {
  refuseReserved(given);
  const held = readHolds(trailOf(site));
  held.catch(() => undefined);
  const found = await findAccount(site, site.poolId, given);
  const [details, user] = await Promise.all([
    found === undefined ? undefined : accountDetails(site, found.username),
    found === undefined ? findDocuments(documents, given, "take") : readDocuments(documents, found.sub),
  ]);
  if (details === undefined && !user.isKnown) {
    throw new CliError(`unknown user ${JSON.stringify(given)}: there is no account and no profile`, {
      hint: peopleHints.pool,
    });
  }
  const stored = plain(user.profile ?? {});
  const read = readProgress(stored[progressAttributes.data], stored[progressAttributes.updatedAt]);
  const overall = computeOverall(read);
  const stats = overall.stored ?? overall[overall.formula];
  const { userId } = user;
  const all = await held;
  const known = { ...site, documents };
  const { ids } = all.length === 0 ? { ids: [] } : await knownPerson(known, userId, details?.account);
  return {
    userId,
    details,
    holds: holdsOfAny(all, ids),
    holdings: holdingsOf(user),
    progress: {
      completed: stats.completedPages,
      pages: stats.totalPages,
      percent: stats.completionPercentage,
    },
    activity: lastActivity({ details, user, progressAt: read.lastActivity }),
  };
}

/** When somebody was last seen, and what tells it. */
export interface Activity {
  readonly at: Date;
  readonly source: "sign-in" | "progress" | "upload" | "profile" | "account";
}

/** An account, with what only a call about this one account tells. */
export interface AccountDetails {
  readonly account: PoolAccount;
  readonly groups: readonly string[];
  readonly signedInAt: Date | "not known" | undefined;
}

async function accountDetails(site: AccountSite, username: string): Promise<AccountDetails | undefined> {
  const { aws, poolId } = site;
  const at = { ...site, username };
  const [account, groups, signedInAt] = await Promise.all([
    readPoolAccount(aws, poolId, at),
    groupsOfUser(aws, poolId, at),
    lastSignIn(aws, poolId, at),
  ]);
  return account === undefined ? undefined : { account, groups, signedInAt };
}

/** What a user has stored, in numbers. */
export interface Holdings {
  readonly hasProfile: boolean;
  readonly name: string | undefined;
  readonly documents: number;
  readonly deletedDocuments: number;
  readonly bytes: number;
}

/** Pure. */
function holdingsOf({ profile, entries }: UserDocuments): Holdings {
  const live = entries.filter(({ document }) => document.status !== "DELETED");
  return {
    hasProfile: profile !== undefined,
    name: nameOf(profile),
    documents: live.length,
    deletedDocuments: entries.length - live.length,
    bytes: live.reduce((sum, { document }) => sum + (document.size ?? 0), 0),
  };
}

function nameOf(profile: UserDocuments["profile"]): string | undefined {
  const text = (attribute: string) => profile?.[attribute]?.S ?? "";
  const parts = text("name") === "" ? [text("firstName"), text("lastName")] : [text("name")];
  const name = parts.filter((part) => part !== "").join(" ");
  return name === "" ? undefined : name;
}

interface Traces {
  readonly details: AccountDetails | undefined;
  readonly user: UserDocuments | undefined;
  /** Of the progress, in milliseconds. */
  readonly progressAt: number | undefined;
}

/** The newest trace of a person; a change of the account counts only where nothing else tells anything. Pure. */
function lastActivity({ details, user, progressAt }: Traces): Activity | undefined {
  const { signedInAt } = details ?? {};
  const traces: (readonly [Activity["source"], number | undefined])[] = [
    ["sign-in", signedInAt instanceof Date ? signedInAt.getTime() : undefined],
    ["progress", progressAt],
    ["profile", timeOf(user?.profile?.["updatedAt"]?.S)],
    ...(user?.entries ?? []).map(({ document }) => ["upload", timeOf(document.uploadedAt)] as const),
  ];
  let newest: Activity | undefined;
  for (const [source, ms] of traces)
    if (ms !== undefined && ms > (newest?.at.getTime() ?? 0)) newest = { at: new Date(ms), source };
  if (newest !== undefined || details === undefined) return newest;
  return { at: details.account.modifiedAt, source: "account" };
}

/** A person whose account is a row of a database or an item of a table. */
export interface ShownRows {
  readonly userId: string;
  /** Of whom there are no accounts: `organization`. */
  readonly kind: string | undefined;
  /** Undefined for somebody who has data and no account. */
  readonly account: ListedAccount | undefined;
  /** The legal holds of them. */
  readonly holds: readonly Hold[];
  /** What is stored of them, by kind. */
  readonly numbers: ExportNumbers;
  readonly activity: Activity | undefined;
  /** Whether accounts say when their person was last there. */
  readonly isActivityTold: boolean;
}

/**
 * The same of somebody whose account is a row of a database or an item of a table, by an id or an address.
 * @throws CliError when nobody is found, and when several could be meant.
 */
export async function showRowUser(site: People, given: string): Promise<ShownRows> {
  const held = readHolds(trailOf(site));
  held.catch(() => undefined);
  const subject = subjectMeant(site.model, given);
  const plan = subject === undefined ? await planExport(site, given) : await planFor(site, given, subject);
  const { userId, ids } = plan;
  const row = await accountOf(site, plan);
  const { lastSignInAt } = row === undefined ? {} : accountColumns(site.model, row.subject);
  const seenMs =
    row === undefined || lastSignInAt === undefined ? undefined : timeOf(own(row.value, lastSignInAt));
  return {
    userId,
    kind: subject?.subject,
    account: row === undefined ? undefined : rowAccount(site.model, row),
    holds: holdsOfAny(await held, ids),
    numbers: exportNumbers(plan),
    activity: seenMs === undefined ? undefined : { at: new Date(seenMs), source: "sign-in" },
    isActivityTold: lastSignInAt !== undefined,
  };
}

async function accountOf(
  site: People,
  { userId, subject: kind, rows, holdings }: ExportPlan,
): Promise<AccountRow | undefined> {
  if (site.rows === undefined) return accountAmong(site, { userId, items: holdings.items });
  const subject = rowSubjects(site.model).find((each) => each.subject === kind);
  const found = rows.find(({ entity }) => entity === subject?.entity);
  if (subject === undefined || found === undefined) return undefined;
  for await (const [{ value } = { value: undefined }] of site.rows.valuesOf(found))
    if (value !== undefined) return { subject, id: userId, value };
  return undefined;
}
