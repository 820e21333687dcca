import { groupedBy, referencesOf, type Reference } from "./graph.ts";
import { own, type JsonObject } from "./json.ts";
import type { Entity, Model } from "./schema.ts";
import type { Classifier } from "./template.ts";

/** What tells which files rows name. */
export interface FileSite {
  readonly model: Pick<Model, "entities" | "features">;
  /** What the keys of each bucket mean, by its name. */
  readonly files: readonly { readonly bucket: string; readonly kinds: Classifier<string> }[];
}

/** A row of an entity, in plain values. */
export interface NamingRow {
  readonly entity: string;
  readonly fields: JsonObject;
}

/** Where the file of a row lies. */
export interface FilePlace {
  readonly bucket: string;
  readonly key: string;
  /** What its key says. */
  readonly fields: JsonObject;
  /** Of what entity it is, and whether the row may name files of that alone. */
  readonly kind: string;
  readonly isOnlyKind: boolean;
}

/** What a row has in its fields that name files, by the entities of these. Pure. */
export function fileFields({ model }: Pick<FileSite, "model">, { entity, fields }: NamingRow) {
  const references = referencesOf(entity, entityOf(model, entity)).filter(
    ({ parentField }) => parentField === undefined,
  );
  return [...groupedBy(references, ({ field }) => field)].flatMap(([field, some]) => {
    const value = own(fields, field);
    const isNone = value === undefined || value === null || value === "";
    return isNone ? [] : [{ field, value, targets: some.map(({ to }) => to) }];
  });
}

/** The file that goes with a row: of the kinds that it may name; what a list names goes with none. Pure. */
export function fileOf(site: FileSite, row: NamingRow): FilePlace | undefined {
  const [first] = fileFields(site, row);
  if (first === undefined || typeof first.value !== "string") return undefined;
  const { value: key, targets } = first;
  for (const { bucket, kinds } of site.files) {
    const found = kinds.find(key);
    if (found === undefined || !targets.includes(found.value)) continue;
    const { value: kind, fields } = found;
    return { bucket, key, fields, kind, isOnlyKind: targets.length === 1 };
  }
  return undefined;
}

/**
 * Whether the ids in a file's key that say whose it is are those of the row. Where the key says nobody's, and the row is somebody's,
 * it is so only of the one kind that such rows name, or that documents are of. Pure.
 */
export function isOwnFile(
  { model }: Pick<FileSite, "model">,
  row: NamingRow,
  { kind, isOnlyKind, fields }: FilePlace,
): boolean {
  const ofRow = subjectsOf(entityOf(model, row.entity));
  const ofFile = subjectsOf(entityOf(model, kind));
  if (ofFile.length === 0) {
    const parents = referencesOf(kind, entityOf(model, kind));
    if (parents.length > 0) return parents.every((parent) => namesSame(model, row, { parent, fields }));
    const { documents } = model.features ?? {};
    const isDocument = documents?.entity === row.entity && documents.files === kind;
    return ofRow.length === 0 || isOnlyKind || isDocument;
  }
  return ofFile.every(({ subject, by }) => {
    const same = ofRow.find((link) => link.subject === subject);
    return (
      same === undefined || own(fields, by) === undefined || own(row.fields, same.by) === own(fields, by)
    );
  });
}

/** Whether the row refers to the same thing as a field in the key of its file. */
function namesSame(
  model: FileSite["model"],
  { entity, fields: ofRow }: NamingRow,
  { parent, fields }: { readonly parent: Reference; readonly fields: JsonObject },
): boolean {
  const same = referencesOf(entity, entityOf(model, entity)).filter(
    ({ to, parentField }) => to === parent.to && parentField === parent.parentField,
  );
  return same.some(({ field }) => own(ofRow, field) === own(fields, parent.field));
}

/** Whether the key of a file names somebody of these people, or of all kinds, who has none of the ids. Pure. */
export function isOfOthers(
  { model }: Pick<FileSite, "model">,
  { kind, fields }: FilePlace,
  { subject, ids }: { readonly subject?: string | undefined; readonly ids: readonly string[] },
): boolean {
  const named = subjectsOf(entityOf(model, kind)).filter(
    (each) => subject === undefined || each.subject === subject,
  );
  return named.some(({ by }) => {
    const id = own(fields, by);
    return id !== undefined && !ids.includes(typeof id === "string" ? id : JSON.stringify(id));
  });
}

/** The fields that say whose something is. */
function subjectsOf({ links = [] }: Entity): { readonly subject: string; readonly by: string }[] {
  return links.flatMap(({ subject, role, by }) =>
    role === "subject" && typeof by === "string" ? [{ subject, by }] : [],
  );
}

function entityOf({ entities }: FileSite["model"], name: string): Entity {
  const entity = own(entities, name);
  if (entity === undefined) throw new RangeError(`the model has no entity ${name}`);
  return entity;
}
