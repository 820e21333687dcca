import { erasureOrder, referencesOf } from "./graph.ts";
import { itemParts, type ItemPart } from "./item-parts.ts";
import { attributesOfKinds, itemKinds, itemsOf, textOf, type ItemKind } from "./items.ts";
import { isRecord, own, type JsonObject } from "./json.ts";
import type { Entity, Link, Model } from "./schema.ts";
import { build, classifier, fieldsOf, literalStart, parseTemplate, type Template } from "./template.ts";

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
  /** What the whole attribute holds. */
  readonly named: Named;
  /** Whether the model knows such items; else it is theirs by its partition alone, and what else is in it nobody says. */
  readonly isKnownKind: boolean;
}

/** Whether things are about who is linked to them, and not only made by them or naming them. */
export function isAbout({ role }: Pick<PersonalLink, "role">): boolean {
  return role !== "author" && role !== "mention";
}

/** What names somebody, in DynamoDB's typed JSON. */
export type Named = { readonly S: string } | { readonly N: string };

/**
 * What an attribute is to be when it names nobody any more and another name stands there; undefined where it is to be taken away: what is a
 * number cannot become a text. Pure.
 */
export function replacedAt({ within }: Place, named: Named, name: string): Named | undefined {
  if ("N" in named) return typedAs("N", name);
  if (within === undefined) return { S: name };
  const { template, field } = within;
  return { S: build(template, { ...fieldsOf(template, named.S), [field]: name }) };
}

/** What to ask a table for: all that has this value in the partition key of it or of an index, or everything. */
export type Question =
  | { readonly index: string | undefined; readonly attribute: string; readonly value: Named }
  | "scan";

/** A table as it is: its own key attributes, the indexes that it has, and of which type the attributes of both are. */
export interface TableKeysThere {
  readonly primary: readonly string[];
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  readonly types: ReadonlyMap<string, "S" | "N" | "B">;
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
  /** Whom an item names, in DynamoDB's typed JSON, by links that are meant. */
  ownersOf(item: JsonObject, keys: TableKeysThere, isMeant: (found: FoundLink) => boolean): readonly string[];
  /** The entity of an item; undefined where the model knows no such kind. */
  kindOf(item: JsonObject): string | undefined;
  /** What an item has in those fields of its entity by which others refer to it. */
  referredBy(item: JsonObject, entity: string): Readonly<Record<string, string>>;
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
  /** Whose an object is, and by which links. A folder is somebody's with all that is in it, but for what the model says is something else. */
  ownersIn(key: string): readonly { readonly link: PersonalLink; readonly id: string }[];
}

/**
 * The tables in which a model links something to people, but for those that hold parts of items alone. Pure.
 * @param only the one kind of people that is meant; ids are no other's there.
 */
export function personalTables(model: Model, only?: string): PersonalTable[] {
  return Object.keys(model.tables).flatMap((role) => {
    const links = itemKinds(model, role).flatMap((kind) => linksOfKind(model, kind, only));
    return links.length > 0 ? [personalTable(model, role, links)] : [];
  });
}

/** What a model links to people in one table through things of theirs: the ids to ask for are what these have in a field. */
export interface TableThrough extends PersonalTable {
  /** The entity whose things go by the parent's. */
  readonly name: string;
  readonly parent: { readonly entity: string; readonly field: string };
}

/** Those tables for links that are `{"via": …}`, those of parents before what goes by them. Pure. @param only as for tables. */
export function tablesThrough(model: Model, only?: string): TableThrough[] {
  const known = erasureOrder(model);
  const order = "order" in known ? known.order.toReversed() : [];
  return order.flatMap((name) => {
    const from = own(model.entities, name)?.from;
    if (from === undefined || !("table" in from) || "database" in from) return [];
    const kind = itemKinds(model, from.table).find((each) => each.name === name);
    if (kind === undefined) return [];
    const { entity, templates } = kind;
    const { what, links = [] } = entity;
    return links.flatMap(({ subject, role, erase, by, find }) => {
      if (typeof by === "string" || !isPerson(model, subject, only)) return [];
      return parentsBy(name, entity, by.via).map((parent) => {
        const link = { entity: name, what, role, erase, find, places: placesOf(templates, by.via) };
        return { ...personalTable(model, from.table, [link]), name, parent };
      });
    });
  });
}

