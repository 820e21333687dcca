import { dirname, resolve as absolute } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import {
  defaultDocumentTypes,
  documentTypes,
  isDocumentExtension,
  type DocumentExtension,
} from "../model/document-types.ts";
import { mawpsModel } from "../model/mawps.ts";
import { nearest } from "../model/nearest.ts";
import { defaultPeriods, type Period } from "../model/retention.ts";
import type { Model } from "../model/schema.ts";

/** How a setting is read: from text (flag, variable) and from JSON (file). Both throw on a wrong value. */
interface Kind<T> {
  readonly expected: string;
  fromText(text: string): T | undefined;
  fromJson(value: unknown): T | undefined;
}

interface Setting<T> {
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

function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  const find = (text: unknown) => values.find((value) => value === text);
  return { expected: `one of ${values.join(", ")}`, fromText: find, fromJson: find };
}

const text: Kind<string> = {
  expected: "a text that is not empty",
  fromText: (value) => (value === "" ? undefined : value),
  fromJson: (value) => (typeof value === "string" && value !== "" ? value : undefined),
};

const bool: Kind<boolean> = {
  expected: "true or false",
  fromText: (value) =>
    /^(1|true|yes|on)$/i.test(value) ? true : /^(0|false|no|off|)$/i.test(value) ? false : undefined,
  fromJson: (value) => (typeof value === "boolean" ? value : undefined),
};

const port: Kind<number> = {
  expected: "a port from 0 to 65535",
  fromText: (value) => (/^\d{1,5}$/.test(value) && Number(value) < 65_536 ? Number(value) : undefined),
  fromJson: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536 ? Number(value) : undefined,
};

/** An http(s) URL without query; the trailing slash is dropped. The SDK would leave a user name and password away. */
const url: Kind<string> = {
  expected: "an http:// or https:// URL without user name and query",
  fromText(value) {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== "") return undefined;
    // Also behind the host: there it is what is left of a password with a `/`, `?` or `#`.
    if (value.includes("@")) return undefined;
    return value.replace(/\/+$/, "");
  },
  fromJson: (value) => (typeof value === "string" ? url.fromText(value) : undefined),
};

/** A part of host names: what is pasted with a blank or a line break behind it would break each of them. */
const region: Kind<string> = {
  expected: "the name of a region, such as eu-central-1",
  fromText: (value) => (/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/i.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? region.fromText(value) : undefined),
};

/** S3: 3-63 characters of a-z, 0-9, dot and hyphen, starting and ending with a letter or digit. */
const bucket: Kind<string> = {
  expected: "a bucket name (3-63 of a-z, 0-9, '.', '-')",
  fromText: (value) => (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? bucket.fromText(value) : undefined),
};

/** DynamoDB: 3-255 characters of a-z, A-Z, 0-9, underscore, hyphen and dot. */
const table: Kind<string> = {
  expected: "a table name (3-255 of a-z, A-Z, 0-9, '_', '-', '.')",
  fromText: (value) => (/^[\w.-]{3,255}$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? table.fromText(value) : undefined),
};

/** A whole number from `least` on. */
function whole(least: number, expected: string): Kind<number> {
  const fits = (value: unknown) =>
    Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined;
  return {
    expected,
    fromText: (value) => (/^\d+$/.test(value) ? fits(Number(value)) : undefined),
    fromJson: fits,
  };
}

/** In text separated by commas, in a file a list. */
const extensions: Kind<readonly DocumentExtension[]> = {
  expected: `some of ${documentTypes.map(({ ext }) => ext).join(", ")}`,
  fromText: (value) => extensions.fromJson(value.split(",").map((each) => each.trim())),
  fromJson: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isDocumentExtension) ? value : undefined,
};

/** `https://example.com`, as browsers send it, or `*`; in text separated by commas, in a file a list. */
const origins: Kind<readonly string[]> = {
  expected: "origins such as https://example.com, or *",
  fromText: (value) => origins.fromJson(value.split(",").map((each) => each.trim())),
  fromJson: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isOrigin) ? (value as string[]) : undefined,
};

