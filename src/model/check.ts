import { erasureOrder, referencesOf, storeText } from "./graph.ts";
import { own } from "./json.ts";
import { areAlike, itemKinds } from "./items.ts";
import { nearest } from "./nearest.ts";
import { parentKey } from "./counts.ts";
import { attachmentsOf } from "./document-files.ts";
import { fieldNamesOf, fieldTypeOf, keyTypeOf, tableKeysOf } from "./table-keys.ts";
import type { Entity, FieldType, Link, Model, ModelTable, DocumentsFeature } from "./schema.ts";
import { Ambiguous, classifier, parseTemplate, type Template } from "./template.ts";
import { toolRoles, toolTables } from "./tool-tables.ts";

/** What is wrong in a model, where, and what to do about it. */
export interface Fault {
  /** `entities.documents.links[0].find` */
  readonly path: string;
  readonly what: string;
  readonly remedy: string;
}

/** More entities than any site has; what the checks below take is the square of it. */
export const mostEntities = 1000;

/** Of so many faults each is told with what may have been meant. Nobody mends more in one go. */
export const mostFaults = 100;

/** Ways to build keys in one table; each is compared with all others. */
const mostTemplates = 500;

type Tell = (path: string, what: string, remedy: string) => void;

interface Look {
  readonly model: Model;
  readonly tell: Tell;
  /** Whether so much is wrong that no more help is given with each. */
  readonly isPastHelp: () => boolean;
  /** The fields of an entity; asked for by each reference to it. */
  readonly fieldsOf: (entity: Entity) => readonly string[];
}

/** What a model of the right form says that cannot be; none is a model to work by. Pure. */
export function faultsIn(model: Model): Fault[] {
  const faults: Fault[] = [];
  const fields = new Map<Entity, readonly string[]>();
  const look: Look = {
    model,
    tell: (path, what, remedy) => void faults.push({ path, what, remedy }),
    isPastHelp: () => faults.length >= mostFaults,
    fieldsOf(entity) {
      const known = fields.get(entity) ?? fieldNamesOf(model, entity);
      fields.set(entity, known);
      return known;
    },
  };
  checkStores(look);
  for (const [name, entity] of Object.entries(model.entities)) checkEntity(look, name, entity);
  checkIds(look);
  checkKeys(look);
  checkItems(look);
  checkRest(look);
  const order = erasureOrder(model);
  if ("circle" in order) {
    look.tell(
      `entities.${order.circle[0]}.refs`,
      `refer to each other in a circle: ${order.circle.join(" -> ")}`,
      "leave one of these references out: nothing can be erased before itself",
    );
  }
  return faults;
}

/** Tells when nothing has this name, with what may have been meant. */
function mustBe(
  { tell, isPastHelp }: Look,
  at: { readonly path: string; readonly kind: string },
  [name, among]: readonly [string, readonly string[]],
): boolean {
  if (among.includes(name)) return true;
  const meant = isPastHelp() ? undefined : nearest(name, among);
  const known = among.length === 0 ? "there is none" : `there are: ${among.slice(0, 20).join(", ")}`;
  tell(at.path, `there is no ${at.kind} "${name}"`, meant === undefined ? known : `did you mean "${meant}"?`);
  return false;
}

function checkStores(look: Look): void {
  const { model, tell } = look;
  const { buckets, tables, lifecycle = {} } = model;
  const names = new Map<string, string>();
  const once = (path: string, name: string) => {
    const before = names.get(name);
    if (before !== undefined) tell(path, `has the name of ${before}`, "two of them need two names");
    names.set(name, path);
  };
  for (const [role, bucket] of Object.entries(buckets)) {
    once(`buckets.${role}`, `s3 ${bucket.name}`);
    for (const [at, id] of (bucket.lifecycle ?? []).entries())
      mustBe(look, { path: `buckets.${role}.lifecycle[${at}]`, kind: "lifecycle rule" }, [
        id,
        Object.keys(lifecycle),
      ]);
    mustHoldSomething(look, `buckets.${role}`, `bucket ${role}`);
  }
  const tools = new Map<string, string>();
  for (const [role, table] of Object.entries(tables)) {
    once(`tables.${role}`, `dynamodb ${table.name}`);
    const { tool = "" } = table;
    const before = tool === "" ? undefined : tools.get(tool);
    if (before !== undefined)
      tell(`tables.${role}.tool`, `is that of tables.${before}, too`, "mawps keeps one of each");
    if (tool !== "") tools.set(tool, role);
    mustHoldSomething(look, `tables.${role}`, `table ${role}`);
    checkTable(look, role, table);
  }
}

