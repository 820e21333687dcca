import * as z from "zod";

// The form of a model file. What zod cannot see (that a name is one of something, that two templates can be told apart) is
// checked in check-model.ts. Shipped to editors as models/model.schema.json.

/** Names within a model: of buckets, tables, entities, subjects. They become settings, so that they are plain words. */
const role = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, "is no name: a letter, then letters and digits, at most 64");
const text = z.string().min(1, "is empty").max(2000, "has more than 2,000 characters");
const attribute = z.string().min(1, "is empty").max(255, "has more than 255 characters");
const ruleId = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "is no id: a-z, then a-z, 0-9 and hyphens");
const days = z
  .int("is not a whole number of days")
  .min(0, "is below 0")
  .max(36_500, "is more than 100 years");

/** `"userId"`, or partition and sort key. */
const key = z.union(
  [attribute, z.array(attribute).min(1).max(2)],
  "is neither an attribute nor a list of two",
);

/** Names of settings that change a number of the model: `retention.deletedDocuments`. */
const setting = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, "is no name of a setting");

/** It becomes part of a bucket's policy, in which `*`, `?` and `$` would be more than they say. */
const publicFolder = z
  .string()
  .regex(
    /^([A-Za-z0-9._-]+\/){1,20}$/,
    'is no folder such as "public/": letters, digits, ".", "_" and "-", and a slash behind',
  );

const bucket = z.strictObject({
  name: text.describe("default name; the setting buckets.<role> changes it"),
  about: text.optional(),
  access: z
    .union(
      [z.literal("private"), z.strictObject({ public: publicFolder })],
      'is neither "private" nor {"public": "folder/"}',
    )
    .describe('"private", or {"public": "folder/"}: what anybody may read begins with that'),
  browsers: z.boolean().optional().describe("pages of the site send files to signed addresses: CORS"),
  lifecycle: z.array(ruleId).optional().describe("which rules of `lifecycle` hold"),
  keptBy: z
    .literal("site")
    .optional()
    .describe("the site makes it and sets it up; it is only read and backed up"),
});

const lifecycleRule = z.strictObject({
  what: text,
  do: z.enum(["abort-upload", "purge-versions", "intelligent-tiering"]),
  after: days,
  rule: ruleId.optional().describe("its id at S3; by default mawps-<id>"),
  setting: setting.optional().describe("retention.<setting> changes the days, or turns it off"),
});

const shape = z.strictObject({ id: ruleId, key, what: text });

/** DynamoDB's own bounds: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html */
const unitRange = z
  .strictObject({
    min: z.int().min(1).max(40_000),
    max: z.int().min(1).max(40_000),
    target: z
      .int()
      .min(20)
      .max(90)
      .default(70)
      .describe("percent of the units that are to be in use: 20 to 90, 70 by default"),
  })
  .refine(({ min, max }) => min <= max, "has a min above its max");

const capacity = z
  .strictObject({ read: unitRange, write: unitRange })
  .describe("units of the table and of each index, scaled by themselves; on demand where nothing is said");

const table = z.strictObject({
  name: text.describe("default name; the setting tables.<role> changes it"),
  about: text.optional(),
  key: key.optional(),
  shapes: z
    .array(shape)
    .min(2)
    .max(4)
    .optional()
    .describe(
      "keys that are equally right; a new table gets the first, or that of the setting newTableShape",
    ),
  indexes: z.record(attribute, z.strictObject({ key, about: text.optional() })).optional(),
  ttl: attribute.optional().describe("attribute with the end of an item's life in epoch seconds"),
  capacity: capacity.optional(),
  when: z
    .strictObject({ table: role, shape: ruleId })
    .optional()
    .describe("it is only there beside another table of that shape"),
  keptBy: z
    .literal("site")
    .optional()
    .describe("the site makes it and sets it up; it is only read and backed up"),
  tool: z
    .enum(["audit", "migrations"])
    .optional()
    .describe("mawps's own records: it knows their keys and indexes itself"),
  anchors: role
    .optional()
    .describe(
      "of the audit trail: the private bucket in which its anchors lie, out of reach of who may change the table alone",
    ),
});

const database = z.strictObject({
  engine: z.enum(["mysql", "postgres"]),
  name: text,
  about: text.optional(),
  schema: z
    .string()
    .regex(/^[\w.-]+\.sql$/, "is no file name that ends in .sql")
    .describe("the SQL file beside the model, from which the tables are made"),
  migrations: z
    .string()
    .regex(/^[\w-][\w.-]*$/, "is no name of a folder")
    .optional()
    .describe("the folder beside the model with the migrations: 0001-name.up.sql, 0001-name.down.sql"),
});

const fieldType = z.enum([
  "text",
  "number",
  "boolean",
  "isoTime",
  "epochSeconds",
  "epochMs",
  "list",
  "map",
  "binary",
  "any",
]);

