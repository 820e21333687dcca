import type { Aws } from "../aws/clients.ts";
import { findAlarms, findMetrics, type Alarm } from "../aws/cloudwatch/alarms.ts";
import type { Dimensions } from "../aws/cloudwatch/metrics.ts";
import { isDenied, isUnsupported } from "../aws/setting.ts";
import { dimensionsOf, type JobName, type MeasureName, type MetricsPlace } from "../metrics/job.ts";
import type { SetupPlan, Step } from "./step.ts";

/** What of a site alarms watch. */
export interface AlarmSite {
  readonly place: MetricsPlace;
  /** Topic of SNS that is told. */
  readonly topic: string | undefined;
  readonly maxBackupAgeHours: number;
  readonly hasDocuments: boolean;
  readonly hasTrail: boolean;
  /** Names of the buckets that everybody reads from. */
  readonly publicBuckets: readonly string[];
}

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
 * | audit-broken   | the last `audit verify` found faults                                                  |
 * | cost-unusual   | `storage cost` is above what is usual                                                 |
 * | downloads-…    | more is downloaded from a public bucket than usual, where S3 keeps a metric of it     |
 */
export function wantedAlarms(site: AlarmSite, downloads: readonly Dimensions[]): Alarm[] {
  const { place, topic } = site;
  const told = topic === undefined ? [] : [topic];
  const named = (kind: string) => [place.namespace, ...Object.values(place.dimensions), kind].join("-");
  const series = (command: JobName, name: MeasureName | "Done" | "Failed", statistic: "Maximum" | "Sum") => ({
    namespace: place.namespace,
    name,
    dimensions: dimensionsOf(place, command),
    statistic,
  });
  // What was well is told as 0: until then the alarm stays as it is.
  const last = { periodSeconds: hourSeconds, periods: 1, missing: "ignore", told } as const;
  const anything = { is: "at least", threshold: 1 } as const;
  const hours = Math.min(site.maxBackupAgeHours, mostHours);
  return [
    {
      name: named("backup-too-old"),
      description: `No backup was made for ${hours} hours`,
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
        ]
      : []),
    ...(site.hasTrail
      ? [
          {
            ...last,
            name: named("audit-broken"),
            description: "The audit trail is not as it was written",
            watched: series("audit verify", "Problems", "Maximum"),
            when: anything,
          },
        ]
      : []),
    {
      name: named("cost-unusual"),
      description: "Storage costs more than usual",
      watched: series("storage cost", "MonthlyCost", "Maximum"),
      periodSeconds: daySeconds,
      periods: 1,
      when: "unusual",
      missing: "notBreaching",
      told,
    },
    ...site.publicBuckets.flatMap((bucket) => {
      const dimensions = downloads.find(({ BucketName }) => BucketName === bucket);
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

/** A metric that S3 keeps of a bucket only where it was told to. */
const downloaded = { namespace: "AWS/S3", name: "BytesDownloaded" } as const;

/** The steps from the alarms as they are to the wanted ones. Only reads. */
export async function planAlarms(aws: Aws, site: AlarmSite, signal: AbortSignal): Promise<SetupPlan> {
  const about = { resource: "alarm", aspect: "alarm" } as const;
  const { namespace } = site.place;
  try {
    const downloads =
      site.publicBuckets.length === 0 ? [] : await findMetrics(aws, { ...downloaded, signal });
    const wanted = wantedAlarms(site, downloads);
    const found = await findAlarms(aws, wanted, signal);
    const unwatched = site.publicBuckets.filter(
      (bucket) => !downloads.some(({ BucketName }) => BucketName === bucket),
    );
    return [
      ...wanted.map((alarm): Step => {
        const stored = found.get(alarm.name);
        const step = { ...about, name: alarm.name, to: alarm.description };
        if (stored?.isAsWanted === true) return { ...step, kind: "ok" };
        // Whom somebody else has told of it stays told.
        const told = [...new Set([...alarm.told, ...(stored?.told ?? [])])];
        const write = { do: "put-alarm", alarm: { ...alarm, told } } as const;
        if (stored === undefined) return { ...step, kind: "create", write };
        return { ...step, kind: "change", from: "otherwise", write };
      }),
      ...unwatched.map((bucket): Step => {
        const how = `aws s3api put-bucket-metrics-configuration --bucket ${bucket} --id EntireBucket --metrics-configuration Id=EntireBucket`;
        const to = `S3 keeps no metric of downloads from ${bucket}; ${how} begins one, which costs`;
        return { ...about, name: `downloads from ${bucket}`, kind: "note", to };
      }),
    ];
  } catch (error) {
    if (isUnsupported(error))
      return [{ ...about, name: namespace, kind: "note", to: "this server knows no alarms" }];
    if (!isDenied(error)) throw error;
    const remedy = "allow cloudwatch:DescribeAlarms and cloudwatch:ListMetrics";
    return [
      { ...about, name: namespace, kind: "problem", to: "this identity may not look at alarms", remedy },
    ];
  }
}
