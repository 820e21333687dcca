import type { Aws } from "../aws/clients.ts";
import { queryItems, scanItems } from "../aws/dynamodb/items.ts";
import { plainIfDamaged } from "../aws/dynamodb/plain.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { AuditEntry } from "../model/audit.ts";
import type { Declaration } from "../model/declaration.ts";
import { derivedAttributes, keyTemplates } from "../model/derived.ts";
import { itemsOf, type FindEntity } from "../model/items.ts";
import { own, type JsonObject } from "../model/json.ts";
import { momentOf } from "../model/moments.ts";
import type { AuditFeature, Entity, Model } from "../model/schema.ts";
import { secretsMasked } from "../model/secrets.ts";
import { fieldTypeOf, tableKeysOf } from "../model/table-keys.ts";
import { dynamodbStore } from "../stores/dynamodb.ts";
import type { AuditFilter } from "./list.ts";

/** An entry of the trail that the site itself writes, without secrets. What it does not have is null. */
export interface SiteEntry {
  /** ISO 8601; as it is stored where it is no time. */
  readonly timestamp: string;
  readonly action: string;
  /** Who did it. */
  readonly actor: string | null;
  /** What it was done to. */
  readonly about: string | null;
  readonly id: string | null;
  readonly details: unknown;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
}

interface Site {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly signal: AbortSignal;
}

/** The site's own trail as its model declares it. */
interface Trail {
  readonly name: string;
  readonly entity: Entity;
  readonly fields: AuditFeature["fields"];
  readonly role: string;
  readonly table: string;
  readonly find: FindEntity;
}

/**
 * Entries of the site's own trail, newest first; `userId` is who did it. They are read by the index that has them so: flat memory, and
 * nothing behind the last one that is wanted. Where the site has no such index its table is read, and what is wanted of it is in memory.
 * @throws CliError where the model names no such trail in a table of DynamoDB.
 */
export async function* listSiteTrail(
  site: Site & Pick<Context, "note">,
  filter: AuditFilter,
): AsyncGenerator<SiteEntry> {
  const trail = siteTrailOf(site, "without --site the list is of what mawps itself has done");
  const { aws, declaration, signal } = site;
  const { table, find, name, entity, fields } = trail;
  const query = queryFor(site.model, trail, filter);
  if (query === undefined)
    site.note(`no index has what is asked for in the order of its times: all of ${table} is read`);
  const pages =
    query === undefined ? scanItems(aws, { table, signal }) : queryItems(aws, { table, ...query, signal });
  const [since, until] = [filter.since?.getTime() ?? -Infinity, filter.until?.getTime() ?? Infinity];
  const all: { readonly ms: number; readonly entry: SiteEntry }[] = [];
  for await (const page of pagesWhereThere(pages)) {
    for (const item of page) {
      const kind = find(item);
      if (kind?.name !== name) continue;
      const values = { ...plainIfDamaged(item), ...kind.fields };
      const ms = momentOf(entity, fields.at ?? "", own(values, fields.at ?? ""));
      if (query !== undefined && ms !== undefined && ms < since) return;
      // One without a readable time is in every period, so that nobody overlooks it.
      if (ms !== undefined && (ms < since || ms > until)) continue;
      const entry = entryOf(trail, { values, ms }, declaration);
      if (filter.userId !== undefined && entry.actor !== filter.userId) continue;
      if (filter.action !== undefined && entry.action !== filter.action) continue;
      if (query === undefined) all.push({ ms: ms ?? Infinity, entry });
      else yield entry;
    }
  }
  for (const { entry } of all.toSorted((one, other) => (one.ms < other.ms ? 1 : one.ms > other.ms ? -1 : 0)))
    yield entry;
}

/** Writes entries of mawps's own trail into that of the site as well. */
export interface SiteWriter {
  /** Begins to write them; nobody waits for it. */
  readonly put: (entries: readonly AuditEntry[]) => void;
  /** Resolves when all are written; rejects where one is not. */
  settle(): Promise<void>;
}

/**
 * Entries in the site's own shape: what of its keys mawps has no word for is `mawps`, and whose data it was stands in the details where the
 * model has no field for it.
 * @throws CliError as `listSiteTrail` does.
 */
