import type { Config } from "../config/config.ts";
import type { MetricsPlace } from "../metrics/job.ts";

/** Where the metrics of the jobs go; undefined where none are put. */
export function metricsOf({ metrics: { namespace, dimensions } }: Config): MetricsPlace | undefined {
  return namespace === undefined ? undefined : { namespace, dimensions };
}
