import type { Aws } from "../aws/clients.ts";
import { readSeries, type Series } from "../aws/cloudwatch/metrics.ts";
import {
  dimensionsOf,
  jobMeasures,
  type JobName,
  type MeasureName,
  type Measures,
  type MetricsPlace,
} from "./job.ts";

/** What a command told of its last runs. */
export interface JobRecord {
  readonly command: JobName;
  /** When it last told, to five minutes. */
  readonly lastAt: Date;
  readonly hasFailedLast: boolean;
  readonly done: number;
  readonly failed: number;
  /** What it told last. */
  readonly seconds: number;
  readonly measures: Measures;
}

const recordedDays = 14;
const dayMs = 86_400_000;
/** CloudWatch keeps them for 63 days. Of minutes one read would be more than an account may read in a second. */
const periodSeconds = 300;

const commands = Object.keys(jobMeasures) as JobName[];
const wanted = commands.flatMap((command) =>
  (["Done", "Failed", "Seconds", ...jobMeasures[command]] as const).map((name) => ({ command, name })),
);

/** The records of the last two weeks, of those commands that told anything; in the order of `jobMeasures`. */
export async function readJobs(
  aws: Aws,
  place: MetricsPlace,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<JobRecord[]> {
  const series = wanted.map(({ command, name }): Series => ({
    namespace: place.namespace,
    name,
    dimensions: dimensionsOf(place, command),
    statistic: name === "Done" || name === "Failed" ? "Sum" : "Maximum",
  }));
  const to = new Date(Math.ceil((now.getTime() + 1) / (periodSeconds * 1000)) * periodSeconds * 1000);
  const from = new Date(to.getTime() - recordedDays * dayMs);
  const samples = await readSeries(aws, series, { from, to, periodSeconds, signal });
  return commands.flatMap((command) => {
    const of = (wantedName: string) =>
      samples[wanted.findIndex((each) => each.command === command && each.name === wantedName)] ?? [];
    const sum = (name: "Done" | "Failed") => of(name).reduce((all, { value }) => all + value, 0);
    const last = of("Done").at(-1);
    if (last === undefined) return [];
    const measured = jobMeasures[command].flatMap((name: MeasureName) => {
      const told = of(name).at(-1);
      return told === undefined ? [] : [[name, told.value] as const];
    });
    return [
      {
        command,
        lastAt: last.at,
        hasFailedLast: (of("Failed").at(-1)?.value ?? 0) > 0,
        done: sum("Done"),
        failed: sum("Failed"),
        seconds: of("Seconds").at(-1)?.value ?? 0,
        measures: Object.fromEntries(measured),
      },
    ];
  });
}