/** What begins with AWS/ is AWS's own: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
const namespace: Kind<string> = {
  expected: "a namespace of CloudWatch (1-255 of a-z, A-Z, 0-9, '.', '-', '_', '/', '#', ':', and no AWS/)",
  fromText: (value) => (/^(?!AWS\/|:)[\w.\-/#:]{1,255}$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? namespace.fromText(value) : undefined),
};

/** In text `Environment=production,Site=main`, in a file an object. An address of a person is none. */
const dimensions: Kind<Readonly<Record<string, string>>> = {
  expected: "at most 5 names with values, of a-z, A-Z, 0-9, '.', '-', '_', such as Environment=production",
  fromText(value) {
    const pairs = value.split(",").map((each) => each.trim().split("="));
    if (pairs.some((pair) => pair.length !== 2)) return undefined;
    const names = new Set(pairs.map(([name]) => name));
    return names.size < pairs.length ? undefined : dimensions.fromJson(Object.fromEntries(pairs));
  },
  fromJson(value) {
    if (!isRecord(value)) return undefined;
    const pairs = Object.entries(value);
    const fits = pairs.every(
      ([name, each]) =>
        /^[A-Za-z][\w.-]{0,63}$/.test(name) &&
        name !== "Command" &&
        typeof each === "string" &&
        /^[\w.-]{1,64}$/.test(each),
    );
    return fits && pairs.length <= 5 ? (value as Readonly<Record<string, string>>) : undefined;
  },
};

