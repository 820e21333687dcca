import { createHash } from "node:crypto";
import type { ChangeOutcome, EntryChange, NewEntry, StoredEntry, UserDocuments } from "./entry.ts";
import { inParallel } from "../concurrency.ts";
import { typed, plain } from "../aws/dynamodb/plain.ts";
import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { CliError, exitCodes } from "../errors.ts";
import { tableRole } from "../model/database.ts";
import {
  attachmentsOf,
  newFileKey,
  uploaderEntity,
  type Attachment,
  type FileFacts,
} from "../model/document-files.ts";
import { legalHold, parseDocument } from "../model/documents.ts";
import { referencesOf } from "../model/graph.ts";
import { own, timeOf, type JsonObject } from "../model/json.ts";
import { momentOf } from "../model/moments.ts";
import { isStandIn, rowSubjects } from "../model/person-rows.ts";
import { objectsOf, objectTemplates, ownerField } from "../model/objects.ts";
import type { DocumentsFeature, Entity, Model } from "../model/schema.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import { uuid } from "../model/uuid.ts";
import { literalStart, type Classifier } from "../model/template.ts";
import { ownersOf } from "../stores/row-owners.ts";
import { documentStore, type DocumentPlace, type DocumentStore } from "../stores/document-store.ts";
import type { Refused, Stored } from "../stores/store.ts";

/** What a model says of the rows of documents. */
interface RowModel {
  readonly model: Model;
  readonly documents: DocumentsFeature;
}

/** Documents of a site that keeps a row for each, in the words of its model. */
export interface DocumentRows extends RowModel, DocumentStore {
  /** What documents may be attached to instead of somebody. */
  readonly attachments: readonly Attachment[];
  /** Where the files are. */
  readonly bucket: string;
  readonly kinds: Classifier<string>;
  /** A second file of the same name takes the place of the first. */
  readonly replaces: boolean;
}

/** @throws CliError where the model has no documents; whether it has is asked before. */
export function documentRows(place: DocumentPlace): DocumentRows {
  const { model, declaration } = place;
  const documents = model.features?.documents;
  const files = documents === undefined ? undefined : own(model.entities, documents.files);
  if (documents === undefined || files === undefined || !("bucket" in files.from))
    throw new CliError(`the model of ${model.name} has no documents`);
  const { bucket: role } = files.from;
  return {
    model,
    documents,
    ...documentStore(place),
    attachments: attachmentsOf(model),
    bucket: declaration.buckets.find((each) => each.role === role)?.name ?? role,
    kinds: objectsOf(model, role),
    replaces: files.sameName === "replaces",
  };
}

/** How mawps calls the fields of a document, where it is not as in the model. */
const ownNames: Readonly<Record<string, string>> = { key: "s3Key", sizeBytes: "size" };

/** Each field of the model that a document has, by the name that mawps has for it. */
function namesOf({ documents }: RowModel): [name: string, field: string][] {
  const attached = Object.values(documents.attachedTo ?? {}).map(({ field }): [string, string] => [
    field,
    field,
  ]);
  const known = Object.entries(documents.fields).flatMap(([name, field]): [string, string][] =>
    name === "owner" || field === undefined ? [] : [[own(ownNames, name) ?? name, field]],
  );
  return [...known, ...attached];
}

function entityOf({ model, documents }: RowModel): Entity {
  const entity = own(model.entities, documents.entity);
  if (entity === undefined) throw new Error(`the model has no entity ${documents.entity}`);
  return entity;
}

