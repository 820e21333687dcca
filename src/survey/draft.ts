import type { Aws } from "../aws/clients.ts";
import { discover } from "../aws/discover.ts";
import { describeTable, type DescribedTable } from "../aws/dynamodb/table-description.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { isRecord, timeOf, type JsonObject } from "../model/json.ts";
import type { TableKeys } from "../model/declaration.ts";
import { toolRoles } from "../model/tool-tables.ts";

/** A draft of a model as text, and what could not be looked at. */
export interface Draft {
  readonly text: string;
  readonly buckets: number;
  readonly tables: number;
  readonly guesses: number;
  readonly failures: readonly { readonly what: string; readonly why: string }[];
}

interface Wanted {
  readonly name: string;
  /** Only buckets and tables whose names hold this. */
  readonly only?: string | undefined;
  readonly signal: AbortSignal;
}

/** A property of this name becomes a comment. */
const remark = "//";
const guess = (why: string) => ({ [remark]: `GUESS: ${why}` });

/** Attributes and fields that are likely an id of a person. */
const personLike = /^(user|owner|customer|member|account|person|uploadedby|createdby)_?(id)?$|email/i;

/**
 * Looks at the buckets and tables of the account and region, at a thousand keys and a page of items of each, and writes a model that says
 * what they seem to be. Only reads. Of what lies there the draft has names of folders and attributes, no values; every guess is a
 * line with "GUESS".
 */
export async function draftModel(aws: Aws, wanted: Wanted): Promise<Draft> {
  const found = await discover(aws, wanted.signal);
  const isWanted = (name: string) => wanted.only === undefined || name.includes(wanted.only);
  const [bucketNames, tableNames] = [
    found.buckets.filter(isWanted),
    found.tables.filter((name) => isWanted(name) && !toolTable.test(name)),
  ];
  const common = commonStart([...bucketNames, ...tableNames]);
  const bucketRoles = rolesOf(bucketNames, common);
  const tableRoles = rolesOf(tableNames, common);
  const buckets: Record<string, unknown> = {};
  const tables: Record<string, unknown> = {};
  const entities: Record<string, unknown> = {};
  const put = (name: string, entity: unknown) => {
    let free = name;
    for (let at = 2; Object.hasOwn(entities, free); at += 1) free = `${name}${at}`;
    entities[free] = entity;
  };
  for (const [role, name] of bucketRoles) {
    buckets[role] = {
      ...guess('private; else {"public": "folder/"}: what anybody may read'),
      name,
      access: "private",
    };
    for (const [entity, drafted] of objectEntities(role, await someKeys(aws, name, wanted.signal)))
      put(entity, drafted);
  }
  for (const [role, name] of tableRoles) {
    const described = await describeTable(aws, name, wanted.signal);
    if (described === undefined) continue;
    const items = await someItems(aws, name, wanted.signal);
    tables[role] = tableOf(name, described.description);
    for (const [entity, drafted] of itemEntities(role, described.description, items)) put(entity, drafted);
  }
  const [anchors] = bucketRoles.keys();
  if (anchors !== undefined) addToolTables({ name: wanted.name, anchors, tables, put });
  const model = {
    $schema: "https://unpkg.com/mawps/models/model.schema.json",
    name: wanted.name,
    region: aws.region,
    userPool: found.userPools.length > 0,
    buckets,
    tables,
    subjects: {
      user: { ...guess("one kind of people"), what: "user of the site", ids: ["userId", "email"] },
    },
    entities,
  };
  const text = withComments(model);
  return {
    text,
    buckets: Object.keys(buckets).length,
    tables: tableRoles.size,
    guesses: text.split("GUESS").length - 1,
    failures: found.failures,
  };
}

/** JSON in which the remarks are comments. */
function withComments(model: unknown): string {
  const text = JSON.stringify(model, undefined, 2);
  return `${text.replaceAll(/^( *)"\/\/": "((?:[^"\\]|\\.)*)",?$/gm, (_line, blanks: string, words: string) => `${blanks}// ${String(JSON.parse(`"${words}"`))}`)}\n`;
}

