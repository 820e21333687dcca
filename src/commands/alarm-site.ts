import type { Config } from "../config/config.ts";
import { mawpsModel } from "../model/mawps.ts";
import { whyNoDocuments } from "../model/reach.ts";
import type { AlarmSite } from "../setup/alarms.ts";
import { configuredSite } from "../target.ts";
import { metricsOf } from "./metrics.ts";

/** What alarms watch; undefined where no metrics are put. */
export function alarmSiteOf(config: Config): AlarmSite | undefined {
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
    publicBuckets: buckets.filter(({ access }) => access === "public").map(({ name }) => name),
  };
}