/** A row as an entry, with the names and the words that mawps has. */
function entryOf(rows: DocumentRows, row: Stored): StoredEntry {
  const { documents, bucket } = rows;
  const entity = entityOf(rows);
  const names = namesOf(rows);
  const known = new Set([
    ...names.map(([, field]) => field),
    ...Object.keys(row.key),
    documents.fields.owner,
  ]);
  const raw: Record<string, AttributeValue> = {};
  // Columns are texts: what they hold is known by the field.
  const read = "database" in entity.from ? readable(row.fields) : row.raw;
  for (const [attribute, value] of Object.entries(read ?? {})) {
    const declared = own(entity.fields ?? {}, attribute);
    const isSecret = typeof declared === "object" && declared.secret === true;
    const isOfKey = typeof entity.key === "object" && !Array.isArray(entity.key) && attribute in entity.key;
    if (!known.has(attribute) && !isSecret && !isOfKey) raw[attribute] = value as AttributeValue;
  }
  // Of one in a list also that of the item around it.
  const hold = legalHold(row.fields);
  if (hold !== undefined) raw["legalHold"] = { S: hold };
  for (const [name, field] of names) {
    const value = own(read ?? {}, field) ?? (field in row.fields ? typed(row.fields[field]) : undefined);
    if (value !== undefined) raw[name] = canonical(rows, { name, field }, value as AttributeValue);
  }
  const attributes = plain(raw);
  const entry = {
    userId: ownerOf(rows, row.fields),
    place: "row" as const,
    index: 0,
    bucket,
    raw,
    row,
    document: { ...parseDocument(attributes), attributes },
  };
  return { ...entry, isOwn: isOwn(rows, entry) };
}

/** Columns as attributes. What can be none (JSON that is too deep, names that mean something to JavaScript) stands as a word. */
function readable(fields: JsonObject): Item {
  const attribute = (value: unknown): AttributeValue => {
    try {
      return typed(value);
    } catch {
      return { S: "(cannot be shown)" };
    }
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, attribute(value)]));
}

/** Whose a row is: an owner's id, else as `subjectText` calls what it is attached to; empty where it is nobody's. */
function ownerOf({ documents, attachments }: DocumentRows, fields: JsonObject): string {
  const userId = own(fields, documents.fields.owner ?? "");
  if (typeof userId === "string" && userId !== "") return userId;
  const found = attachments.flatMap((each) => {
    const id = own(fields, each.field);
    return typeof id === "string" && id !== "" ? [subjectText(each, id)] : [];
  });
  return found[0] ?? "";
}

/** How what documents are attached to is called where else a user's id stands: `opportunity:4f9c…`. */
function subjectText({ kind }: Attachment, id: string): string {
  return `${kind}:${id}`;
}

/** What such a text calls; undefined for the id of an owner. Pure. */
export function attachmentIn(
  { attachments }: Pick<DocumentRows, "attachments">,
  userId: string,
): { readonly attachment: Attachment; readonly id: string } | undefined {
  const attachment = attachments.find(({ kind }) => userId.startsWith(`${kind}:`));
  return attachment && { attachment, id: userId.slice(attachment.kind.length + 1) };
}

/** The kinds of files that mawps puts there. */
function ownKinds({ documents, attachments }: DocumentRows): string[] {
  return [documents.files, ...attachments.map(({ files }) => files)];
}

/** A word of the site's for a status as mawps has it; a time in numbers as text. */
function canonical(
  rows: DocumentRows,
  { name, field }: { readonly name: string; readonly field: string },
  value: AttributeValue,
): AttributeValue {
  if (name === "status") {
    const [status] = Object.entries(rows.documents.statuses ?? {}).find(([, word]) => word === value.S) ?? [];
    return status === undefined ? value : { S: status };
  }
  const type = fieldTypeOf(entityOf(rows), field);
  if (type !== "epochSeconds" && type !== "epochMs") return value;
  const ms = momentOf(entityOf(rows), field, value.N);
  return ms === undefined ? value : { S: new Date(ms).toISOString() };
}

