import type { AuditTrail } from "../../audit/trail.ts";
import type { Aws } from "../../aws/clients.ts";
import type { Condition } from "../../aws/dynamodb/expressions.ts";
import { assertItemFits } from "../../aws/dynamodb/item-size.ts";
import { getItem, scanItems, type AttributeValue, type Item } from "../../aws/dynamodb/items.ts";
import { updateAttributes } from "../../aws/dynamodb/update-item.ts";
import { CliError } from "../../errors.ts";
import { refuseNobody } from "../../documents/entries.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { AuditDetails } from "../../model/audit-details.ts";
import { isRecord, type JsonObject, timeOf } from "../../model/json.ts";
import { isPassedOver, judgedAttributes, type Nobodies } from "../../model/nobodies.ts";
import { itemTypes, progressAttributes } from "../../model/mawps.ts";
import type { Secrets } from "../../model/secrets.ts";
import type { TableShape } from "../../model/table-shape.ts";
import { ownerId } from "../../model/user-id.ts";
import { backOff } from "../../retry.ts";
import { planImport, type ImportPlan } from "./import-plan.ts";
import { recompute, type Recomputed } from "./overall.ts";
import { readProgress } from "./read.ts";
import { jsonOf, typedOver } from "./typed.ts";

/** Where the progress of one environment's users lives. */
export interface ProgressSite {
  readonly aws: Aws;
  /** The table of the profiles. */
  readonly table: string;
  readonly shape: TableShape;
  readonly signal: AbortSignal;
}

/** A user's progress as it is stored; both are undefined where there is none. */
export interface UserProgress {
  readonly userId: string;
  readonly progress: unknown;
  readonly updatedAt: unknown;
}

const { data, updatedAt } = progressAttributes;
/** Others write every 30 seconds at most: somebody who is in the way this often is not the website. */
const maxTries = 8;

/**
 * All users, with and without progress, in no order and at most a few pages of 1 MB in memory. What is no person's is counted in
 * `nobodies`.
 */
export async function* scanProgress(site: ProgressSite, nobodies: Nobodies): AsyncGenerator<UserProgress> {
  const { aws, table, signal } = site;
  const attributes = [...judgedAttributes, data, updatedAt];
  for await (const page of scanItems(aws, { table, attributes, segments: 2, asSent: true, signal })) {
    for (const item of page) {
      const userId = item["userId"]?.S;
      if (userId === undefined || userId === ownerId || isPassedOver(nobodies, item)) continue;
      if (site.shape.kind === "composite" && item["type"]?.S !== itemTypes.profile) continue;
      yield progressOf(userId, item);
    }
  }
}

/** One user's progress as it stands now. */
export async function userProgress(site: ProgressSite, userId: string): Promise<UserProgress> {
  return progressOf(userId, (await profileItem(site, userId)) ?? {});
}

export interface Import {
  readonly userId: string;
  readonly source: JsonObject;
  /** Of these the source has none: those that are stored stay. */
  readonly secrets: Secrets;
  /** When the source was last changed, ISO 8601; undefined when it is not known. */
  readonly sourceUpdate: string | undefined;
  /** Makes the profile of a user who has none, before anything is written. */
  readonly createProfile: () => Promise<void>;
  readonly dryRun: boolean;
}

/**
 * Merges a device's progress into what is stored, in one conditional update of `progressData` and `lastProgressUpdate`; what
 * somebody else writes meanwhile is merged as well. A dry run only plans.
 * @throws CliError when what is stored is no map, or the item would grow over 400 KB; nothing was written then.
 */
export async function importProgress(
  site: ProgressSite,
  audit: AuditTrail,
  request: Import,
): Promise<ImportPlan> {
  const { userId, source, secrets, sourceUpdate, createProfile, dryRun } = request;
  return untilApplied(userId, async () => {
    const found = await profileItem(site, userId);
    const item = found ?? profileKey(site, userId);
    const stored = item[data] === undefined ? undefined : jsonOf(item[data]);
    if (stored !== undefined && !isRecord(stored)) {
      throw new CliError(`progressData of ${userId} is stored as something else than a map`, {
        hint: "nothing was changed; look at it with `mawps progress export`",
      });
    }
    const plan = planImport(stored, source, secrets);
    if (plan.action === "nothing-to-do") return plan;
    const update = newestActivity(plan.value, { stored: item[updatedAt]?.S, source: sourceUpdate });
    const set: Record<string, AttributeValue> = {
      [data]: typedOver(plan.value, item[data]),
      ...(update === undefined ? {} : { [updatedAt]: { S: update } }),
    };
    assertItemFits({ ...item, ...set }, `the profile of ${userId}`);
    if (dryRun) return plan;
    const items = plan.newPages.length + plan.changedPages.length + plan.changedSections.length;
    const { applied } = await audit.change(
      { action: "progress.imported", userId, details: { table: site.table, items } },
      async () => {
        if (found === undefined) await createProfile();
        return updateAttributes(site.aws, {
          table: site.table,
          key: profileKey(site, userId),
          set: Object.entries(set).map(([path, value]) => ({ path, value })),
          conditions: [{ path: "userId", is: "present" }, unchanged(item, data), unchanged(item, updatedAt)],
          signal: site.signal,
        });
      },
      ifApplied,
    );
    return applied ? plan : undefined;
  });
}

