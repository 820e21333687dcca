import { isRecord, own, type JsonObject } from "./json.ts";
import type { Entity, Link, Model } from "./schema.ts";
import {
  build,
  classifier,
  fieldsOf,
  literalStart,
  parseTemplate,
  rankOf,
  type Template,
} from "./template.ts";

/** How an entity's things are somebody's, as the model says. */
export interface PersonalLink {
  readonly entity: string;
  /** The entity in a few words. */
  readonly what: string;
  readonly role: Link["role"];
  readonly erase: Link["erase"];
}

/** Where an item has somebody's id: in an attribute, as all of it or as a field of its template. */
export interface Place {
  readonly attribute: string;
  readonly within?: { readonly template: Template; readonly field: string };
}

export interface ItemLink extends PersonalLink {
  readonly places: readonly Place[];
}

/** A link by which an item names somebody, and where. */
export interface FoundLink {
  readonly link: ItemLink;
  readonly place: Place;
  readonly id: string;
  /** Whether the model knows such items; else it is theirs by its partition alone, and what else is in it nobody says. */
  readonly isKnownKind: boolean;
}

/** Whether things are about who is linked to them, and not only made by them or naming them. */
export function isAbout({ role }: Pick<PersonalLink, "role">): boolean {
  return role !== "author" && role !== "mention";
}

/**
 * What an attribute is to be in the place of a text that names somebody; undefined where it is to be taken away: what is nothing cannot be
 * part of a key. Pure.
 */
export function replacedAt({ within }: Place, text: string, value: string | undefined): string | undefined {
  if (within === undefined || value === undefined) return value;
  const { template, field } = within;
  return build(template, { ...fieldsOf(template, text), [field]: value });
}

/** What to ask a table for: all that has this value in the partition key of it or of an index, or everything. */
export type Question =
  | { readonly index: string | undefined; readonly attribute: string; readonly value: string }
  | "scan";

/** A table as it is: its own key attributes, and the indexes that it has. */
export interface TableKeysThere {
  readonly primary: readonly string[];
  readonly indexes: Readonly<Record<string, readonly string[]>>;
}

/** What a model links to people in one table. */
export interface PersonalTable {
  readonly role: string;
  /** Whether an erasure removes anything of it. */
  readonly isErased: boolean;
  /** Attributes by which `linksOf` tells; those of the table's key come on top. */
  readonly attributes: readonly string[];
  /** What finds everything of somebody. One scan answers for all, and is asked for where a link cannot be asked for by key. */
  questions(id: string, keys: TableKeysThere): readonly Question[];
  /** Whom an item names, in DynamoDB's typed JSON, by links of which an erasure does something that is meant. */
  ownersOf(
    item: JsonObject,
    keys: TableKeysThere,
    isMeant: (erase: Link["erase"]) => boolean,
  ): readonly string[];
  /** The links by which an item, in DynamoDB's typed JSON, is that of one of these ids; nothing where it is nobody's or another's. */
  linksOf(item: JsonObject, ids: readonly string[], keys: TableKeysThere): readonly FoundLink[];
}

/** What a model links to people in one bucket. */
export interface PersonalBucket {
  readonly role: string;
  /** Under which prefixes everything of somebody lies, and things of others may. */
  prefixes(id: string): readonly string[];
  /** Prefixes behind each of which folders are named by ids, and those that must be looked through whole. */
  readonly folders: readonly string[];
  readonly mixed: readonly string[];
  /** Whose an object is. */
  ownerOf(key: string): string | undefined;
  /**
   * The link by which an object is that of one of these ids. A folder is somebody's with all that is in it, but for what the model
   * says is something else.
   */
  linkOf(key: string, ids: readonly string[]): PersonalLink | undefined;
}

/** The tables in which a model links something to people, but for those that hold parts of items alone. Pure. */
export function personalTables(model: Model): PersonalTable[] {
  return Object.keys(model.tables).flatMap((role) => {
    const entities = Object.entries(model.entities).filter(
      ([, { from, at }]) =>
        "table" in from && !("database" in from) && from.table === role && at === undefined,
    );
    const kinds = entities.map(([name, entity]) => kindOf(model, name, entity));
    return kinds.some(({ links }) => links.length > 0) ? [personalTable(role, kinds)] : [];
  });
}

