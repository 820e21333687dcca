import type { Declaration, LifecycleRule } from "./declaration.ts";

/** What a job of S3 Batch Operations tags versions with that are due, for S3's lifecycle to expire. */
export const dueTag = { key: "mawps-retention", value: "due" } as const;

/** The rule that expires what is tagged: versions that are current get a delete marker a day later, and go a day after that. */
export const dueRule: LifecycleRule = {
  id: "mawps-expire-due",
  tag: dueTag,
  expireAfterDays: 1,
  expireNoncurrentAfterDays: 1,
};

/** The site with that rule in each of its own buckets. Pure. */
export function withDueRule(declaration: Declaration): Declaration {
  return {
    ...declaration,
    buckets: declaration.buckets.map((bucket) =>
      bucket.keptBy === "site" ? bucket : { ...bucket, lifecycle: [...bucket.lifecycle, dueRule] },
    ),
  };
}
