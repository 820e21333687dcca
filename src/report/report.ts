import type { AuditPeriod } from "../audit/report.ts";
import { errorName, isDenied, isOutage, isUnsupported } from "../aws/setting.ts";
import type { DoctorFinding } from "../doctor/finding.ts";
import type { KnownBackups } from "../backup/list.ts";
import type { ScanReport } from "../documents/scan-report.ts";
import { CliError } from "../errors.ts";
import type { DocumentEntry } from "../model/documents.ts";
import type { JobRecord } from "../metrics/read.ts";
import type { Totals } from "../retention/plan.ts";
import type { LivePictures } from "../site/hero/live.ts";
import type { ProgressStatistics } from "../site/progress/statistics.ts";
import type { Day } from "../usage/history.ts";
import type { PricedUsage } from "../usage/measure-cost.ts";

/** How far one user is. */
export interface UserLine {
  readonly userId: string;
  readonly percent: number;
  readonly completedPages: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number | undefined;
}

/** What an owner looks at on Monday, part by part. */
export interface Parts {
  readonly hero: LivePictures;
  readonly people: {
    readonly statistics: ProgressStatistics;
    /** Those who were active last, the latest first. */
    readonly users: readonly UserLine[];
    readonly moreUsers: number;
  };
  readonly documents: ScanReport & {
    readonly states: Readonly<Partial<Record<DocumentEntry["status"], number>>>;
    /** Of `unscanned`. */
    readonly moreUnscanned: number;
  };
  readonly storage: PricedUsage & { readonly days: readonly Day[] };
  /** `due`: how many things a run would do something about. */
  readonly retention: Totals & { readonly due: number };
  readonly backups: KnownBackups;
  readonly jobs: readonly JobRecord[];
  readonly audit: AuditPeriod;
  readonly doctor: readonly DoctorFinding[];
}

export type PartName = keyof Parts;

/** Of each part that the site can have, how it is read. */
export type Sources = { readonly [Name in PartName]?: () => Promise<Parts[Name]> };

/** A part that is missing on the page, with the reason. */
export interface Failure {
  readonly part: PartName;
  readonly why: string;
  readonly hint: string | undefined;
}

export interface Report {
  readonly parts: Partial<Parts>;
  readonly failures: readonly Failure[];
  /** What the site, by its model and configuration, does not have. */
  readonly absent: readonly PartName[];
}

interface Reading {
  /** Told before users are named; where it rejects, they are not. */
  readonly record: () => Promise<void>;
  readonly explain: (error: unknown) => CliError | undefined;
}

/** The order of the page. */
export const partNames = [
  "hero",
  "people",
  "documents",
  "storage",
  "retention",
  "backups",
  "jobs",
  "audit",
  "doctor",
] as const satisfies readonly PartName[];

/**
 * Reads all parts side by side. One that may not be read, or that is not there, is among the failures, and the others are told;
 * anything else that goes wrong is thrown when all have come to their end.
 */
export async function readReport(sources: Sources, { record, explain }: Reading): Promise<Report> {
  const failures: Failure[] = [];
  const read = async <Name extends PartName>(part: Name, source: () => Promise<Parts[Name]>) => {
    try {
      return { [part]: await source() };
    } catch (error) {
      const told = isOfThePart(error) ? (error instanceof CliError ? error : explain(error)) : undefined;
      if (told === undefined) throw error;
      failures.push({ part, why: told.message, hint: told.hint });
      return {};
    }
  };
  const begun = partNames.map(async (part) => {
    const source = sources[part];
    return source === undefined ? {} : read(part, source as () => Promise<Parts[typeof part]>);
  });
  const settled = await Promise.allSettled(begun);
  const found = settled.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  const { people, ...others }: Partial<Parts> = Object.assign({}, ...found);
  // Last: doctor has looked at the trail as it stood before.
  const told =
    people === undefined || people.users.length === 0
      ? { people }
      : await read("people", () => record().then(() => people));
  const order = (part: PartName) => partNames.indexOf(part);
  return {
    parts: { ...others, ...told },
    failures: failures.toSorted((one, other) => order(one.part) - order(other.part)),
    absent: partNames.filter((part) => sources[part] === undefined),
  };
}

/** Whether an error concerns one part, and says nothing of the others: a missing permission, table or key, a server that failed at it. */
function isOfThePart(error: unknown): boolean {
  const name = errorName(error);
  return (
    error instanceof CliError ||
    isDenied(error) ||
    isUnsupported(error) ||
    isOutage(error) ||
    name === "ResourceNotFoundException" ||
    name === "NoSuchBucket"
  );
}