/** Whether the file lies where such files of its owner do: an entry must not open somebody else's. */
function isOwn(
  rows: DocumentRows,
  { userId, document, row }: Pick<StoredEntry, "userId" | "document" | "row">,
): boolean {
  const { documents, model, kinds } = rows;
  const found = kinds.find(document.s3Key);
  if (found === undefined) return false;
  const attached = attachmentOfFile(rows, found);
  if (attached !== undefined) return own(row?.fields ?? {}, attached.attachment.field) === attached.id;
  const targets = referencesOf(documents.entity, entityOf(rows)).map(({ to }) => to);
  if (![documents.files, ...targets].includes(found.value)) return false;
  const entity = own(model.entities, found.value);
  const field = entity === undefined ? undefined : ownerField(entity);
  return field === undefined ? found.value === documents.files : own(found.fields, field) === userId;
}

/** What a file is attached to, by what its key says. */
function attachmentOfFile(
  { attachments }: DocumentRows,
  { value, fields }: { readonly value: string; readonly fields: JsonObject },
): { readonly attachment: Attachment; readonly id: string } | undefined {
  const attachment = attachments.find(({ files }) => files === value);
  const id = attachment && own(fields, attachment.keyField);
  return attachment === undefined || typeof id !== "string" ? undefined : { attachment, id };
}

/**
 * Whether what an entry names is certainly not its owner's file: of no kind that it may name, or of somebody else of the same subject. A
 * team's file may be named by whoever put it there.
 */
export function isForeignFile(rows: DocumentRows, { userId, document, row }: StoredEntry): boolean {
  const { documents, model, kinds } = rows;
  if (document.s3Key === "") return false;
  const found = kinds.find(document.s3Key);
  const targets = referencesOf(documents.entity, entityOf(rows)).map(({ to }) => to);
  if (found === undefined || ![documents.files, ...targets].includes(found.value)) return true;
  const attached = attachmentOfFile(rows, found);
  if (attached !== undefined) return own(row?.fields ?? {}, attached.attachment.field) !== attached.id;
  const subject = ownerSubject(rows);
  const { links = [] } = own(model.entities, found.value) ?? {};
  return links.some(
    ({ subject: whose, role, by }) =>
      role === "subject" && whose === subject && typeof by === "string" && own(found.fields, by) !== userId,
  );
}

/** Whose a file of the kind that documents have is, by its key; undefined where that does not tell. */
export function ownerOfFile(rows: DocumentRows, key: string): string | undefined {
  const { documents, model, kinds } = rows;
  const found = kinds.find(key);
  const attached = found && attachmentOfFile(rows, found);
  if (attached !== undefined) return subjectText(attached.attachment, attached.id);
  const entity = own(model.entities, documents.files);
  const field = entity === undefined ? undefined : ownerField(entity);
  if (found?.value !== documents.files || field === undefined) return undefined;
  return own(found.fields, field);
}

/** What the keys of the files of a user begin with, or those of everybody's. */
export function filePrefixes(rows: DocumentRows, userId?: string): string[] {
  const { documents, model, attachments } = rows;
  const attached = userId === undefined ? undefined : attachmentIn(rows, userId);
  const owned = own(model.entities, documents.files);
  const ofOwner = { files: documents.files, field: owned && ownerField(owned), id: userId };
  const ofOthers = attachments.map((each) => ({
    files: each.files,
    field: each.keyField,
    id: attached?.attachment === each ? attached.id : undefined,
  }));
  const all = userId === undefined ? [ofOwner, ...ofOthers] : [ofOwner];
  const meant = attached === undefined ? all : ofOthers.filter(({ id }) => id !== undefined);
  const starts = meant.flatMap(({ files, field, id }) => {
    const entity = own(model.entities, files);
    if (entity === undefined || field === undefined || !("bucket" in entity.from)) return [];
    return objectTemplates(entity, entity.from.bucket).map((template) =>
      literalStart(
        id === undefined ? template : { ...template, text: template.text.replace(`{${field}}`, id) },
      ),
    );
  });
  return [...new Set(starts)];
}

