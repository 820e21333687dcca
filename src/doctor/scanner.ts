import type { ScannerTrial } from "../scan/trial.ts";
import type { NotScanned } from "../scan/verdict.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";

/** The virus scanner of the site, as far as doctor judges it. */
export interface ScannerFacts {
  /** Where clamd listens; for messages. */
  readonly where: string;
  /** The size above which nothing is ever clean, `clamav.maxBytes`. */
  readonly maxBytes: number;
  readonly trial: ScannerTrial | NotScanned;
}

const check = "virus scan";

/** ClamAV publishes signatures daily; a week without is a `freshclam` that no longer runs. */
const oldAfterDays = 7;

const dayMs = 24 * 60 * 60_000;

/** What doctor says where no scanner is configured. */
export function noScannerFinding(): DoctorFinding {
  return { check, subject: "clamd", ...told("warning", "scanner-none") };
}

/**
 * | clamd                                              | finding            |
 * |----------------------------------------------------|--------------------|
 * | cannot be asked                                    | problem            |
 * | has no official signatures, or some a week old     | warning            |
 * | takes less than `maxBytes`                         | warning            |
 * | says OK to what it did not look at                 | warning, each kind |
 * | else                                               | ok                 |
 */
export function scannerFindings({ where, maxBytes, trial }: ScannerFacts, now: Date): DoctorFinding[] {
  const finding: About = { check, subject: where };
  if (!("engine" in trial)) {
    const { reason, detail } = trial;
    return [{ ...finding, ...told("problem", "scanner-unanswered", { reason, detail }) }];
  }
  return [
    signatures(trial, now),
    ...(trial.takesSize ? [] : [told("warning", "scanner-small", { maxBytes })]),
    ...(trial.tellsLimits ? [] : [told("warning", "scanner-limits-untold")]),
    ...(trial.tellsEncrypted ? [] : [told("warning", "scanner-encrypted-untold")]),
  ].map((each) => ({ ...finding, ...each }));
}

function signatures({ engineVersion, signatures: loaded }: ScannerTrial, now: Date) {
  const engine = `ClamAV ${engineVersion}`;
  if (loaded === undefined) return told("warning", "scanner-signatures-none", { engine });
  const { version, date } = loaded;
  const days = date === undefined ? 0 : Math.floor((now.getTime() - Date.parse(date)) / dayMs);
  if (date !== undefined && days > oldAfterDays)
    return told("warning", "scanner-signatures-old", { engine, version, date, days });
  const of = date === undefined ? "" : ` of ${date}`;
  return { status: "ok" as const, message: `${engine}, signatures ${version}${of}` };
}