/** What all names begin with, up to a sign between words. */
function commonStart(names: readonly string[]): string {
  const [first = "", ...others] = names;
  let common = others.length === 0 ? "" : first;
  for (const name of others) while (!name.startsWith(common)) common = common.slice(0, -1);
  return /^.*[-_.]/.exec(common)?.[0] ?? "";
}

/** A word for each name, without what all begin with: `shop-user-files` and `shop-media` are `userFiles` and `media`. */
function rolesOf(names: readonly string[], common: string): Map<string, string> {
  const roles = new Map<string, string>();
  for (const name of names) {
    const words = name
      .slice(common.length)
      .split(/[^A-Za-z0-9]+/)
      .filter((word) => word !== "");
    const role = camelCase(words);
    for (let at = 1; ; at += 1) {
      const free = at === 1 ? role : `${role}${at}`;
      if (roles.has(free)) continue;
      roles.set(free, name);
      break;
    }
  }
  return roles;
}

function camelCase(words: readonly string[]): string {
  const text = words
    .map(
      (word, at) => (at === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1),
    )
    .join("");
  return /^[A-Za-z]/.test(text) ? text.slice(0, 40) : `store${text}`.slice(0, 40);
}

async function someKeys(aws: Aws, bucket: string, signal: AbortSignal): Promise<string[]> {
  for await (const { objects } of listObjects(aws, { bucket, signal })) return objects.map(({ key }) => key);
  return [];
}

async function someItems(aws: Aws, table: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
  for await (const items of scanItems(aws, { table, asSent: true, signal })) return items;
  return [];
}

/** Where mawps keeps the anchors of its trail. */
const trailFolder = "audit";

/** A folder that is somebody's own name or number is no kind of thing. */
function isPlainFolder(text: string): boolean {
  return /^[a-z][a-z-]{0,40}$/i.test(text);
}

/** Tables of mawps's own, of whatever site. */
const toolTable = /(^|-)mawps-(audit-log|migrations)$/;

type Drafted = readonly [name: string, entity: unknown];

function objectEntities(role: string, keys: readonly string[]): Drafted[] {
  const from = { bucket: role };
  const nobody = (why: string) => ({ ...guess(why), personal: false, reason: "not known yet" });
  if (keys.length === 0) {
    return [
      [
        `${role}Files`,
        { what: "files", from, key: "{path+}", ...nobody("nothing is in it: what will be, and whose?") },
      ],
    ];
  }
  const drafted: Drafted[] = [];
  const folders = new Map<string, string[]>();
  let isMixed = false;
  for (const key of keys) {
    const [first = "", ...rest] = key.split("/");
    if (rest.length === 0 || !isPlainFolder(first)) isMixed = true;
    else if (first !== trailFolder) folders.set(first, [...(folders.get(first) ?? []), rest.join("/")]);
  }
  for (const [folder, below] of folders) {
    const deep = below.filter((each) => each.indexOf("/") > 0);
    const owners = new Set(deep.map((each) => each.slice(0, each.indexOf("/"))));
    const isOwned = deep.length === below.length && [...owners].some((each) => !isPlainFolder(each));
    const link = { subject: "user", role: "subject", by: "userId", find: "prefix", erase: "delete" };
    drafted.push([
      camelCase([role, folder, "files"]),
      isOwned
        ? {
            ...guess("the second part of the key is whose it is"),
            what: `files below ${folder}/`,
            from,
            key: `${folder}/{userId}/{path+}`,
            links: [link],
          }
        : {
            what: `files below ${folder}/`,
            from,
            key: `${folder}/{path+}`,
            ...nobody("nobody's: whose are they?"),
          },
    ]);
  }
  if (isMixed) {
    drafted.push([
      `${role}Others`,
      { what: "files in no folder of a kind", from, key: "{path+}", ...nobody("nobody's: whose are they?") },
    ]);
  }
  return drafted;
}