/**
 * Corrects the stored `overallStats` of one user; nothing else of the item is written. Undefined where there is nothing to compute
 * from: no progress, or pages that are no map.
 */
export async function recomputeUser(
  site: ProgressSite,
  audit: AuditTrail,
  { userId, dryRun }: { readonly userId: string; readonly dryRun: boolean },
): Promise<Recomputed | undefined> {
  return untilApplied(userId, async () => {
    const item = await knownProfile(site, userId);
    const computed = recomputed(progressOf(userId, item));
    if (computed === undefined || !computed.changed || dryRun) return { computed };
    const before = item[data]?.M?.["overallStats"];
    const set = [{ path: [data, "overallStats"] as const, value: typedOver(computed.after, before) }];
    assertItemFits({ ...item, added: set[0]?.value ?? { NULL: true } }, `the profile of ${userId}`);
    const details = { table: site.table, method: computed.formula };
    const { applied } = await audit.change(
      { action: "progress.recomputed", userId, details },
      () =>
        updateAttributes(site.aws, {
          table: site.table,
          key: profileKey(site, userId),
          set,
          conditions: [unchanged(item, data)],
          signal: site.signal,
        }),
      ifApplied,
    );
    return applied ? { computed } : undefined;
  }).then(({ computed }) => computed);
}

/** Where somebody else was faster nothing has changed. */
function ifApplied({ applied }: { readonly applied: boolean }): readonly AuditEvent[] | AuditDetails {
  return applied ? {} : [];
}

/** As the website's profile has it. */
export function progressJson({ userId, ...stored }: UserProgress): JsonObject {
  return { userId, [data]: stored.progress, [updatedAt]: stored.updatedAt };
}

/** What `overallStats` should say; undefined where there are no pages to compute it from. */
export function recomputed({ progress }: UserProgress): Recomputed | undefined {
  return isRecord(progress) && isRecord(progress["pages"]) ? recompute(progress) : undefined;
}

function progressOf(userId: string, item: Item): UserProgress {
  const [progress, update] = [item[data], item[updatedAt]];
  return {
    userId,
    progress: progress === undefined ? undefined : jsonOf(progress),
    updatedAt: update === undefined ? undefined : jsonOf(update),
  };
}

/** Tries again while the item changes between reading and writing, which `attempt` tells by undefined. */
async function untilApplied<T>(userId: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const tries = backOff({ attempts: maxTries });
  do {
    const result = await attempt();
    if (result !== undefined) return result;
  } while (await tries.again());
  throw new CliError(`somebody else keeps changing the progress of ${userId}; nothing was changed`, {
    hint: "run the command again",
  });
}

async function knownProfile(site: ProgressSite, userId: string): Promise<Item> {
  const item = await profileItem(site, userId);
  if (item === undefined) throw noProfile(userId);
  return item;
}

function noProfile(userId: string): CliError {
  return new CliError(`there is no profile of ${userId}`, {
    hint: "the website makes one at the first login; so does `mawps progress import --create-profile`",
  });
}

async function profileItem(site: ProgressSite, userId: string): Promise<Item | undefined> {
  const { aws, table, signal } = site;
  const item = await getItem(aws, { table, key: profileKey(site, userId), signal });
  refuseNobody(userId, item);
  return item;
}

function profileKey({ shape }: ProgressSite, userId: string): Item {
  const key: Item = { userId: { S: userId } };
  return shape.kind === "simple" ? key : { ...key, type: { S: itemTypes.profile } };
}

function unchanged(item: Item, path: string): Condition {
  const value = item[path];
  return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
}

/**
 * The newest of what the source says and what the merged pages and sections say, where it is later than the stored date or
 * that is none; undefined leaves what is stored.
 */
function newestActivity(
  merged: JsonObject,
  { stored, source }: { readonly stored: string | undefined; readonly source: string | undefined },
): string | undefined {
  const newestMs = Math.max(timeOf(source) ?? -Infinity, readProgress(merged).lastActivity ?? -Infinity);
  return newestMs > (timeOf(stored) ?? -Infinity) ? new Date(newestMs).toISOString() : undefined;
}
