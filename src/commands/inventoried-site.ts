import type { Config } from "../config/config.ts";
import type { Declaration } from "../model/declaration.ts";
import { configuredSite } from "../target.ts";

/** The site as configured, with the inventories of its buckets where they are configured. */
export async function inventoriedSite(config: Config): Promise<Declaration> {
  const site = configuredSite(config);
  const bucket = config.inventory.bucket;
  if (bucket === undefined) return site;
  const { withInventories } = await import("../setup/inventory.ts");
  const frequency = config.inventory.frequency === "daily" ? "Daily" : "Weekly";
  return withInventories(site, { bucket, frequency });
}