/** A kind of item of a table, and the links of people to it. */
interface Kind {
  readonly links: readonly (ItemLink & { readonly find: Link["find"] })[];
  readonly keys: readonly { readonly attribute: string; readonly templates: readonly Template[] }[];
  readonly when: Entity["when"];
}

function kindOf(model: Model, name: string, entity: Entity): Kind {
  const { key, what, when, links = [] } = entity;
  const templates = typeof key === "string" || Array.isArray(key) ? [] : Object.entries(key ?? {});
  const keys = templates.map(([attribute, texts]) => ({
    attribute,
    templates: [texts].flat().map((text) => parseTemplate(text, "attribute")),
  }));
  return {
    keys,
    when,
    links: links.flatMap(({ subject, role, erase, by, find }) =>
      isPerson(model, subject) && typeof by === "string"
        ? [{ entity: name, what, role, erase, find, places: placesOf(keys, by) }]
        : [],
    ),
  };
}

/** Organizations and the like have no accounts: what is theirs is no person's. */
function isPerson({ subjects }: Model, subject: string): boolean {
  return own(subjects, subject)?.accounts !== undefined;
}

/** The attribute of that name, or else those key attributes in whose templates it is a field. */
function placesOf(keys: Kind["keys"], field: string): Place[] {
  if (keys.some(({ attribute }) => attribute === field)) return [{ attribute: field }];
  const within = keys.flatMap(({ attribute, templates }) =>
    templates.flatMap((template) =>
      template.fields.includes(field) ? [{ attribute, within: { template, field } }] : [],
    ),
  );
  return within.length > 0 ? within : [{ attribute: field }];
}

function personalTable(role: string, kinds: readonly Kind[]): PersonalTable {
  const links = kinds.flatMap((kind) => kind.links);
  const attributes = new Set([
    ...kinds.flatMap(({ keys, when = {} }) => [
      ...keys.map(({ attribute }) => attribute),
      ...Object.keys(when),
    ]),
    ...links.flatMap(({ places }) => places.map(({ attribute }) => attribute)),
  ]);
  return {
    role,
    isErased: links.some(({ erase }) => erase === "delete"),
    attributes: [...attributes],
    questions(id, keys) {
      const asked = new Map<string, Question>();
      for (const { find, places } of links) {
        const index = typeof find === "object" ? find.index : undefined;
        const [partition] = index === undefined ? keys.primary : (keys.indexes[index] ?? []);
        const values = places.flatMap((place) =>
          place.attribute === partition ? (valueFor(place, id) ?? []) : [],
        );
        if (find === "scan" || partition === undefined || values.length === 0) return ["scan"];
        for (const value of values)
          asked.set(`${index ?? ""} ${value}`, { index, attribute: partition, value });
      }
      return [...asked.values()];
    },
    ownersOf(item, { primary }, isMeant) {
      const found = foundIn(item, primary).filter(({ link }) => isMeant(link.erase));
      return [...new Set(found.map(({ id }) => id))];
    },
    linksOf(item, ids, { primary }) {
      return foundIn(item, primary).filter(({ id }) => ids.includes(id));
    },
  };

  function foundIn(item: JsonObject, primary: readonly string[]): FoundLink[] {
    const kind = kindIn(kinds, item, primary);
    const isKnownKind = kind !== undefined;
    const at = (link: ItemLink, places = link.places) =>
      places.flatMap((place) => {
        const id = idAt(place, item);
        return id === undefined || id === "" ? [] : [{ link, place, id, isKnownKind }];
      });
    if (kind !== undefined) return kind.links.flatMap((link) => at(link));
    // Of a kind that the model does not know, but in somebody's own partition.
    const [partition] = primary;
    const own = links.flatMap((link) =>
      link.find === "key"
        ? at(
            link,
            link.places.filter(({ attribute }) => attribute === partition),
          )
        : [],
    );
    return own.slice(0, 1);
  }
}

/** What a place holds for somebody, where nothing but the id belongs there. */
function valueFor({ within }: Place, id: string): string | undefined {
  if (within === undefined) return id;
  const { template, field } = within;
  if (template.fields.length > 1) return undefined;
  const text = template.text.replace(`{${field}}`, () => id);
  return fieldsOf(template, text)?.[field] === id ? text : undefined;
}