function mustHoldSomething({ model, tell }: Look, path: string, store: string): void {
  if (Object.values(model.entities).some(({ from }) => storeText(from) === store)) return;
  tell(
    path,
    "no entity is in it",
    "say what it holds: an entity with its links, or with its reason to have none",
  );
}

function checkTable(look: Look, role: string, table: ModelTable): void {
  const { model, tell } = look;
  const path = `tables.${role}`;
  if (table.tool !== undefined && role !== toolRoles[table.tool])
    tell(
      path,
      `holds mawps's own ${table.tool} records`,
      `call it "${toolRoles[table.tool]}", as its setting is called`,
    );
  if (table.tool === "audit") {
    if (table.anchors === undefined)
      tell(path, "does not say where its anchors lie", '"anchors": the role of a private bucket');
    else
      mustBe(look, { path: `${path}.anchors`, kind: "private bucket" }, [
        table.anchors,
        Object.keys(model.buckets).filter((each) => own(model.buckets, each)?.access === "private"),
      ]);
  }
  if (table.tool !== undefined) {
    const given = ["key", "shapes", "indexes", "ttl"].find((name) => Object.hasOwn(table, name));
    if (given !== undefined)
      tell(`${path}.${given}`, "is of the tool's own table", "leave it out: mawps knows it");
    return;
  }
  if ((table.key === undefined) === (table.shapes === undefined))
    tell(path, "needs either a key or several shapes", 'write "key": "userId", or "shapes": [...]');
  const within = Object.entries(model.entities).filter(([, { from }]) => storeText(from) === `table ${role}`);
  const typesOf = (name: string) =>
    within.flatMap(([entity, each]) => {
      const type = fieldTypeOf(each, name);
      return type === undefined ? [] : [{ entity, type }];
    });
  const indexed = [
    ...[table.key ?? []].flat().map((name) => [`${path}.key`, name] as const),
    ...Object.entries(table.indexes ?? {}).flatMap(([index, { key }]) =>
      [key].flat().map((name) => [`${path}.indexes.${index}`, name] as const),
    ),
  ];
  for (const [at, name] of indexed) {
    const wrong = typesOf(name).find(({ type }) => keyTypeOf(type) === undefined);
    if (wrong === undefined) continue;
    tell(
      at,
      `"${name}" is of type ${wrong.type} (entities.${wrong.entity}.fields), which cannot be a key`,
      `derive a text from it, and use that: "${name}Key": {"type": "text", "derive": "{${name}}"}`,
    );
  }
  if (table.ttl !== undefined) checkTtl(look, { path: `${path}.ttl`, name: table.ttl }, typesOf(table.ttl));
  if (table.when !== undefined) {
    const { table: beside, shape } = table.when;
    const shapes = own(model.tables, beside)?.shapes ?? [];
    if (mustBe(look, { path: `${path}.when.table`, kind: "table" }, [beside, Object.keys(model.tables)]))
      mustBe(look, { path: `${path}.when.shape`, kind: `shape of ${beside}` }, [
        shape,
        shapes.map(({ id }) => id),
      ]);
  }
}

