import type { Aws } from "../aws/clients.ts";
import { findAlarms, findMetrics, mostTold, type Alarm, type Told } from "../aws/cloudwatch/alarms.ts";
import type { Dimensions } from "../aws/cloudwatch/metrics.ts";
import { isDenied, isUnsupported } from "../aws/setting.ts";
import type { Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { dimensionsOf, type JobName, type MeasureName, type MetricsPlace } from "../metrics/job.ts";
import { mawpsModel } from "../model/mawps.ts";
import { whyNoDocuments } from "../model/reach.ts";
import type { SetupPlan, Step } from "./step.ts";

/** What of a site alarms watch. */
export interface Watched {
  readonly place: MetricsPlace;
  /** Topic of SNS that is told. */
  readonly topic: string | undefined;
  readonly maxBackupAgeHours: number;
  readonly hasDocuments: boolean;
  readonly hasTrail: boolean;
  /** Names of the buckets that everybody reads from, without those that the site itself keeps. */
  readonly publicBuckets: readonly string[];
}

/** What alarms watch of a site as configured; undefined where no metrics are put. */
export function watchedOf({
  model,
  declaration: { trail, buckets },
  metrics,
  backups,
}: Unconnected): Watched | undefined {
  if (metrics === undefined) return undefined;
  const { topic, ...place } = metrics;
  return {
    place,
    topic,
    maxBackupAgeHours: backups.maxAgeHours,
    hasDocuments: model === mawpsModel || whyNoDocuments(model, "scan") === undefined,
    hasTrail: trail !== undefined,
    publicBuckets: buckets
      .filter(({ access, keptBy }) => access === "public" && keptBy !== "site")
      .map(({ name }) => name),
  };
}

const minuteSeconds = 60;
const hourSeconds = 3600;
const daySeconds = 86_400;
/** By periods of an hour an alarm looks back a week at most. */
const mostHours = 168;

/**
 * The alarms of a site, in this order. Pure.
 *
 * | alarm          | goes off                                                                              |
 * |----------------|---------------------------------------------------------------------------------------|
 * | backup-too-old | for so many hours no `backup create` ended well, also where nothing runs any more     |
 * | drill-failed   | the last `backup drill` failed                                                        |
 * | scans-skipped  | the last `doc scan` left documents that nobody could judge                            |
 * | scans-failed   | the last `doc scan` found viruses, or could not be done                               |
 * | audit-broken   | the last `audit verify` found faults, or could not be done                            |
 * | cost-unusual   | what a month costs, as `storage cost` tells it each day, is more than usual           |
 * | downloads-…    | more is downloaded from a public bucket than usual, where S3 keeps a metric of it     |
 */
export function wantedAlarms(site: Watched, downloads: readonly Dimensions[]): Alarm[] {
  const { place, topic } = site;
  const topics = topic === undefined ? [] : [topic];
  const told: Told = { AlarmActions: topics, OKActions: topics, InsufficientDataActions: [] };
  const dimensions = Object.entries(place.dimensions).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const values = dimensions.map(([, value]) => value);
  const named = (kind: string) => [place.namespace, ...values, kind].join("-");
  const series = (command: JobName, name: MeasureName | "Done" | "Failed", statistic: "Maximum" | "Sum") => ({
    namespace: place.namespace,
    name,
    dimensions: dimensionsOf(place, command),
    statistic,
  });
  // What was well is told as 0, and until then the alarm stays as it is. The last run has a minute of its own.
  const last = { periodSeconds: minuteSeconds, periods: 1, missing: "ignore", told } as const;
  const anything = { is: "at least", threshold: 1 } as const;
  const hours = Math.min(site.maxBackupAgeHours, mostHours);
  return [
    {
      name: named("backup-too-old"),
      description: `No backup ended well for ${hours} hours`,
      watched: series("backup create", "Done", "Sum"),
      periodSeconds: hourSeconds,
      periods: hours,
      when: { is: "below", threshold: 1 },
      missing: "breaching",
      told,
    },
    {
      ...last,
      name: named("drill-failed"),
      description: "The last backup drill failed",
      watched: series("backup drill", "Failed", "Maximum"),
      when: anything,
    },
    ...(site.hasDocuments
      ? [
          {
            ...last,
            name: named("scans-skipped"),
            description: "Documents could not be scanned for viruses",
            watched: series("doc scan", "SkippedScans", "Maximum"),
            when: anything,
          },
          {
            ...last,
            name: named("scans-failed"),
            description: "The last scan for viruses found some, or could not be done",
            watched: series("doc scan", "Failed", "Maximum"),
            when: anything,
          },
        ]
      : []),
    ...(site.hasTrail
      ? [
          {
            ...last,
            name: named("audit-broken"),
            description: "The audit trail is not as it was written, or could not be verified",
            watched: series("audit verify", "Failed", "Maximum"),
            when: anything,
          },
        ]
      : []),
    {
      name: named("cost-unusual"),
      description: "A month costs more than usual",
      watched: series("storage cost", "MonthlyCost", "Maximum"),
      periodSeconds: daySeconds,
      periods: 1,
      when: "unusual",
      missing: "notBreaching",
      told,
    },
    ...site.publicBuckets.flatMap((bucket) => {
      const dimensions = downloadsOf(bucket, downloads);
      if (dimensions === undefined) return [];
      return [
        {
          name: named(`downloads-unusual-${bucket}`),
          description: `More than usual is downloaded from ${bucket}`,
          watched: { ...downloaded, dimensions, statistic: "Sum" as const },
          periodSeconds: hourSeconds,
          periods: 3,
          when: "unusual" as const,
          missing: "notBreaching" as const,
          told,
        },
      ];
    }),
  ];
}

/** Those of the whole bucket, where there are any; else the first by name, so that it is the same each time. */
function downloadsOf(bucket: string, downloads: readonly Dimensions[]): Dimensions | undefined {
  const filter = ({ FilterId = "" }: Dimensions) => FilterId;
  const own = downloads
    .filter(({ BucketName }) => BucketName === bucket)
    .toSorted((one, other) => (filter(one) < filter(other) ? -1 : 1));
  return own.find((each) => filter(each) === wholeBucket) ?? own[0];
}

const wholeBucket = "EntireBucket";

/** A metric that S3 keeps of a bucket only where it was told to. */
const downloaded = { namespace: "AWS/S3", name: "BytesDownloaded" } as const;

const mostNameCharacters = 255;

/**
 * The steps from the alarms as they are to the wanted ones. Only reads.
 * @throws CliError (usage) where a name would be longer than CloudWatch takes.
 */
export async function planAlarms(aws: Aws, site: Watched, signal: AbortSignal): Promise<SetupPlan> {
  const about = { resource: "alarm", aspect: "alarm" } as const;
  try {
    const downloads = await findDownloads(aws, site, signal);
    const wanted = wantedAlarms(site, downloads ?? []);
    const long = wanted.find(({ name }) => name.length > mostNameCharacters);
    if (long !== undefined)
      throw new CliError(
        `the alarm ${long.name} would have a name of more than ${mostNameCharacters} characters`,
        {
          exitCode: exitCodes.usage,
          hint: "shorten metrics.namespace or the values of metrics.dimensions, of which it is made",
        },
      );
    const found = await findAlarms(aws, wanted, signal);
    const steps = wanted.map((alarm): Step => {
      const stored = found.get(alarm.name);
      const step = { ...about, name: alarm.name, to: alarm.description };
      if (stored === undefined) return { ...step, kind: "create", write: { do: "put-alarm", alarm } };
      if (stored.isAsWanted) return { ...step, kind: "ok" };
      const { told } = stored;
      if (Object.values(told).some((list) => list.length > mostTold)) {
        const to = `with ${site.topic} more than ${mostTold} would be told of it`;
        return { ...step, kind: "problem", to, remedy: "let it tell fewer: aws cloudwatch put-metric-alarm" };
      }
      return {
        ...step,
        kind: "change",
        from: "otherwise",
        write: { do: "put-alarm", alarm: { ...alarm, told } },
      };
    });
    if (downloads === undefined) {
      const remedy = "allow cloudwatch:ListMetrics";
      const to = "this identity may not look whether S3 keeps metrics of downloads";
      return [...steps, { ...about, name: "downloads", kind: "problem", to, remedy }];
    }
    const unwatched = site.publicBuckets.filter((bucket) => downloadsOf(bucket, downloads) === undefined);
    return [
      ...steps,
      ...unwatched.map((bucket): Step => {
        const how = `aws s3api put-bucket-metrics-configuration --bucket ${bucket} --id ${wholeBucket} --metrics-configuration Id=${wholeBucket}`;
        const to = `no downloads from ${bucket} were counted in two weeks, or S3 keeps no metric of them; ${how} begins one, which costs`;
        return { ...about, name: `downloads from ${bucket}`, kind: "note", to };
      }),
    ];
  } catch (error) {
    const { namespace: name } = site.place;
    if (isUnsupported(error)) return [{ ...about, name, kind: "note", to: "this server knows no alarms" }];
    if (!isDenied(error)) throw error;
    const remedy = "allow cloudwatch:DescribeAlarms";
    return [{ ...about, name, kind: "problem", to: "this identity may not look at alarms", remedy }];
  }
}

/** The metrics of downloads from the site's public buckets; undefined where nobody may look. */
async function findDownloads(
  aws: Aws,
  site: Watched,
  signal: AbortSignal,
): Promise<Dimensions[] | undefined> {
  if (site.publicBuckets.length === 0) return [];
  try {
    return await findMetrics(aws, { ...downloaded, signal });
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}
