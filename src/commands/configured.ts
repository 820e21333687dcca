import type { Config } from "../config/config.ts";
import type { Declaration } from "../model/declaration.ts";
import { mawpsModel } from "../model/mawps.ts";
import { whyNoDocuments } from "../model/reach.ts";
import type { Watched } from "../setup/alarms.ts";
import { configuredSite } from "../target.ts";
import { metricsOf } from "./metrics.ts";

/** What alarms watch; undefined where no metrics are put. */
export function watchedOf(config: Config): Watched | undefined {
  const place = metricsOf(config);
  if (place === undefined) return undefined;
  const { site } = config;
  const { trail, buckets } = configuredSite(config);
  return {
    place,
    topic: config.metrics.topic,
    maxBackupAgeHours: config.backup.maxAgeHours,
    hasDocuments: site === mawpsModel || whyNoDocuments(site, "scan") === undefined,
    hasTrail: trail !== undefined,
    publicBuckets: buckets
      .filter(({ access, keptBy }) => access === "public" && keptBy !== "site")
      .map(({ name }) => name),
  };
}

/** The site as configured, with the inventories of its buckets where they are configured. */
export async function inventoriedSite(config: Config): Promise<Declaration> {
  const site = configuredSite(config);
  const bucket = config.inventory.bucket;
  if (bucket === undefined) return site;
  const { withInventories } = await import("../setup/inventory.ts");
  const frequency = config.inventory.frequency === "daily" ? "Daily" : "Weekly";
  return withInventories(site, { bucket, frequency });
}
