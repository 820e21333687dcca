import { defaultDocumentTypes } from "../model/document-types.ts";
import { defaultNames, mawpsModel } from "../model/mawps.ts";
import { defaultPeriods } from "../model/retention.ts";
import type { Model } from "../model/schema.ts";
import {
  bool,
  bucket,
  dimensions,
  extensions,
  namespace,
  newest,
  oneOf,
  optional,
  origins,
  period,
  port,
  region,
  table,
  text,
  topic,
  url,
  whole,
  type Kind,
} from "./kinds.ts";

export interface Setting<T> {
  readonly kind: Kind<T>;
  /** For people, in a few words; Markdown's `code` marks names. */
  readonly about: string;
  readonly env: readonly string[];
  /** Commander's name of the global flag, where there is one. */
  readonly flag?: string;
  /** False where a file may not say it: it belongs to one call, not to an environment. */
  readonly inFile: boolean;
  readonly fallback: T;
}

function setting<T>(
  kind: Kind<T>,
  fallback: T,
  from: { about: string; env: readonly string[]; flag?: string; inFile?: boolean },
): Setting<T> {
  return { kind, fallback, inFile: true, ...from };
}

/** Every setting there is: its file key, its variables and flag, its default. docs/settings.md is made from it. */
export const settings = {
  target: setting(oneOf("local", "aws"), "local", {
    about: "where to work",
    env: ["MAWPS_TARGET"],
    flag: "target",
  }),
  name: setting(optional(text), undefined, {
    about: "what this environment is called, in notes and for `--confirm`",
    env: ["MAWPS_NAME"],
  }),
  protected: setting(bool, false, {
    about: "destructive commands ask for its name to be typed",
    env: ["MAWPS_PROTECTED"],
  }),
  model: setting(text, "mawps", {
    about: "what the site stores: the name of a shipped model (`mawps model list`), or a file",
    env: ["MAWPS_MODEL"],
    flag: "model",
  }),
  profile: setting(optional(text), undefined, {
    about: "profile of the AWS configuration; by default the SDK's own chain",
    env: ["AWS_PROFILE"],
    flag: "profile",
  }),
  region: setting(region, "eu-central-1", {
    about: "AWS region",
    env: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    flag: "region",
  }),
  endpointUrl: setting(optional(url), undefined, {
    about: "a server in place of AWS",
    env: ["AWS_ENDPOINT_URL"],
    flag: "endpointUrl",
  }),
  publicBaseUrl: setting(optional(url), undefined, {
    about: "what stands in front of the public bucket, such as a CDN; by default the bucket's own URL",
    env: ["MAWPS_PUBLIC_BASE_URL"],
  }),
  cdnBaseUrl: setting(optional(url), undefined, {
    about: "the CDN in front of the bucket of documents: `doc url --cdn` tells addresses there",
    env: ["MAWPS_CDN_BASE_URL"],
  }),
  home: setting(text, ".mawps", {
    about: "folder of the local store; in a file it counts from there",
    env: ["MAWPS_HOME"],
  }),
  "local.port": setting(port, 9700, { about: "port of `mawps local serve`", env: ["MAWPS_LOCAL_PORT"] }),
  "buckets.publicMedia": setting(bucket, defaultNames.buckets.publicMedia, {
    about: "the public bucket: hero images",
    env: ["MAWPS_PUBLIC_MEDIA_BUCKET"],
  }),
  "buckets.userFiles": setting(bucket, defaultNames.buckets.userFiles, {
    about: "the private bucket: documents and avatars",
    env: ["MAWPS_USER_FILES_BUCKET"],
  }),
  "buckets.profileImages": setting(bucket, defaultNames.buckets.profileImages, {
    about: "bucket to which the website uploads today; read, never written",
    env: ["MAWPS_PROFILE_IMAGES_BUCKET"],
  }),
  "tables.userProfiles": setting(table, defaultNames.tables.userProfiles, {
    about: "profiles, documents, progress",
    env: ["MAWPS_USER_PROFILES_TABLE"],
  }),
  "tables.digitalTwin": setting(table, defaultNames.tables.digitalTwin, {
    about: "the digital twin and its versions",
    env: ["MAWPS_DIGITAL_TWIN_TABLE"],
  }),
  "tables.auditLog": setting(table, defaultNames.tables.auditLog, {
    about: "the audit trail",
    env: ["MAWPS_AUDIT_LOG_TABLE"],
  }),
  "tables.migrations": setting(table, defaultNames.tables.migrations, {
    about: "which migrations are applied, and their journal",
    env: ["MAWPS_MIGRATIONS_TABLE"],
  }),
  "tables.userDocuments": setting(table, defaultNames.tables.userDocuments, {
    about: "table in which the website's documents-api keeps entries of documents, where there is one",
    env: ["MAWPS_USER_DOCUMENTS_TABLE"],
  }),
  websiteOrigins: setting(origins, ["*"], {
    about: "origins of the website's pages, which send files to signed links; for the buckets' CORS",
    env: ["MAWPS_WEBSITE_ORIGINS"],
  }),
  newTableShape: setting(oneOf("simple", "composite"), "simple", {
    about: "key of a profile table that `setup` makes",
    env: ["MAWPS_NEW_TABLE_SHAPE"],
  }),
  userPoolId: setting(optional(text), undefined, {
    about: "the Cognito user pool",
    env: ["MAWPS_USER_POOL_ID"],
  }),
  audit: setting(oneOf("on", "off"), "on", {
    about: "changing commands write the audit trail, or stop before they begin",
    env: ["MAWPS_AUDIT"],
  }),
  siteAudit: setting(oneOf("on", "off"), "off", {
    about:
      "entries of the audit trail are also written into the one that the site itself writes, in its shape",
    env: ["MAWPS_SITE_AUDIT"],
  }),
  anchorBucket: setting(optional(bucket), undefined, {
    about: "bucket of the audit trail's anchors in place of the model's, as one of another account",
    env: ["MAWPS_ANCHOR_BUCKET"],
  }),
  anchorLock: setting(oneOf("off", "governance", "compliance"), "off", {
    about: "how S3 Object Lock keeps each anchor until its entry ends; the bucket must have it",
    env: ["MAWPS_ANCHOR_LOCK"],
  }),
  maxDocumentBytes: setting(whole(1, "a number of bytes"), 50 * 1024 ** 2, {
    about: "largest document, in bytes",
    env: ["MAWPS_MAX_DOCUMENT_BYTES"],
  }),
  allowedTypes: setting(extensions, defaultDocumentTypes, {
    about: "types of documents; separated by commas, in a file a list",
    env: ["MAWPS_ALLOWED_TYPES"],
  }),
  scanPolicy: setting(oneOf("refuse", "allow"), "refuse", {
    about: "what becomes of documents that could not be scanned",
    env: ["MAWPS_SCAN_POLICY"],
  }),
  "clamav.host": setting(optional(text), undefined, {
    about: "host of the virus scanner",
    env: ["MAWPS_CLAMAV_HOST"],
  }),
  "clamav.port": setting(port, 3310, { about: "its port", env: ["MAWPS_CLAMAV_PORT"] }),
  "clamav.socket": setting(optional(text), undefined, {
    about: "its socket, instead of host and port",
    env: ["MAWPS_CLAMAV_SOCKET"],
  }),
  "clamav.timeoutMs": setting(whole(1, "milliseconds, at least 1"), 180_000, {
    about: "how long one step of a scan may take, in milliseconds",
    env: ["MAWPS_CLAMAV_TIMEOUT_MS"],
  }),
  "clamav.maxBytes": setting(whole(1, "a number of bytes"), 100_000_000, {
    about: "above it nothing counts as clean",
    env: ["MAWPS_CLAMAV_MAX_BYTES"],
  }),
  "retention.deletedDocuments": setting(period(1), defaultPeriods.deletedDocuments, {
    about: "days from the soft delete of a document to its purge",
    env: ["MAWPS_RETENTION_DELETED_DOCUMENTS"],
  }),
  "retention.expiredDocuments": setting(period(0), defaultPeriods.expiredDocuments, {
    about: "days from the expiry of a document to its soft delete",
    env: ["MAWPS_RETENTION_EXPIRED_DOCUMENTS"],
  }),
  "retention.halfDoneUploads": setting(period(1), defaultPeriods.halfDoneUploads, {
    about: "days that a document may be half uploaded",
    env: ["MAWPS_RETENTION_HALF_DONE_UPLOADS"],
  }),
  "retention.multipartUploads": setting(period(1), defaultPeriods.multipartUploads, {
    about: "days that parts of an upload are kept",
    env: ["MAWPS_RETENTION_MULTIPART_UPLOADS"],
  }),
  "retention.noncurrentVersions": setting(period(1), defaultPeriods.noncurrentVersions, {
    about: "days that old versions are kept",
    env: ["MAWPS_RETENTION_NONCURRENT_VERSIONS"],
  }),
  "retention.unreferencedImages": setting(period(1), defaultPeriods.unreferencedImages, {
    about: "days that pictures without a pointer are kept",
    env: ["MAWPS_RETENTION_UNREFERENCED_IMAGES"],
  }),
  "retention.auditEntries": setting(period(1), defaultPeriods.auditEntries, {
    about: "days that entries of the audit trail are kept",
    env: ["MAWPS_RETENTION_AUDIT_ENTRIES"],
  }),
  "retention.keepImages": setting(newest, defaultPeriods.keepImages, {
    about: "so many of the newest pictures without a pointer stay",
    env: ["MAWPS_RETENTION_KEEP_IMAGES"],
  }),
  "retention.keepTwinVersions": setting(period(0, "states"), defaultPeriods.keepTwinVersions, {
    about: "so many of the newest versions of the twin stay",
    env: ["MAWPS_RETENTION_KEEP_TWIN_VERSIONS"],
  }),
  "backup.repository": setting(optional(text), undefined, {
    about: "a folder, or s3://bucket/prefix; of the local store `.mawps/backups`",
    env: ["MAWPS_BACKUP_REPOSITORY"],
  }),
  "backup.encryptTo": setting(optional(text), undefined, {
    about: "age recipient for a new repository; by default no encryption",
    env: ["MAWPS_BACKUP_ENCRYPT_TO"],
  }),
  "backup.identityFile": setting(optional(text), undefined, {
    about: "age identity that opens an encrypted repository",
    env: ["MAWPS_BACKUP_IDENTITY_FILE"],
  }),
  "backup.passphraseFile": setting(optional(text), undefined, {
    about:
      "file with the passphrase; the passphrase itself goes into MAWPS_BACKUP_PASSPHRASE, never into a flag",
    env: ["MAWPS_BACKUP_PASSPHRASE_FILE"],
  }),
  "backup.maxAgeHours": setting(whole(1, "hours, at least 1"), 26, {
    about: "hours after which `doctor` misses a backup",
    env: ["MAWPS_BACKUP_MAX_AGE_HOURS"],
  }),
  "backup.maxDrillAgeDays": setting(whole(1, "days, at least 1"), 8, {
    about: "days after which `doctor` misses a drill",
    env: ["MAWPS_BACKUP_MAX_DRILL_AGE_DAYS"],
  }),
  "backup.maxTableBytes": setting(whole(1, "a number of bytes"), 20_000_000_000, {
    about: "above it tables are for `backup create --engine aws`",
    env: ["MAWPS_BACKUP_MAX_TABLE_BYTES"],
  }),
  "replicas.lagSeconds": setting(period(0, "seconds"), 10, {
    about: "seconds that replicas of a database may be behind before `retention run` waits for them",
    env: ["MAWPS_REPLICAS_LAG_SECONDS"],
  }),
  "replicas.waitSeconds": setting(whole(0, "seconds, at least 0"), 600, {
    about: "seconds that one run waits for them in all; then it ends with 3",
    env: ["MAWPS_REPLICAS_WAIT_SECONDS"],
  }),
  "metrics.namespace": setting(optional(namespace), undefined, {
    about: "namespace in CloudWatch into which jobs put metrics; by default none are put",
    env: ["MAWPS_METRICS_NAMESPACE"],
  }),
  "metrics.dimensions": setting(
    dimensions,
    {},
    {
      about:
        "dimensions of these metrics, beside the command; `Name=value`, separated by commas, in a file an object",
      env: ["MAWPS_METRICS_DIMENSIONS"],
    },
  ),
  "metrics.topic": setting(optional(topic), undefined, {
    about: "topic of SNS that is told of alarms, by its ARN",
    env: ["MAWPS_METRICS_TOPIC"],
  }),
  "inventory.bucket": setting(optional(bucket), undefined, {
    about: "bucket that S3 puts inventories of the site's buckets into: `setup` makes it and orders them",
    env: ["MAWPS_INVENTORY_BUCKET"],
  }),
  "inventory.frequency": setting(oneOf("daily", "weekly"), "weekly", {
    about: "how often S3 makes them",
    env: ["MAWPS_INVENTORY_FREQUENCY"],
  }),
  json: setting(bool, false, {
    about: "print the result as JSON",
    env: ["MAWPS_JSON"],
    flag: "json",
    inFile: false,
  }),
  yes: setting(bool, false, {
    about: "go on without asking",
    env: ["MAWPS_YES"],
    flag: "yes",
    inFile: false,
  }),
  confirm: setting(optional(text), undefined, {
    about: "name of a protected environment, instead of typing it",
    env: ["MAWPS_CONFIRM"],
    flag: "confirm",
    inFile: false,
  }),
  dryRun: setting(bool, false, {
    about: "show what would be done, change nothing",
    env: ["MAWPS_DRY_RUN"],
    flag: "dryRun",
    inFile: false,
  }),
  quiet: setting(bool, false, {
    about: "no notes and no progress",
    env: ["MAWPS_QUIET"],
    flag: "quiet",
    inFile: false,
  }),
  verbose: setting(bool, false, {
    about: "more detail in errors",
    env: ["MAWPS_VERBOSE"],
    flag: "verbose",
    inFile: false,
  }),
  wide: setting(bool, false, {
    about: "shorten nothing in tables, however narrow the terminal",
    env: ["MAWPS_WIDE"],
    flag: "wide",
    inFile: false,
  }),
  noColor: setting(bool, false, {
    about: "no colours",
    env: ["MAWPS_NO_COLOR", "NO_COLOR"],
    flag: "noColor",
    inFile: false,
  }),
} as const;

