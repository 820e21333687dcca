import {
  attributeOf,
  listGroupUsers,
  listPoolUsers,
  type AccountFilter,
  type PoolAccount,
} from "../aws/cognito/users-list.ts";
import { errorName } from "../aws/setting.ts";
import { CliError, exitCodes } from "../errors.ts";
import { own, timeOf, type JsonObject } from "../model/json.ts";
import { accountColumns, accountSubjects } from "../model/person-rows.ts";
import type { Model } from "../model/schema.ts";
import type { AccountRow, Accounts } from "../stores/person-rows.ts";
import { theUserPool, type AccountSite } from "./pool.ts";
import type { UserPool } from "../aws/cognito/user-pool.ts";

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
 * @throws CliError (usage), before anybody is listed, for an attribute that the pool does not have.
 */
export async function listAccounts(
  site: AccountSite,
  query: AccountQuery,
): Promise<AsyncGenerator<ListedAccount>> {
  const unusual = query.where.filter(({ attribute }) => !searchable.has(attribute));
  if (unusual.length > 0) {
    const pool = await theUserPool(site);
    for (const { attribute: name } of unusual) assertAttribute(pool, name);
  }
  return matchingInPool(site, query);
}

/** @throws CliError (usage) where no account can have such an attribute. */
function assertAttribute({ attributes, tellsAttributes }: UserPool, name: string): void {
  if (attributes.some((each) => each.name === name) || !tellsAttributes) return;
  throw new CliError(`the user pool has no attribute ${JSON.stringify(name)}`, {
    exitCode: exitCodes.usage,
    hint: `--where takes ${attributes.map((each) => each.name).join(", ")}`,
  });
}