/** Whether the file is of the kind that mawps puts there, and its entry may name it. */
export function isOwnDocument(rows: DocumentRows, { isOwn, document }: StoredEntry): boolean {
  return isOwn === true && ownKinds(rows).includes(rows.kinds.valueOf(document.s3Key) ?? "");
}

/** Whether nothing comes to the file of an entry any more: its link is past its end, or what came was infected and removed. */
export function isOver({ document }: StoredEntry, now: Date): boolean {
  const until = timeOf(document.attributes["uploadUntil"]);
  const isPast = document.status === "UPLOADING" && until !== undefined && until <= now.getTime();
  return isPast || document.status === "INFECTED";
}

/** The documents of a user, or of what is called instead of one: also those that are a user's as well. */
export async function rowsOfUser(rows: DocumentRows, userId: string): Promise<StoredEntry[]> {
  const { store, documents } = rows;
  const attached = attachmentIn(rows, userId);
  const field = attached?.attachment.field ?? documents.fields.owner ?? "";
  const entries: StoredEntry[] = [];
  for await (const page of store.find(documents.entity, { field, values: [attached?.id ?? userId] }))
    entries.push(...page.map((row) => entryOf(rows, row)));
  return entries;
}

/**
 * An entry, where it is a row as that stands now: what an index says of it may be a moment old, and a link or a download cannot be
 * taken back.
 * @throws CliError where the row is gone, or somebody else's.
 */
export async function entryNow(
  { rows }: { readonly rows?: DocumentRows | undefined },
  known: StoredEntry,
): Promise<StoredEntry> {
  if (rows === undefined) return known;
  const { userId, document } = known;
  const entry = await standing(rows, known);
  if (entry?.userId === userId) return entry;
  throw new CliError(`${document.id} (${document.name}): its entry is gone by now`);
}

/** What stands in the place of an entry: in a list what has its id, since whatever changes it makes it another part of its item. */
async function standing(
  rows: DocumentRows,
  { row, userId, document }: StoredEntry,
): Promise<StoredEntry | undefined> {
  const { from, at } = entityOf(rows);
  const table = tableRole(from);
  if (row === undefined || table === undefined) return undefined;
  if (at !== undefined)
    return (await rowsOfUser(rows, userId)).find((each) => each.document.id === document.id);
  const now = await rows.store.get(table, row.key);
  return now?.entity === rows.documents.entity ? entryOf(rows, now) : undefined;
}

/** The documents of everybody as the table gives them. */
export async function* rowsOfAll(rows: DocumentRows): AsyncGenerator<StoredEntry> {
  const table = tableRole(entityOf(rows).from);
  if (table === undefined) return;
  for await (const page of pagesWhereThere(rows.store.stream(table))) {
    for (const row of page) if (row.entity === rows.documents.entity) yield entryOf(rows, row);
  }
}

/**
 * What the model has fields for, in the site's words; the rest of an entry is left out.
 * @throws RangeError naming what is to be a time in numbers and is none.
 */
export function fieldsFor(rows: RowModel, values: JsonObject): Record<string, unknown> {
  const entity = entityOf(rows);
  return Object.fromEntries(
    namesOf(rows).flatMap(([name, field]): [string, unknown][] => {
      const value = own(values, name);
      if (value === undefined) return [];
      if (name === "status" && typeof value === "string")
        return [[field, own(rows.documents.statuses ?? {}, value) ?? value]];
      const type = fieldTypeOf(entity, field);
      if (type !== "epochSeconds" && type !== "epochMs") return [[field, value]];
      const ms = timeOf(value);
      if (ms === undefined) throw new RangeError(`${name} is ${JSON.stringify(value)}, which is no time`);
      return [[field, type === "epochMs" ? ms : Math.floor(ms / 1000)]];
    }),
  );
}

function fieldNames(rows: DocumentRows, names: readonly string[]): string[] {
  const fields = new Map(namesOf(rows));
  return names.flatMap((name) => (name === "legalHold" ? name : (fields.get(name) ?? [])));
}