export type SettingKey = keyof typeof settings;

/** Groups of settings whose keys are the names that a model gives. */
const named = /^(buckets|tables|retention)\.|^newTableShape$/;

/** Every setting that there is for a site: of MAWPS the table above, of another its own names and periods. */
export function settingsOf(site: Model): Readonly<Record<string, Setting<unknown>>> {
  const common = Object.entries(settings).filter(([key]) => !named.test(key));
  const variable = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const names = (group: string, kind: Kind<string>, roles: Model["buckets"] | Model["tables"]) =>
    Object.entries(roles).map(([role, { name, about = role }]) => {
      const env = [`MAWPS_${variable(role)}_${group.toUpperCase()}`];
      return [`${group}s.${role}`, setting(kind, name, { about, env })] as const;
    });
  const all = [...names("bucket", bucket, site.buckets), ...names("table", table, site.tables)];
  if (site === mawpsModel)
    return { ...Object.fromEntries(all.filter(([key]) => !Object.hasOwn(settings, key))), ...settings };
  const periods = periodSettings(site).map(([name, most, about]) => {
    const env = [`MAWPS_RETENTION_${variable(name)}`];
    return [`retention.${name}`, setting(period(0), most, { about, env })] as const;
  });
  const shapes = Object.values(site.tables).flatMap((table) => table.shapes ?? []);
  const [first, ...others] = shapes.map(({ id }) => id);
  return Object.fromEntries<Setting<unknown>>([
    ...common,
    ["region", { ...settings.region, fallback: site.region }],
    ...all,
    ...(first === undefined
      ? []
      : ([
          ["newTableShape", { ...settings.newTableShape, kind: oneOf(first, ...others), fallback: first }],
        ] as const)),
    ...periods,
  ]);
}

/** Names, defaults and meanings of the numbers in a model that settings change. */
function periodSettings({ lifecycle = {}, entities }: Model): (readonly [string, number, string])[] {
  const rules = Object.values(entities).flatMap(({ expires = [] }) => expires);
  return [
    ...Object.values(lifecycle).flatMap(({ setting: name, after, what }) =>
      name === undefined ? [] : [[name, after, `days: ${what}`] as const],
    ),
    ...rules.flatMap(({ settings: by = {}, after = 0, keepNewest = 0, what }) => [
      ...(by.after === undefined ? [] : [[by.after, after, `days: ${what}`] as const]),
      ...(by.keepNewest === undefined
        ? []
        : [[by.keepNewest, keepNewest, `newest that stay: ${what}`] as const]),
    ]),
  ];
}
