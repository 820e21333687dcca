import * as z from "zod";

/*
 * The shape of a manifest. Whoever may write to a repository can write one with a right hash: hashes must be hashes, as they
 * become names of files, and numbers numbers. Members of later versions are let through.
 */

const amount = z.number().int().nonnegative();
const time = z.iso.datetime();
const part = z.looseObject({ sha256: z.string().regex(/^[\da-f]{64}$/), bytes: amount, lines: amount });
const parts = z.array(part);
const read = { role: z.string(), name: z.string().min(1), from: time, to: time };

const keyAttribute = z.looseObject({ name: z.string(), type: z.string() });
const keys = z.looseObject({ partition: keyAttribute, sort: keyAttribute.optional() });
const indexes = z.array(
  z.looseObject({
    name: z.string(),
    keys,
    projection: z.union([z.string(), z.looseObject({ include: z.array(z.string()) })]),
  }),
);
const description = z.looseObject({
  keys,
  indexes,
  localIndexes: indexes,
  billing: z.union([z.literal("on-demand"), z.looseObject({ readUnits: amount, writeUnits: amount })]),
  expiryAttribute: z.string().optional(),
  recoveryDays: z.number().optional(),
  deletionProtection: z.boolean(),
  stream: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  class: z.string().optional(),
  encryption: z.looseObject({ type: z.string(), keyArn: z.string().optional() }).optional(),
});

const exported = z.looseObject({
  arn: z.string(),
  bucket: z.string(),
  manifest: z.string(),
  at: time,
  bytes: amount,
  files: z.array(z.looseObject({ key: z.string(), items: amount, md5: z.string() })),
});

const corsRule = z.looseObject({
  ID: z.string().optional(),
  AllowedOrigins: z.array(z.string()),
  AllowedMethods: z.array(z.string()),
  AllowedHeaders: z.array(z.string()).optional(),
  ExposeHeaders: z.array(z.string()).optional(),
  MaxAgeSeconds: amount.optional(),
});

export const manifestSchema = z.looseObject({
  format: z.literal(1),
  id: z.string(),
  tool: z.string(),
  model: z.string(),
  modelHash: z.string().optional(),
  schemaVersion: z.string().nullable(),
  target: z.enum(["local", "aws"]),
  account: z.string().optional(),
  region: z.string(),
  startedAt: time,
  endedAt: time,
  engine: z.enum(["scan", "aws"]),
  tables: z
    .array(z.looseObject({ ...read, description, items: amount, parts, export: exported.optional() }))
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "a table is there twice"),
  buckets: z.array(
    z.looseObject({
      ...read,
      objects: amount,
      bytes: amount,
      parts,
      changed: z.array(z.looseObject({ key: z.string(), what: z.string() })),
      cors: z.array(corsRule).optional(),
    }),
  ),
  userPool: z
    .looseObject({
      id: z.string(),
      from: time,
      to: time,
      users: amount,
      parts,
      groups: z.array(
        z.looseObject({
          name: z.string(),
          description: z.string().optional(),
          precedence: z.number().optional(),
          roleArn: z.string().optional(),
        }),
      ),
    })
    .optional(),
  databases: z
    .array(
      z.looseObject({
        ...read,
        engine: z.enum(["mysql", "postgres"]),
        rows: amount,
        catalogue: z.record(z.string(), z.string()),
        file: z.looseObject({ sha256: z.string().regex(/^[\da-f]{64}$/), bytes: amount }),
        log: z.looseObject({ file: z.string(), position: amount }).optional(),
        tables: z.array(z.looseObject({ name: z.string().min(1), rows: amount, parts })),
      }),
    )
    .optional(),
  left: z.array(z.string()).optional(),
  archive: z.looseObject({ database: z.string(), table: z.string(), partition: z.string() }).optional(),
});
