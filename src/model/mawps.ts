import type {
  BucketDeclaration,
  CorsRule,
  Declaration,
  LifecycleRule,
  Owned,
  PolicyStatement,
  RetentionRule,
  TableDeclaration,
  TableKeys,
} from "./declaration.ts";
import type { Secrets } from "./secrets.ts";
import { defaultPeriods, type Period, type RetentionPeriods } from "./retention.ts";

/** The configured names of one environment of the site. */
export interface Names {
  readonly region: string;
  readonly buckets: {
    readonly publicMedia: string;
    readonly userFiles: string;
    /** The site's own, to which it uploads today. */
    readonly profileImages: string;
  };
  readonly tables: {
    readonly userProfiles: string;
    readonly digitalTwin: string;
    readonly auditLog: string;
    readonly migrations: string;
    readonly userDocuments: string;
  };
  readonly userPoolId?: string;
  /** Of the website's pages, which send files to presigned addresses; `*` where they are not known. */
  readonly websiteOrigins: readonly string[];
  /** Of the profile table, where there is none yet. */
  readonly newTableShape: "simple" | "composite";
}

export const defaultNames: Names = {
  region: "eu-central-1",
  buckets: {
    publicMedia: "manuel-weiss-public-media",
    userFiles: "mawps-user-files-1760106396",
    profileImages: "mawps-profile-images",
  },
  tables: {
    userProfiles: "mawps-user-profiles",
    digitalTwin: "mawps-digital-twin",
    auditLog: "mawps-audit-log",
    migrations: "mawps-migrations",
    userDocuments: "mawps-user-documents",
  },
  websiteOrigins: ["*"],
  // The website's backend reads by `userId` alone.
  newTableShape: "simple",
};

const simpleKeys: TableKeys = { partition: { name: "userId", type: "S" } };
const compositeKeys: TableKeys = { ...simpleKeys, sort: { name: "type", type: "S" } };

/** The longest that DynamoDB keeps for point-in-time recovery. */
const recoveryDays = 35;

/** The storage of MAWPS. Pure: the same names give the same declaration. */
export function mawps(names: Names, periods: RetentionPeriods = defaultPeriods): Declaration {
  return {
    name: "MAWPS",
    region: names.region,
    buckets: buckets(names, periods),
    tables: tables(names),
    ...(names.userPoolId === undefined ? {} : { userPool: { id: names.userPoolId, backedUp: true } }),
    owned,
    secrets: siteSecrets,
    retention: retention(periods),
    expected: [
      {
        what: "hero images",
        table: "userProfiles",
        key: { userId: "owner", type: "website-images" },
        recognisedBy: {
          attribute: "type",
          value: "website-images",
          otherwise: "the website answers 404 for its hero images",
        },
        alsoIn: [names.buckets.profileImages],
        pictures: [
          { attribute: "profileImageDefault", what: "hero image", isOptional: false },
          { attribute: "profileImageHover", what: "hover image", isOptional: true },
        ],
        remedy: "mawps hero set <image>",
      },
    ],
  };
}

const closed: BucketDeclaration["publicAccessBlock"] = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

function buckets(names: Names, periods: RetentionPeriods): BucketDeclaration[] {
  const { publicMedia, userFiles, profileImages } = names.buckets;
  const lifecycle = lifecycleRules(periods);
  const cors = [browserUploads(names)];
  return [
    {
      role: "publicMedia",
      name: publicMedia,
      access: "public",
      publicAccessBlock: {
        blockPublicAcls: true,
        ignorePublicAcls: true,
        blockPublicPolicy: false,
        restrictPublicBuckets: false,
      },
      policy: [tlsOnly(publicMedia), publicRead(publicMedia)],
      lifecycle,
      cors,
      backedUp: true,
    },
    {
      role: "userFiles",
      name: userFiles,
      access: "private",
      publicAccessBlock: closed,
      policy: [tlsOnly(userFiles)],
      lifecycle,
      cors,
      backedUp: true,
    },
    {
      role: "profileImages",
      name: profileImages,
      access: "private",
      publicAccessBlock: closed,
      policy: [tlsOnly(profileImages)],
      lifecycle: [],
      cors,
      backedUp: true,
      keptBy: "site",
    },
  ];
}

