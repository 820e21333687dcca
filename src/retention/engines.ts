import { readLifecycle } from "../aws/s3/bucket-settings.ts";
import { readExpiry } from "../aws/dynamodb/table-settings.ts";
import { missingRules } from "../setup/lifecycle.ts";
import type { RetentionSite } from "./site.ts";

/**
 * What AWS would do by itself every day and is not set up to do, in words, one a bucket or table. At scale these do the
 * work of the rules that are theirs, for nothing.
 */
export async function missingEngines({ aws, declaration }: RetentionSite): Promise<string[]> {
  const missing: string[] = [];
  for (const { name, lifecycle } of declaration.buckets) {
    const stored = await readLifecycle(aws, name);
    if (stored === "unsupported") continue;
    const rules = missingRules(stored ?? { rules: [] }, lifecycle).map(({ id }) => id);
    if (rules.length > 0) missing.push(`bucket ${name} has no lifecycle rule ${rules.join(" and ")}`);
  }
  for (const { name, expiryAttribute } of declaration.tables) {
    if (expiryAttribute === undefined) continue;
    const stored = await readExpiry(aws, name);
    if (stored === undefined || stored === "unsupported") continue;
    if (!stored.status.startsWith("ENABL")) missing.push(`table ${name} has no TTL`);
  }
  return missing;
}
