import { bytes } from "../model/bytes.ts";
import type { ScannerTrial } from "../scan/trial.ts";
import type { NotScanned } from "../scan/verdict.ts";
import type { Finding } from "./finding.ts";

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
export function noScannerFinding(): Finding {
  return {
    check,
    subject: "clamd",
    status: "warning",
    message: "no scanner is configured: documents are taken unscanned (SKIPPED)",
    remedy: 'set "clamav.socket" or "clamav.host" in the configuration; see docs/virus-scan.md',
  };
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
export function scannerFindings({ where, maxBytes, trial }: ScannerFacts, now: Date): Finding[] {
  const finding = { check, subject: where };
  if (!("engine" in trial)) {
    const remedy =
      'start clamd, or correct "clamav" in the configuration; until then uploads are refused or unscanned';
    return [{ ...finding, status: "problem", message: trial.detail, remedy }];
  }
  const warnings: Pick<Finding, "message" | "remedy">[] = [];
  if (!trial.takesSize) {
    warnings.push({
      message: `takes less than clamav.maxBytes (${bytes(maxBytes)})`,
      remedy: "raise StreamMaxLength and MaxFileSize in clamd.conf, or lower clamav.maxBytes",
    });
  }
  if (!trial.tellsLimits) {
    warnings.push({
      message: "says OK, unscanned, to what exceeds its limits",
      remedy:
        '"AlertExceedsMax yes" in clamd.conf; until then clamav.maxBytes no larger than its MaxFileSize',
    });
  }
  if (!trial.tellsEncrypted) {
    warnings.push({
      message: "says OK, unscanned, to what is encrypted",
      remedy: '"AlertEncrypted yes" in clamd.conf',
    });
  }
  return [
    { ...finding, ...signatures(trial, now) },
    ...warnings.map((warning): Finding => ({ ...finding, status: "warning", ...warning })),
  ];
}

function signatures(
  { engineVersion, signatures: loaded }: ScannerTrial,
  now: Date,
): Pick<Finding, "status" | "message" | "remedy"> {
  const remedy = "run freshclam, and see that it runs daily: systemctl status clamav-freshclam";
  const engine = `ClamAV ${engineVersion}`;
  if (loaded === undefined) {
    return { status: "warning", message: `${engine}, without ClamAV's own signatures`, remedy };
  }
  const { version, date } = loaded;
  const message = `${engine}, signatures ${version}${date === undefined ? "" : ` of ${date}`}`;
  const days = date === undefined ? 0 : Math.floor((now.getTime() - Date.parse(date)) / dayMs);
  if (days <= oldAfterDays) return { status: "ok", message };
  return { status: "warning", message: `${message}, ${days} days old`, remedy };
}