function idAt({ attribute, within }: Place, item: JsonObject): string | undefined {
  const text = textAt(item, attribute);
  if (within === undefined || text === undefined) return text;
  return fieldsOf(within.template, text)?.[within.field];
}

function textAt(item: JsonObject, attribute: string): string | undefined {
  const value = own(item, attribute);
  const text = isRecord(value) ? value["S"] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** The kind of an item: one with a condition that holds before others, and the one whose keys say most. */
function kindIn(kinds: readonly Kind[], item: JsonObject, primary: readonly string[]): Kind | undefined {
  let best: { readonly kind: Kind; readonly rank: string } | undefined;
  for (const kind of kinds) {
    const rank = rankIn(kind, item, primary);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { kind, rank };
  }
  return best?.kind;
}

/** Undefined where the item is of another kind. */
function rankIn({ keys, when }: Kind, item: JsonObject, primary: readonly string[]): string | undefined {
  if (when !== undefined && !holds(when, item)) return undefined;
  let rank = when === undefined ? "1" : "0";
  for (const { attribute, templates } of keys) {
    const text = textAt(item, attribute);
    if (text === undefined) {
      // Attributes of indexes may be missing.
      if (primary.includes(attribute)) return undefined;
      continue;
    }
    const [first] = templates
      .flatMap((template) => (fieldsOf(template, text) ? [rankOf(template)] : []))
      .toSorted();
    if (first === undefined) return undefined;
    rank += first;
  }
  return keys.length === 0 ? `${rank}9` : rank;
}

function holds(when: NonNullable<Entity["when"]>, item: JsonObject): boolean {
  return Object.entries(when).every(([attribute, wanted]) => {
    const value = own(item, attribute);
    if (typeof wanted === "object" && !Array.isArray(wanted)) return (value !== undefined) === wanted.exists;
    return [wanted].flat().some((each) => isSame(value, each));
  });
}

function isSame(value: unknown, wanted: string | number | boolean): boolean {
  if (!isRecord(value)) return false;
  if (typeof wanted === "string") return value["S"] === wanted;
  return typeof wanted === "number"
    ? Number(value["N"]) === wanted && "N" in value
    : value["BOOL"] === wanted;
}

/** The buckets in which a model links something to people. Pure. */
export function personalBuckets(model: Model): PersonalBucket[] {
  return Object.keys(model.buckets).flatMap((role) => {
    const files = Object.entries(model.entities).flatMap(([name, entity]) => {
      const { from, key } = entity;
      if (!("bucket" in from) || from.bucket !== role) return [];
      const texts = typeof key === "string" || Array.isArray(key) ? [key].flat() : [];
      const links = (entity.links ?? []).flatMap(({ subject, role: by, erase, ...link }) =>
        isPerson(model, subject) && typeof link.by === "string"
          ? [{ entity: name, what: entity.what, role: by, erase, field: link.by }]
          : [],
      );
      return texts.map((text) => ({ template: parseTemplate(text, "object"), links }));
    });
    return files.some(({ links }) => links.length > 0) ? [personalBucket(role, files)] : [];
  });
}

interface Files {
  readonly template: Template;
  readonly links: readonly (PersonalLink & { readonly field: string })[];
}

function personalBucket(role: string, files: readonly Files[]): PersonalBucket {
  const kinds = classifier(files.map((value) => ({ template: value.template, value })));
  const folders = files.flatMap(({ template, links }) =>
    links.flatMap((link) =>
      template.fields.includes(link.field) ? [{ link, folder: folderOf(template, link.field) }] : [],
    ),
  );
  const beginnings = (isFolder: boolean) => [
    ...new Set(
      folders.flatMap(({ link, folder }) =>
        isNamedById(folder, link.field) === isFolder ? [literalStart(folder)] : [],
      ),
    ),
  ];
  return {
    role,
    folders: beginnings(true),
    mixed: beginnings(false),
    ownerOf(key) {
      const found = kinds.find(key);
      if (found !== undefined)
        return found.value.links.flatMap(({ field }) => own(found.fields, field) ?? [])[0];
      for (const { link, folder } of folders) {
        const id = own(fieldsOf(folder, key) ?? {}, link.field);
        if (id !== undefined && !isOtherFolder(files, folder, id)) return id;
      }
      return undefined;
    },
    prefixes: (id) => [
      ...new Set(
        folders.map(({ link, folder }) =>
          folder.fields[0] === link.field
            ? `${literalStart(folder)}${id}${isNamedById(folder, link.field) ? "/" : ""}`
            : literalStart(folder),
        ),
      ),
    ],
    linkOf(key, ids) {
      const found = kinds.find(key);
      if (found !== undefined) {
        const { value, fields } = found;
        return value.links.find(({ field }) => ids.includes(own(fields, field) ?? ""));
      }
      for (const { link, folder } of folders) {
        const id = own(fieldsOf(folder, key) ?? {}, link.field);
        if (id === undefined || !ids.includes(id)) continue;
        if (!isOtherFolder(files, folder, id)) return link;
      }
      return undefined;
    },
  };
}

/** Whether the first thing behind the literal beginning is a folder that an id names. */
function isNamedById(folder: Template, field: string): boolean {
  return folder.text.slice(literalStart(folder).length).startsWith(`{${field}}/`);
}

/** What begins with a name that the model gives something else is nobody's folder. */
function isOtherFolder(files: readonly Files[], folder: Template, id: string): boolean {
  const start = `${literalStart(folder)}${id}/`;
  return files.some(({ template }) => literalStart(template).startsWith(start));
}

/** The template up to the segment that has the field, and everything below that. */
function folderOf({ text }: Template, field: string): Template {
  const segments = text.split("/");
  const at = segments.findIndex((segment) => segment.includes(`{${field}}`));
  const isLast = at === -1 || at === segments.length - 1;
  return parseTemplate(isLast ? text : `${segments.slice(0, at + 1).join("/")}/{below+}`, "object");
}

/** The parts of items that a model names as entities of their own: `documents[]` of a profile. */
export interface ItemPart {
  readonly entity: string;
  readonly what: string;
  readonly path: readonly string[];
  readonly isList: boolean;
}

/** The parts of the items of a table that are people's. Pure. */
export function personalParts(model: Model, table: string): ItemPart[] {
  return Object.entries(model.entities).flatMap(([name, { from, at, what, links = [] }]) => {
    if (at === undefined || !("table" in from) || "database" in from || from.table !== table) return [];
    if (!links.some(({ subject }) => isPerson(model, subject))) return [];
    return [{ entity: name, what, path: at.replace("[]", "").split("."), isList: at.endsWith("[]") }];
  });
}

/** Where accounts are items of a table: what tells of each. */
export interface AccountItems {
  /** Role of the table. */
  readonly table: string;
  readonly attributes: readonly string[];
  /** Id and address of an item, in DynamoDB's typed JSON; undefined where it is no account. */
  accountIn(
    item: JsonObject,
    primary: readonly string[],
  ): { readonly id: string; readonly email: string | undefined } | undefined;
}

/** Undefined where a model has its accounts elsewhere, or none. Pure. */
export function accountItems(model: Model): AccountItems | undefined {
  const { entity: name, fields } = model.features?.accounts ?? {};
  const entity = name === undefined ? undefined : own(model.entities, name);
  if (name === undefined || entity === undefined || !("table" in entity.from) || "database" in entity.from)
    return undefined;
  const kind = kindOf(model, name, entity);
  const { email = "email", id: idField = "id" } = fields ?? {};
  const places = placesOf(kind.keys, idField);
  return {
    table: entity.from.table,
    attributes: [
      ...new Set([
        email,
        ...kind.keys.map(({ attribute }) => attribute),
        ...places.map(({ attribute }) => attribute),
      ]),
    ],
    accountIn(item, primary) {
      if (rankIn(kind, item, primary) === undefined) return undefined;
      const [id] = places.flatMap((place) => idAt(place, item) ?? []);
      return id === undefined ? undefined : { id, email: textAt(item, email) };
    },
  };
}

/** What a model links to people and no erasure or export reaches yet, by name: tables of databases, and what is found through something else. Pure. */
export function unreachedEntities(model: Model): string[] {
  return Object.entries(model.entities).flatMap(([name, { from, links = [] }]) => {
    const own = links.filter(({ subject }) => isPerson(model, subject));
    const isReached = !("database" in from) && own.every(({ by }) => typeof by === "string");
    return own.length === 0 || isReached ? [] : [name];
  });
}
