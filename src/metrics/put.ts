import type { Aws } from "../aws/clients.ts";
import { putMetrics } from "../aws/cloudwatch/metrics.ts";
import { CliError } from "../errors.ts";
import { dimensionsOf, pointsOf, type EndedJob, type MetricsPlace } from "./job.ts";

interface Putting {
  readonly open: () => Promise<Aws>;
  /** For opening and putting together. */
  readonly mostMs: number;
  readonly signal: AbortSignal;
}

/** Puts the metrics of a job in one call. Rejects where that fails, takes too long, or is aborted. */
export async function putJob(
  { namespace, dimensions }: MetricsPlace,
  job: EndedJob,
  { open, mostMs, signal }: Putting,
): Promise<void> {
  const late = new AbortController();
  const stop = AbortSignal.any([late.signal, signal]);
  stop.throwIfAborted();
  const leaveAtMs = performance.now() + mostMs;
  const timer = setTimeout(() => late.abort(new CliError("CloudWatch gave no answer in time")), mostMs);
  const isStopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason as Error), { once: true });
  });
  const put = async () => {
    const aws = await open();
    aws.leaveAt(leaveAtMs);
    const points = pointsOf(job);
    await putMetrics(aws, { namespace, dimensions: dimensionsOf({ dimensions }, job.command), points }, stop);
  };
  try {
    await Promise.race([put(), isStopped]);
  } finally {
    clearTimeout(timer);
  }
}
