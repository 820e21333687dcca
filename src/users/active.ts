import type { AuditTrail } from "../audit/trail.ts";
import type { Item } from "../aws/dynamodb/items.ts";
import { NothingChanged } from "../errors.ts";
import { own } from "../model/json.ts";
import { accountItems } from "../model/links.ts";
import { accountColumns } from "../model/person-rows.ts";
import { peopleHints } from "../model/user-id.ts";
import { dynamodbStore } from "../stores/dynamodb.ts";
import type { Stored } from "../stores/store.ts";
import { accountIn } from "./account-items.ts";
import { rowAccount, type ListedAccount } from "./list.ts";
import { findPerson, type People } from "./person.ts";

/** An account that is an item of a table, as it was read. */
export interface TableAccount {
  readonly stored: Stored;
  readonly account: ListedAccount;
}

/**
 * The account of an id or an address, where accounts are items of a table.
 * @throws CliError when there is none, and when several could be meant.
 */
export async function accountInTable(site: People, given: string): Promise<TableAccount> {
  const { model } = site;
  const { userId } = await findPerson(site, given);
  const { entity = "" } = accountItems(model) ?? {};
  const { id: field = "id" } = accountColumns(model, { subject: "", entity, ids: [] });
  for await (const page of dynamodbStore(site).find(entity, { field, values: [userId] })) {
    for (const stored of page) {
      const row = accountIn(site, stored.raw as Item);
      if (row !== undefined) return { stored, account: rowAccount(model, row) };
    }
  }
  throw noAccount(given);
}

/**
 * Whether an account says so already: what says nothing is in use, and what is neither true nor false (1, "true") says what the website
 * makes of it, which is not known here.
 */
export function isSaid(
  { model }: Pick<People, "model">,
  { stored }: TableAccount,
  isActive: boolean,
): boolean {
  const { isActive: field } = accountColumns(model, { subject: "", entity: stored.entity, ids: [] });
  const said = field === undefined ? undefined : own(stored.fields, field);
  return said === undefined ? isActive : said === isActive;
}

/**
 * Writes into an account whether it is in use, and tells the audit trail; nothing else of it is touched. Sessions that the website gave
 * are its own: they end when it looks.
 * @throws CliError where the account is not as it was read.
 */
export async function setActive(
  site: People & { readonly trail: Pick<AuditTrail, "change"> },
  { stored, account }: TableAccount,
  isActive: boolean,
): Promise<ListedAccount> {
  const { model } = site;
  const { entity } = stored;
  const { isActive: field } = accountColumns(model, { subject: "", entity, ids: [] });
  if (field === undefined) throw new RangeError(`nothing says whether ${entity} are in use`);
  const { userId } = account;
  const unchanged = [...new Set([field, ...Object.keys(own(model.entities, entity)?.when ?? {})])];
  const action = isActive ? "user.enabled" : "user.disabled";
  return site.trail.change({ action, userId }, async () => {
    const changed = await dynamodbStore(site).changeIf(stored, { set: { [field]: isActive }, unchanged });
    if (changed === "gone") throw noAccount(userId);
    const row = changed === "changed" ? undefined : accountIn(site, changed.raw as Item);
    if (row !== undefined) return rowAccount(model, row);
    throw new NothingChanged(`the account ${userId} was changed meanwhile; nothing was done to it`, {
      hint: "run the command again: it begins with the account as it stands",
    });
  });
}

function noAccount(given: string): NothingChanged {
  return new NothingChanged(`no account is ${JSON.stringify(given)}`, {
    hint: peopleHints.model,
  });
}