const topic: Kind<string> = {
  expected: "the ARN of a topic of SNS, such as arn:aws:sns:eu-central-1:123456789012:alarms",
  fromText: (value) =>
    /^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/.test(value) ? value : undefined,
  fromJson: (value) => (typeof value === "string" ? topic.fromText(value) : undefined),
};

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && (value === "*" || /^https?:\/\/[^/?#*\s]+$/.test(value));
}

/** A number, or `off` for no rule at all. */
function period(least: number, what = "days"): Kind<Period> {
  const days = whole(least, "");
  return {
    expected: `a number of ${what} from ${least} on, or off`,
    fromText: (value) => (value === "off" ? value : days.fromText(value)),
    fromJson: (value) => (value === "off" ? value : days.fromJson(value)),
  };
}

const newest = whole(0, "a number of the newest to keep");

function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return kind;
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
  "buckets.publicMedia": setting(bucket, "manuel-weiss-public-media", {
    about: "the public bucket: hero images",
    env: ["MAWPS_PUBLIC_MEDIA_BUCKET"],
  }),
  "buckets.userFiles": setting(bucket, "mawps-user-files-1760106396", {
    about: "the private bucket: documents and avatars",
    env: ["MAWPS_USER_FILES_BUCKET"],
  }),
  "buckets.profileImages": setting(bucket, "mawps-profile-images", {
    about: "bucket to which the website uploads today; read, never written",
    env: ["MAWPS_PROFILE_IMAGES_BUCKET"],
  }),
  "tables.userProfiles": setting(table, "mawps-user-profiles", {
    about: "profiles, documents, progress",
    env: ["MAWPS_USER_PROFILES_TABLE"],
  }),
  "tables.digitalTwin": setting(table, "mawps-digital-twin", {
    about: "the digital twin and its versions",
    env: ["MAWPS_DIGITAL_TWIN_TABLE"],
  }),
  "tables.auditLog": setting(table, "mawps-audit-log", {
    about: "the audit trail",
    env: ["MAWPS_AUDIT_LOG_TABLE"],
  }),
  "tables.migrations": setting(table, "mawps-migrations", {
    about: "which migrations are applied, and their journal",
    env: ["MAWPS_MIGRATIONS_TABLE"],
  }),
  "tables.userDocuments": setting(table, "mawps-user-documents", {
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

/** One value per setting, under its key. */
type Values = { readonly [K in SettingKey]: (typeof settings)[K]["fallback"] | KindOf<K> };

/** `a.b` of these as `b` in `a`. */
type Grouped<T> = {
  readonly [
    K in keyof T as K extends `${infer Group}.${string}` ? Group : K
  ]: K extends `${infer Group}.${string}`
    ? { readonly [Each in keyof T as Each extends `${Group}.${infer Name}` ? Name : never]: T[Each] }
    : T[K];
};

/**
 * The value of each setting, as a file has them: `backup.repository` is in `backup`. Names and periods of another model than MAWPS's are
 * there as its model has them.
 */
export type Config = Grouped<Values> & {
  /** What the setting `model` says, read and checked. */
  readonly site: Model;
};

/** The value of a setting by its key; undefined for one that the site's model does not have. */
export function valueOf(config: Config, key: string): unknown {
  const at = (value: unknown, name: string) =>
    isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return key.split(".").reduce<unknown>(at, config);
}

/** `buckets.publicMedia` as `{buckets: {publicMedia}}`, as a file has it. Pure. */
export function grouped(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const [first = "", name] = key.split(".");
    all[first] = name === undefined ? value : { ...(all[first] as object | undefined), [name]: value };
  }
  return all;
}

type KindOf<K extends SettingKey> = (typeof settings)[K] extends Setting<infer T> ? T : never;

/** Where a value came from, in the words of the user: `--region`, `AWS_REGION`, a file's path, `default`. */
export type Sources = Readonly<Record<SettingKey, string>>;

export interface ConfigFile {
  /** Absolute path, for messages and for resolving relative folders. */
  readonly path: string;
  readonly values: unknown;
}

export interface Resolved {
  readonly config: Config;
  readonly sources: Sources;
}

/** What was given, by where it stands. */
interface Given {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile | undefined;
}

/**
 * Flag over environment over file over default, for every setting of MAWPS.
 * @throws CliError (usage) that names the flag, variable, or file and key, of an unknown key or wrong value.
 */
export function resolve(flags: Given["flags"], env: Given["env"], file: ConfigFile | undefined): Resolved {
  return resolveFor(mawpsModel, { flags, env, file });
}

/** Every group is there, also where a model has no setting of it. */
const noGroups = Object.fromEntries(
  Object.keys(settings).flatMap((key) => (key.includes(".") ? [[key.split(".", 1)[0], {}]] : [])),
);

/** The same for the settings of a site by its model. */
export function resolveFor(site: Model, given: Given): Resolved {
  const known = settingsOf(site);
  const { file } = given;
  const inFile = file === undefined ? new Map<string, unknown>() : fileValues(file, known);
  const values = new Map<string, unknown>();
  const sources: Record<string, string> = {};
  for (const [key, each] of Object.entries(known)) {
    const [value, source] = pick([key, each], given, inFile);
    values.set(key, value);
    sources[key] = source;
  }
  const resolved = {
    config: { ...noGroups, ...grouped(values), site } as Config,
    sources: sources as Sources,
  };
  refuseContradictions(resolved);
  return resolved;
}

/** What is said of the model, before anything else can be read: it says which other settings there are. */
export function modelSetting(given: Given): { readonly value: string; readonly source: string } {
  const { file } = given;
  const inFile = new Map(isRecord(file?.values) ? Object.entries(file.values) : []);
  const [value, source] = pick(["model", settings.model], given, inFile);
  return { value: String(value), source };
}

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

/** Settings that are a file or folder. */
const places = [
  "model",
  "home",
  "backup.repository",
  "backup.identityFile",
  "backup.passphraseFile",
] as const;

function pick(
  [key, { kind, flag, env: variables, fallback }]: readonly [string, Setting<unknown>],
  { flags, env, file }: Given,
  inFile: ReadonlyMap<string, unknown>,
): [unknown, string] {
  if (flag !== undefined && flags[flag] !== undefined) {
    const given = flags[flag];
    const name = flagName(flag);
    return [checked(typeof given === "string" ? kind.fromText(given) : given, kind, name, given), name];
  }
  for (const variable of variables) {
    const given = env[variable];
    // NO_COLOR counts whenever it is set and not empty, whatever it says: https://no-color.org
    if (variable === "NO_COLOR" && given !== undefined && given !== "") return [true, variable];
    if (given !== undefined && given !== "")
      return [checked(kind.fromText(given), kind, variable, given), variable];
  }
  if (file !== undefined && inFile.has(key)) {
    const given = inFile.get(key);
    const value = checked(kind.fromJson(given), kind, `${file.path}: "${key}"`, given);
    // A folder that a file names lies where the file does, wherever below it the command was called.
    const isPlace =
      typeof value === "string" && (places as readonly string[]).includes(key) && !isModelName(key, value);
    const placed = isPlace && !value.startsWith("s3:") ? absolute(dirname(file.path), value) : value;
    return [placed, file.path];
  }
  return [fallback, "default"];
}

/** A model is a name, or a file: one has a dot or a slash. */
function isModelName(key: string, value: string): boolean {
  return key === "model" && !/[./\\]/.test(value);
}

function checked(value: unknown, kind: Kind<unknown>, where: string, given: unknown): unknown {
  if (value !== undefined) return value;
  const text = JSON.stringify(given);
  const mayHoldPassword = kind === url && text.includes("@");
  const shown = mayHoldPassword ? "one with an @ (it is not shown)" : text;
  throw new CliError(`${where}: expected ${kind.expected}, not ${shown}`, {
    exitCode: exitCodes.usage,
  });
}

/** `{"buckets": {"publicMedia": "x"}}` as `buckets.publicMedia -> x`; unknown keys are errors. */
function fileValues(
  file: ConfigFile,
  settings: Readonly<Record<string, Setting<unknown>>>,
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const known = Object.keys(settings).filter((key) => settings[key]?.inFile === true);
  const groups = new Set(known.filter((key) => key.includes(".")).map((key) => key.split(".", 1)[0]));
  const walk = (value: unknown, prefix: string) => {
    if (!isRecord(value)) {
      const what = prefix === "" ? "the file" : `"${prefix.slice(0, -1)}"`;
      throw new CliError(`${file.path}: ${what} must be an object`, { exitCode: exitCodes.usage });
    }
    for (const [name, inner] of Object.entries(value)) {
      const key = prefix + name;
      if (key === "$schema") continue;
      if (prefix === "" && groups.has(key)) walk(inner, `${key}.`);
      else if (known.includes(key)) found.set(key, inner);
      else {
        throw new CliError(`${file.path}: unknown key "${key}"`, {
          exitCode: exitCodes.usage,
          hint: keyHint(key, settings),
        });
      }
    }
  };
  walk(file.values, "");
  return found;
}

/** What was likely meant by a key that a file may not have. */
function keyHint(key: string, settings: Readonly<Record<string, Setting<unknown>>>): string {
  const ofOneCall = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (ofOneCall !== undefined) {
    const ways = [...(ofOneCall.flag === undefined ? [] : [flagName(ofOneCall.flag)]), ...ofOneCall.env];
    return `it belongs to one call: ${ways.join(", ")}`;
  }
  const known = Object.keys(settings).filter((each) => settings[each]?.inFile === true);
  const last = (name: string) => name.slice(name.lastIndexOf(".") + 1);
  const behind = nearest(last(key), known.map(last));
  const meant = nearest(key, known) ?? known.find((each) => last(each) === behind);
  return meant === undefined ? "`mawps config show` lists the keys" : `did you mean "${meant}"?`;
}

function flagName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is private must not lie in a bucket that everybody can read. */
function refuseOneBucket({ config, sources }: Resolved): void {
  const buckets = Object.entries(config.site.buckets).map(([role, { access }]) => {
    const key = `buckets.${role}`;
    return {
      key,
      isPublic: access !== "private",
      name: valueOf(config, key),
      from: (sources as Record<string, string>)[key],
    };
  });
  for (const open of buckets.filter(({ isPublic }) => isPublic)) {
    const closed = buckets.find(({ isPublic, name }) => !isPublic && name === open.name);
    if (closed === undefined) continue;
    const from = [...new Set([open.from, closed.from])].join(" and ");
    throw new CliError(`${from}: ${closed.key} is the public bucket, ${String(open.name)}`, {
      exitCode: exitCodes.usage,
      hint: "name two buckets: everybody can read the public one",
    });
  }
}

function refuseContradictions({ config, sources }: Resolved): void {
  refuseOneBucket({ config, sources });
  if (config.target === "local" && sources.endpointUrl === "--endpoint-url") {
    throw new CliError("--endpoint-url needs --target aws: the local store has no endpoint to choose", {
      exitCode: exitCodes.usage,
    });
  }
  if (config.clamav.host !== undefined && config.clamav.socket !== undefined) {
    throw new CliError("clamav.host and clamav.socket are both set: clamd is asked in one way", {
      exitCode: exitCodes.usage,
      hint: `they come from ${sources["clamav.host"]} and ${sources["clamav.socket"]}`,
    });
  }
  const idle = (["metrics.dimensions", "metrics.topic"] as const).find((key) => sources[key] !== "default");
  if (idle !== undefined && config.metrics.namespace === undefined) {
    throw new CliError(
      `${sources[idle]}: "${idle}" needs "metrics.namespace": without it no metrics are put`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const topicRegion = config.metrics.topic?.split(":")[3];
  if (topicRegion !== undefined && topicRegion !== config.region) {
    throw new CliError(
      `${sources["metrics.topic"]}: the topic is in ${topicRegion}, and alarms in ${config.region} tell only topics there`,
      { exitCode: exitCodes.usage },
    );
  }
  if (config.protected && config.name === undefined) {
    throw new CliError(`${sources.protected}: a protected environment needs a "name" that can be typed`, {
      exitCode: exitCodes.usage,
    });
  }
}
