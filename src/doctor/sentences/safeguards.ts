import { bytes } from "../../model/bytes.ts";
import { both, germanDate, germanNumber } from "../../model/sentences.ts";
import type { NotScannedReason } from "../../scan/verdict.ts";

/** A moment in ISO 8601, how long that was ago, and how long is allowed. */
interface Age {
  readonly at: string;
  readonly age: Span;
  readonly most: Span;
}

export interface Span {
  readonly number: number;
  readonly unit: "h" | "days";
}

const spanEn = ({ number, unit }: Span) => `${number} ${unit}`;
const spanDe = ({ number, unit }: Span, days: "Tage" | "Tagen") => `${number} ${unit === "h" ? "h" : days}`;
const oldEn = ({ at, age, most }: Age) =>
  `the last is of ${at}, ${spanEn(age)} ago; ${spanEn(most)} are allowed`;
const oldDe = ({ at, age, most }: Age) =>
  `die letzte ist von ${germanDate(at)}, vor ${spanDe(age, "Tagen")}; erlaubt sind ${spanDe(most, "Tage")}`;
const backup = "mawps backup create";
const drillEn = "mawps backup drill: restores the newest backup on trial";
const drillDe = "mawps backup drill: stellt die neueste Sicherung auf Probe wieder her";

const freshclamEn = "run freshclam, and see that it runs daily: systemctl status clamav-freshclam";
const freshclamDe =
  "freshclam aufrufen, und dafür sorgen, dass es täglich läuft: systemctl status clamav-freshclam";

/** Why clamd gave no answer that counts. */
const unansweredDe: Readonly<Record<NotScannedReason, string>> = {
  empty: "es gab nichts zu prüfen",
  "too-large": "zu groß für clamd",
  "limits-exceeded": "über den Grenzen von clamd",
  encrypted: "verschlüsselt",
  "engine-down": "keine Verbindung zu clamd",
  timeout: "clamd antwortet nicht rechtzeitig",
  dropped: "die Verbindung zu clamd riss ab",
  "unknown-answer": "was dort antwortet, ist kein clamd",
  "engine-error": "clamd meldet einen Fehler",
};

