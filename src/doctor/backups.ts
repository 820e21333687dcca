import type { Finding } from "./finding.ts";

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
): Finding[] {
  const backup = { check: "backup", subject: where };
  const unreal: Finding[] = ahead.slice(0, 1).map((id) => ({
    ...backup,
    status: "warning",
    message: `${ahead.length} dated in the future, such as ${id}: counted for nothing`,
    remedy: "look at this machine's clock, and who may write to the repository",
  }));
  const newest = latest(snapshots.map(({ startedAt }) => startedAt));
  if (newest === undefined) {
    return [
      ...unreal,
      { ...backup, status: "warning", message: "there is none", remedy: "mawps backup create" },
    ];
  }
  const drill = { check: "backup drill", subject: where };
  const drilled = latest(snapshots.flatMap(({ drilledAt }) => drilledAt ?? []));
  const nothing: Finding = { ...drill, status: "warning", message: "there was none", remedy: drillRemedy };
  return [
    ...unreal,
    judged(backup, { at: newest, now, mostMs: maxAgeHours * hourMs, remedy: "mawps backup create" }),
    drilled === undefined
      ? nothing
      : judged(drill, { at: drilled, now, mostMs: maxDrillAgeDays * 24 * hourMs, remedy: drillRemedy }),
  ];
}

/** Where no place for backups is configured, there is none of which anybody knows, and none that was restored on trial. */
export function noBackupFinding(): Finding {
  return {
    check: "backup",
    subject: "backup.repository",
    status: "warning",
    message: "no place for backups is configured: no backup and no drill is known of",
    remedy:
      'set "backup.repository" (MAWPS_BACKUP_REPOSITORY), then mawps backup create and mawps backup drill',
  };
}

const drillRemedy = "mawps backup drill: restores the newest backup on trial";

export function latest(times: readonly Date[]): Date | undefined {
  return times.reduce<Date | undefined>(
    (last, time) => (last === undefined || time > last ? time : last),
    undefined,
  );
}

function judged(
  about: Pick<Finding, "check" | "subject">,
  age: { readonly at: Date; readonly now: Date; readonly mostMs: number; readonly remedy: string },
): Finding {
  const ageMs = age.now.getTime() - age.at.getTime();
  const said = `the last is of ${age.at.toISOString()}`;
  if (ageMs <= age.mostMs) return { ...about, status: "ok", message: said };
  const message = `${said}, ${duration(ageMs)} ago; ${duration(age.mostMs)} are allowed`;
  return { ...about, status: "warning", message, remedy: age.remedy };
}

function duration(ms: number): string {
  const hours = Math.floor(ms / hourMs);
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