function checkTtl(
  { tell }: Look,
  { path, name }: { readonly path: string; readonly name: string },
  types: readonly { readonly entity: string; readonly type: FieldType }[],
): void {
  const wrong = types.find(({ type }) => type !== "epochSeconds");
  if (wrong !== undefined) {
    tell(
      path,
      `"${name}" is of type ${wrong.type} (entities.${wrong.entity}.fields); DynamoDB expires by epoch seconds only`,
      `derive them: "ttl": {"type": "epochSeconds", "derive": {"epochSecondsOf": "${name}"}}`,
    );
  } else if (types.length === 0) {
    tell(
      path,
      `no entity of the table says what "${name}" is`,
      `write it down: "fields": {"${name}": "epochSeconds"}`,
    );
  }
}

function checkEntity(look: Look, name: string, entity: Entity): void {
  const { model, tell } = look;
  const path = `entities.${name}`;
  const { from } = entity;
  const [kind, role, among] =
    "bucket" in from
      ? (["bucket", from.bucket, model.buckets] as const)
      : "database" in from
        ? (["database", from.database, model.databases ?? {}] as const)
        : (["table", from.table, model.tables] as const);
  if (!mustBe(look, { path: `${path}.from.${kind}`, kind }, [role, Object.keys(among)])) return;
  const { links, personal, reason } = entity;
  if (links === undefined && (personal === undefined || reason === undefined)) {
    tell(
      path,
      personal === undefined ? "has no link: whose is it?" : "says that it is nobody's, and no reason",
      'name whose it is in "links", or write "personal": false and a "reason"',
    );
  }
  if (links !== undefined && personal !== undefined)
    tell(`${path}.personal`, "contradicts its links", "leave one of the two out");
  const known = checkForm(look, { path, name }, entity);
  if (known === undefined) return;
  for (const [at, link] of (links ?? []).entries())
    checkLink(look, { path: `${path}.links[${at}]`, name, entity, known }, link);
  for (const reference of referencesOf(name, entity))
    checkReference(look, { path, name, entity, known }, reference);
  for (const [at, expiry] of (entity.expires ?? []).entries())
    checkExpiry(look, { path: `${path}.expires[${at}]`, name, entity, known }, expiry);
  checkCounts(look, { path, name }, entity);
  for (const [field, value] of Object.entries(entity.fields ?? {})) {
    if (typeof value !== "object" || value.derive === undefined) continue;
    const sources =
      typeof value.derive === "string"
        ? parsed(look, `${path}.fields.${field}.derive`, [value.derive, "attribute"])?.fields
        : [value.derive.epochSecondsOf];
    for (const source of sources ?? [])
      mustBe(look, { path: `${path}.fields.${field}.derive`, kind: "field" }, [source, known]);
  }
}

/** Counts can only follow where the key of who refers tells the key of the parent. */
function checkCounts(
  look: Look,
  { path, name }: { readonly path: string; readonly name: string },
  { fields = {} }: Entity,
): void {
  const { model, tell } = look;
  const known = new Map<string, boolean>();
  for (const [field, value] of Object.entries(fields)) {
    const counted = typeof value === "object" ? value.counts : undefined;
    if (counted === undefined) continue;
    const place = `${path}.fields.${field}.counts`;
    if (!mustBe(look, { path: place, kind: "entity" }, [counted, Object.keys(model.entities)])) continue;
    const isTold = known.get(counted) ?? tellsParent(model, { name: counted, parent: name });
    known.set(counted, isTold);
    if (!isTold)
      tell(
        place,
        `the keys of ${counted} do not tell which of ${name} each refers to`,
        `give ${counted} a reference to ${name} in "refs", by a field of its key`,
      );
  }
}

function tellsParent(model: Model, of: { readonly name: string; readonly parent: string }): boolean {
  const child = own(model.entities, of.name);
  if (child === undefined) return false;
  try {
    return parentKey(model, of)(keyLike(model, child)) !== undefined;
  } catch (error) {
    // A template that is none is told where it stands.
    if (error instanceof RangeError) return true;
    throw error;
  }
}

