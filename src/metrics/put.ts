import type { Aws } from "../aws/clients.ts";
import { putMetrics } from "../aws/cloudwatch/metrics.ts";
import { CliError } from "../errors.ts";
import { dimensionsOf, pointsOf, type EndedJob, type MetricsPlace } from "./job.ts";

/** So long a command that has ended is held up for its metrics at most. */
const mostMs = 3000;

/** Puts the metrics of a job in one call. Rejects where that fails, or takes too long. */
export async function putJob(aws: Aws, place: MetricsPlace, job: EndedJob): Promise<void> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        late.abort();
        reject(new CliError("CloudWatch gave no answer in time"));
      },
      Math.min(mostMs, aws.limits.silentMs),
    );
  });
  const points = {
    namespace: place.namespace,
    dimensions: dimensionsOf(place, job.command),
    points: pointsOf(job),
  };
  const putting = putMetrics(aws, points, late.signal);
  putting.catch(() => undefined);
  try {
    await Promise.race([putting, isLate]);
  } finally {
    clearTimeout(timer);
  }
}
