import type { ChangeOutcome, EntryChange, NewEntry, StoredEntry } from "./entry.ts";
import { inParallel } from "../concurrency.ts";
import { typed, plain } from "../aws/dynamodb/plain.ts";
import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { tableRole } from "../model/database.ts";
import { legalHold, parseDocument } from "../model/documents.ts";
import { own, timeOf, type JsonObject } from "../model/json.ts";
import { momentOf } from "../model/moments.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import type { Refused, Stored } from "../stores/store.ts";
import {
  type DocumentRows,
  namesOf,
  entityOf,
  attachmentIn,
  fieldsFor,
  fieldNames,
  keepsHashes,
} from "./row-model.ts";
import { subjectText, isOwn } from "./file-owners.ts";

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

/** Whose a row is: an owner's id, else what it is attached to, as a text; empty where it is nobody's. */
function ownerOf({ documents, attachments }: DocumentRows, fields: JsonObject): string {
  const userId = own(fields, documents.fields.owner ?? "");
  if (typeof userId === "string" && userId !== "") return userId;
  const found = attachments.flatMap((each) => {
    const id = own(fields, each.field);
    return typeof id === "string" && id !== "" ? [subjectText(each, id)] : [];
  });
  return found[0] ?? "";
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