/** A key as an item of the entity may have it: `TEAM#1` for `TEAM#{teamId}`. */
function keyLike({ tables }: Model, { from, key = {} }: Entity): Record<string, string> {
  const table = "table" in from && !("database" in from) ? own(tables, from.table) : undefined;
  if (table === undefined || typeof key === "string" || Array.isArray(key)) return {};
  const textOf = (name: string) => [own(key, name) ?? "1"].flat()[0] ?? "1";
  const parts = tableKeysOf(table).primary.map((name) => [name, textOf(name).replaceAll(/\{\w+\+?\}/g, "1")]);
  return Object.fromEntries(parts) as Record<string, string>;
}

function parsed(
  { tell }: Look,
  path: string,
  [text, kind]: readonly [string, Template["kind"]],
): Template | undefined {
  try {
    return parseTemplate(text, kind);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const example = kind === "object" ? "users/{userId}/{path+}" : "TEAM#{teamId}";
    tell(path, `${JSON.stringify(text.slice(0, 80))} ${error.message}`, `write it as "${example}"`);
    return undefined;
  }
}

/** Checks how an entity is found in its store; the fields that are known of it, or undefined where that could not be read. */
function checkForm(
  look: Look,
  { path, name }: { readonly path: string; readonly name: string },
  entity: Entity,
): readonly string[] | undefined {
  const { model, tell } = look;
  const { from, key, at } = entity;
  const declared = Object.keys(entity.fields ?? {});
  const wrongForm = (what: string, remedy: string) => {
    tell(`${path}.key`, what, remedy);
    return undefined;
  };
  if ("bucket" in from) {
    if (at !== undefined)
      tell(`${path}.at`, "is for items", "leave it out: objects have nothing within them");
    if (key === undefined || (typeof key === "object" && !Array.isArray(key)))
      return wrongForm(
        "an entity of a bucket needs the template of its keys",
        '"key": "users/{userId}/{path+}"',
      );
    const templates = [key].flat().map((text) => parsed(look, `${path}.key`, [text, "object"]));
    if (templates.includes(undefined)) return undefined;
    return [...declared, ...templates.flatMap((template) => template?.fields ?? [])];
  }
  if ("database" in from) {
    if (key !== undefined) return wrongForm("the SQL file says the keys of its tables", "leave it out");
    return declared;
  }
  if (typeof key === "string" || Array.isArray(key))
    return wrongForm(`${name} is in a table: its key names the attributes`, '"key": {"PK": "TEAM#{teamId}"}');
  const table = own(model.tables, from.table);
  const keys = table === undefined ? { primary: [], indexes: {} } : tableKeysOf(table);
  const shapes = (table?.shapes ?? []).flatMap((shape) => shape.key);
  const attributes = [...new Set([...keys.primary, ...shapes, ...Object.values(keys.indexes).flat()])];
  const templates: (Template | undefined)[] = [];
  for (const [attribute, texts] of Object.entries(key ?? {})) {
    const isKey = mustBe(look, { path: `${path}.key`, kind: `key attribute of ${from.table}` }, [
      attribute,
      attributes,
    ]);
    for (const text of [texts].flat())
      templates.push(isKey ? parsed(look, `${path}.key.${attribute}`, [text, "attribute"]) : undefined);
  }
  if (templates.includes(undefined)) return undefined;
  const ttl = table?.tool === undefined ? table?.ttl : toolTables[table.tool].expiryAttribute;
  const fields = templates.flatMap((template) => template?.fields ?? []);
  return [...new Set([...declared, ...fields, ...attributes, ...(ttl === undefined ? [] : [ttl])])];
}

interface Known {
  readonly path: string;
  /** Of the entity. */
  readonly name: string;
  readonly entity: Entity;
  readonly known: readonly string[];
}