const field = z.union(
  [
    fieldType,
    z.strictObject({
      type: fieldType,
      about: text.optional(),
      secret: z.boolean().optional().describe("never leaves in an export"),
      counts: role
        .optional()
        .describe("the entity of which so many refer to this one; an erasure of one of them counts it off"),
      derive: z
        .union([text, z.strictObject({ epochSecondsOf: attribute })])
        .optional()
        .describe(
          "a template of other fields, or the epoch seconds of an ISO time: kept by whoever writes the item",
        ),
    }),
  ],
  `is neither a type (${fieldType.options.join(", ")}) nor {"type": …, "secret"?, "derive"?, "about"?}`,
);

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const predicate = z
  .record(
    attribute,
    z.union(
      [scalar, z.array(scalar).min(1), z.strictObject({ exists: z.boolean() })],
      'is neither a value nor a list of values nor {"exists": true}',
    ),
  )
  .describe("all of these hold");

const erase = z
  .union(
    [
      z.enum(["delete", "null", "pseudonym"]),
      z.strictObject({ set: z.string() }),
      z.strictObject({ expires: z.literal(true) }),
      z.strictObject({ keep: z.strictObject({ basis: text, days: days.optional() }) }),
    ],
    'is none of "delete", "null", "pseudonym", {"set": …}, {"expires": true}, {"keep": {"basis": …, "days": …}}',
  )
  .describe("what an erasure of the person does with it");

const link = z.strictObject({
  subject: role,
  role: z.enum(["subject", "author", "member", "mention"]),
  by: z.union([attribute, z.strictObject({ via: attribute })], 'is neither a field nor {"via": field}'),
  find: z
    .union(
      [z.enum(["key", "prefix", "scan"]), z.strictObject({ index: attribute })],
      'is none of "key", "prefix", "scan", {"index": …}',
    )
    .optional()
    .describe("how that person's are found; a scan costs, so that it is written out"),
  erase,
});

const expiry = z.strictObject({
  id: ruleId,
  what: text,
  after: days.optional(),
  since: attribute.optional().describe("the time from which `after` counts"),
  when: predicate.optional(),
  keepNewest: z.int().min(0).optional(),
  unreferred: z
    .literal(true)
    .optional()
    .describe(
      "of a database: only what no other row points at by a foreign key; what does stays, and it with that",
    ),
  partitions: z
    .literal("whole")
    .optional()
    .describe(
      "of a database: rows of a table that is partitioned by `since` stay until all of their partition is past, and go with it",
    ),
  do: z.enum(["delete", "soft-delete", "ttl"]),
  by: z.enum(["run", "ttl"]),
  settings: z
    .strictObject({ after: setting.optional(), keepNewest: setting.optional() })
    .optional()
    .describe("retention.<setting> changes the number, or turns the rule off"),
});

const templates = z.union([text, z.array(text).min(1).max(50)], "is neither a template nor a list of them");

const entity = z.strictObject({
  what: text.describe("in a few words, for people"),
  about: text.optional(),
  from: z.union(
    [
      z.strictObject({ bucket: role }),
      z.strictObject({ table: role }),
      z.strictObject({ database: role, table: text }),
    ],
    'is none of {"bucket": …}, {"table": …}, {"database": …, "table": …}',
  ),
  key: z
    .union(
      [templates, z.record(attribute, templates)],
      "is neither a template, nor a list of them, nor a map of key attributes to templates",
    )
    .optional()
    .describe("of objects: a template or several; of items: attribute -> template"),
  at: z
    .string()
    .regex(/^[A-Za-z_]\w*(\.\w+)*(\[\])?$/, 'is no place in an item, such as "documents[]" or "settings.ai"')
    .optional()
    .describe("where in an item it lies"),
  when: predicate.optional(),
  fields: z.record(attribute, field).optional(),
  refs: z
    .record(
      attribute,
      z.union([text, z.array(text).min(1).max(20)], "is neither an entity's field nor a list of such"),
    )
    .optional()
    .describe('from child to parent: "session_id": "chatSessions.id", "s3Key": "object:documentFiles"'),
  links: z.array(link).min(1).max(10).optional(),
  personal: z
    .union([z.literal(false), z.literal("unknown")], 'is neither false nor "unknown"')
    .optional()
    .describe(
      "false: nobody's; unknown: whose is not known, and a receipt of an erasure says so; each with a reason",
    ),
  reason: text.optional(),
  sameName: z
    .enum(["replaces", "refused"])
    .optional()
    .describe("of a key that ends in the plain file name: what a second upload of that name does"),
  expires: z.array(expiry).optional(),
});

const subject = z.strictObject({
  what: text,
  ids: z.array(attribute).min(1),
  accounts: z
    .union([z.literal("cognito"), z.strictObject({ entity: role })], 'is neither "cognito" nor {"entity": …}')
    .optional(),
});

const documentFields = [
  "id",
  "name",
  "type",
  "contentType",
  "key",
  "address",
  "bucket",
  "sizeBytes",
  "sha256",
  "status",
  "scanResult",
  "scannedAt",
  "owner",
  "uploadedBy",
  "uploadedAt",
  "uploadUntil",
  "deletedAt",
  "deletedBy",
  "tags",
  "isPublic",
  "expiresAt",
] as const;

