import { referencesOf } from "./graph.ts";
import { own } from "./json.ts";
import { rowSubjects } from "./person-rows.ts";
import type { DocumentsFeature, Entity, Model } from "./schema.ts";
import { build, parseTemplate, type Template } from "./template.ts";

/** What a document may be attached to beside its owner, or instead of one. */
export interface Attachment {
  /** As people call it: `opportunity`. */
  readonly kind: string;
  /** The field of the entry that names it. */
  readonly field: string;
  /** The entity of files of such. */
  readonly files: string;
  /** The field of their keys that names it. */
  readonly keyField: string;
  /** The entity that it is one of, and the field by which that is known. */
  readonly entity: string;
  readonly entityField: string;
}

/** Those of a model; one whose entry and files refer to nothing that is the same is left out. Pure. */
export function attachmentsOf({ entities, features }: Pick<Model, "entities" | "features">): Attachment[] {
  const { entity: name = "", attachedTo = {} } = features?.documents ?? {};
  return Object.entries(attachedTo).flatMap(([kind, { field, files }]) => {
    const ofEntry = referencesOf(name, own(entities, name) ?? {}).filter((each) => each.field === field);
    const ofFiles = referencesOf(files, own(entities, files) ?? {});
    return ofEntry.flatMap(({ to, parentField }): Attachment[] => {
      const same = ofFiles.find((each) => each.to === to && each.parentField === parentField);
      if (same === undefined || parentField === undefined) return [];
      return [{ kind, field, files, keyField: same.field, entity: to, entityField: parentField }];
    });
  });
}

/** The entity of whoever uploads documents, where the site keeps that as one of its own; undefined where any text will do. Pure. */
export function uploaderEntity(model: Model): string | undefined {
  const { entity = "", fields } = model.features?.documents ?? {};
  const references = referencesOf(entity, own(model.entities, entity) ?? {});
  const found = references.find(
    ({ field, parentField }) => field === fields?.uploadedBy && parentField !== undefined,
  );
  return found && rowSubjects(model).find((subject) => subject.entity === found.to)?.entity;
}

/** What the key of a new document's file is made from. */
export interface FileFacts {
  readonly userId: string;
  readonly id: string;
  readonly name: string;
  /** Without a dot. */
  readonly ext: string;
  readonly now: Date;
}

/** Fields of the keys of new files that nothing but a person knows. */
export function fieldsToGive(model: Model, documents: DocumentsFeature): string[] {
  const facts = { userId: "u", id: "i", name: "n", ext: "e", now: new Date(0) };
  const known = knownFields(model, documents, facts);
  return templateOf(model, documents).fields.filter((name) => own(known, name) === undefined);
}

/**
 * The key of a new document's file, by the template of the model.
 * @throws RangeError where a field is missing, or holds what ends it, or dots alone.
 */
export function newFileKey(
  model: Model,
  documents: DocumentsFeature,
  { given, ...facts }: FileFacts & { readonly given: Readonly<Record<string, string>> },
): string {
  const template = templateOf(model, documents);
  const key = build(template, { ...given, ...knownFields(model, documents, facts) });
  // RFC 3986, 5.2.4: whoever opens the link asks for another path.
  if (key.split("/").some((part) => part === "." || part === ".."))
    throw new RangeError(`${template.text}: "." and ".." are no values, as links lose them`);
  return key;
}

function templateOf({ entities }: Model, { files }: DocumentsFeature): Template {
  const key = filesOf(entities, files).key ?? [];
  const [first = ""] = typeof key === "string" || Array.isArray(key) ? [key].flat() : [];
  return parseTemplate(first, "object");
}

/** What is known of every document, under the words by which templates call it. */
function knownFields(
  { entities }: Model,
  { files, fields }: DocumentsFeature,
  { userId, id, name, ext, now }: FileFacts,
): Record<string, string> {
  const [year = "", month = "", day = ""] = now.toISOString().slice(0, 10).split("-");
  const { links = [] } = filesOf(entities, files);
  const owners = links.flatMap(({ role, by }) => (role === "subject" && typeof by === "string" ? [by] : []));
  return {
    year,
    month,
    day,
    date: `${year}-${month}-${day}`,
    timestamp: String(now.getTime()),
    ext,
    id,
    uuid: id,
    fileId: id,
    name,
    fileName: name,
    ...(fields.id === undefined ? {} : { [fields.id]: id }),
    ...(fields.name === undefined ? {} : { [fields.name]: name }),
    ...Object.fromEntries(owners.map((by) => [by, userId])),
  };
}

function filesOf(entities: Model["entities"], files: string): Entity {
  const entity = own(entities, files);
  if (entity === undefined) throw new Error(`the model has no entity ${files}`);
  return entity;
}
