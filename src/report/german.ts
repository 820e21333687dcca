import { germanFigure } from "./figures.ts";

/**
 * In German what the tool says in English of what it found: doctor's findings, rules, costs. Names, commands and what others answered are
 * in neither language. `{a}` is a place for anything; what stands there is looked up as well.
 */
const texts: readonly (readonly [english: string, german: string])[] = [
  // Checks, and what of a bucket or table they look at.
  ["credentials", "Zugangsdaten"],
  ["clock", "Uhr"],
  ["this computer", "dieser Rechner"],
  ["images", "Bilder"],
  ["store", "Ablage"],
  ["network", "Netz"],
  ["bucket", "Bucket"],
  ["table", "Tabelle"],
  ["table shape", "Form der Tabelle"],
  ["database", "Datenbank"],
  ["alarm", "Alarm"],
  ["alarms", "Alarme"],
  ["privacy", "Vertraulichkeit"],
  ["uploads", "Uploads"],
  ["index", "Index"],
  ["audit trail", "Protokoll"],
  ["user pool", "Nutzerkonten"],
  ["virus scan", "Virenprüfung"],
  ["backup", "Sicherung"],
  ["backup drill", "Probe der Sicherung"],
  ["repository", "Ort der Sicherungen"],
  ["hero image", "Titelbild"],
  ["hero images", "Titelbilder"],
  ["hover image", "Bild unter der Maus"],
  ["public access block", "Sperre gegen die Öffentlichkeit"],
  ["policy", "Richtlinie"],
  ["ownership", "Eigentum an Objekten"],
  ["versioning", "Versionierung"],
  ["encryption", "Verschlüsselung"],
  ["lifecycle", "Lebenszyklus"],
  ["inventory", "Inventar"],
  ["keys", "Schlüssel"],
  ["capacity", "Kapazität"],
  ["deletion protection", "Schutz vor dem Löschen"],
  ["expiry", "Ablauf"],
  ["recovery", "Wiederherstellung"],
  // What doctor says of settings.
  ["there is no such {a}", "das gibt es nicht: {a}"],
  ["{a}: missing ({b})", "{a}: nicht vorhanden ({b})"],
  ["partitions of {a}", "Partitionen von {a}"],
  ["rows of {a}", "Zeilen von {a}"],
  ["{a} of the model's file", "{a} aus der Datei des Modells"],
  ["{a}: {b}; should be: {c}", "{a}: {b}; soll sein: {c}"],
  ["not shown to this account", "diesem Konto nicht gezeigt"],
  ["{a}: this server does not know the setting", "{a}: dieser Server kennt die Einstellung nicht"],
  ["{a}: this identity may not read it", "{a}: diese Identität darf es nicht lesen"],
  ["lacks {a}", "es fehlt {a}"],
  ["all blocked", "alles gesperrt"],
  ["nothing blocked", "nichts gesperrt"],
  ["none", "nichts"],
  ["on", "an"],
  ["off", "aus"],
  ["on demand", "nach Bedarf"],
  ["provisioned", "fest"],
  ["does not scale", "passt sich nicht an"],
  [
    "{a} to {b} read units at {c} %, {d} to {e} write units at {f} %",
    "{a} bis {b} Leseeinheiten bei {c} %, {d} bis {e} Schreibeinheiten bei {f} %",
  ],
  ["switched off", "abgeschaltet"],
  ["1 day", "1 Tag"],
  ["{a} days", "{a} Tage"],
  ["allow {a}", "{a} erlauben"],
  ["bucket: is in {a}, not in {b}", "Bucket: liegt in {a}, nicht in {b}"],
  [
    "bucket: exists, but another account has it or this identity may not list it",
    "Bucket: vorhanden, aber in einem anderen Konto, oder diese Identität darf nicht auflisten",
  ],
  ["keys: has the keys {a}; understood: {b}", "Schlüssel: die Tabelle hat {a}; verstanden wird: {b}"],
  [
    "run with --region {a}, or name another bucket in the configuration",
    "mit --region {a} aufrufen, oder in der Konfiguration einen anderen Bucket nennen",
  ],
  [
    "allow s3:ListBucket on {a}, or name another bucket in the configuration",
    "s3:ListBucket auf {a} erlauben, oder in der Konfiguration einen anderen Bucket nennen",
  ],
  [
    "name another table in the configuration: keys cannot be changed, and no table is made anew",
    "in der Konfiguration eine andere Tabelle nennen: Schlüssel lassen sich nicht ändern, und keine Tabelle wird neu angelegt",
  ],
  [
    "switch the table's time to live off, wait an hour, then run `mawps setup`",
    "TTL der Tabelle abschalten, eine Stunde warten, dann `mawps setup` aufrufen",
  ],
  [
    "delete the index {a} (no item is lost with it), then run `mawps setup`",
    "den Index {a} löschen (kein Eintrag geht damit verloren), dann `mawps setup` aufrufen",
  ],
  [
    "only a server with an https:// endpoint can demand TLS",
    "nur ein Server mit einer Adresse aus https:// kann TLS verlangen",
  ],
  [
    "leave it while the website needs that; `{a}` names them",
    "so lassen, solange die Website es braucht; `{a}` nennt sie",
  ],
  ["{a}: {b}, which would {c}", "{a}: {b}; das würde ändern, was gilt: {c}"],
  [
    "setup changes nothing that is there: a migration does, or the model's file is wrong",
    "setup ändert nichts, was da ist: das tut eine Migration, oder die Datei des Modells ist falsch",
  ],
  ["{a}: is missing: {b}", "{a}: fehlt: {b}"],
  ["{a}: is {b}; should be {c}", "{a}: ist {b}; soll {c} sein"],
  ["could not be looked at, for the reason told above", "nicht angesehen, aus dem schon genannten Grund"],
  // The tool and its surroundings.
  ["is older than {a}", "ist älter als {a}"],
  ["install Node.js {a} or newer: {b}", "Node.js {a} oder neuer installieren: {b}"],
  [
    "cannot be loaded: pictures cannot be worked on",
    "lässt sich nicht laden: Bilder lassen sich nicht bearbeiten",
  ],
  ["install mawps again on this machine: {a}", "mawps auf diesem Rechner neu installieren: {a}"],
  ["cannot be written to", "lässt sich nicht beschreiben"],
  [
    "give yourself the right to write there, or set MAWPS_HOME to another folder",
    "sich das Recht geben, dort zu schreiben, oder MAWPS_HOME auf einen anderen Ordner setzen",
  ],
  ["only {a} free", "nur {a} frei"],
  ["make room on the disk", "Platz auf der Platte schaffen"],
  ["does not hold the URL of a proxy", "enthält keine URL eines Proxys"],
  [
    "set {a} to http:// or https:// with the proxy's host and port, or unset it",
    "{a} auf http:// oder https:// mit Rechner und Port des Proxys setzen, oder entfernen",
  ],
  ["{a} holds no certificate", "{a} enthält kein Zertifikat"],
  ["cannot read {a}", "{a} ist nicht lesbar"],
  [
    "name a file of certificates in PEM format, or unset the variable",
    "eine Datei mit Zertifikaten im Format PEM nennen, oder die Variable entfernen",
  ],
  ["ended at {a}", "endeten {a}"],
  ["account {a}, until {b} ({c} left)", "Konto {a}, bis {b} (noch {c})"],
  [
    "sign in again: aws sso login, or whatever gave you these credentials",
    "neu anmelden: aws sso login, oder womit die Zugangsdaten kamen",
  ],
  ["{a} ahead of AWS", "geht gegen AWS {a} vor"],
  ["{a} behind AWS", "geht gegen AWS {a} nach"],
  ["set the clock by the network: {a}", "die Uhr nach dem Netz stellen: {a}"],
  ["there is no such user pool in {a}", "diesen User Pool gibt es in {a} nicht"],
  ['correct "userPoolId" in the configuration: {a}', '"userPoolId" in der Konfiguration berichtigen: {a}'],
  // Pictures that the public is to see.
  ["not set yet", "noch nicht gesetzt"],
  ["not set", "nicht gesetzt"],
  ["is not in a bucket of the site", "liegt in keinem Bucket der Website"],
  ["is in {a}, not in a public bucket", "liegt in {a}, nicht in einem öffentlichen Bucket"],
  ["there is no such object in {a}", "dieses Objekt gibt es in {a} nicht"],
  ["could not be read as the public does: {a}", "nicht lesbar, wie es die Öffentlichkeit liest: {a}"],
  ["check the address and the network", "Adresse und Netz prüfen"],
  ["the public gets {a}, not a picture", "die Öffentlichkeit bekommt {a}, kein Bild"],
  ["no content type", "keinen Inhaltstyp"],
  ["the public cannot read it: {a}", "die Öffentlichkeit kann es nicht lesen: {a}"],
  [
    "mawps setup --fix (an account-wide public access block is lifted in the S3 console)",
    "mawps setup --fix (eine Sperre für das ganze Konto wird in der Konsole von S3 aufgehoben)",
  ],
  ["the public does not find it at {a}: {b}", "die Öffentlichkeit findet es unter {a} nicht: {b}"],
  [
    "check publicBaseUrl (MAWPS_PUBLIC_BASE_URL) and what stands there in front of the bucket",
    "publicBaseUrl (MAWPS_PUBLIC_BASE_URL) prüfen, und was dort vor dem Bucket steht",
  ],
  [
    "was not read: {a} sends the public on ({b}), to {c}",
    "nicht gelesen: {a} schickt die Öffentlichkeit weiter ({b}), zu {c}",
  ],
  [
    "open the URL in a browser, or store the one that it leads to",
    "die URL in einem Browser öffnen, oder die speichern, zu der sie führt",
  ],
  ["was not read: {a} answers {b}", "nicht gelesen: {a} antwortet {b}"],
  [
    "try again later, or ask whoever runs the server",
    "später noch einmal, oder fragen, wer den Server betreibt",
  ],
  ["S3 counts its policy as public", "für S3 ist die Richtlinie öffentlich"],
  ["anybody can list it ({a})", "jeder kann ihn auflisten ({a})"],
  ["anybody can read its objects ({a})", "jeder kann seine Objekte lesen ({a})"],
  ["whether anybody can list it is not known: {a}", "ob jeder ihn auflisten kann, ist nicht bekannt: {a}"],
  [
    "whether anybody can read its objects is not known: {a}",
    "ob jeder seine Objekte lesen kann, ist nicht bekannt: {a}",
  ],
  [
    "{a}: this server in AWS's place does not enforce its settings",
    "{a}: dieser Server anstelle von AWS setzt seine Einstellungen nicht durch",
  ],
  ["keep real documents away from this server", "echte Dokumente von diesem Server fernhalten"],
  [
    "mawps setup --fix, then take public statements out of its policy",
    "mawps setup --fix, dann öffentliche Aussagen aus der Richtlinie nehmen",
  ],
  ["run mawps doctor again later", "mawps doctor später noch einmal aufrufen"],
  // Uploads, indexes, the trail, databases.
  ["{a} lies open for more than {b} days", "{a} liegt länger als {b} Tage offen"],
  ["{a} lie open for more than {b} days", "{a} liegen länger als {b} Tage offen"],
  [
    "{a} lie open for more than {b} days, of the first {c}",
    "{a} der ersten {c} liegen länger als {b} Tage offen",
  ],
  ["there may be more", "vielleicht sind es mehr"],
  [
    "mawps retention run, or the lifecycle rule that `mawps setup` makes",
    "mawps retention run, oder die Regel des Lebenszyklus, die `mawps setup` anlegt",
  ],
  [
    "nobody has read it for {a} days, and the model has no such index: each write is paid for it, too",
    "seit {a} Tagen liest ihn niemand, und das Modell kennt ihn nicht: jedes Schreiben kostet auch für ihn",
  ],
  ["if nothing needs it: {a}", "wenn ihn nichts braucht: {a}"],
  [
    "1 announced change has no outcome: it was interrupted, or is under way",
    "1 angekündigte Änderung hat kein Ergebnis: sie wurde unterbrochen, oder sie läuft noch",
  ],
  [
    "{a} announced changes have no outcome: they were interrupted, or are under way",
    "{a} angekündigte Änderungen haben kein Ergebnis: sie wurden unterbrochen, oder sie laufen noch",
  ],
  ["{a} of {b} entries are not anchored yet", "{a} von {b} Einträgen sind noch nicht verankert"],
  ["nothing: the next changing command anchors them", "nichts: der nächste ändernde Befehl verankert sie"],
  ["anchorLock is {a}, and {b} has no S3 Object Lock", "anchorLock ist {a}, und {b} hat kein S3 Object Lock"],
  [
    "give it versioning, then {a}; or MAWPS_ANCHOR_LOCK=off",
    "ihm Versionierung geben, dann {a}; oder MAWPS_ANCHOR_LOCK=off",
  ],
  [
    "mawps audit verify tells more; docs/audit-trail.md tells what to do",
    "mawps audit verify sagt mehr; docs/audit-trail.md sagt, was zu tun ist",
  ],
  [
    "table {a} is no entity of the model: no export and no erasure of a person reaches it",
    "Tabelle {a} steht nicht im Modell: keine Auskunft und keine Löschung einer Person erreicht sie",
  ],
  [
    "give it an entity with whose it is, or why it is nobody's",
    "sie ins Modell aufnehmen, mit wessen sie ist, oder warum niemandes",
  ],
  ["index {a} is the same as {b}", "Index {a} ist derselbe wie {b}"],
  ["the columns of {a} begin a longer index too", "mit den Spalten von {a} beginnt auch ein längerer Index"],
  [
    "a migration that drops what no statement needs makes every write cheaper",
    "eine Migration, die entfernt, was keine Anweisung braucht, macht jedes Schreiben billiger",
  ],
  [
    "the server keeps no binary log: nothing leads back to a point in time between two backups",
    "der Server führt kein Binärlog: nichts führt zu einem Zeitpunkt zwischen zwei Sicherungen zurück",
  ],
  [
    "log_bin in the server's configuration, with binlog_format = ROW",
    "log_bin in der Konfiguration des Servers, mit binlog_format = ROW",
  ],
  [
    "binlog_format is {a}: what a statement did may not be found out again",
    "binlog_format ist {a}: was eine Anweisung tat, ist vielleicht nicht mehr festzustellen",
  ],
  [
    "binlog_format = ROW in the server's configuration",
    "binlog_format = ROW in der Konfiguration des Servers",
  ],
  ["the binary log is kept for {a} days: fewer than {b}", "das Binärlog bleibt {a} Tage: weniger als {b}"],
  [
    "binlog_expire_logs_seconds = {a} in the server's configuration",
    "binlog_expire_logs_seconds = {a} in der Konfiguration des Servers",
  ],
  // The scanner, backups, alarms.
  [
    "no scanner is configured: documents are taken unscanned (SKIPPED)",
    "kein Virenscanner eingerichtet: Dokumente werden ungeprüft angenommen (SKIPPED)",
  ],
  [
    'set "clamav.socket" or "clamav.host" in the configuration; see docs/virus-scan.md',
    '"clamav.socket" oder "clamav.host" in der Konfiguration setzen; siehe docs/virus-scan.md',
  ],
  [
    'start clamd, or correct "clamav" in the configuration; until then uploads are refused or unscanned',
    'clamd starten, oder "clamav" in der Konfiguration berichtigen; bis dahin werden Uploads abgelehnt oder nicht geprüft',
  ],
  ["takes less than clamav.maxBytes ({a})", "nimmt weniger an als clamav.maxBytes ({a})"],
  [
    "raise StreamMaxLength and MaxFileSize in clamd.conf, or lower clamav.maxBytes",
    "StreamMaxLength und MaxFileSize in clamd.conf erhöhen, oder clamav.maxBytes senken",
  ],
  ["says OK, unscanned, to what exceeds its limits", "sagt ungeprüft OK zu allem über seinen Grenzen"],
  [
    '"AlertExceedsMax yes" in clamd.conf; until then clamav.maxBytes no larger than its MaxFileSize',
    '"AlertExceedsMax yes" in clamd.conf; bis dahin clamav.maxBytes nicht über dessen MaxFileSize',
  ],
  ["says OK, unscanned, to what is encrypted", "sagt ungeprüft OK zu Verschlüsseltem"],
  ["{a}, without ClamAV's own signatures", "{a}, ohne die eigenen Signaturen von ClamAV"],
  ["{a}, signatures {b} of {c}, {d} days old", "{a}, Signaturen {b} vom {c}, {d} Tage alt"],
  [
    "run freshclam, and see that it runs daily: {a}",
    "freshclam aufrufen, und dafür sorgen, dass es täglich läuft: {a}",
  ],
  ["no connection to clamd at {a} ({b})", "keine Verbindung zu clamd unter {a} ({b})"],
  [
    "no place for backups is configured: no backup and no drill is known of",
    "kein Ort für Sicherungen eingerichtet: von Sicherungen und Proben ist nichts bekannt",
  ],
  [
    'set "backup.repository" (MAWPS_BACKUP_REPOSITORY), then mawps backup create and mawps backup drill',
    '"backup.repository" (MAWPS_BACKUP_REPOSITORY) setzen, dann mawps backup create und mawps backup drill',
  ],
  ["there is none", "es gibt keine"],
  ["there was none", "es gab keine"],
  [
    "the last is of {a}, {b} days ago; {c} are allowed",
    "die letzte ist von {a}, vor {b} Tagen; erlaubt sind {c}",
  ],
  ["the last is of {a}, {b} ago; {c} are allowed", "die letzte ist von {a}, vor {b}; erlaubt sind {c}"],
  [
    "mawps backup drill: restores the newest backup on trial",
    "mawps backup drill: stellt die neueste Sicherung auf Probe wieder her",
  ],
  [
    "{a} dated in the future, such as {b}: counted for nothing",
    "{a} mit Datum in der Zukunft, etwa {b}: zählt nicht",
  ],
  [
    "look at this machine's clock, and who may write to the repository",
    "die Uhr dieses Rechners ansehen, und wer am Ort der Sicherungen schreiben darf",
  ],
  ["{a} is missing: {b}", "{a} fehlt: {b}"],
  ["{a} are missing: {b}", "{a} fehlen: {b}"],
  ["{a} differs from what is declared: {b}", "{a} ist anders als festgelegt: {b}"],
  ["{a} differ from what is declared: {b}", "{a} sind anders als festgelegt: {b}"],
  ["this identity may not look at alarms", "diese Identität darf Alarme nicht ansehen"],
  [
    "this identity may not look whether S3 keeps metrics of downloads",
    "diese Identität darf nicht nachsehen, ob S3 Downloads misst",
  ],
  ["this server knows no alarms", "dieser Server kennt keine Alarme"],
  [
    "what jobs put there stays in the local store, and nothing watches it: `mawps report` shows it",
    "was Aufgaben dorthin melden, bleibt in der lokalen Ablage, und nichts wacht darüber: `mawps report` zeigt es",
  ],
  // Rules of MAWPS's own.
  ["deleted-documents", "gelöschte Dokumente"],
  ["expired-documents", "abgelaufene Dokumente"],
  ["half-done-uploads", "nicht beendete Uploads von Dokumenten"],
  ["unreferenced-images", "Bilder, auf die nichts zeigt"],
  ["twin-history", "frühere Stände des digitalen Zwillings"],
  ["multipart-uploads", "offene Uploads in Teilen"],
  ["noncurrent-versions", "alte Versionen"],
  ["audit-entries", "Einträge des Protokolls"],
  // What costs, and what would cost less.
  ["objects, {a}", "Objekte, {a}"],
  ["old versions, {a}", "alte Versionen, {a}"],
  ["unfinished uploads, {a}", "offene Uploads, {a}"],
  ["monitoring, {a}", "Überwachung, {a}"],
  ["tables and their indexes, {a}", "Tabellen mit ihren Indizes, {a}"],
  ["provisioned write capacity", "feste Schreibkapazität"],
  ["provisioned read capacity", "feste Lesekapazität"],
  ["point-in-time recovery", "Wiederherstellung zu jedem Zeitpunkt"],
  ["backups kept by DynamoDB", "Sicherungen bei DynamoDB"],
  ["accounts, plan {a}", "Konten, Stufe {a}"],
  ["account", "Konto"],
  ["accounts", "Konten"],
  ["unit-hours", "Einheitsstunden"],
  ["thousand objects", "tausend Objekte"],
  [
    "the first {a} cost nothing, nothing else uses them up",
    "die ersten {a} kosten nichts, und nichts anderes braucht sie auf",
  ],
  ["a whole month as now", "ein ganzer Monat wie jetzt"],
  [
    "a whole month as now, at the price of the first 50 TB",
    "ein ganzer Monat wie jetzt, zum Preis der ersten 50 TB",
  ],
  [
    "a whole month as now, at the price of the first 50 TB, none below the least size that is billed",
    "ein ganzer Monat wie jetzt, zum Preis der ersten 50 TB, keines unter der kleinsten berechneten Größe",
  ],
  [
    "objects and old versions below 128 KB are not monitored",
    "Objekte und alte Versionen unter 128 KB werden nicht überwacht",
  ],
  [
    "a whole month as DynamoDB last counted, without its 100 bytes an item",
    "ein ganzer Monat, wie DynamoDB zuletzt zählte, ohne dessen 100 Byte je Eintrag",
  ],
  [
    "by the size of the tables that have it, without their indexes",
    "nach der Größe der Tabellen, die sie haben, ohne deren Indizes",
  ],
  ["all in warm storage, a whole month as now", "alles im warmen Speicher, ein ganzer Monat wie jetzt"],
  [
    "the units of tables and indexes as now, {a}, for 730 hours",
    "die Einheiten von Tabellen und Indizes wie jetzt, {a}, 730 Stunden",
  ],
  ["the model lets them scale from {a} to {b}", "nach dem Modell passen sie sich zwischen {a} und {b} an"],
  [
    "each is active in the month, which is the most that it can cost, and signs in directly",
    "jedes ist im Monat aktiv, mehr kann es nicht kosten, und meldet sich direkt an",
  ],
  [
    "removing uploads that lie unfinished for more than {a} days",
    "Uploads entfernen, die länger als {a} Tage offen liegen",
  ],
  [
    "removing versions that were replaced or deleted more than {a} days ago",
    "Versionen entfernen, die vor mehr als {a} Tagen ersetzt oder gelöscht wurden",
  ],
  ["Intelligent-Tiering for objects of at least 128 KB", "Intelligent-Tiering für Objekte ab 128 KB"],
  [
    'a lifecycle rule "intelligent-tiering" in the model, then mawps setup --fix',
    'eine Regel "intelligent-tiering" im Modell, dann mawps setup --fix',
  ],
];