/** @throws CliError when there is a row with the same key. */
export async function addRows(
  rows: DocumentRows,
  userId: string,
  added: readonly NewEntry[],
): Promise<StoredEntry[]> {
  const { entries, present } = await addRowsUnlessPresent(rows, userId, added);
  const [id] = present.keys();
  if (id !== undefined) throw taken(id);
  return entries;
}

function taken(id: string): CliError {
  return new CliError(`there is a document ${id} already`);
}

/**
 * Adds rows but for those of documents that somebody else has added since, where the id says that it is the same.
 * @throws CliError when there is another row with the same key.
 */
export async function addRowsUnlessPresent(
  rows: DocumentRows,
  userId: string,
  added: readonly NewEntry[],
): Promise<{ readonly entries: StoredEntry[]; readonly present: ReadonlyMap<string, StoredEntry> }> {
  const { documents, store, bucket } = rows;
  const attached = attachmentIn(rows, userId);
  const owner = attached?.attachment.field ?? documents.fields.owner;
  const present = new Map<string, StoredEntry>();
  const entries = await inParallel(added, atOnce, async (entry) => {
    const fields = {
      ...fieldsFor(rows, { ...entry, bucket }),
      ...(owner === undefined ? {} : { [owner]: attached?.id ?? userId }),
    };
    const stored = await store.add(documents.entity, fields);
    if (stored !== "taken") return [entryOf(rows, stored)];
    const other = keepsHashes(rows) ? undefined : await withId(rows, entry.id);
    // The site may have given the row to somebody else, or another file.
    const isTheirs =
      attached === undefined
        ? other?.userId === userId
        : own(other?.row?.fields ?? {}, attached.attachment.field) === attached.id;
    if (other?.isOwn !== true || !isTheirs || other.document.status === "DELETED") throw taken(entry.id);
    present.set(entry.id, other);
    return [];
  });
  return { entries: entries.flat(), present };
}

async function withId(rows: DocumentRows, id: string): Promise<StoredEntry | undefined> {
  const { documents, store } = rows;
  for await (const [row] of store.find(documents.entity, { field: documents.fields.id ?? "", values: [id] }))
    if (row !== undefined) return entryOf(rows, row);
  return undefined;
}

/** Rows that are written at once. */
const atOnce = 8;

export async function changeRows(
  rows: DocumentRows,
  changes: readonly EntryChange[],
): Promise<ChangeOutcome> {
  return eachRow(rows, changes, async (row, { set = {}, remove = [], unchanged = [] }) => {
    const fields = fieldsFor(rows, set);
    const gone = fieldNames(rows, remove).filter((field) => own(row.raw, field) !== undefined);
    if (Object.keys(fields).length + gone.length === 0) return row;
    return rows.store.changeIf(row, { set: fields, remove: gone, unchanged: fieldNames(rows, unchanged) });
  });
}

export async function removeRows(
  rows: DocumentRows,
  changes: readonly Pick<EntryChange, "entry" | "unchanged">[],
): Promise<ChangeOutcome> {
  return eachRow(rows, changes, async (row, { unchanged = [] }) => {
    // A hold may come at any time, and what it is on must stay.
    const outcome = await rows.store.deleteIf(row, [
      ...new Set([...fieldNames(rows, unchanged), "legalHold"]),
    ]);
    return outcome === "done" ? row : outcome;
  });
}

type RowOutcome =
  | { readonly changed: StoredEntry }
  | { readonly missing: StoredEntry }
  | { readonly refused: ChangeOutcome["refused"][number] };

