import type { Dimensions, Point } from "../aws/cloudwatch/metrics.ts";

/** What a command may tell besides whether it ended well and how long it took, in the units of CloudWatch. */
const units = {
  /** Of the newest backup, since it was begun. */
  BackupAge: "Seconds",
  Bytes: "Bytes",
  Infected: "Count",
  ItemsChanged: "Count",
  ItemsDue: "Count",
  /** In USD. */
  MonthlyCost: "None",
  /** What a check found. */
  Problems: "Count",
  /** Documents that nobody could judge. */
  SkippedScans: "Count",
} as const satisfies Record<string, Point["unit"]>;

export type MeasureName = keyof typeof units;
export type Measures = Partial<Record<MeasureName, number>>;

/** The commands that jobs run by the clock, with what each measures. */
export const jobMeasures = {
  "backup create": ["Bytes", "BackupAge"],
  "backup verify": ["Bytes", "Problems"],
  "backup drill": ["Bytes", "Problems"],
  "backup prune": ["Bytes"],
  "retention plan": ["Bytes", "ItemsDue"],
  "retention run": ["Bytes", "ItemsDue"],
  "retention check": ["Problems"],
  "doc scan": ["SkippedScans", "Infected"],
  "doc check": ["Problems"],
  "migrate up": ["ItemsChanged"],
  "audit verify": ["Problems"],
  "access check": ["Problems"],
  "storage usage": ["Bytes"],
  "storage cost": ["MonthlyCost"],
  doctor: ["Problems", "BackupAge"],
  report: ["BackupAge"],
} as const satisfies Record<string, readonly MeasureName[]>;

export type JobName = keyof typeof jobMeasures;

/** Where a site's metrics are. */
export interface MetricsPlace {
  readonly namespace: string;
  readonly dimensions: Dimensions;
}

export interface EndedJob {
  readonly command: JobName;
  readonly isDone: boolean;
  readonly seconds: number;
  readonly measures: Measures;
}

export function isJob(command: string): command is JobName {
  return Object.hasOwn(jobMeasures, command);
}

/** The metrics of a command are those with its name beside the site's own dimensions. */
export function dimensionsOf({ dimensions }: Pick<MetricsPlace, "dimensions">, command: JobName): Dimensions {
  return { ...dimensions, Command: command };
}

/** The points of a job that has ended: both of `Done` and `Failed`, so that an alarm on one of them sees the other, too. Pure. */
export function pointsOf({ command, isDone, seconds, measures }: EndedJob): Point[] {
  const measured = jobMeasures[command].flatMap((name): Point[] => {
    const value = measures[name];
    return value === undefined ? [] : [{ name, value, unit: units[name] }];
  });
  return [
    { name: "Done", value: isDone ? 1 : 0, unit: "Count" },
    { name: "Failed", value: isDone ? 0 : 1, unit: "Count" },
    { name: "Seconds", value: seconds, unit: "Seconds" },
    ...measured,
  ];
}
