import { dropIndexCommand } from "../../aws/cloudwatch/unused-indexes.ts";
import { notLocked } from "../../audit/vault.ts";
import { grouped } from "../../model/count.ts";
import { both, germanNumber } from "../../model/sentences.ts";
import type { Step } from "../../setup/step.ts";

const trailEn = "mawps audit verify tells more; docs/audit-trail.md tells what to do";
const trailDe = "mawps audit verify sagt mehr; docs/audit-trail.md sagt, was zu tun ist";
const needlessEn = "a migration that drops what no statement needs makes every write cheaper";
const needlessDe =
  "eine Migration, die entfernt, was keine Anweisung braucht, macht jedes Schreiben billiger";

/** Of what lies in buckets, tables and databases. */
export const storedThings = {
  "resource-missing": both<{ readonly resource: Step["resource"] }>(
    ({ resource }) => [`there is no such ${resource}`, "mawps setup"],
    ({ resource }) => [
      `${{ bucket: "diesen Bucket", table: "diese Tabelle", database: "diese Datenbank", alarm: "diesen Alarm" }[resource]} gibt es nicht`,
      "mawps setup",
    ],
  ),
  /** `most`: so many were looked at, and there may be more. */
  "uploads-open": both<{ readonly left: number; readonly days: number; readonly most: number | undefined }>(
    ({ left, days, most }) => [
      `${left} ${left === 1 ? "lies" : "lie"} open for more than ${days} days${most === undefined ? "" : `, of the first ${most}; there may be more`}`,
      "mawps retention run, or the lifecycle rule that `mawps setup` makes",
    ],
    ({ left, days, most }) => [
      `${left} ${left === 1 ? "liegt" : "liegen"} länger als ${days} Tage offen${most === undefined ? "" : `, von den ersten ${germanNumber(grouped(most))}; vielleicht sind es mehr`}`,
      "mawps retention run, oder die Regel des Lebenszyklus, die `mawps setup` anlegt",
    ],
  ),
  "index-unused": both<{ readonly table: string; readonly index: string; readonly days: number }>(
    ({ table, index, days }) => [
      `nobody has read it for ${days} days, and the model has no such index: each write is paid for it, too`,
      `if nothing needs it: ${dropIndexCommand(table, index)}`,
    ],
    ({ table, index, days }) => [
      `seit ${days} Tagen liest ihn niemand, und das Modell kennt ihn nicht: jedes Schreiben kostet auch für ihn`,
      `wenn ihn nichts braucht: ${dropIndexCommand(table, index)}`,
    ],
  ),
  /** `fault` as `mawps audit verify` tells it. */
  "audit-fault": both<{ readonly fault: string; readonly more: number }>(
    ({ fault, more }) => [`${fault}${more === 0 ? "" : `, and ${more} more`}`, trailEn],
    ({ fault, more }) => [`${fault}${more === 0 ? "" : `, und ${more} weitere`}`, trailDe],
  ),
  "audit-interrupted": both<{ readonly changes: number }>(
    ({ changes }) => [
      changes === 1
        ? "1 announced change has no outcome: it was interrupted, or is under way"
        : `${changes} announced changes have no outcome: they were interrupted, or are under way`,
      trailEn,
    ],
    ({ changes }) => [
      changes === 1
        ? "1 angekündigte Änderung hat kein Ergebnis: sie wurde unterbrochen, oder sie läuft noch"
        : `${changes} angekündigte Änderungen haben kein Ergebnis: sie wurden unterbrochen, oder sie laufen noch`,
      trailDe,
    ],
  ),
  "audit-not-anchored": both<{ readonly notAnchored: number; readonly entries: number }>(
    ({ notAnchored, entries }) => [
      `${notAnchored} of ${entries} entries are not anchored yet`,
      "nothing: the next changing command anchors them",
    ],
    ({ notAnchored, entries }) => [
      `${notAnchored} von ${entries} Einträgen sind noch nicht verankert`,
      "nichts: der nächste ändernde Befehl verankert sie",
    ],
  ),
  "audit-not-locked": notLocked,
  "migrations-pending": both<{ readonly ids: readonly string[] }>(
    ({ ids }) => [
      `not applied yet: ${ids.join(", ")}`,
      "mawps migrate plan shows what they would do, mawps migrate up does it",
    ],
    ({ ids }) => [
      `noch nicht angewandt: ${ids.join(", ")}`,
      "mawps migrate plan zeigt, was sie täten, mawps migrate up tut es",
    ],
  ),
  "migrations-unfinished": both<{ readonly ids: readonly string[] }>(
    ({ ids }) => [
      `begun and not finished, or under way: ${ids.join(", ")}`,
      "mawps migrate status tells more; docs/migrations.md tells what to do",
    ],
    ({ ids }) => [
      `begonnen und nicht beendet, oder im Gange: ${ids.join(", ")}`,
      "mawps migrate status sagt mehr; docs/migrations.md sagt, was zu tun ist",
    ],
  ),

  "database-undeclared": both<{ readonly table: string }>(
    ({ table }) => [
      `table ${table} is no entity of the model: no export and no erasure of a person reaches it`,
      "give it an entity with whose it is, or why it is nobody's",
    ],
    ({ table }) => [
      `Tabelle ${table} steht nicht im Modell: keine Auskunft und keine Löschung einer Person erreicht sie`,
      "sie ins Modell aufnehmen, mit wessen sie ist, oder warum niemandes",
    ],
  ),
  "database-index-same": both<{ readonly index: string; readonly by: string }>(
    ({ index, by }) => [`index ${index} is the same as ${by}`, needlessEn],
    ({ index, by }) => [`Index ${index} ist derselbe wie ${by}`, needlessDe],
  ),
  "database-index-shorter": both<{ readonly indexes: readonly string[] }>(
    ({ indexes }) => [`the columns of ${indexes.join(", ")} begin a longer index too`, needlessEn],
    ({ indexes }) => [
      `mit den Spalten von ${indexes.join(", ")} beginnt auch ein längerer Index`,
      needlessDe,
    ],
  ),
  "database-log-off": both(
    () => [
      "the server keeps no binary log: nothing leads back to a point in time between two backups",
      "log_bin in the server's configuration, with binlog_format = ROW",
    ],
    () => [
      "der Server führt kein Binärlog: nichts führt zu einem Zeitpunkt zwischen zwei Sicherungen zurück",
      "log_bin in der Konfiguration des Servers, mit binlog_format = ROW",
    ],
  ),
  "database-log-format": both<{ readonly format: string }>(
    ({ format }) => [
      `binlog_format is ${format}: what a statement did may not be found out again`,
      "binlog_format = ROW in the server's configuration",
    ],
    ({ format }) => [
      `binlog_format ist ${format}: was eine Anweisung tat, ist vielleicht nicht mehr festzustellen`,
      "binlog_format = ROW in der Konfiguration des Servers",
    ],
  ),
  "database-log-short": both<{ readonly days: number; readonly least: number }>(
    ({ days, least }) => [
      `the binary log is kept for ${days} days: fewer than ${least}`,
      `binlog_expire_logs_seconds = ${least * 86_400} in the server's configuration`,
    ],
    ({ days, least }) => [
      `das Binärlog bleibt ${days} Tage: weniger als ${least}`,
      `binlog_expire_logs_seconds = ${least * 86_400} in der Konfiguration des Servers`,
    ],
  ),
};
