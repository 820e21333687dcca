import { getItem, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { plainIfDamaged } from "../aws/dynamodb/plain.ts";
import { CliError, exitCodes } from "../errors.ts";
import { own, type JsonObject } from "../model/json.ts";
import { accountItems, type AccountItems } from "../model/links.ts";
import { accountColumns, accountSubjects, isStandIn, type AccountSubject } from "../model/person-rows.ts";
import type { AccountRow, Accounts } from "../stores/person-rows.ts";
import { givenOut, LeavingOut, rulesOf } from "./export/values.ts";
import { nameOfTable, type OwnedItem, type PeopleSite } from "./traces.ts";

/** Where accounts are items of a table, as it is. */
interface Place {
  readonly items: AccountItems;
  readonly table: string;
  readonly subject: AccountSubject;
  /** Fields that are read of each, beside what tells that it is one: what else is there may be secret, and is not read. */
  readonly fields: readonly string[];
}

/** @throws CliError where the model names no such table. */
function placeOf(site: Pick<PeopleSite, "model" | "declaration">): Place {
  const { model } = site;
  const items = accountItems(model);
  if (items === undefined) {
    throw new CliError(`the model of ${model.name} does not say where accounts are`, {
      exitCode: exitCodes.usage,
      hint: 'set userPoolId, or name them in the model: "features": {"accounts": …}',
    });
  }
  const { entity } = items;
  const subject = accountSubjects(model).find((each) => each.entity === entity);
  const named = subject ?? { subject: entity, entity, ids: [] };
  const { fields, refs, when } = own(model.entities, entity) ?? {};
  const shown = [...Object.keys({ ...fields, ...refs, ...when }), ...named.ids];
  const columns = Object.values(accountColumns(model, named));
  return {
    items,
    table: nameOfTable(site, items.table),
    subject: named,
    fields: [...new Set([...shown, ...columns])],
  };
}

/** Those that the table of the accounts has, in no order. @throws CliError where the model names none. */
export async function accountsInItems(
  site: PeopleSite,
): Promise<readonly { readonly id: string; readonly email: string | undefined }[]> {
  const { items, table } = placeOf(site);
  const primary = (await site.keysOf(table))?.primary ?? [];
  if (primary.length === 0) return [];
  const attributes = [...new Set([...primary, ...items.attributes])];
  const all: { readonly id: string; readonly email: string | undefined }[] = [];
  for await (const page of scanItems(site.aws, { table, attributes, signal: site.signal }))
    for (const { id, email } of page.flatMap((item) => items.accountIn(item) ?? [])) all.push({ id, email });
  return all;
}

/** All accounts of a table, a page of a scan at a time. @throws CliError where the model names no such table. */
export function accountsOfTable(site: PeopleSite): Accounts {
  const place = placeOf(site);
  const rowIn = rowReader(site, place);
  const { items, table, fields, subject } = place;
  const attributes = [...new Set([...items.attributes, ...fields])];
  const named = Object.fromEntries(fields.map((name) => [name, "any"]));
  return {
    fields: Object.keys(openOf(site, subject, named)),
    async *allAccounts() {
      for await (const page of scanItems(site.aws, { table, attributes, signal: site.signal }))
        for (const row of page.flatMap((item) => rowIn(item) ?? [])) yield row;
    },
  };
}

function rowReader(
  site: Pick<PeopleSite, "model" | "declaration">,
  { items, subject, fields }: Place,
): (item: Item) => AccountRow | undefined {
  return (item) => {
    const found = items.accountIn(item);
    if (found === undefined || isStandIn(site.model, found.id)) return undefined;
    const shown = Object.entries(plainIfDamaged(item)).filter(([name]) => fields.includes(name));
    const value: JsonObject = { ...found.fields, ...Object.fromEntries(shown) };
    return { subject, id: found.id, value: openOf(site, subject, value) };
  };
}

/** What of an account is not secret. */
function openOf(
  { model, declaration }: Pick<PeopleSite, "model" | "declaration">,
  { entity }: AccountSubject,
  value: JsonObject,
): JsonObject {
  // An admin may see who was at work.
  const rules = { ...rulesOf(model, declaration.secrets, []), actors: new Set<string>() };
  return givenOut({ entity, isKnown: true }, value, { rules, out: new LeavingOut() });
}

/** An item of the table as an account, without secrets; undefined for what is none. */
export function accountIn(site: PeopleSite, item: Item): AccountRow | undefined {
  return rowReader(site, placeOf(site))(item);
}

/** Somebody's account as it stands, among items that are theirs; undefined where none of these is it. */
export async function accountAmong(
  site: PeopleSite,
  { userId, items: all }: { readonly userId: string; readonly items: readonly OwnedItem[] },
): Promise<AccountRow | undefined> {
  const place = placeOf(site);
  const { items, table, fields } = place;
  const rowIn = rowReader(site, place);
  const attributes = [...new Set([...items.attributes, ...fields])];
  for (const { entity, table: where, key } of all) {
    if (entity !== items.entity || where !== table) continue;
    const item = await getItem(site.aws, { table, key, attributes, signal: site.signal });
    const row = item === undefined ? undefined : rowIn(item);
    if (row?.id === userId) return row;
  }
  return undefined;
}
