import type {
  BucketDeclaration,
  CorsRule,
  Declaration,
  LifecycleRule,
  ObjectLockMode,
  Owned,
  PolicyStatement,
  RetentionRule,
  TableDeclaration,
  TableKeys,
} from "./declaration.ts";
import { storeText } from "./graph.ts";
import { own } from "./json.ts";
import type { Period } from "./retention.ts";
import type { Entity, Expiry, Link, Model, ModelBucket, ModelTable } from "./schema.ts";
import { fieldTypeOf, keyOf, keyTypeOf } from "./table-keys.ts";
import { toolTables } from "./tool-tables.ts";

/** The configured names of one environment of a site, by the roles of its model; what is left out has the model's. */
export interface SiteNames {
  readonly region: string;
  readonly buckets: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, string>>;
  readonly userPoolId?: string | undefined;
  /** Of the website's pages, which send files to presigned addresses; `*` where they are not known. */
  readonly websiteOrigins: readonly string[];
  /** Which shape a table that may have several gets where there is none yet. */
  readonly newTableShape?: string | undefined;
  /** Of the anchors of the audit trail, in place of the model's, and how each anchor is locked there. */
  readonly anchorBucket?: string;
  readonly anchorLock?: ObjectLockMode;
}

/** Numbers of the model's rules that settings change, by the names that the model gives them. */
export type Periods = Readonly<Record<string, Period>>;

interface Site {
  readonly model: Model;
  readonly names: SiteNames;
  readonly periods: Periods;
}

/** What the storage of a site looks like, by its model and its settings. Pure: the same give the same. */
export function declarationOf(model: Model, names: SiteNames, periods: Periods): Declaration {
  const site = { model, names, periods };
  const { expected = [] } = model;
  return {
    name: model.name,
    region: names.region,
    buckets: Object.entries(model.buckets).map(([role, bucket]) => bucketOf(site, role, bucket)),
    tables: Object.entries(model.tables).map(([role, table]) => tableOf(site, role, table)),
    ...(model.userPool === true && names.userPoolId !== undefined
      ? { userPool: { id: names.userPoolId, backedUp: true } }
      : {}),
    ...trailOf(site),
    owned: ownedOf(model),
    secrets: secretsOf(model),
    retention: rulesOf(site),
    expected: expected.map(({ alsoIn, ...each }) => ({
      ...each,
      alsoIn: alsoIn.map((role) => bucketName(site, role)),
    })),
  };
}

/** The words as regular expressions: none that a model could write itself would be safe against a text that takes for ever. */
export function secretsOf({ secrets }: Pick<Model, "secrets">): Declaration["secrets"] {
  if (secrets === undefined) return { tables: [], names: nothing, items: [] };
  const names = secrets.names.map((name) => `${name.replaceAll("-", "[_-]?")}s?`);
  return {
    tables: secrets.tables,
    names: names.length === 0 ? nothing : names.join("|"),
    items: secrets.items.map(({ ids, attributes }) => ({
      ids: ids.map(patternOf).join("|"),
      attributes,
    })),
  };
}

const nothing = "(?!)";

function patternOf(id: string): string {
  const literal = id.replace(/\*$/, "").replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
  return id.endsWith("*") ? `${literal}[^"]*` : literal;
}

function trailOf(site: Site): Pick<Declaration, "trail"> {
  const found = Object.entries(site.model.tables).find(([, { tool }]) => tool === "audit");
  if (found === undefined) return {};
  const [role, { anchors = "" }] = found;
  const { anchorBucket = bucketName(site, anchors), anchorLock } = site.names;
  const lock = anchorLock === undefined ? {} : { lock: anchorLock };
  return { trail: { table: tableName(site, role), bucket: anchorBucket, ...lock } };
}

function bucketName({ model, names }: Site, role: string): string {
  return own(names.buckets, role) ?? own(model.buckets, role)?.name ?? role;
}

function tableName({ model, names }: Site, role: string): string {
  return own(names.tables, role) ?? own(model.tables, role)?.name ?? role;
}

function bucketOf(site: Site, role: string, bucket: ModelBucket): BucketDeclaration {
  const name = bucketName(site, role);
  const { access, keptBy } = bucket;
  const isPublic = access !== "private";
  return {
    role,
    name,
    access: isPublic ? "public" : "private",
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: !isPublic,
      restrictPublicBuckets: !isPublic,
    },
    policy: [tlsOnly(name), ...(isPublic ? [publicRead(name, access.public)] : [])],
    lifecycle: (bucket.lifecycle ?? []).flatMap((id) => lifecycleOf(site, id)),
    cors: bucket.browsers === true ? [browserUploads(site.names)] : [],
    backedUp: true,
    ...(keptBy === undefined ? {} : { keptBy }),
  };
}