/** By what an entity's things go: `field` is the parent's. A reference to the entity itself tells nothing: an answer is its writer's. Pure. */
export function parentsBy(
  name: string,
  entity: Pick<Entity, "refs">,
  via: string,
): { readonly entity: string; readonly field: string }[] {
  return referencesOf(name, entity).flatMap(({ field, to, parentField }) =>
    field === via && to !== name && parentField !== undefined ? [{ entity: to, field: parentField }] : [],
  );
}

/** The entities by whose things those of this one are found. Pure. */
export function parentsOf(model: Pick<Model, "entities">, name: string): string[] {
  const entity = own(model.entities, name);
  const ways = (entity?.links ?? []).flatMap(({ by }) => (typeof by === "string" ? [] : [by.via]));
  return entity === undefined
    ? []
    : ways.flatMap((via) => parentsBy(name, entity, via).map((parent) => parent.entity));
}

/** Whose an item of a table is, by the table's role. The item is in DynamoDB's typed JSON, `primary` are its table's own key attributes. */
export type OwnersOfItem = (role: string, item: JsonObject, primary: readonly string[]) => readonly string[];

/** Whether an erasure takes by a link what it finds: also what is to expire, where nothing says when it does. Pure. */
export function isTaken({ erase }: Pick<PersonalLink, "erase">, goesByItself: boolean): boolean {
  return erase === "delete" || (typeof erase === "object" && "expires" in erase && !goesByItself);
}

/** Whether an item of a table, in DynamoDB's typed JSON, says when it expires. Pure. */
export function goesByItself({ tables }: Pick<Model, "tables">, role: string, item: JsonObject): boolean {
  const { ttl } = own(tables, role) ?? {};
  const ends = ttl === undefined ? undefined : own(item, ttl);
  return isRecord(ends) && "N" in ends;
}

/** Whom items name themselves: from whom an erasure takes them, and whom they are about, whatever an erasure does with them. Pure. */
export function namedOwners(model: Model): { readonly taken: OwnersOfItem; readonly about: OwnersOfItem } {
  const tables = new Map(personalTables(model).map((personal) => [personal.role, personal]));
  const ownersOf = (isMeant: (found: FoundLink, goes: boolean) => boolean): OwnersOfItem => {
    return (role, item, primary) => {
      const goes = goesByItself(model, role, item);
      const place = { primary, indexes: {}, types: new Map() };
      return tables.get(role)?.ownersOf(item, place, (found) => isMeant(found, goes)) ?? [];
    };
  };
  return {
    taken: ownersOf(({ link }, goes) => isTaken(link, goes)),
    about: ownersOf(({ link }) => isAbout(link)),
  };
}

type FindableLink = ItemLink & { readonly find: Link["find"] };

function linksOfKind(
  model: Model,
  { name, entity, templates }: ReturnType<typeof itemKinds>[number],
  only?: string,
): FindableLink[] {
  const { what, links = [] } = entity;
  return links.flatMap(({ subject, role, erase, by, find }) =>
    isPerson(model, subject, only) && typeof by === "string"
      ? [{ entity: name, what, role, erase, find, places: placesOf(templates, by) }]
      : [],
  );
}

/** Organizations and the like have no accounts: what is theirs is no person's, and is found where they alone are meant. */
function isPerson({ subjects }: Model, subject: string, only?: string): boolean {
  return only === undefined ? own(subjects, subject)?.accounts !== undefined : subject === only;
}

/** The attribute of that name, or else those key attributes in whose templates it is a field. */
function placesOf(keys: ItemKind["templates"], field: string): Place[] {
  if (keys.has(field)) return [{ attribute: field }];
  const within = [...keys].flatMap(([attribute, templates]) =>
    templates.flatMap((template) =>
      template.fields.includes(field) ? [{ attribute, within: { template, field } }] : [],
    ),
  );
  return within.length > 0 ? within : [{ attribute: field }];
}