async function eachRow(
  rows: DocumentRows,
  changes: readonly EntryChange[],
  act: (row: Stored, change: EntryChange) => Promise<Stored | Refused>,
): Promise<ChangeOutcome> {
  const outcomes = await inParallel(changes, atOnce, async (change): Promise<RowOutcome> => {
    const { entry } = change;
    const { row } = entry;
    if (row === undefined) throw new Error("an entry of another site is no row");
    const outcome = await act(row, change);
    if (typeof outcome !== "string") return { changed: entryOf(rows, outcome) };
    const found = outcome === "gone" ? undefined : await standing(rows, entry);
    return found === undefined ? { missing: entry } : { refused: { entry, found } };
  });
  return {
    changed: outcomes.flatMap((each) => ("changed" in each ? [each.changed] : [])),
    missing: outcomes.flatMap((each) => ("missing" in each ? [each.missing] : [])),
    refused: outcomes.flatMap((each) => ("refused" in each ? [each.refused] : [])),
  };
}

/** What the owners of documents are called: `customer`. */
export function ownerSubject(rows: RowModel): string | undefined {
  const { owner } = rows.documents.fields;
  return (entityOf(rows).links ?? []).find(({ by }) => by === owner)?.subject;
}

/** What such a text calls, as the site keeps it; undefined for the id of an owner, and where there is none. */
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
  const accounts = (await rows.accounts?.(given)) ?? [];
  const ids = [...new Set(accounts.flatMap(({ subject, id }) => (subject === whose ? id : [])))];
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

/** Whether the site keeps a hash of each document; else the id of one that is uploaded says which bytes it has. */
export function keepsHashes({ documents }: RowModel): boolean {
  return documents.fields.sha256 !== undefined;
}

/** So many numbers of one file are looked at. */
const mostGaps = 64;

/**
 * The ids of a user's documents that were uploaded under this name with these bytes, and the one that the next such has: they follow
 * from both, so that of an upload that was broken off, or is made twice at once, the same entry is found. Pure.
 */
export function knownIds({
  user: { userId, entries },
  name,
  sha256,
}: {
  readonly user: Pick<UserDocuments, "userId" | "entries">;
  readonly name: string;
  readonly sha256: string;
}): { readonly known: readonly string[]; readonly next: string } {
  const there = new Set(entries.map(({ document }) => document.id));
  const known: string[] = [];
  let next: string | undefined;
  // One that is gone leaves a gap, behind which others may be.
  for (let at = 0; next === undefined || at < Math.min(entries.length, mostGaps); at += 1) {
    const text = JSON.stringify([userId, name, sha256, at]);
    const id = uuid(createHash("sha256").update(text).digest("hex").slice(0, 32));
    if (there.has(id)) known.push(id);
    else next ??= id;
  }
  return { known, next };
}

/** The ids of the accounts that are meant: by an address as it is given or in small letters, or the id itself where there is an account with it. */
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
  if (accounts === undefined || id === undefined || from === undefined || "database" in from)
    return "no accounts";
  const isAddress = given.includes("@");
  const field = isAddress ? email : id;
  if (field === undefined) return [];
  const found = new Set<string>();
  const values = [...new Set(isAddress ? [given, given.toLowerCase()] : [given])];
  for await (const page of store.find(accounts.entity, { field, values })) {
    for (const { fields } of page) {
      const userId = own(fields, id);
      if (typeof userId === "string") found.add(userId);
    }
  }
  return [...found];
}

/**
 * The key for the file of a new document.
 * @throws CliError where the model's template cannot be filled.
 */
export function rowFileKey(
  rows: DocumentRows,
  facts: FileFacts & { readonly given: Readonly<Record<string, string>> },
): string {
  const { model, documents } = rows;
  const attached = attachmentIn(rows, facts.userId);
  try {
    if (attached === undefined) return newFileKey(model, documents, facts);
    const { files, keyField } = attached.attachment;
    return newFileKey(
      model,
      { ...documents, files },
      { ...facts, given: { ...facts.given, [keyField]: attached.id } },
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(`no key for its file: ${error.message}`, { cause: error });
  }
}
