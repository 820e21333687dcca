import { readLifecycle } from "../aws/s3/bucket-settings.ts";
import { readExpiry } from "../aws/dynamodb/table-expiry.ts";
import { missingRules } from "../setup/lifecycle.ts";
import type { RetentionSite } from "./site.ts";

/**
 * What AWS would do by itself every day and is not set up to do, in words, one a bucket or table. At scale these do the
 * work of the rules that are theirs, for nothing.
 */
export async function missingEngines({ aws, declaration }: RetentionSite): Promise<string[]> {
  const missing = await Promise.all([
    ...declaration.buckets.map(async ({ name, lifecycle, keptBy }) => {
      if (keptBy === "site") return [];
      const stored = await readLifecycle(aws, name);
      if (stored === "unsupported") return [];
      const rules = missingRules(stored ?? { rules: [] }, lifecycle).map(({ id }) => id);
      return rules.length > 0 ? [`bucket ${name} has no lifecycle rule ${rules.join(" and ")}`] : [];
    }),
    ...declaration.tables.map(async ({ name, expiryAttribute }) => {
      if (expiryAttribute === undefined) return [];
      const stored = await readExpiry(aws, name);
      if (stored === undefined || stored === "unsupported") return [];
      return stored.status.startsWith("ENABL") ? [] : [`table ${name} has no TTL`];
    }),
  ]);
  return missing.flat();
}
