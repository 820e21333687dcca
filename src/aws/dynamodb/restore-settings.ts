import {
  DescribeTableCommand,
  ListTagsOfResourceCommand,
  type StreamViewType,
  type TableDescription,
  type Tag,
  TagResourceCommand,
} from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { own } from "../../model/json.ts";
import { errorName, isUnsupported, type WaitOptions, settling } from "../setting.ts";
import { retry } from "../../retry.ts";
import { enableExpiry, expiresBy, readExpiry } from "./table-expiry.ts";
import { enableRecovery, readRecoveryWindow } from "./table-recovery.ts";
import { protectFromDeletion, updateTable } from "./table-settings.ts";
import { onwards } from "../paging.ts";

/** AWS's own, where a server does not tell. */
const defaultRecoveryDays = 35;

/** What a table loses when DynamoDB restores it: each is a setting of the table, none of its items. */
export interface LostSettings {
  readonly expiryAttribute?: string;
  readonly recoveryDays?: number;
  readonly deletionProtection: boolean;
  /** What the stream shows of an item. */
  readonly stream?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface RestoredSettings {
  /** In words, such as `expiry by ttl`; empty where all stood already. */
  readonly written: readonly string[];
  /** What this server does not know. */
  readonly unsupported: readonly string[];
}

/**
 * Gives a table the settings that it should have; one that it has already is left alone, and none is ever taken away.
 * May be called again after a failure. Deletion protection comes last. Tags of AWS's own (`aws:`) cannot be written.
 */
export async function restoreSettings(
  aws: Aws,
  table: string,
  settings: LostSettings,
  wait: WaitOptions = {},
): Promise<RestoredSettings> {
  const { expiryAttribute, recoveryDays, stream } = settings;
  const written: string[] = [];
  const unsupported: string[] = [];
  const attempt = async (what: string, write: () => Promise<boolean>) => {
    wait.signal?.throwIfAborted();
    try {
      if (await write()) written.push(what);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      unsupported.push(what);
    }
  };
  await attempt("tags", () => addTags(aws, table, settings.tags, wait));
  if (expiryAttribute !== undefined) {
    await attempt(`expiry by ${expiryAttribute}`, () => ensureExpiry(aws, table, expiryAttribute, wait));
  }
  if (recoveryDays !== undefined) {
    await attempt(`recovery of ${recoveryDays} days`, () => ensureRecovery(aws, table, recoveryDays, wait));
  }
  if (stream !== undefined) {
    await attempt(`stream ${stream}`, () => ensureStream(aws, table, stream as StreamViewType, wait));
  }
  if (settings.deletionProtection) {
    await attempt("deletion protection", () => ensureProtection(aws, table, wait));
  }
  return { written, unsupported };
}

/** The settings of a table that a restore would lose; undefined where there is no such table. */
export async function readSettings(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<LostSettings | undefined> {
  const stored = await findTable(aws, table, signal);
  return stored === undefined ? undefined : settingsOf(aws, stored, signal);
}

/** What DescribeTable tells of a table; undefined where there is no such table. */
export async function findTable(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<TableDescription | undefined> {
  return described(aws, table, signal).catch((error: unknown) => {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  });
}

/** The settings of a table of which the rest is known. */
export async function settingsOf(
  aws: Aws,
  stored: TableDescription,
  signal?: AbortSignal,
): Promise<LostSettings> {
  const table = stored.TableName ?? "";
  const [expiry, recovery, tags] = await Promise.all([
    readExpiry(aws, table, signal),
    readRecoveryWindow(aws, table, signal),
    readTags(aws, stored.TableArn ?? "", signal).catch((error: unknown) => {
      if (isUnsupported(error)) return {};
      throw error;
    }),
  ]);
  const expires =
    typeof expiry === "object" && expiry.status.startsWith("ENABL") ? expiry.attribute : undefined;
  const isRecovered = typeof recovery === "object" && recovery.enabled;
  const { StreamEnabled: streams, StreamViewType: view } = stored.StreamSpecification ?? {};
  return {
    tags,
    deletionProtection: stored.DeletionProtectionEnabled === true,
    expiryAttribute: expires,
    ...(isRecovered ? { recoveryDays: recovery.days ?? defaultRecoveryDays } : {}),
    ...(streams !== true || view === undefined ? {} : { stream: view }),
  };
}

/** Tags of a table that can be written: without those that AWS itself keeps. */
async function readTags(aws: Aws, arn: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const dynamodb = await aws.dynamodb();
  const tags = new Map<string, string>();
  let next: string | undefined;
  const onward = onwards<NonNullable<typeof next>>("tags");
  do {
    const page: { Tags?: Tag[]; NextToken?: string } = await dynamodb.send(
      new ListTagsOfResourceCommand({ ResourceArn: arn, NextToken: next }),
      abortable(signal),
    );
    for (const { Key, Value } of page.Tags ?? []) {
      if (Key !== undefined && !Key.startsWith("aws:")) tags.set(Key, Value ?? "");
    }
    next = onward(page.NextToken);
  } while (next !== undefined);
  return Object.fromEntries(tags);
}

async function addTags(
  aws: Aws,
  table: string,
  tags: LostSettings["tags"],
  wait: WaitOptions,
): Promise<boolean> {
  const wanted = Object.entries(tags).filter(([key]) => !key.startsWith("aws:"));
  if (wanted.length === 0) return false;
  const dynamodb = await aws.dynamodb();
  const arn = (await described(aws, table)).TableArn ?? "";
  const present = await readTags(aws, arn, wait.signal);
  const missing = wanted.filter(([key, value]) => own(present, key) !== value);
  if (missing.length === 0) return false;
  const input = { ResourceArn: arn, Tags: missing.map(([Key, Value]) => ({ Key, Value })) };
  const busy = (error: unknown) => errorName(error) === "ResourceInUseException";
  await retry(() => dynamodb.send(new TagResourceCommand(input)), busy, { ...settling, ...wait });
  return true;
}

async function ensureExpiry(
  aws: Aws,
  table: string,
  attribute: string,
  { signal }: WaitOptions,
): Promise<boolean> {
  const isOn = await expiresBy(aws, table, attribute, signal);
  if (!isOn) await enableExpiry(aws, table, attribute);
  return !isOn;
}

async function ensureRecovery(aws: Aws, table: string, days: number, wait: WaitOptions): Promise<boolean> {
  const stored = await readRecoveryWindow(aws, table, wait.signal);
  const isOn = typeof stored === "object" && stored.enabled && (stored.days ?? days) >= days;
  if (!isOn) await enableRecovery(aws, table, days, wait);
  return !isOn;
}

async function ensureStream(
  aws: Aws,
  table: string,
  view: StreamViewType,
  wait: WaitOptions,
): Promise<boolean> {
  const isOn = async () => (await described(aws, table)).StreamSpecification?.StreamEnabled === true;
  if (await isOn()) return false;
  const stream = { StreamEnabled: true, StreamViewType: view };
  await updateTable(aws, { TableName: table, StreamSpecification: stream }, wait, isOn);
  return true;
}

async function ensureProtection(aws: Aws, table: string, wait: WaitOptions): Promise<boolean> {
  if ((await described(aws, table)).DeletionProtectionEnabled === true) return false;
  await protectFromDeletion(aws, table, wait);
  return true;
}

async function described(aws: Aws, table: string, signal?: AbortSignal): Promise<TableDescription> {
  const dynamodb = await aws.dynamodb();
  const answer = await dynamodb.send(new DescribeTableCommand({ TableName: table }), abortable(signal));
  return answer.Table ?? { TableName: table };
}
