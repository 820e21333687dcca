import type { CliError } from "../../errors.ts";
import { configuredSite } from "../../target.ts";
import type { AccountSite, ChangingAccounts } from "../../users/pool.ts";
import { attributeOf, type PoolAccount } from "../../aws/cognito/users-list.ts";
import type { ListedAccount } from "../../users/list.ts";
import { visible } from "../../output/text.ts";
import { localTime } from "../../output/dates.ts";
import { facts } from "../../output/table.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";

/** What `<user>` is, in every verb. */
export const userArgument = "sub, user name or e-mail address";

/** Opens the accounts of the target to read them. */
export async function accountSite(run: Run): Promise<AccountSite> {
  return openAccounts(run, "reads");
}

/** The same for a command that may come to change something: the audit trail is looked at meanwhile. */
export async function accountsToChange(run: Run): Promise<AccountSite> {
  run.audit.prepare();
  return openAccounts(run, "writes");
}

/** The site to change accounts, after all questions; ends the command here when the audit trail cannot be written. */
export async function changingAccounts(run: Run, site: AccountSite): Promise<ChangingAccounts> {
  await run.audit.open();
  return { ...site, trail: run.audit };
}

async function openAccounts(run: Run, access: Access): Promise<AccountSite> {
  const { openPool, poolIdOf } = await import("../../users/pool.ts");
  // Where none is configured nothing is opened.
  poolIdOf(configuredSite(run.config));
  return openPool(await run.context(access), access);
}

/** What is told where holds are shown by ids alone. */
export function namelessNote({ message }: CliError): string {
  return `nobody can be asked for names: ${visible(message)}`;
}

/** An account as JSON has it. */
export function accountJson(account: PoolAccount) {
  const { username, sub, status, enabled, createdAt, modifiedAt } = account;
  const attributes = Object.fromEntries(account.attributes.map(({ name, value }) => [name, value]));
  return { userId: sub, username, status, enabled, createdAt, modifiedAt, attributes };
}

/** The lines of an account after a change. */
export function accountText(
  account: PoolAccount | ListedAccount,
  what: string,
  more: readonly (readonly [string, string])[] = [],
): string {
  const isOfPool = "sub" in account;
  const email = isOfPool ? attributeOf(account, "email") : account.email;
  return [
    what,
    facts([
      ["user", visible(isOfPool ? account.sub : account.userId)],
      ["e-mail", email === undefined ? undefined : visible(email)],
      ["state", stateOf(account) || undefined],
      ...more,
    ]),
  ].join("\n");
}

/** Empty where nothing tells. */
export function stateOf({ status, enabled }: Pick<ListedAccount, "status" | "enabled">): string {
  if (status === null) return enabled === null ? "" : enabled ? "enabled" : "disabled";
  return enabled === false ? `disabled, ${status}` : status;
}

/** A listed account as JSON has it. */
export function listedJson({ email: _email, name: _name, ...account }: ListedAccount): object {
  return account;
}

/** Undefined where nothing tells since when there is an account. */
export function sinceOf(createdAt: string | null): string | undefined {
  return createdAt === null ? undefined : localTime(new Date(createdAt));
}
