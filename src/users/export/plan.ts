import { groupsOfUser } from "../../aws/cognito/groups.ts";
import { accountKindAmong } from "../../model/person-rows.ts";
import { CliError } from "../../errors.ts";
import { ownerId } from "../../model/user-id.ts";
import { findPerson, nobody, type Person, type People } from "../person.ts";
import type { PersonRows } from "../../stores/person-tables.ts";
import { findHoldings, isNothing, type Holdings, type OwnedVersion } from "../traces.ts";

/** What an export of one person will hold. */
export interface ExportPlan extends Person {
  readonly groups: readonly string[];
  /** Of which of the model's people the account is that is an item or a row among these. */
  readonly accountKind: string | undefined;
  readonly holdings: Holdings;
  /** In databases. */
  readonly rows: readonly PersonRows[];
}

/**
 * Finds everything of a person that an export gives out. Changes nothing.
 * @throws CliError when nothing is stored of them, and when several could be meant.
 */
export async function planExport(site: People, given: string): Promise<ExportPlan> {
  const isOwner = given === ownerId && site.known !== undefined;
  return planFor(site, given, isOwner ? owner : await findPerson(site, given));
}

/**
 * The same of somebody who was found.
 * @throws CliError when nothing is stored of them.
 */
export async function planFor(site: People, given: string, person: Person): Promise<ExportPlan> {
  const { account, ids, subject } = person;
  const { known } = site;
  const [holdings, rows, groups] = await Promise.all([
    findHoldings(site, ids, { subject }),
    subject === undefined ? [] : (site.rows?.rowsOf(subject, ids) ?? []),
    account === undefined || known === undefined
      ? []
      : groupsOfUser(known.aws, known.poolId, { ...known, username: account.username }),
  ]);
  if (account === undefined && isNothing(holdings) && rows.length === 0) {
    if (person === owner)
      throw new CliError("nothing is stored of the owner of the site: no hero image, no digital twin");
    throw nobody(site, given);
  }
  const accountKind = accountKindAmong(site.model, [...holdings.items, ...rows], subject);
  return { ...person, groups, accountKind, holdings, rows };
}

/** Whose pictures and twin are under an id of their own, which no account may have. */
const owner: Person = {
  userId: ownerId,
  name: ownerId,
  ids: [ownerId],
  sharedAddresses: [],
  account: undefined,
};

/** Those that have bytes, each folder's newest before earlier ones. Pure. */
export function filesOf({ versions }: Pick<Holdings, "versions">): readonly OwnedVersion[] {
  const files = versions.filter(({ isDeleteMarker }) => !isDeleteMarker);
  return [...files.filter(({ isLatest }) => isLatest), ...files.filter(({ isLatest }) => !isLatest)];
}

export interface ExportNumbers {
  readonly account: boolean;
  /** By kind, as are files. */
  readonly items: Readonly<Record<string, number>>;
  readonly files: Readonly<Record<string, number>>;
  readonly earlierVersions: number;
  readonly bytes: number;
}

/** What an export will hold, in numbers. Pure. */
export function exportNumbers({
  holdings,
  rows,
  account,
  accountKind,
}: Pick<ExportPlan, "holdings" | "rows" | "account" | "accountKind">): ExportNumbers {
  const byKind = (all: readonly { readonly what: string }[]) => {
    const counts = new Map<string, number>();
    for (const { what } of all) counts.set(what, (counts.get(what) ?? 0) + 1);
    return Object.fromEntries(counts);
  };
  const files = filesOf(holdings);
  return {
    account: account !== undefined || accountKind !== undefined,
    items: {
      ...byKind(holdings.items),
      ...Object.fromEntries(rows.map((each) => [each.what, each.rows.length])),
    },
    files: byKind(files.filter(({ isLatest }) => isLatest)),
    earlierVersions: files.filter(({ isLatest }) => !isLatest).length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