export function siteWriter(site: Site): SiteWriter {
  const trail = siteTrailOf(site, 'write "siteAudit": "off" in the configuration');
  // What was done is told also where the run was interrupted meanwhile.
  const store = dynamodbStore({ ...site, signal: new AbortController().signal });
  let failure: { readonly error: unknown } | undefined;
  const write = async (entry: AuditEntry) => {
    try {
      const outcome = await store.add(trail.name, siteFields(site.model, trail, entry));
      if (outcome === "taken")
        throw new CliError(`there is another entry with the key of ${entry.id} in the site's own trail`);
    } catch (error) {
      // The others are written all the same.
      failure ??= { error };
    }
  };
  let written: Promise<unknown> = Promise.resolve();
  return {
    put(entries) {
      // One after the other, so that many do not stand in each other's way.
      written = written.then(() => inParallel(entries, atOnce, write));
    },
    async settle() {
      await written;
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** Entries that are written at once. */
const atOnce = 8;

function siteFields(model: Model, { entity, fields, role }: Trail, entry: AuditEntry): JsonObject {
  const { id, timestamp, actor, action, userId, details, userAgent, ttl } = entry;
  const end = own(model.tables, role)?.ttl;
  const type = fieldTypeOf(entity, fields.at ?? "");
  const ms = Date.parse(timestamp);
  const at = type === "epochMs" ? ms : type === "epochSeconds" ? Math.floor(ms / 1000) : timestamp;
  const about = fields.about === undefined ? {} : { about: userId ?? "site" };
  const whose = fields.about === undefined && userId !== undefined ? { userId } : {};
  const values = { id, at, actor, action, ...about, details: { ...details, ...whose }, userAgent };
  const inKeys = keyTemplates(entity).flatMap(([, templates]) => templates.flatMap((each) => each.fields));
  return {
    ...Object.fromEntries(inKeys.map((name) => [name, "mawps"])),
    ...Object.fromEntries(
      Object.entries(values).flatMap(([use, value]) => {
        const field = own(fields, use);
        return field === undefined ? [] : [[field, value]];
      }),
    ),
    ...(end === undefined ? {} : { [end]: ttl }),
  };
}

function siteTrailOf({ model, declaration }: Pick<Site, "model" | "declaration">, hint: string): Trail {
  const { audit } = model.features ?? {};
  const entity = own(model.entities, audit?.entity ?? "");
  const from = entity?.from;
  const none = (why: string) =>
    new CliError(`${model.name} has no trail of its own: ${why}`, {
      exitCode: exitCodes.usage,
      hint,
    });
  if (audit === undefined || entity === undefined || from === undefined)
    throw none("its model says nothing of one");
  if (!("table" in from) || "database" in from)
    throw none("what its model calls so is in no table of DynamoDB");
  const declared = declaration.tables.find(({ role }) => role === from.table);
  if (declared === undefined || own(model.tables, from.table)?.tool !== undefined)
    throw none("what its model calls so is that of mawps");
  const { table: role } = from;
  return {
    name: audit.entity,
    entity,
    fields: audit.fields,
    role,
    table: declared.name,
    find: itemsOf(model, role),
  };
}

/** The index in which the wanted entries are together in the order of their times. Pure. */
function queryFor(model: Model, { entity, fields, role }: Trail, { userId, action }: AuditFilter) {
  const table = own(model.tables, role);
  const { at, actor } = fields;
  if (table === undefined || at === undefined) return undefined;
  const given = [
    ...(userId === undefined || actor === undefined ? [] : [{ [actor]: userId }]),
    ...(action === undefined || fields.action === undefined ? [] : [{ [fields.action]: action }]),
  ];
  const templates = new Map(keyTemplates(entity));
  const isByTime = (attribute: string) =>
    attribute === at || templates.get(attribute)?.every(({ fields: [first] }) => first === at) === true;
  // Without either all of them are together where the partition is the same for all.
  for (const values of given.length === 0 ? [{}] : given) {
    for (const [index, [partition = "", sort = ""]] of Object.entries(tableKeysOf(table).indexes)) {
      const value = own({ ...values, ...derivedAttributes(entity, values) }, partition);
      if (value !== undefined && isByTime(sort))
        return { index, partition: { attribute: partition, value: { S: String(value) } }, descending: true };
    }
  }
  return undefined;
}

function entryOf(
  { fields }: Trail,
  { values, ms }: { readonly values: JsonObject; readonly ms: number | undefined },
  { secrets }: Declaration,
): SiteEntry {
  const text = (use: keyof AuditFeature["fields"]): string | null => {
    const value = own(values, fields[use] ?? "");
    return typeof value === "string" || typeof value === "number" ? String(value) : null;
  };
  return {
    timestamp: ms === undefined ? (text("at") ?? "") : new Date(ms).toISOString(),
    action: text("action") ?? "",
    actor: text("actor"),
    about: text("about"),
    id: text("id"),
    details: secretsMasked(secrets, own(values, fields.details ?? "")) ?? null,
    ipAddress: text("ipAddress"),
    userAgent: text("userAgent"),
  };
}
