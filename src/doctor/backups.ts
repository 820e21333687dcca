import { told, type About, type DoctorFinding } from "./finding.ts";
import type { Span } from "./sentences/safeguards.ts";

/** The backups of the site, as far as doctor judges them. */
export interface BackupFacts {
  /** The repository; for messages. */
  readonly where: string;
  readonly snapshots: readonly {
    readonly id: string;
    readonly startedAt: Date;
    /** When it was last restored on trial with success. */
    readonly drilledAt?: Date;
  }[];
  /** Ids that are dated in the future. */
  readonly ahead: readonly string[];
  readonly maxAgeHours: number;
  readonly maxDrillAgeDays: number;
}

const hourMs = 60 * 60_000;

/**
 * | newest backup       | newest successful drill | finding             |
 * |---------------------|-------------------------|---------------------|
 * | none                |                         | warning             |
 * | older than set      | any                     | warning             |
 * | any                 | none, or older than set | warning             |
 * | no older than set   | no older than set       | ok, both            |
 *
 * Those of the future count for nothing, and are a warning of their own.
 */
export function backupFindings(
  { where, snapshots, ahead, maxAgeHours, maxDrillAgeDays }: BackupFacts,
  now: Date,
): DoctorFinding[] {
  const backup: About = { check: "backup", subject: where };
  const unreal: DoctorFinding[] =
    ahead.length === 0 ? [] : [{ ...backup, ...told("warning", "backup-ahead", { ids: ahead }) }];
  const newest = latest(snapshots.map(({ startedAt }) => startedAt));
  if (newest === undefined) return [...unreal, { ...backup, ...told("warning", "backup-none") }];
  const drill: About = { check: "backup drill", subject: where };
  const drilled = latest(snapshots.flatMap(({ drilledAt }) => drilledAt ?? []));
  return [
    ...unreal,
    judged(backup, { at: newest, now, mostMs: maxAgeHours * hourMs, code: "backup-old" }),
    drilled === undefined
      ? { ...drill, ...told("warning", "drill-none") }
      : judged(drill, { at: drilled, now, mostMs: maxDrillAgeDays * 24 * hourMs, code: "drill-old" }),
  ];
}

/** Where no place for backups is configured, there is none of which anybody knows, and none that was restored on trial. */
export function noBackupFinding(): DoctorFinding {
  return { check: "backup", subject: "backup.repository", ...told("warning", "backup-unconfigured") };
}

export function latest(times: readonly Date[]): Date | undefined {
  return times.reduce<Date | undefined>(
    (last, time) => (last === undefined || time > last ? time : last),
    undefined,
  );
}

function judged(
  about: About,
  {
    at,
    now,
    mostMs,
    code,
  }: {
    readonly at: Date;
    readonly now: Date;
    readonly mostMs: number;
    readonly code: "backup-old" | "drill-old";
  },
): DoctorFinding {
  const ageMs = now.getTime() - at.getTime();
  if (ageMs <= mostMs) return { ...about, status: "ok", message: `the last is of ${at.toISOString()}` };
  const age = { at: at.toISOString(), age: spanOf(ageMs), most: spanOf(mostMs) };
  return { ...about, ...told("warning", code, age) };
}

function spanOf(ms: number): Span {
  const hours = Math.floor(ms / hourMs);
  return hours < 72 ? { number: hours, unit: "h" } : { number: Math.floor(hours / 24), unit: "days" };
}