/** Whether all that a link goes by can say whose things are: where one target of several cannot, what names that is nobody's, and stays. */
function checkWay(
  { model, tell }: Look,
  { path, name, entity }: Known,
  { subject, via }: { readonly subject: string; readonly via: string },
): void {
  const place = `${path}.by.via`;
  const isRow = "database" in entity.from;
  const targets = referencesOf(name, entity).filter(({ field }) => field === via);
  if (targets.every(({ to, parentField }) => to === name && parentField !== undefined))
    tell(place, `leads to ${name} itself alone`, "name another parent in refs, or say it here by a field");
  for (const { to, parentField } of targets) {
    const parent = own(model.entities, to);
    if (parent === undefined || to === name) continue;
    if (parentField === undefined)
      tell(place, `leads to files of ${to}, which say nothing of whose this is`, "say it here by a field");
    else if (!(parent.links ?? []).some((each) => each.subject === subject))
      tell(
        place,
        `leads to ${to}, which has no link to ${subject}`,
        `link ${to} to its ${subject}, or say it here by a field`,
      );
    else if ("database" in parent.from !== isRow)
      tell(
        place,
        `leads to ${to}, which is in ${storeText(parent.from)}: nothing is looked for from one kind of store into another`,
        "say it here by a field",
      );
  }
}

function checkLink(look: Look, at: Known, link: Link): void {
  const { model, tell } = look;
  const { path, entity, known } = at;
  mustBe(look, { path: `${path}.subject`, kind: "subject" }, [link.subject, Object.keys(model.subjects)]);
  if (typeof link.by === "object") {
    const { via } = link.by;
    if (!mustBe(look, { path: `${path}.by.via`, kind: "reference" }, [via, Object.keys(entity.refs ?? {})]))
      return;
    checkWay(look, at, { subject: link.subject, via });
  } else if (!mustBe(look, { path: `${path}.by`, kind: "field" }, [link.by, known])) {
    return;
  }
  if (typeof link.erase === "object" && "expires" in link.erase && (entity.expires ?? []).length === 0)
    tell(
      `${path}.erase`,
      "leaves it to expire, and nothing expires",
      'add "expires", or erase it in another way',
    );
  if (typeof link.erase === "object" && "keep" in link.erase) checkKept(look, at, link);
  if ("bucket" in entity.from) checkFileLink(look, path, link);
  checkFind(look, at, link);
}

/** Files go whole, in all versions: nothing in them can be emptied or be left to others. */
function checkFileLink({ tell }: Look, path: string, { role, erase }: Link): void {
  if (erase !== "delete")
    tell(
      `${path}.erase`,
      "is not for objects: an erasure deletes those of the person",
      'write "delete", or leave the link out and write "personal": false with the reason for which they stay',
    );
  else if (role !== "subject")
    tell(
      `${path}.role`,
      `deletes objects with whoever is only their ${role}`,
      'link them to their "subject" alone, or write "personal": false with a "reason"',
    );
}

/** What is kept must end some day, and must not go with what it refers to. */
function checkKept({ model, tell }: Look, { path, entity }: Known, { subject, erase }: Link): void {
  const { days } = (erase as Extract<Link["erase"], { readonly keep: unknown }>).keep;
  const ends = (entity.expires ?? []).some(
    ({ after, do: action }) => action !== "soft-delete" && after === days,
  );
  if (days !== undefined && !ends)
    tell(
      `${path}.erase.keep.days`,
      `says ${days} days, and nothing ends then`,
      `add a rule to "expires" with "after": ${days}, or leave the days out`,
    );
  for (const { to } of referencesOf("", entity)) {
    const links = own(model.entities, to)?.links ?? [];
    if (!links.some((each) => each.subject === subject && each.erase === "delete")) continue;
    tell(
      `${path}.erase.keep`,
      `keeps what refers to ${to}, which is deleted`,
      `let ${to} be a "pseudonym", or do not refer to it`,
    );
  }
}