async function* matchingInPool(site: AccountSite, query: AccountQuery): AsyncGenerator<ListedAccount> {
  const { aws, poolId } = site;
  const { group } = query;
  const pages =
    group === undefined
      ? listPoolUsers(aws, poolId, { ...site, filter: serverFilter(query) })
      : listGroupUsers(aws, poolId, { ...site, group });
  try {
    for await (const page of pages) {
      for (const each of page) {
        const account = listedAccount(each);
        if (isMeant(account, query, poolValueOf)) yield account;
      }
    }
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

/** An account as it is listed, whether it is of a user pool, a row of a database or an item of a table. */
export interface ListedAccount {
  readonly userId: string;
  /** In a user pool. */
  readonly username?: string;
  /** Of which of the model's people, where accounts are an entity of it. */
  readonly kind?: string;
  readonly email: string | undefined;
  readonly name: string | undefined;
  /** As Cognito calls it; null where nothing tells. */
  readonly status: string | null;
  /** Null where accounts have no such field. */
  readonly enabled: boolean | null;
  /** ISO 8601. */
  readonly createdAt: string | null;
  readonly modifiedAt: string | null;
  readonly attributes: JsonObject;
}

/** An account of a user pool. Pure. */
function listedAccount(account: PoolAccount): ListedAccount {
  const { username, sub, status, enabled, createdAt, modifiedAt } = account;
  return {
    userId: sub,
    username,
    email: attributeOf(account, "email"),
    name: attributeOf(account, "name"),
    status,
    enabled,
    createdAt: createdAt.toISOString(),
    modifiedAt: modifiedAt.toISOString(),
    attributes: Object.fromEntries(account.attributes.map(({ name, value }) => [name, value])),
  };
}

/** An account that is a row of a database or an item of a table, by the fields that the model names. What an item does not say is not against it. Pure. */
export function rowAccount(model: Model, { subject, id, value }: AccountRow): ListedAccount {
  const columns = accountColumns(model, subject);
  const at = (column: string | undefined) => (column === undefined ? undefined : own(value, column));
  const text = (column: string | undefined) => textOf(at(column));
  const { emailVerified, isActive, createdAt } = columns;
  const created = text(createdAt);
  return {
    userId: id,
    kind: subject.subject,
    email: text(columns.email),
    name: text(columns.name),
    status: emailVerified === undefined ? null : at(emailVerified) === true ? "CONFIRMED" : "UNCONFIRMED",
    enabled: isActive === undefined ? null : at(isActive) === undefined || at(isActive) === true,
    createdAt: timeOf(created) === undefined ? null : (created ?? null),
    modifiedAt: null,
    attributes: value,
  };
}

/**
 * The accounts that are an entity of the model and match.
 * @throws CliError (usage), before anybody is listed, for a group, a state or a field that no account of the model has.
 */
export function listRowAccounts(
  model: Model,
  accounts: Accounts,
  { group, ...query }: AccountQuery,
): AsyncGenerator<ListedAccount> {
  if (group !== undefined) {
    const { role } = accountSubjects(model).map((subject) => accountColumns(model, subject))[0] ?? {};
    throw new CliError("accounts in a table or a database are in no groups", {
      exitCode: exitCodes.usage,
      hint: role === undefined ? undefined : `--where ${role}=${group} asks for those with this role`,
    });
  }
  assertAskable(model, accounts, query);
  return matching();

  async function* matching() {
    for await (const row of accounts.allAccounts()) {
      const account = rowAccount(model, row);
      if (isMeant(account, query, valueOf)) yield account;
    }
  }

  /** A field of the site's own before what is shown under the same name. */
  function valueOf(account: ListedAccount, name: string): string | undefined {
    const isField = accounts.fields.includes(name);
    const shown = shownFields.find((each) => each === name);
    return textOf(isField || shown === undefined ? own(account.attributes, name) : account[shown]);
  }
}

/** What is shown of an account by names of ours. */
const shownFields = ["kind", "userId", "email", "name", "createdAt"] as const;

/** @throws CliError (usage) for a state or a field that no account can have: that nobody has it would be no answer. */
function assertAskable(
  model: Model,
  { fields }: Pick<Accounts, "fields">,
  { status, where }: Omit<AccountQuery, "group">,
): void {
  const { usage: exitCode } = exitCodes;
  const columns = accountSubjects(model).map((subject) => accountColumns(model, subject));
  const has = (field: keyof (typeof columns)[number]) => columns.some((each) => each[field] !== undefined);
  const states = [
    ...(has("isActive") ? ["enabled", "disabled"] : []),
    ...(has("emailVerified") ? ["CONFIRMED", "UNCONFIRMED"] : []),
  ];
  if (status !== undefined && !states.includes(status))
    throw new CliError(`--status ${JSON.stringify(status)}: no account of ${model.name} has such a state`, {
      exitCode,
      hint: states.length === 0 ? "accounts have no state there" : `--status takes ${states.join(", ")}`,
    });
  const shown = shownFields.filter((name) => name === "kind" || name === "userId" || has(name));
  const known = new Set<string>([...fields, ...shown]);
  const unknown = where.find(({ attribute }) => !known.has(attribute));
  if (unknown !== undefined)
    throw new CliError(`accounts of ${model.name} have no field ${JSON.stringify(unknown.attribute)}`, {
      exitCode,
      hint: `--where takes ${[...known].toSorted().join(", ")}`,
    });
}

/** Whether an account is among those asked for. Pure. */
function isMeant(
  account: ListedAccount,
  { status, where }: Omit<AccountQuery, "group">,
  valueOf: (account: ListedAccount, attribute: string) => string | undefined,
): boolean {
  if (status === "enabled" || status === "disabled") {
    if (account.enabled !== (status === "enabled")) return false;
  } else if (status !== undefined && account.status !== status) return false;
  return where.every(({ attribute, equals, contains = "" }) => {
    const value = valueOf(account, attribute);
    if (equals !== undefined) return (value ?? "") === equals;
    return value?.toLowerCase().includes(contains.toLowerCase()) === true;
  });
}

function poolValueOf({ username, userId, attributes }: ListedAccount, attribute: string): string | undefined {
  if (attribute === "username") return username;
  if (attribute === "sub") return userId;
  return textOf(own(attributes, attribute));
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