/** Of the virus scanner, the backups and the alarms. */
export const safeguards = {
  "scanner-none": both(
    () => [
      "no scanner is configured: documents are taken unscanned (SKIPPED)",
      'set "clamav.socket" or "clamav.host" in the configuration; see docs/virus-scan.md',
    ],
    () => [
      "kein Virenscanner eingerichtet: Dokumente werden ungeprüft angenommen (SKIPPED)",
      '"clamav.socket" oder "clamav.host" in der Konfiguration setzen; siehe docs/virus-scan.md',
    ],
  ),
  "scanner-unanswered": both<{ readonly reason: NotScannedReason; readonly detail: string }>(
    ({ detail }) => [
      detail,
      'start clamd, or correct "clamav" in the configuration; until then uploads are refused or unscanned',
    ],
    ({ reason }) => [
      unansweredDe[reason],
      'clamd starten, oder "clamav" in der Konfiguration berichtigen; bis dahin werden Uploads abgelehnt oder nicht geprüft',
    ],
  ),
  "scanner-small": both<{ readonly maxBytes: number }>(
    ({ maxBytes }) => [
      `takes less than clamav.maxBytes (${bytes(maxBytes)})`,
      "raise StreamMaxLength and MaxFileSize in clamd.conf, or lower clamav.maxBytes",
    ],
    ({ maxBytes }) => [
      `nimmt weniger an als clamav.maxBytes (${germanNumber(bytes(maxBytes))})`,
      "StreamMaxLength und MaxFileSize in clamd.conf erhöhen, oder clamav.maxBytes senken",
    ],
  ),
  "scanner-limits-untold": both(
    () => [
      "says OK, unscanned, to what exceeds its limits",
      '"AlertExceedsMax yes" in clamd.conf; until then clamav.maxBytes no larger than its MaxFileSize',
    ],
    () => [
      "sagt ungeprüft OK zu allem über seinen Grenzen",
      '"AlertExceedsMax yes" in clamd.conf; bis dahin clamav.maxBytes nicht über dessen MaxFileSize',
    ],
  ),
  "scanner-encrypted-untold": both(
    () => ["says OK, unscanned, to what is encrypted", '"AlertEncrypted yes" in clamd.conf'],
    () => ["sagt ungeprüft OK zu Verschlüsseltem", '"AlertEncrypted yes" in clamd.conf'],
  ),
  "scanner-signatures-none": both<{ readonly engine: string }>(
    ({ engine }) => [`${engine}, without ClamAV's own signatures`, freshclamEn],
    ({ engine }) => [`${engine}, ohne die eigenen Signaturen von ClamAV`, freshclamDe],
  ),
  "scanner-signatures-old": both<{
    readonly engine: string;
    readonly version: number;
    readonly date: string;
    readonly days: number;
  }>(
    ({ engine, version, date, days }) => [
      `${engine}, signatures ${version} of ${date}, ${days} days old`,
      freshclamEn,
    ],
    ({ engine, version, date, days }) => [
      `${engine}, Signaturen ${version} vom ${germanDate(date)}, ${days} Tage alt`,
      freshclamDe,
    ],
  ),
  "backup-unconfigured": both(
    () => [
      "no place for backups is configured: no backup and no drill is known of",
      'set "backup.repository" (MAWPS_BACKUP_REPOSITORY), then mawps backup create and mawps backup drill',
    ],
    () => [
      "kein Ort für Sicherungen eingerichtet: von Sicherungen und Proben ist nichts bekannt",
      '"backup.repository" (MAWPS_BACKUP_REPOSITORY) setzen, dann mawps backup create und mawps backup drill',
    ],
  ),
  "backup-none": both(
    () => ["there is none", backup],
    () => ["es gibt keine", backup],
  ),
  "backup-old": both<Age>(
    (age) => [oldEn(age), backup],
    (age) => [oldDe(age), backup],
  ),
  "backup-ahead": both<{ readonly ids: readonly string[] }>(
    ({ ids }) => [
      `${ids.length} dated in the future, such as ${ids[0]}: counted for nothing`,
      "look at this machine's clock, and who may write to the repository",
    ],
    ({ ids }) => [
      `${ids.length} mit Datum in der Zukunft, etwa ${ids[0]}: zählt nicht`,
      "die Uhr dieses Rechners ansehen, und wer am Ort der Sicherungen schreiben darf",
    ],
  ),
  "drill-none": both(
    () => ["there was none", drillEn],
    () => ["es gab keine", drillDe],
  ),
  "drill-old": both<Age>(
    (age) => [oldEn(age), drillEn],
    (age) => [oldDe(age), drillDe],
  ),
  "alarms-missing": both<{ readonly names: readonly string[] }>(
    ({ names }) => [
      `${names.length} ${names.length === 1 ? "is" : "are"} missing: ${names.join(", ")}`,
      "mawps setup --alarms",
    ],
    ({ names }) => [
      `${names.length} ${names.length === 1 ? "fehlt" : "fehlen"}: ${names.join(", ")}`,
      "mawps setup --alarms",
    ],
  ),
  "alarms-differ": both<{ readonly names: readonly string[] }>(
    ({ names }) => [
      `${names.length} ${names.length === 1 ? "differs" : "differ"} from what is declared: ${names.join(", ")}`,
      "mawps setup --alarms --fix",
    ],
    ({ names }) => [
      `${names.length} ${names.length === 1 ? "ist" : "sind"} anders als festgelegt: ${names.join(", ")}`,
      "mawps setup --alarms --fix",
    ],
  ),
  "alarms-local": both(
    () => ["what jobs put there stays in the local store, and nothing watches it: `mawps report` shows it"],
    () => [
      "was Aufgaben dorthin melden, bleibt in der lokalen Ablage, und nichts wacht darüber: `mawps report` zeigt es",
    ],
  ),
};