function checkFind(look: Look, { path, entity }: Known, { by, find }: Link): void {
  const { model, tell } = look;
  const { from } = entity;
  if (find === undefined) {
    tell(
      path,
      'does not say how it is found ("find")',
      '"key", "prefix" or {"index": …}; where everything has to be read for it, write "find": "scan"',
    );
    return;
  }
  if (typeof by === "object" || find === "scan" || "database" in from) return;
  if ("bucket" in from) {
    const templates = [entity.key ?? []].flat().filter((text) => typeof text === "string");
    const isFirst = templates.every((text) => parseTemplate(text, "object").fields[0] === by);
    if (find === "prefix" && isFirst) return;
    tell(
      `${path}.find`,
      `objects cannot be found so by {${by}}`,
      'write "prefix" where it is the first field of the template, else "scan"',
    );
    return;
  }
  const table = own(model.tables, from.table);
  if (table === undefined) return;
  const keys = tableKeysOf(table);
  const index = typeof find === "object" ? find.index : undefined;
  if (index !== undefined) {
    const known = Object.keys(keys.indexes);
    if (!mustBe(look, { path: `${path}.find.index`, kind: `index of ${from.table}` }, [index, known])) return;
  }
  const [partition = ""] = index === undefined ? keys.primary : (own(keys.indexes, index) ?? []);
  const templates = own(
    typeof entity.key === "object" && !Array.isArray(entity.key) ? entity.key : {},
    partition,
  );
  const leads = (text: string) => parseTemplate(text, "attribute").fields.join() === by;
  if (find !== "prefix" && (partition === by || [templates ?? []].flat().some(leads))) return;
  tell(
    `${path}.find`,
    `${index === undefined ? "the key of the table" : `the index ${index}`} begins with "${partition}", not with "${by}"`,
    'name an index that begins with it, or write "find": "scan"',
  );
}

function checkReference(
  look: Look,
  { path, known }: Known,
  { field, to, parentField }: ReturnType<typeof referencesOf>[number],
): void {
  const { model, tell } = look;
  const at = `${path}.refs.${field}`;
  mustBe(look, { path: at, kind: "field" }, [field, known]);
  if (!mustBe(look, { path: at, kind: "entity" }, [to, Object.keys(model.entities)])) return;
  const parent = own(model.entities, to);
  if (parent === undefined) return;
  const isObject = "bucket" in parent.from;
  if (isObject !== (parentField === undefined)) {
    tell(
      at,
      isObject ? `${to} are objects` : `${to} are no objects`,
      isObject ? `write "object:${to}"` : `write "${to}.id", with the field that it refers to`,
    );
    return;
  }
  if (parentField === undefined) return;
  mustBe(look, { path: at, kind: `field of ${to}` }, [parentField, look.fieldsOf(parent)]);
}

