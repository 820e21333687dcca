import type { StoredEntry } from "./entry.ts";
import { CliError } from "../errors.ts";
import { newFileKey, type Attachment, type FileFacts } from "../model/document-files.ts";
import { referencesOf } from "../model/graph.ts";
import { own, type JsonObject } from "../model/json.ts";
import { objectTemplates, ownerField } from "../model/objects.ts";
import { literalStart } from "../model/template.ts";
import { type DocumentRows, entityOf, attachmentIn, ownerSubject } from "./row-model.ts";

/** How what documents are attached to is called where else a user's id stands: `opportunity:4f9c…`. */
export function subjectText({ kind }: Attachment, id: string): string {
  return `${kind}:${id}`;
}

/** The kinds of files that mawps puts there. */
function ownKinds({ documents, attachments }: DocumentRows): string[] {
  return [documents.files, ...attachments.map(({ files }) => files)];
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

/** Whether the file lies where such files of its owner do: an entry must not open somebody else's. */
export function isOwn(
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

/**
 * Whether a file lies where these fields say, which its key has from whoever hands it in: the same file handed in for something else is
 * another document.
 */
export function liesAt(
  rows: DocumentRows | undefined,
  given: Readonly<Record<string, string>>,
  { document }: Pick<StoredEntry, "document">,
): boolean {
  const asked = Object.entries(given);
  if (rows === undefined || asked.length === 0) return true;
  const fields = rows.kinds.find(document.s3Key)?.fields ?? {};
  return asked.every(([name, value]) => own(fields, name) === value);
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