function tlsOnly(bucket: string): PolicyStatement {
  return {
    Sid: "MawpsTlsOnly",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:*"],
    Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** Every key that is written to the public bucket begins with `public/`; whatever else lies there stays unread. */
function publicRead(bucket: string): PolicyStatement {
  return {
    Sid: "MawpsPublicRead",
    Effect: "Allow",
    Principal: "*",
    Action: ["s3:GetObject"],
    Resource: [`arn:aws:s3:::${bucket}/public/*`],
  };
}

/** A link that is signed lets in whoever has it, from any page; which pages may use it in a browser is the site's choice. */
function browserUploads({ websiteOrigins }: Names): CorsRule {
  return {
    id: "mawps-browser-uploads",
    allowedOrigins: websiteOrigins,
    allowedMethods: ["GET", "HEAD", "PUT"],
    allowedHeaders: ["*"],
    exposedHeaders: ["ETag"],
    maxAgeSeconds: 3000,
  };
}

function lifecycleRules(periods: RetentionPeriods): LifecycleRule[] {
  const { multipartUploads, noncurrentVersions } = periods;
  return [
    ...(multipartUploads === "off"
      ? []
      : [{ id: "mawps-abort-multipart", abortMultipartAfterDays: multipartUploads }]),
    ...(noncurrentVersions === "off"
      ? []
      : [
          {
            id: "mawps-expire-old-versions",
            expireNoncurrentAfterDays: noncurrentVersions,
            removeExpiredDeleteMarkers: true as const,
          },
        ]),
  ];
}

function tables(names: Names): TableDeclaration[] {
  const { userProfiles, digitalTwin, auditLog, migrations, userDocuments } = names.tables;
  const common = { alsoRight: [], indexes: [], recoveryDays, backedUp: true };
  const composite = names.newTableShape === "composite";
  return [
    {
      ...common,
      role: "userProfiles",
      name: userProfiles,
      keys: composite ? compositeKeys : simpleKeys,
      alsoRight: [composite ? simpleKeys : compositeKeys],
      consequences: [
        { keys: simpleKeys, text: `one item per user; the digital twin goes to ${digitalTwin}` },
        { keys: compositeKeys, text: "one item per user and type; the digital twin is one of them" },
      ],
    },
    {
      ...common,
      role: "digitalTwin",
      name: digitalTwin,
      keys: compositeKeys,
      // With composite keys the twin has an item of its own in the profile table.
      when: { role: "userProfiles", keys: simpleKeys },
    },
    {
      ...common,
      role: "auditLog",
      name: auditLog,
      // One hash chain, numbered without gaps: a writer puts entry n + 1 on condition that there is none, so two
      // writers cannot fork it, and a Query of the chain is the chronological reading. Other chains have room beside.
      keys: { partition: { name: "chain", type: "S" }, sort: { name: "sequence", type: "N" } },
      indexes: [
        {
          name: "UserId-Timestamp-Index",
          keys: { partition: { name: "userId", type: "S" }, sort: { name: "timestamp", type: "S" } },
        },
        {
          name: "Action-Timestamp-Index",
          keys: { partition: { name: "action", type: "S" }, sort: { name: "timestamp", type: "S" } },
        },
      ],
      // Not `expiresAt`: that is an ISO time in this model, and TTL wants epoch seconds.
      expiryAttribute: "ttl",
    },
    {
      ...common,
      role: "migrations",
      name: migrations,
      // A migration's state, lock and journal are entries under its id.
      keys: { partition: { name: "id", type: "S" }, sort: { name: "entry", type: "S" } },
    },
    {
      ...common,
      role: "userDocuments",
      name: userDocuments,
      keys: { partition: { name: "userId", type: "S" }, sort: { name: "documentId", type: "S" } },
      keptBy: "site",
    },
  ];
}

/** The `id` of the one item of the table of migrations that says who runs them now. */
export const migrationLockId = "lock";

/** API keys and whatever else opens something, wherever the site's pages have put it. */
export const siteSecrets: Secrets = {
  tables: ["userProfiles", "digitalTwin", "userDocuments"],
  names: "api[_-]?keys?|secret([_-]?(access[_-]?)?key)?s?|tokens?|pass(word|wort|phrase)s?|private[_-]?key",
  // Of each provider a map or JSON text with its API key; older pages wrote the key alone.
  items: [
    {
      ids: 'api-settings#[^"]*|global|global-settings',
      attributes: ["openai", "anthropic", "google", "apiKey", "apiKeys"],
    },
  ],
};

const owned: readonly Owned[] = [
  {
    what: "hero images",
    kind: "objects",
    bucket: "publicMedia",
    prefix: "public/profile-images/{userId}/",
    erasure: "delete",
  },
  {
    what: "avatars",
    kind: "objects",
    bucket: "userFiles",
    prefix: "public/profile-images/{userId}/",
    erasure: "delete",
  },
  {
    what: "documents",
    kind: "objects",
    bucket: "userFiles",
    prefix: "public/documents/{userId}/",
    erasure: "delete",
  },
  {
    what: "documents, older layout",
    kind: "objects",
    bucket: "userFiles",
    prefix: "users/{userId}/",
    erasure: "delete",
  },
  {
    what: "avatars, older layout",
    kind: "objects",
    bucket: "userFiles",
    prefix: "profile-images/{userId}/",
    erasure: "delete",
  },
  ...["profile", "document", "resume", "voice", "profile-images"].map((folder) => ({
    what: "uploads of today's website",
    kind: "objects" as const,
    bucket: "profileImages",
    prefix: `${folder}/{userId}/`,
    erasure: "delete" as const,
  })),
  {
    what: "profile, progress, document entries",
    kind: "items",
    table: "userProfiles",
    attribute: "userId",
    erasure: "delete",
  },
  { what: "digital twin", kind: "items", table: "digitalTwin", attribute: "userId", erasure: "delete" },
  {
    what: "document entries of the website's documents-api",
    kind: "items",
    table: "userDocuments",
    attribute: "userId",
    erasure: "delete",
  },
  {
    what: "journal of migrations: what was before; entries of documents that were removed",
    kind: "items",
    table: "migrations",
    attribute: "userId",
    erasure: "delete",
  },
  {
    what: "audit trail",
    kind: "items",
    table: "auditLog",
    attribute: "userId",
    index: "UserId-Timestamp-Index",
    erasure: "keep",
  },
];

function retention(periods: RetentionPeriods): RetentionRule[] {
  const rules: (Omit<RetentionRule, "afterDays"> & { period: Period })[] = [
    {
      id: "deleted-documents",
      what: "documents after their soft delete, in all versions",
      period: periods.deletedDocuments,
      action: "purge",
      by: "run",
    },
    {
      id: "expired-documents",
      what: "documents past their expiresAt",
      period: periods.expiredDocuments,
      action: "soft-delete",
      by: "run",
    },
    {
      id: "half-done-uploads",
      what: "uploads that were begun and never finished",
      period: periods.halfDoneUploads,
      action: "purge",
      by: "run",
    },
    {
      id: "unreferenced-images",
      what: "hero images and avatars that nothing points to",
      period: periods.unreferencedImages,
      keepNewest: periods.keepImages,
      action: "purge",
      by: "run",
    },
    {
      id: "twin-history",
      what: "earlier states of the digital twin",
      period: periods.keepTwinVersions === "off" ? "off" : 0,
      ...(periods.keepTwinVersions === "off" ? {} : { keepNewest: periods.keepTwinVersions }),
      action: "purge",
      by: "run",
    },
    {
      id: "multipart-uploads",
      what: "parts of multipart uploads never completed",
      period: periods.multipartUploads,
      action: "abort-upload",
      by: "lifecycle",
    },
    {
      id: "noncurrent-versions",
      what: "versions that were replaced or deleted",
      period: periods.noncurrentVersions,
      action: "purge",
      by: "lifecycle",
    },
    {
      id: "audit-entries",
      what: "entries of the audit trail",
      period: periods.auditEntries,
      action: "expire",
      by: "ttl",
    },
  ];
  return rules.flatMap(({ period, ...rule }) => (period === "off" ? [] : [{ ...rule, afterDays: period }]));
}