function checkExpiry(
  look: Look,
  { path, entity, known }: Known,
  expiry: NonNullable<Entity["expires"]>[number],
): void {
  const { model, tell } = look;
  const { since, by, do: action, after, keepNewest, unreferred, when, partitions } = expiry;
  const { entity: marked = "", fields = {} } = model.features?.documents ?? {};
  if (action === "soft-delete" && own(model.entities, marked) !== entity)
    tell(
      path,
      "marks as deleted what is no document",
      'name the entity in features.documents, or "do": "delete"',
    );
  else if (action === "soft-delete" && (fields.status === undefined || fields.deletedAt === undefined))
    tell(
      path,
      "marks as deleted where nothing says how",
      "add status and deletedAt to features.documents.fields",
    );
  if (by === "run" && since === undefined && !("bucket" in entity.from))
    tell(path, "does not say since when", '"since": the field with the time; objects have one of their own');
  if (since !== undefined && !("bucket" in entity.from))
    mustBe(look, { path: `${path}.since`, kind: "field" }, [since, known]);
  if ((action === "ttl") !== (by === "ttl")) {
    tell(path, `"do": "${action}" by "${by}" cannot be`, 'what DynamoDB expires is "do": "ttl", "by": "ttl"');
    return;
  }
  if ("bucket" in entity.from) {
    // Of MAWPS's own pictures the newest are kept: retention refuses such a rule of every other site.
    const hasPictures = model.features?.hero !== undefined;
    for (const name of ["since", "when", "keepNewest"] as const)
      if (expiry[name] !== undefined && !(hasPictures && name === "keepNewest"))
        tell(`${path}.${name}`, "is not for objects, which go by their age in S3 alone", 'write "after"');
    if (after === undefined) tell(path, "does not say after how many days", 'add "after"');
  } else if (after === undefined && keepNewest === undefined)
    tell(path, "says neither after how many days nor how many are kept", 'add "after" or "keepNewest"');
  if (unreferred === true && !("database" in entity.from && action === "delete" && keepNewest === undefined))
    tell(
      `${path}.unreferred`,
      "is for rows of a database that are deleted by their age",
      "foreign keys say what refers to them: leave it out here",
    );
  const isByAge =
    action === "delete" && keepNewest === undefined && when === undefined && unreferred !== true;
  if (partitions !== undefined && !("database" in entity.from && isByAge && entity.expires?.length === 1))
    tell(
      `${path}.partitions`,
      "is for rows of a database that are deleted by their age and by no other rule",
      "a partition goes with all of its rows: leave it out here",
    );
  if (by !== "ttl") return;
  const table =
    "bucket" in entity.from || "database" in entity.from ? undefined : own(model.tables, entity.from.table);
  if (table === undefined || (table.ttl === undefined && table.tool !== "audit"))
    tell(
      path,
      "leaves it to a TTL that its table has not",
      'name the attribute: "ttl" of the table, or "by": "run"',
    );
}

/** Rules are known by their ids in plans, and their numbers by the names of settings. */
function checkIds({ model, tell }: Look): void {
  const seen = new Map<string, string>();
  const once = (id: string, path: string) => {
    const before = seen.get(id);
    if (before !== undefined) tell(path, `has the id of ${before}`, "two rules need two ids");
    seen.set(id, path);
  };
  const set = new Map<string, string>();
  const onceSet = (name: string | undefined, path: string) => {
    const before = name === undefined ? undefined : set.get(name);
    if (before !== undefined)
      tell(path, `"${name}" is the setting of ${before}`, "two numbers need two settings");
    if (name !== undefined) set.set(name, path);
  };
  for (const [id, { do: action, after, setting }] of Object.entries(model.lifecycle ?? {})) {
    once(id, `lifecycle.${id}`);
    onceSet(setting, `lifecycle.${id}.setting`);
    if (after === 0 && action !== "intelligent-tiering")
      tell(`lifecycle.${id}.after`, "is 0 days, which S3 does not take", "write 1 or more");
  }
  for (const [name, { expires = [] }] of Object.entries(model.entities)) {
    for (const [at, { id, do: action, after, settings = {} }] of expires.entries()) {
      const path = `entities.${name}.expires[${at}]`;
      once(id, path);
      onceSet(settings.after, `${path}.settings.after`);
      onceSet(settings.keepNewest, `${path}.settings.keepNewest`);
      if (action === "ttl" && after === 0)
        tell(`${path}.after`, "is 0 days: what is written would be gone at once", "write 1 or more");
    }
  }
}

/** Objects of one bucket must be told apart by their keys. */
function checkKeys({ model, tell }: Look): void {
  for (const bucket of Object.keys(model.buckets)) {
    const templates = Object.entries(model.entities).flatMap(([name, { from, key }]) =>
      "bucket" in from && from.bucket === bucket && (typeof key === "string" || Array.isArray(key))
        ? [key].flat().map((text) => ({ name, text }))
        : [],
    );
    try {
      classifier(
        templates.map(({ name, text }) => ({ template: parseTemplate(text, "object"), value: name })),
      );
    } catch (error) {
      // A template that cannot be read has been told of where it stands.
      if (error instanceof RangeError) continue;
      if (!(error instanceof Ambiguous)) throw error;
      const { one, other } = error;
      const at = templates.find(({ text }) => text === other)?.name ?? bucket;
      tell(
        `entities.${at}.key`,
        `"${other}" and "${one}" can build the same key in ${bucket}`,
        "make them differ in a literal, or make them one entity",
      );
    }
  }
}

