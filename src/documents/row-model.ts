import { addressAttribute } from "../model/mawps.ts";
import type { PartsWanted } from "../aws/s3/upload.ts";
import { CliError } from "../errors.ts";
import { attachmentsOf, type Attachment } from "../model/document-files.ts";
import { own, timeOf, type JsonObject } from "../model/json.ts";
import { objectsOf } from "../model/objects.ts";
import { afterKind } from "../model/person-rows.ts";
import type { DocumentsFeature, Entity, Model } from "../model/schema.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import type { Classifier } from "../model/template.ts";
import { documentStore, type DocumentPlace, type DocumentStore } from "../stores/document-store.ts";

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
  /** How large files are sent, where the model says it. */
  readonly parts: PartsWanted | undefined;
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
    parts: documents.multipart && partsOf(documents.multipart),
  };
}

function partsOf({ fromMebibytes, partMebibytes, atOnce }: Multipart): PartsWanted {
  const mebibyte = 1024 ** 2;
  return { fromBytes: fromMebibytes * mebibyte, partBytes: partMebibytes * mebibyte, atOnce };
}

type Multipart = NonNullable<RowModel["documents"]["multipart"]>;

/** How mawps calls the fields of a document, where it is not as in the model. */
const ownNames: Readonly<Record<string, string>> = {
  key: "s3Key",
  address: addressAttribute,
  sizeBytes: "size",
};

/** Each field of the model that a document has, by the name that mawps has for it. */
export function namesOf({ documents }: RowModel): [name: string, field: string][] {
  const attached = Object.values(documents.attachedTo ?? {}).map(({ field }): [string, string] => [
    field,
    field,
  ]);
  const known = Object.entries(documents.fields).flatMap(([name, field]): [string, string][] =>
    name === "owner" || field === undefined ? [] : [[own(ownNames, name) ?? name, field]],
  );
  return [...known, ...attached];
}

export function entityOf({ model, documents }: RowModel): Entity {
  const entity = own(model.entities, documents.entity);
  if (entity === undefined) throw new Error(`the model has no entity ${documents.entity}`);
  return entity;
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

export function fieldNames(rows: DocumentRows, names: readonly string[]): string[] {
  const fields = new Map(namesOf(rows));
  return names.flatMap((name) => (name === "legalHold" ? name : (fields.get(name) ?? [])));
}

/** What the owners of documents are called: `customer`. */
export function ownerSubject(rows: RowModel): string | undefined {
  const { owner } = rows.documents.fields;
  return (entityOf(rows).links ?? []).find(({ by }) => by === owner)?.subject;
}

/** Whether the site keeps a hash of each document; else the id of one that is uploaded says which bytes it has. */
export function keepsHashes({ documents }: RowModel): boolean {
  return documents.fields.sha256 !== undefined;
}

/** What a text such as `opportunity:4f9c…` stands for where a user's id may stand too; undefined for the id of an owner. Pure. */
export function attachmentIn(
  { attachments }: Pick<DocumentRows, "attachments">,
  userId: string,
): { readonly attachment: Attachment; readonly id: string } | undefined {
  const named = afterKind(
    userId,
    attachments.map(({ kind }) => kind),
  );
  const attachment = attachments.find(({ kind }) => kind === named?.kind);
  return named && attachment && { attachment, id: named.name };
}
