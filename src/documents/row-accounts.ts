import { CliError, exitCodes } from "../errors.ts";
import { uploaderEntity } from "../model/document-files.ts";
import { tableRole } from "../model/database.ts";
import { own } from "../model/json.ts";
import { afterKind, isStandIn, rowSubjects } from "../model/person-rows.ts";
import { ownersOf } from "../stores/row-owners.ts";
import type { Stored } from "../stores/store.ts";
import { type DocumentRows, attachmentIn, ownerSubject } from "./row-model.ts";

/** The ids of the accounts that are meant: by an address in whatever case, or the id itself where there is an account with it. */
export async function accountsFor(
  rows: DocumentRows,
  given: string,
): Promise<readonly string[] | "no accounts"> {
  const { model, store } = rows;
  const attached = attachmentIn(rows, given);
  if (attached !== undefined) return (await attachmentRow(rows, given)) === undefined ? [] : [given];
  if (rows.accounts !== undefined) {
    const whose = ownerSubject(rows);
    const accounts = await rows.accounts(given);
    return [...new Set(accounts.flatMap(({ subject, id }) => (subject === whose ? id : [])))];
  }
  const { accounts } = model.features ?? {};
  const { id, email } = accounts?.fields ?? {};
  const from = accounts === undefined ? undefined : own(model.entities, accounts.entity)?.from;
  if (
    accounts === undefined ||
    id === undefined ||
    from === undefined ||
    "bucket" in from ||
    "database" in from
  )
    return "no accounts";
  const isAddress = given.includes("@");
  const field = isAddress ? email : id;
  if (field === undefined) return [];
  const found = new Set<string>();
  const add = ({ fields }: Stored) => {
    const userId = own(fields, id);
    if (typeof userId === "string") found.add(userId);
  };
  const values = [...new Set(isAddress ? [given, given.toLowerCase()] : [given])];
  for await (const page of store.find(accounts.entity, { field, values })) page.forEach(add);
  if (!isAddress || found.size > 0) return [...found];
  // An index knows an address as it is stored alone.
  const wanted = given.toLowerCase();
  const isMeant = ({ entity, fields }: Stored) =>
    entity === accounts.entity && String(own(fields, field)).toLowerCase() === wanted;
  for await (const page of store.stream(tableRole(from) ?? "")) page.filter(isMeant).forEach(add);
  return [...found];
}

/** What documents are attached to, as the site keeps it; undefined for the id of an owner, and where there is none. */
export async function attachmentRow(rows: DocumentRows, text: string): Promise<Stored | undefined> {
  const attached = attachmentIn(rows, text);
  if (attached === undefined) return undefined;
  const { entity, entityField: field } = attached.attachment;
  for await (const [row] of rows.store.find(entity, { field, values: [attached.id] })) if (row) return row;
  return undefined;
}

/**
 * The id of whoever is named as uploader.
 * @throws CliError where that is nobody, or several.
 */
export async function uploaderOf(rows: DocumentRows, given: string): Promise<string> {
  const entity = uploaderEntity(rows.model);
  const whose = rowSubjects(rows.model).find((subject) => subject.entity === entity)?.subject;
  const find = async (name: string) => {
    const accounts = (await rows.accounts?.(name)) ?? [];
    return [...new Set(accounts.flatMap(({ subject, id }) => (subject === whose ? id : [])))];
  };
  const whole = await find(given);
  // `staff:max@example.com`, where nobody's id begins like that.
  const named = whole.length > 0 || whose === undefined ? undefined : afterKind(given, [whose]);
  const ids = named === undefined ? whole : await find(named.name);
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0 && !isStandIn(rows.model, only)) return only;
  throw new CliError(
    others.length > 0
      ? `${ids.length} accounts have the address ${given}`
      : `${given} may upload nothing: nobody of the ${whose ?? "site"} is called so`,
    { hint: "--by takes the id or the address of whoever uploads them" },
  );
}

/**
 * What documents are attached to besides, as fields of their entries.
 * @throws CliError where there is no such thing, or documents of this user cannot be attached to it.
 */
export async function attachedFields(
  rows: DocumentRows,
  userId: string,
  given: readonly string[],
): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const text of given) {
    const attached = attachmentIn(rows, text);
    const kinds = rows.attachments.map(({ kind }) => `${kind}:<id>`).join(", ");
    if (attached === undefined || attachmentIn(rows, userId) !== undefined)
      throw new CliError(`${text} is nothing that documents of ${userId} can be attached to besides`, {
        exitCode: exitCodes.usage,
        hint: `documents of a ${ownerSubject(rows) ?? "user"} can be attached to ${kinds}`,
      });
    const { field } = attached.attachment;
    if (Object.hasOwn(fields, field))
      throw new CliError(`a document is attached to one ${attached.attachment.kind}`, {
        exitCode: exitCodes.usage,
      });
    const row = await attachmentRow(rows, text);
    if (row === undefined) throw new CliError(`there is no ${text}`);
    const [owners = []] = await ownersOf(rows, [row]);
    if (owners.length > 0 && !owners.includes(userId))
      throw new CliError(`${text} is somebody else's than ${userId}; nothing was uploaded`);
    fields[field] = attached.id;
  }
  return fields;
}