export function tlsOnly(bucket: string): PolicyStatement {
  return {
    Sid: "MawpsTlsOnly",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:*"],
    Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** What anybody may read begins with the folder; whatever else lies there stays unread. */
function publicRead(bucket: string, folder: string): PolicyStatement {
  return {
    Sid: "MawpsPublicRead",
    Effect: "Allow",
    Principal: "*",
    Action: ["s3:GetObject"],
    Resource: [`arn:aws:s3:::${bucket}/${folder}*`],
  };
}

/** A link that is signed lets in whoever has it, from any page; which pages may use it in a browser is the site's choice. */
function browserUploads({ websiteOrigins }: SiteNames): CorsRule {
  return {
    id: "mawps-browser-uploads",
    allowedOrigins: websiteOrigins,
    allowedMethods: ["GET", "HEAD", "PUT"],
    allowedHeaders: ["*"],
    exposedHeaders: ["ETag"],
    maxAgeSeconds: 3000,
  };
}

function lifecycleOf({ model, periods }: Site, id: string): LifecycleRule[] {
  const rule = own(model.lifecycle ?? {}, id);
  if (rule === undefined) return [];
  const days = numberOf(periods, rule.setting, rule.after);
  if (days === "off") return [];
  const named = { id: rule.rule ?? `mawps-${id}` };
  switch (rule.do) {
    case "abort-upload":
      return [{ ...named, abortMultipartAfterDays: days }];
    case "purge-versions":
      return [{ ...named, expireNoncurrentAfterDays: days, removeExpiredDeleteMarkers: true }];
    case "intelligent-tiering":
      return [{ ...named, intelligentTieringAfterDays: days }];
  }
}

function numberOf(periods: Periods, setting: string | undefined, byDefault: number): Period {
  return (setting === undefined ? undefined : own(periods, setting)) ?? byDefault;
}

/** The longest that DynamoDB keeps for point-in-time recovery. */
const recoveryDays = 35;

function tableOf(site: Site, role: string, table: ModelTable): TableDeclaration {
  const { model, names } = site;
  const keysOf = (key: string | readonly string[]) => typedKeys(model, role, [key].flat());
  const tool = table.tool === undefined ? undefined : toolTables[table.tool];
  const shapes = table.shapes ?? [];
  const asked = shapes.find(({ id }) => id === names.newTableShape);
  const beside = table.when === undefined ? undefined : own(model.tables, table.when.table);
  const shapeBeside = beside?.shapes?.find(({ id }) => id === table.when?.shape);
  const expiryAttribute = tool?.expiryAttribute ?? table.ttl;
  const { keptBy, capacity } = table;
  return {
    role,
    name: tableName(site, role),
    keys: tool?.keys ?? keysOf(asked?.key ?? keyOf(table)),
    alsoRight: shapes.filter((shape) => shape !== (asked ?? shapes[0])).map(({ key }) => keysOf(key)),
    ...(shapes.length === 0
      ? {}
      : { consequences: shapes.map(({ key, what }) => ({ keys: keysOf(key), text: named(site, what) })) }),
    indexes:
      tool?.indexes ??
      Object.entries(table.indexes ?? {}).map(([name, { key }]) => ({ name, keys: keysOf(key) })),
    ...(expiryAttribute === undefined ? {} : { expiryAttribute }),
    recoveryDays,
    ...(capacity === undefined ? {} : { capacity }),
    backedUp: true,
    ...(table.when === undefined || shapeBeside === undefined
      ? {}
      : {
          when: {
            role: table.when.table,
            keys: typedKeys(model, table.when.table, [shapeBeside.key].flat()),
          },
        }),
    ...(keptBy === undefined ? {} : { keptBy }),
  };
}

/** `{tables.digitalTwin}` in a text is that table's configured name. */
function named(site: Site, text: string): string {
  return text.replaceAll(/\{tables\.(\w+)\}/g, (_, role: string) => tableName(site, role));
}

function typedKeys(model: Model, role: string, [partition = "", sort]: readonly string[]): TableKeys {
  const store = `table ${role}`;
  const typed = (name: string) => {
    const types = Object.values(model.entities).flatMap((entity) =>
      storeText(entity.from) === store ? (fieldTypeOf(entity, name) ?? []) : [],
    );
    return { name, type: (types[0] === undefined ? undefined : keyTypeOf(types[0])) ?? "S" };
  };
  return sort === undefined
    ? { partition: typed(partition) }
    : { partition: typed(partition), sort: typed(sort) };
}

/** What is a person's: files by their folders, items by the attribute that holds the id; what is found in the same way once. */
function ownedOf({ entities, subjects }: Model): Owned[] {
  const objects: Owned[] = [];
  const items: OwnedItems[] = [];
  const isSeveral = Object.values(subjects).filter(({ accounts }) => accounts !== undefined).length > 1;
  for (const entity of Object.values(entities)) {
    for (const link of entity.links ?? []) {
      const erasure = erasureOf(link);
      // Organizations and the like have no accounts: what is theirs is no person's.
      const isPerson = own(subjects, link.subject)?.accounts !== undefined;
      if (erasure === undefined || !isPerson || typeof link.by !== "string") continue;
      if ("bucket" in entity.from) {
        const folders = foldersOf(entity, link.by);
        objects.push(...folders.map((each) => (isSeveral ? { ...each, subject: link.subject } : each)));
      } else if (!("database" in entity.from)) {
        const { table } = entity.from;
        const index: { index?: string } = typeof link.find === "object" ? { index: link.find.index } : {};
        for (const place of placesOfId(entity, link.by)) {
          const found = { what: entity.what, kind: "items" as const, table, ...place, ...index, erasure };
          const isSame = (each: (typeof items)[number]) =>
            each.table === table &&
            each.attribute === place.attribute &&
            each.template === place.template &&
            each.index === index.index;
          if (!items.some(isSame)) items.push(found);
        }
      }
    }
  }
  return [...objects, ...items];
}

type OwnedItems = Extract<Owned, { kind: "items" }>;

/** Where an item has the id: an attribute of that name, or else a key attribute in whose templates it is a field. */
function placesOfId({ key }: Entity, by: string): Pick<OwnedItems, "attribute" | "template">[] {
  const templates = typeof key === "string" || Array.isArray(key) ? [] : Object.entries(key ?? {});
  const field = `{${by}}`;
  const within = templates.flatMap(([attribute, texts]) =>
    attribute === by
      ? []
      : [texts]
          .flat()
          .flatMap((text) =>
            text.includes(field) ? [{ attribute, template: text.replace(field, "{userId}") }] : [],
          ),
  );
  const [first] = within;
  return first === undefined || templates.some(([attribute]) => attribute === by)
    ? [{ attribute: by }]
    : [first];
}

function erasureOf({ erase }: Link): "delete" | "keep" | undefined {
  if (erase === "delete") return "delete";
  return typeof erase === "object" && "keep" in erase ? "keep" : undefined;
}

function foldersOf({ what, from, key }: Entity, by: string): Owned[] {
  if (!("bucket" in from) || key === undefined) return [];
  const templates = typeof key === "string" || Array.isArray(key) ? [key].flat() : [];
  const id = `{${by}}`;
  return templates.map((template) => {
    const before = template.slice(0, template.indexOf(id));
    return {
      what,
      kind: "objects" as const,
      bucket: from.bucket,
      prefix: `${before}{userId}/`,
      ...(before.includes("{") ? { template: `${before}{userId}/{below+}` } : {}),
      erasure: "delete" as const,
    };
  });
}

/** Those of the retention run, then those that AWS carries out. */
function rulesOf({ model, periods }: Site): RetentionRule[] {
  const own = Object.values(model.entities).flatMap(({ expires = [] }) => expires);
  const rules = (by: Expiry["by"]) =>
    own.filter((expiry) => expiry.by === by).flatMap((expiry) => ruleOf(expiry, periods));
  const lifecycle = Object.entries(model.lifecycle ?? {}).flatMap(([id, rule]): RetentionRule[] => {
    const days = numberOf(periods, rule.setting, rule.after);
    if (days === "off" || rule.do === "intelligent-tiering") return [];
    const action = rule.do === "abort-upload" ? "abort-upload" : "purge";
    return [{ id, what: rule.what, action, by: "lifecycle", afterDays: days }];
  });
  return [...rules("run"), ...lifecycle, ...rules("ttl")];
}

const actions = { delete: "purge", "soft-delete": "soft-delete", ttl: "expire" } as const;

function ruleOf(
  { id, what, after = 0, keepNewest, unreferred, settings = {}, do: action, by }: Expiry,
  periods: Periods,
): RetentionRule[] {
  const days = numberOf(periods, settings.after, after);
  const newest = keepNewest === undefined ? undefined : numberOf(periods, settings.keepNewest, keepNewest);
  if (days === "off" || newest === "off") return [];
  return [
    {
      id,
      what,
      ...(newest === undefined ? {} : { keepNewest: newest }),
      ...(unreferred === undefined ? {} : { unreferred }),
      action: actions[action],
      by,
      afterDays: days,
    },
  ];
}
