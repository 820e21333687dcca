import type { Lifecycle, StoredLifecycleRule } from "../aws/s3/bucket-settings.ts";
import type { LifecycleRule } from "../model/declaration.ts";
import { count } from "../model/count.ts";

/** The wanted rules that are neither there under their id nor done at least as soon by another rule. */
export function missingRules(lifecycle: Lifecycle, wanted: readonly LifecycleRule[]): LifecycleRule[] {
  return wanted.filter(
    (rule) =>
      !lifecycle.rules.some((stored) =>
        stored.ID === rule.id ? isExactly(stored, rule) : doesAtLeast(stored, rule),
      ),
  );
}

/** All rules with the wanted ones among them: replaced by id or appended, all others kept. */
export function mergedLifecycle(
  lifecycle: Lifecycle | undefined,
  wanted: readonly LifecycleRule[],
): Lifecycle {
  const stored = lifecycle ?? { rules: [] };
  const missing = missingRules(stored, wanted);
  const replaced = new Set(missing.map(({ id }) => id));
  const kept = stored.rules.filter(({ ID }) => ID === undefined || !replaced.has(ID)).map(withFilter);
  return { ...stored, rules: [...kept, ...missing.map(storedRule)] };
}

/** What a rule does, in words. */
export function ruleText(rule: LifecycleRule): string {
  const { abortMultipartAfterDays, expireNoncurrentAfterDays, intelligentTieringAfterDays } = rule;
  const { prefix, expireAfterDays, tag } = rule;
  const ending = tag === undefined ? (prefix ?? "objects") : `what is tagged ${tag.key}=${tag.value}`;
  return [
    ...(expireAfterDays === undefined ? [] : [`${ending} ends after ${count(expireAfterDays, "day")}`]),
    ...(abortMultipartAfterDays === undefined
      ? []
      : [`unfinished uploads end after ${count(abortMultipartAfterDays, "day")}`]),
    ...(expireNoncurrentAfterDays === undefined
      ? []
      : [
          `${tag === undefined ? "old versions" : "its old versions"} after ${count(expireNoncurrentAfterDays, "day")}`,
        ]),
    ...(intelligentTieringAfterDays === undefined
      ? []
      : [
          `files from 128 KB on are in Intelligent-Tiering after ${count(intelligentTieringAfterDays, "day")}`,
        ]),
  ].join(", ");
}

/** S3 refuses rules with `Filter` beside rules of the older form with a bare `Prefix`; the two mean the same. */
function withFilter(rule: StoredLifecycleRule): StoredLifecycleRule {
  if (rule.Filter !== undefined || rule.Prefix === undefined) return rule;
  const { Prefix, ...rest } = rule;
  return { ...rest, Filter: { Prefix } };
}

function storedRule(rule: LifecycleRule): StoredLifecycleRule {
  const { abortMultipartAfterDays, expireNoncurrentAfterDays, removeExpiredDeleteMarkers } = rule;
  const { intelligentTieringAfterDays, expireAfterDays, prefix = "", tag } = rule;
  return {
    ID: rule.id,
    Status: "Enabled",
    Filter: tag === undefined ? { Prefix: prefix } : { Tag: { Key: tag.key, Value: tag.value } },
    ...(expireAfterDays === undefined ? {} : { Expiration: { Days: expireAfterDays } }),
    ...(abortMultipartAfterDays === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortMultipartAfterDays } }),
    ...(expireNoncurrentAfterDays === undefined
      ? {}
      : { NoncurrentVersionExpiration: { NoncurrentDays: expireNoncurrentAfterDays } }),
    ...(removeExpiredDeleteMarkers === undefined ? {} : { Expiration: { ExpiredObjectDeleteMarker: true } }),
    ...(intelligentTieringAfterDays === undefined
      ? {}
      : { Transitions: [{ Days: intelligentTieringAfterDays, StorageClass: tiering }] }),
  };
}

/** By itself it has no archive tiers: those would have to be asked for, and break links. */
const tiering = "INTELLIGENT_TIERING";

function tieringDays({ Transitions = [] }: StoredLifecycleRule): number | undefined {
  return Transitions.find(({ StorageClass }) => StorageClass === tiering)?.Days;
}

function isExactly(stored: StoredLifecycleRule, wanted: LifecycleRule): boolean {
  const { abortMultipartAfterDays, expireNoncurrentAfterDays, intelligentTieringAfterDays } = wanted;
  return (
    doesAtLeast(stored, wanted) &&
    (wanted.tag !== undefined || prefixOf(stored) === (wanted.prefix ?? "")) &&
    stored.Expiration?.Days === wanted.expireAfterDays &&
    stored.AbortIncompleteMultipartUpload?.DaysAfterInitiation === abortMultipartAfterDays &&
    stored.NoncurrentVersionExpiration?.NoncurrentDays === expireNoncurrentAfterDays &&
    tieringDays(stored) === intelligentTieringAfterDays
  );
}

function doesAtLeast(stored: StoredLifecycleRule, wanted: LifecycleRule): boolean {
  if (stored.Status !== "Enabled" || !coversPlace(stored, wanted)) return false;
  const aborts = stored.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  const expires = stored.NoncurrentVersionExpiration;
  // Keeping so many newer versions whatever their age is less than expiring all.
  const keeps = (expires?.NewerNoncurrentVersions ?? 0) > 0;
  return (
    isAtMost(stored.Expiration?.Days, wanted.expireAfterDays) &&
    isAtMost(aborts, wanted.abortMultipartAfterDays) &&
    isAtMost(tieringDays(stored), wanted.intelligentTieringAfterDays) &&
    isAtMost(keeps ? undefined : expires?.NoncurrentDays, wanted.expireNoncurrentAfterDays) &&
    (wanted.removeExpiredDeleteMarkers === undefined || stored.Expiration?.ExpiredObjectDeleteMarker === true)
  );
}

/** One that is for a tag, for that alone; any other for whatever begins as the wanted one's keys. */
function coversPlace(stored: StoredLifecycleRule, { tag, prefix: wanted = "" }: LifecycleRule): boolean {
  if (tag !== undefined) {
    const { Tag, Prefix = "", ...others } = stored.Filter ?? {};
    const isAlone = Prefix === "" && Object.values(others).every((part) => part === undefined);
    return isAlone && Tag?.Key === tag.key && Tag.Value === tag.value;
  }
  const prefix = prefixOf(stored);
  return prefix !== undefined && wanted.startsWith(prefix);
}

function isAtMost(stored: number | undefined, wanted: number | undefined): boolean {
  return wanted === undefined || (stored !== undefined && stored <= wanted);
}

/** What the keys begin with that a rule is for; undefined where it goes by anything else, too. */
function prefixOf({ Filter, Prefix }: StoredLifecycleRule): string | undefined {
  if (Filter === undefined) return Prefix ?? "";
  const { And, Tag, Prefix: filtered, ObjectSizeGreaterThan, ObjectSizeLessThan } = Filter;
  const narrowed = [And, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan].some((part) => part !== undefined);
  return narrowed ? undefined : (filtered ?? "");
}