const own = z.strictObject({ entity: role, about: text.optional() });

const features = z.strictObject({
  documents: z
    .strictObject({
      entity: role.describe("what is kept of each file"),
      files: role.describe("the files themselves, in a bucket"),
      fields: z.partialRecord(z.enum(documentFields), attribute),
      statuses: z
        .partialRecord(z.enum(["UPLOADING", "SCANNING", "READY", "INFECTED", "DELETED"]), z.string())
        .optional()
        .describe("the site's words, where they are others"),
      readyWith: z
        .array(z.enum(["CLEAN", "SKIPPED", "ERROR"]))
        .min(1)
        .optional()
        .describe(
          "the only scan results with which a file may be READY; any but INFECTED where nothing is said",
        ),
      multipart: z
        .strictObject({
          fromMebibytes: z.int().min(5).max(100),
          partMebibytes: z.int().min(5).max(100),
          atOnce: z.int().min(1).max(8),
        })
        .optional()
        .describe("larger files are sent in parts of this size, so many at once, smaller ones in one call"),
      itemTypes: z
        .strictObject({ profile: text, document: text })
        .optional()
        .describe("which of a person's items hold lists of them, by the second key of a table that has two"),
      attachedTo: z
        .record(role, z.strictObject({ field: attribute, files: role.describe("files of these") }))
        .optional()
        .describe("what documents may be attached to beside their owner, or instead of one"),
    })
    .optional(),
  accounts: z
    .strictObject({
      entity: role,
      fields: z.partialRecord(
        z.enum(["id", "email", "name", "role", "isActive", "emailVerified", "createdAt", "lastSignInAt"]),
        attribute,
      ),
    })
    .optional(),
  audit: z
    .strictObject({
      entity: role,
      fields: z.partialRecord(
        z.enum(["id", "at", "actor", "action", "about", "details", "ipAddress", "userAgent"]),
        attribute,
      ),
    })
    .optional(),
  hero: own
    .extend({
      fields: z
        .strictObject({ default: attribute, hover: attribute, variants: attribute, history: attribute })
        .optional(),
    })
    .optional(),
  avatar: own
    .extend({
      fields: z.array(attribute).min(1).optional().describe("the first that says something counts"),
    })
    .optional(),
  twin: own.optional(),
  progress: own
    .extend({ updatedAt: attribute.optional().describe("of the person's item: when it changed last") })
    .optional(),
});

const expected = z.strictObject({
  what: text,
  table: role,
  key: z.record(attribute, z.string()),
  recognisedBy: z.strictObject({ attribute, value: z.string(), otherwise: text }),
  alsoIn: z.array(role),
  pictures: z.array(z.strictObject({ attribute, what: text, isOptional: z.boolean() })),
  remedy: text,
});

const secrets = z.strictObject({
  tables: z.array(role).describe("in which there may be some"),
  names: z
    .array(
      z
        .string()
        .regex(/^[a-z]+(-[a-z]+)*$/, 'is no word or words such as "api-key"')
        .max(64),
    )
    .max(100)
    .describe('how the names of such attributes end: "api-key" is apiKey, API_KEY and api-keys'),
  items: z
    .array(
      z.strictObject({
        ids: z
          .array(text.regex(/^[^*]*\*?$/, "has a * that is not its last letter"))
          .min(1)
          .max(100),
        attributes: z.array(attribute).min(1),
      }),
    )
    .describe(
      "items by the value of their partition key (a * at its end is anything), in which these attributes are secret as a whole",
    ),
});

export const modelSchema = z.strictObject({
  $schema: z.string().optional(),
  name: text,
  about: text.optional(),
  region: z.string().regex(/^[a-z0-9-]{4,63}$/, "is no region, such as eu-central-1"),
  buckets: z.record(role, bucket),
  tables: z.record(role, table),
  databases: z.record(role, database).optional(),
  userPool: z
    .boolean()
    .optional()
    .describe("accounts are in Cognito; the setting userPoolId says in which pool"),
  lifecycle: z.record(ruleId, lifecycleRule).optional(),
  subjects: z.record(role, subject),
  entities: z.record(role, entity),
  secrets: secrets.optional(),
  expected: z.array(expected).optional().describe("what a page of the site wants to be there; doctor looks"),
  features: features.optional().describe("which commands work on what"),
});

/** A model as it is written. Everything that may be left out has its default where it is used. */
export type Model = z.infer<typeof modelSchema>;
export type AuditFeature = NonNullable<NonNullable<Model["features"]>["audit"]>;
export type DocumentsFeature = NonNullable<NonNullable<Model["features"]>["documents"]>;
export type Entity = z.infer<typeof entity>;
export type Link = z.infer<typeof link>;
export type Expiry = z.infer<typeof expiry>;
export type FieldType = z.infer<typeof fieldType>;
export type ModelTable = z.infer<typeof table>;
export type ModelBucket = z.infer<typeof bucket>;