function personalTable(model: Model, role: string, links: readonly FindableLink[]): PersonalTable {
  const kindOf = itemsOf(model, role);
  const referred = referredFields(model, role);
  const attributes = new Set([
    ...attributesOfKinds(model, role),
    ...[...links, ...referred].flatMap(({ places }) => places.map(({ attribute }) => attribute)),
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
        for (const text of values) {
          const value = typedAs(keys.types.get(partition), text);
          if (value !== undefined)
            asked.set(`${index ?? ""} ${text}`, { index, attribute: partition, value });
        }
      }
      return [...asked.values()];
    },
    ownersOf(item, { primary }, isMeant) {
      const found = foundIn(item, primary).filter(isMeant);
      return [...new Set(found.map(({ id }) => id))];
    },
    kindOf: (item) => kindOf(item)?.name,
    referredBy(item, entity) {
      const own = referred.flatMap(({ entity: of, field, places }) => {
        const value = of === entity ? valuesAt(places, item)[0]?.id : undefined;
        return value === undefined ? [] : [[field, value]];
      });
      return Object.fromEntries(own) as Record<string, string>;
    },
    linksOf(item, ids, { primary }) {
      return foundIn(item, primary).filter(({ id }) => ids.includes(id));
    },
  };

  function foundIn(item: JsonObject, primary: readonly string[]): FoundLink[] {
    const kind = kindOf(item);
    const isKnownKind = kind !== undefined;
    const at = (link: ItemLink, places = link.places) =>
      valuesAt(places, item).map((found) => ({ ...found, link, isKnownKind }));
    if (kind !== undefined) return links.flatMap((link) => (link.entity === kind.name ? at(link) : []));
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

/** The fields by which things of a table are referred to where that says whose others are, and where they stand. */
function referredFields(model: Model, table: string) {
  const wanted = Object.entries(model.entities).flatMap(([name, entity]) => {
    const ways = new Set((entity.links ?? []).flatMap(({ by }) => (typeof by === "string" ? [] : [by.via])));
    return referencesOf(name, entity).flatMap(({ field, to, parentField }) =>
      ways.has(field) && parentField !== undefined ? [{ to, field: parentField }] : [],
    );
  });
  return itemKinds(model, table).flatMap(({ name, templates }) => {
    const fields = new Set(wanted.flatMap(({ to, field }) => (to === name ? [field] : [])));
    return [...fields].map((field) => ({ entity: name, field, places: placesOf(templates, field) }));
  });
}

/** What an item has at those of the places where there is something. */
function valuesAt(
  places: readonly Place[],
  item: JsonObject,
): { readonly place: Place; readonly id: string; readonly named: Named }[] {
  return places.flatMap((place) => {
    const named = namedAt(place, item);
    const id = named === undefined ? undefined : idIn(place, named);
    return named === undefined || id === undefined || id === "" ? [] : [{ place, id, named }];
  });
}

/** What a place holds for somebody, where nothing but the id belongs there. */
function valueFor({ within }: Place, id: string): string | undefined {
  if (within === undefined) return id;
  const { template, field } = within;
  if (template.fields.length > 1) return undefined;
  const text = template.text.replace(`{${field}}`, () => id);
  return fieldsOf(template, text)?.[field] === id ? text : undefined;
}

/** A name as an attribute of this type has it; undefined where none can. */
function typedAs(type: "S" | "N" | "B" | undefined, name: string): Named | undefined {
  if (type !== "N") return { S: name };
  return wholeNumber.test(name) ? { N: name } : undefined;
}

/** As DynamoDB writes it. */
const wholeNumber = /^(0|-?[1-9]\d{0,37})$/;

function namedAt({ attribute }: Place, item: JsonObject): Named | undefined {
  const value = own(item, attribute);
  const text = textOf(value);
  if (text === undefined) return undefined;
  return isRecord(value) && "N" in value ? { N: text } : { S: text };
}

function idIn({ within }: Place, named: Named): string | undefined {
  const text = "N" in named ? named.N : named.S;
  return within === undefined ? text : fieldsOf(within.template, text)?.[within.field];
}

/** The buckets in which a model links something to people. Pure. @param only as for tables. */
export function personalBuckets(model: Model, only?: string): PersonalBucket[] {
  return Object.keys(model.buckets).flatMap((role) => {
    const files = Object.entries(model.entities).flatMap(([name, entity]) => {
      const { from, key } = entity;
      if (!("bucket" in from) || from.bucket !== role) return [];
      const texts = typeof key === "string" || Array.isArray(key) ? [key].flat() : [];
      const links = (entity.links ?? []).flatMap(({ subject, role: by, erase, ...link }) =>
        isPerson(model, subject, only) && typeof link.by === "string"
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
    ownersIn(key) {
      const found = kinds.find(key);
      const named =
        found === undefined
          ? folders.map(({ link, folder }) => ({
              link,
              id: own(fieldsOf(folder, key) ?? {}, link.field),
              folder,
            }))
          : found.value.links.map((link) => ({ link, id: own(found.fields, link.field), folder: undefined }));
      return named.flatMap(({ link, id, folder }) =>
        id === undefined || (folder !== undefined && isOtherFolder(files, folder, id)) ? [] : [{ link, id }],
      );
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

/** The parts of the items of a table that are people's. Pure. */
export function personalParts(model: Model, table: string): ItemPart[] {
  return itemParts(model, table).filter(({ declared: { links = [] } }) =>
    links.some(({ subject }) => isPerson(model, subject)),
  );
}

/** Where accounts are items of a table: what tells of each. */
export interface AccountItems {
  readonly entity: string;
  /** Role of the table. */
  readonly table: string;
  readonly attributes: readonly string[];
  /** Of an item in DynamoDB's typed JSON; undefined where it is no account. */
  accountIn(item: JsonObject): ItemAccount | undefined;
}

interface ItemAccount {
  readonly id: string;
  readonly email: string | undefined;
  /** What the templates of its key hold. */
  readonly fields: JsonObject;
}

/** Undefined where a model has its accounts elsewhere, or none. Pure. */
export function accountItems(model: Model): AccountItems | undefined {
  const { entity: name, fields } = model.features?.accounts ?? {};
  const from = name === undefined ? undefined : own(model.entities, name)?.from;
  if (from === undefined || !("table" in from) || "database" in from) return undefined;
  const { table } = from;
  const kind = itemKinds(model, table).find((each) => each.name === name);
  if (kind === undefined) return undefined;
  const { email = "email", id: idField = "id" } = fields ?? {};
  const places = placesOf(kind.templates, idField);
  const find = itemsOf(model, table);
  return {
    entity: kind.name,
    table,
    attributes: [
      ...new Set([email, ...attributesOfKinds(model, table), ...places.map(({ attribute }) => attribute)]),
    ],
    accountIn(item) {
      const found = find(item);
      if (found === undefined || found.name !== name) return undefined;
      const [id] = places.flatMap((place) => {
        const named = namedAt(place, item);
        return named === undefined ? [] : (idIn(place, named) ?? []);
      });
      return id === undefined ? undefined : { id, email: textOf(own(item, email)), fields: found.fields };
    },
  };
}

/**
 * What a model links to people and no erasure or export reaches, by name: files and parts of items that are found through something else,
 * and tables of databases where these are not looked through. Pure.
 */
export function unreachedEntities(model: Model, isInDatabases: boolean): string[] {
  return Object.entries(model.entities).flatMap(([name, { from, at, links = [] }]) => {
    const own = links.filter(({ subject }) => isPerson(model, subject));
    const isItem = "table" in from && at === undefined;
    const isDirect = own.every(({ by }) => typeof by === "string");
    const isReached = "database" in from ? isInDatabases : isItem || isDirect;
    return own.length === 0 || isReached ? [] : [name];
  });
}

/** Kinds of which the model does not know whose they are, for people. Pure. */
export function unclaimedEntities({ entities }: Pick<Model, "entities">): string[] {
  return Object.values(entities).flatMap(({ personal, what }) => (personal === "unknown" ? [what] : []));
}
