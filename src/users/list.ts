import {
  attributeOf,
  listGroupUsers,
  listPoolUsers,
  type AccountFilter,
  type PoolAccount,
} from "../aws/cognito/users-list.ts";
import { errorName } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import type { AccountSite } from "./pool.ts";

/** A value that an attribute has, or a text that is in it, in whatever case. */
export interface Where {
  readonly attribute: string;
  readonly equals?: string;
  readonly contains?: string;
}

export interface AccountQuery {
  readonly group?: string | undefined;
  /** `enabled`, `disabled`, or a state of Cognito as `CONFIRMED`. */
  readonly status?: string | undefined;
  readonly where: readonly Where[];
}

/** What Cognito searches by itself. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
const searchable = new Set([
  "username",
  "email",
  "phone_number",
  "name",
  "given_name",
  "family_name",
  "preferred_username",
  "sub",
]);

/**
 * The accounts that match, page by page as Cognito gives them: one call for 60, none for each of them. Cognito is asked for as
 * little as it can be asked for, and what it gives is compared again.
 */
export async function* listAccounts(site: AccountSite, query: AccountQuery): AsyncGenerator<PoolAccount> {
  const { aws, poolId } = site;
  const { group } = query;
  const pages =
    group === undefined
      ? listPoolUsers(aws, poolId, { ...site, filter: serverFilter(query) })
      : listGroupUsers(aws, poolId, { ...site, group });
  try {
    for await (const page of pages) for (const account of page) if (isMeant(account, query)) yield account;
  } catch (error) {
    if (group === undefined || errorName(error) !== "ResourceNotFoundException") throw error;
    throw new CliError(`the user pool ${poolId} has no group ${JSON.stringify(group)}`, {
      hint: "`mawps user group list` shows them",
      cause: error,
    });
  }
}

/** The one condition that goes along with the question: the first value, else the state. */
function serverFilter({ where, status }: AccountQuery): AccountFilter | undefined {
  for (const { attribute, equals } of where)
    if (equals !== undefined && equals !== "" && searchable.has(attribute))
      return { attribute, value: equals };
  if (status === undefined) return undefined;
  if (status === "enabled" || status === "disabled")
    return { attribute: "status", value: status === "enabled" ? "Enabled" : "Disabled" };
  return { attribute: "cognito:user_status", value: status };
}

/** Whether an account is among those asked for. Pure. */
function isMeant(account: PoolAccount, { status, where }: Omit<AccountQuery, "group">): boolean {
  if (status === "enabled" || status === "disabled") {
    if (account.enabled !== (status === "enabled")) return false;
  } else if (status !== undefined && account.status !== status) return false;
  return where.every(({ attribute, equals, contains = "" }) => {
    const value = valueOf(account, attribute);
    if (equals !== undefined) return (value ?? "") === equals;
    return value?.toLowerCase().includes(contains.toLowerCase()) === true;
  });
}

function valueOf(account: PoolAccount, attribute: string): string | undefined {
  if (attribute === "username" || attribute === "sub") return account[attribute];
  return attributeOf(account, attribute);
}