/** Items of one table must be told apart by their keys, or by what is in them. */
function checkItems({ model, tell }: Look): void {
  for (const role of Object.keys(model.tables)) {
    const within = itemKinds(model, role);
    const templates = within.reduce(
      (sum, kind) => sum + [...kind.templates.values()].reduce((all, each) => all + each.length, 0),
      0,
    );
    if (templates > mostTemplates) {
      tell(
        `tables.${role}`,
        `has more than ${mostTemplates} templates of keys`,
        "several tables, or fewer kinds",
      );
      continue;
    }
    for (const [at, one] of within.entries()) {
      const other = within.slice(at + 1).find((each) => areAlike(one, each));
      if (other === undefined) continue;
      tell(
        `entities.${other.name}`,
        `cannot be told apart from ${one.name}: both can be the same item of ${role}`,
        'give them keys that differ in a literal, or a "when" on the same attribute',
      );
    }
  }
}

function checkRest(look: Look): void {
  const { model, tell } = look;
  const { secrets, expected = [], features = {}, entities, subjects } = model;
  const tables = Object.keys(model.tables);
  for (const [at, role] of (secrets?.tables ?? []).entries())
    mustBe(look, { path: `secrets.tables[${at}]`, kind: "table" }, [role, tables]);
  for (const [at, { table, alsoIn }] of expected.entries()) {
    mustBe(look, { path: `expected[${at}].table`, kind: "table" }, [table, tables]);
    for (const bucket of alsoIn)
      mustBe(look, { path: `expected[${at}].alsoIn`, kind: "bucket" }, [bucket, Object.keys(model.buckets)]);
  }
  const names = Object.keys(entities);
  for (const [name, { accounts }] of Object.entries(subjects)) {
    const path = `subjects.${name}.accounts`;
    if (typeof accounts === "object")
      mustBe(look, { path: `${path}.entity`, kind: "entity" }, [accounts.entity, names]);
    if (accounts === "cognito" && model.userPool !== true)
      tell(path, "there is no user pool", 'write "userPool": true');
  }
  for (const [feature, given] of Object.entries(features)) {
    if (given === undefined) continue;
    const path = `features.${feature}`;
    const entity = mustBe(look, { path: `${path}.entity`, kind: "entity" }, [given.entity, names])
      ? own(entities, given.entity)
      : undefined;
    if ("files" in given) mustBe(look, { path: `${path}.files`, kind: "entity" }, [given.files, names]);
    if (entity === undefined || !("fields" in given) || given.fields === undefined) continue;
    const known = fieldNamesOf(model, entity);
    for (const [use, field] of Object.entries(given.fields))
      mustBe(look, { path: `${path}.fields.${use}`, kind: `field of ${given.entity}` }, [field, known]);
    if ("attachedTo" in given) checkAttachments(look, given, known);
  }
}

/** What a file of an attachment is about must be told by its key and by the field of the entry alike. */
function checkAttachments(look: Look, documents: DocumentsFeature, known: readonly string[]): void {
  const { model, tell } = look;
  const found = new Set(attachmentsOf(model).map(({ kind }) => kind));
  for (const [kind, { field, files }] of Object.entries(documents.attachedTo ?? {})) {
    const path = `features.documents.attachedTo.${kind}`;
    const isKnown = [
      mustBe(look, { path: `${path}.field`, kind: `field of ${documents.entity}` }, [field, known]),
      mustBe(look, { path: `${path}.files`, kind: "entity" }, [files, Object.keys(model.entities)]),
    ];
    if (!isKnown.includes(false) && !found.has(kind))
      tell(
        path,
        `${field} and the key of ${files} refer to nothing that is the same`,
        'give both a reference to it in "refs"',
      );
  }
}