function tableOf(name: string, { keys, indexes, expiryAttribute, billing }: DescribedTable): unknown {
  const globals = indexes.map((index) => [index.name, { key: namesOf(index.keys) }] as const);
  return {
    name,
    ...(billing === "on-demand" ? {} : { capacity: capacityOf(billing) }),
    key: namesOf(keys),
    ...(globals.length === 0 ? {} : { indexes: Object.fromEntries(globals) }),
    ...(expiryAttribute === undefined ? {} : { ttl: expiryAttribute }),
  };
}

/** Up to which a model may let a table scale. */
const mostUnits = 40_000;

/** Without it the table would be one on demand, and `setup --fix` make it that. */
function capacityOf({ readUnits, writeUnits }: Exclude<DescribedTable["billing"], "on-demand">): unknown {
  const scaled = (units: number) => ({ min: units, max: Math.min(10 * units, mostUnits) });
  return {
    ...guess("how far its units may scale; without capacity it is on demand"),
    read: scaled(readUnits),
    write: scaled(writeUnits),
  };
}

function namesOf({ partition, sort }: TableKeys): string[] {
  return sort === undefined ? [partition.name] : [partition.name, sort.name];
}

function itemEntities(role: string, table: DescribedTable, items: readonly JsonObject[]): Drafted[] {
  const groups = new Map<string, JsonObject[]>();
  const keys = [...new Set([table.keys, ...table.indexes.map((index) => index.keys)].flatMap(namesOf))];
  for (const item of items) {
    const form = JSON.stringify(templatesOf(item, keys));
    groups.set(form, [...(groups.get(form) ?? []), item]);
  }
  const distinct = [...groups].slice(0, 20);
  // Without items there is one kind, of which only the keys are known.
  if (distinct.length === 0) distinct.push(["{}", []]);
  return distinct.map(([form, within]): Drafted => {
    const key = JSON.parse(form) as Record<string, string>;
    const words = Object.values(key).flatMap(
      (template) => /^[A-Za-z]+/.exec(template)?.[0]?.toLowerCase() ?? [],
    );
    const fields = fieldsOf(within, { table, keys });
    return [
      camelCase([role, ...(distinct.length === 1 ? ["items"] : words.slice(0, 2))]),
      {
        what: words.length === 0 ? "items" : `items ${Object.values(key).join(" ")}`,
        from: { table: role },
        ...(Object.keys(key).length === 0
          ? {}
          : { ...guess("the kinds of items by the words in their keys"), key }),
        ...(Object.keys(fields).length === 0 ? {} : { fields }),
        ...whose({ key, fields, table }),
      },
    ];
  });
}

/** `TEAM#7f3a` is `TEAM#{teamId}`, `METADATA` is itself; other values have no template. */
function templatesOf(item: JsonObject, keys: readonly string[]): Record<string, string> {
  const found = keys.flatMap((name): [string, string][] => {
    const value = item[name];
    const text = isRecord(value) ? value["S"] : undefined;
    if (typeof text !== "string") return [];
    if (/^[A-Z][A-Z_]{1,30}$/.test(text)) return [[name, text]];
    const word = /^([A-Z][A-Z_]{1,30})#./.exec(text)?.[1];
    return word === undefined ? [] : [[name, `${word}#{${camelCase(word.toLowerCase().split("_"))}Id}`]];
  });
  return Object.fromEntries(found);
}

const mostFields = 60;

/** Types of attributes by a page of items; of keys only those that are no text. */
function fieldsOf(
  items: readonly JsonObject[],
  { table, keys }: { readonly table: DescribedTable; readonly keys: readonly string[] },
): Record<string, string> {
  const { expiryAttribute } = table;
  const types = new Map<string, string>();
  for (const item of items) {
    for (const [name, value] of Object.entries(item)) {
      const type = name === expiryAttribute ? "epochSeconds" : fieldType(value);
      if (!types.has(name) && (!keys.includes(name) || type === "number")) types.set(name, type);
    }
  }
  if (expiryAttribute !== undefined) types.set(expiryAttribute, "epochSeconds");
  for (const { partition, sort } of [table.keys, ...table.indexes.map((index) => index.keys)])
    for (const part of [partition, sort]) if (part?.type === "N") types.set(part.name, "number");
  return Object.fromEntries([...types].filter(([name]) => /^[\w.-]{1,100}$/.test(name)).slice(0, mostFields));
}

