import { groupsOfUser, listGroups } from "../aws/cognito/groups.ts";
import type { UserPool } from "../aws/cognito/user-pool.ts";
import { attributeOf, isOwnAddress, listPoolUsers, type PoolAccount } from "../aws/cognito/users-list.ts";
import { isAnswer, isDenied } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { attributeFault, changeMembership } from "./attributes.ts";
import { checkAddress, claimed, makeAccount, usernameFor } from "./create.ts";
import type { ImportRow } from "./import-rows.ts";
import { theUserPool, type AccountSite, type ChangingAccounts } from "./pool.ts";

/** A row and the account that has its address already. */
interface PlannedRow {
  readonly row: ImportRow;
  readonly existing: PoolAccount | undefined;
  readonly username: string;
  /** Why it cannot be imported as the pool stands. */
  readonly fault: string | undefined;
}

/** What came of a row. */
export interface RowOutcome {
  readonly row: ImportRow;
  readonly outcome: "made" | "there" | "failed";
  readonly userId?: string;
  /** Groups that the account was put into. */
  readonly joined: readonly string[];
  readonly error?: string | undefined;
  /** Asked to be invited and there already, but never signed in: no second invitation is sent unasked. */
  readonly isWaiting?: boolean;
}

/**
 * Checks all rows, by one pass through the pool. Changes nothing.
 * @throws CliError with every row that cannot be imported as it is.
 */
export async function planImport(site: AccountSite, rows: readonly ImportRow[]): Promise<PlannedRow[]> {
  const { aws, poolId } = site;
  const [pool, groups] = await Promise.all([theUserPool(site), listGroups(aws, poolId, site)]);
  const names = new Set(groups.map(({ name }) => name));
  const wanted = new Map<string, number>();
  const faults = rows.flatMap((row) => {
    const first = wanted.get(row.email.toLowerCase());
    const fault = first === undefined ? rowFault(row, pool, names) : `has the address of row ${first} again`;
    if (first === undefined) wanted.set(row.email.toLowerCase(), row.number);
    return fault === undefined ? [] : [`row ${row.number}: ${fault}`];
  });
  if (faults.length > 0) {
    const shown = faults.slice(0, mostTold);
    const more = faults.length > mostTold ? [`and ${faults.length - mostTold} more`] : [];
    throw new CliError(`${faults.length} of ${rows.length} rows cannot be imported; nothing was changed`, {
      details: [...shown, ...more],
    });
  }
  const existing = new Map<string, PoolAccount[]>();
  for await (const page of listPoolUsers(aws, poolId, site)) {
    for (const account of page) {
      const email = attributeOf(account, "email")?.toLowerCase() ?? account.username.toLowerCase();
      if (wanted.has(email)) existing.set(email, [...(existing.get(email) ?? []), account]);
    }
  }
  return rows.map((row) => {
    const found = existing.get(row.email.toLowerCase()) ?? [];
    const [account, other] = found.filter((each) => isOwnAddress(each, row.email));
    if (other !== undefined)
      throw new CliError(
        `row ${row.number}: several accounts have the address ${row.email}; nothing was changed`,
        {
          hint: "`mawps user duplicates` names them",
        },
      );
    const fault = account === undefined && found.length > 0 ? claimed : undefined;
    return { row, existing: account, username: usernameFor(pool, row.email), fault };
  });
}

/** Faults that are told one by one. */
const mostTold = 100;

function rowFault(
  { email, groups, attributes }: ImportRow,
  pool: UserPool,
  known: ReadonlySet<string>,
): string | undefined {
  try {
    checkAddress(email);
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  const group = groups.find((name) => !known.has(name));
  if (group !== undefined) return `the user pool has no group ${JSON.stringify(group)}`;
  return attributes.flatMap((attribute) => attributeFault(pool, attribute) ?? [])[0];
}

/**
 * Makes the accounts of a plan, one behind the other, and puts those of them and those that were there into their groups: what is so
 * already is left. A row that fails does not end it, but a right that is missing does, and a network that is gone: the rest is told as failed.
 */
export async function* carryOutImport(
  site: ChangingAccounts,
  plan: readonly PlannedRow[],
  { isInvited }: { readonly isInvited: boolean },
): AsyncGenerator<RowOutcome> {
  let stopped: string | undefined;
  for (const { row, existing, username, fault } of plan) {
    const why = fault ?? stopped;
    if (why !== undefined) {
      yield { row, outcome: "failed", joined: [], error: why };
      continue;
    }
    const joined: string[] = [];
    try {
      const invitation = isInvited ? ("sent" as const) : { password: undefined };
      const wanted = { email: row.email, attributes: row.attributes, invitation };
      const { account, undelivered } = await makeAccount(site, { wanted, existing, username });
      await join(site, account, { row, joined, isNew: existing === undefined });
      const isWaiting = isInvited && existing?.status === "FORCE_CHANGE_PASSWORD";
      const outcome = existing === undefined ? "made" : "there";
      const error = undelivered === undefined ? undefined : `made, not invited: ${undelivered}`;
      yield { row, outcome, userId: account.sub, joined, error, isWaiting };
    } catch (error) {
      site.signal.throwIfAborted();
      const failure =
        error instanceof Error
          ? `${error.name === "CliError" ? "" : `${error.name}: `}${error.message}`
          : String(error);
      if (!(error instanceof CliError) && (isDenied(error) || !isAnswer(error)))
        stopped = `not tried: ${failure}`;
      yield { row, outcome: "failed", joined, error: failure };
    }
  }
}

async function join(
  site: ChangingAccounts,
  account: PoolAccount,
  {
    row: { groups },
    joined,
    isNew,
  }: { readonly row: ImportRow; readonly joined: string[]; readonly isNew: boolean },
): Promise<void> {
  if (groups.length === 0) return;
  const { aws, poolId } = site;
  const own = isNew ? [] : await groupsOfUser(aws, poolId, { ...site, username: account.username });
  for (const group of groups.filter((name) => !own.includes(name))) {
    await changeMembership(site, { account, group, isMember: true });
    joined.push(group);
  }
}
