import type { Config } from "../config/config.ts";
import type { MetricsPlace } from "../metrics/job.ts";

/** Where the metrics of the jobs go; undefined where none are put. */
export function metricsOf(config: Config): MetricsPlace | undefined {
  const { "metrics.namespace": namespace, "metrics.dimensions": dimensions } = config;
  return namespace === undefined ? undefined : { namespace, dimensions };
}