function fieldType(value: unknown): string {
  const [type = ""] = isRecord(value) ? Object.keys(value) : [];
  const inner = isRecord(value) ? value[type] : undefined;
  if (type === "S") return timeOf(inner) === undefined ? "text" : "isoTime";
  const types: Readonly<Record<string, string>> = {
    N: "number",
    BOOL: "boolean",
    L: "list",
    M: "map",
    B: "binary",
  };
  return types[type] ?? "any";
}

/** The link to a person that a table seems to have; a scan where no key or index leads there. */
function whose({
  key,
  fields,
  table,
}: {
  readonly key: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly table: DescribedTable;
}): Record<string, unknown> {
  const link = (by: string, find: unknown, why: string) => ({
    links: [{ ...guess(why), subject: "user", role: "subject", by, find, erase: "delete" }],
  });
  const fieldOf = (attribute: string) => {
    const field =
      /\{(\w+)\}$/.exec(key[attribute] ?? "")?.[1] ?? (key[attribute] === undefined ? attribute : "");
    return personLike.test(field) ? field : undefined;
  };
  const byKey = fieldOf(table.keys.partition.name);
  if (byKey !== undefined) return link(byKey, "key", "the key of the table is whose it is");
  for (const { name, keys } of table.indexes) {
    const field = fieldOf(keys.partition.name);
    if (field !== undefined) return link(field, { index: name }, "the index leads to whose it is");
  }
  const named = Object.keys(fields).find((name) => personLike.test(name));
  if (named !== undefined)
    return link(named, "scan", "no key and no index leads there: an index would be cheaper");
  return { ...guess("nobody's: whose is it?"), personal: false, reason: "not known yet" };
}

interface Adding {
  readonly name: string;
  readonly anchors: string;
  readonly tables: Record<string, unknown>;
  readonly put: (name: string, entity: unknown) => void;
}

/** What mawps itself keeps of a site. */
function addToolTables({ name, anchors, tables, put }: Adding): void {
  const prefix = name.replaceAll(/[^\w.-]+/g, "-").toLowerCase();
  tables[toolRoles.audit] = {
    ...guess("its anchors go into a private bucket"),
    name: `${prefix}-mawps-audit-log`,
    about: "the audit trail of mawps",
    tool: "audit",
    anchors,
  };
  tables[toolRoles.migrations] = {
    name: `${prefix}-mawps-migrations`,
    about: "which migrations are applied, and their journal",
    tool: "migrations",
  };
  const keep = { keep: { basis: "proof of what was done with personal data", days: 2557 } };
  put("auditEntries", {
    what: "audit trail of mawps",
    from: { table: toolRoles.audit },
    links: [
      {
        subject: "user",
        role: "subject",
        by: "userId",
        find: { index: "UserId-Timestamp-Index" },
        erase: keep,
      },
    ],
    expires: [
      {
        id: "audit-entries",
        what: "entries of the audit trail",
        after: 2557,
        since: "timestamp",
        do: "ttl",
        by: "ttl",
      },
    ],
  });
  put("migrationJournal", {
    what: "journal of migrations: what was before",
    from: { table: toolRoles.migrations },
    fields: { userId: "text" },
    links: [{ subject: "user", role: "mention", by: "userId", find: "scan", erase: "delete" }],
  });
  put("auditAnchors", {
    what: "anchors of the audit trail",
    from: { bucket: anchors },
    key: "audit/{table}/{path+}",
    personal: false,
    reason: "hashes and numbers by which the trail is proved",
  });
}