interface Form {
  readonly english: RegExp;
  readonly names: readonly string[];
  readonly german: string;
}

/** Texts without a place are found by themselves, the others in the order of how much they say. */
const words = new Map(texts.filter(([english]) => !english.includes("{")));
const forms: readonly Form[] = texts
  .filter(([english]) => english.includes("{"))
  .toSorted(([one], [other]) => fixed(other) - fixed(one))
  .map(([english, german]) => ({
    english: new RegExp(
      `^${english.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w\}/g, "(.+?)")}$`,
      "s",
    ),
    names: [...english.matchAll(/\{(\w)\}/g)].map(([, name = ""]) => name),
    german,
  }));

function fixed(text: string): number {
  return text.replaceAll(/\{\w\}/g, "").length;
}

/** What is longer is nothing of ours. */
const mostCharacters = 2000;

/** In German, where it is one of our own texts, or several of them with `; ` between; else as it is. Pure. */
export function inGerman(text: string): string {
  if (text.length > mostCharacters) return text;
  return (
    known(text) ??
    text
      .split("; ")
      .map((part) => known(part) ?? part)
      .join("; ")
  );
}

function known(text: string): string | undefined {
  const word = words.get(text);
  if (word !== undefined) return word;
  for (const { english, names, german } of forms) {
    const found = english.exec(text);
    if (found === null) continue;
    return german.replaceAll(/\{(\w)\}/g, (_place, name: string) =>
      germanFigure(inGerman(found[1 + names.indexOf(name)] ?? "")),
    );
  }
  return undefined;
}

/** The English of all texts, for a test that looks whether the tool still says so. */
export const translated: readonly string[] = texts.map(([english]) => english);
