import { germanFigure } from "./figures.ts";

/**
 * In German what the tool says in English of what it found: doctor's findings, rules, costs. Names, commands and what others answered are
 * in neither language. `{a}` is a place for anything; what stands there is looked up as well.
 */
const texts: readonly (readonly [english: string, german: string])[] = [
  // What of a bucket or table is set.
  ["index", "Index"],
  ["table", "Tabelle"],
  ["database", "Datenbank"],
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
  ["this identity may not look at alarms", "diese Identität darf Alarme nicht ansehen"],
  [
    "this identity may not look whether S3 keeps metrics of downloads",
    "diese Identität darf nicht nachsehen, ob S3 Downloads misst",
  ],
  ["this server knows no alarms", "dieser Server kennt keine Alarme"],
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
  [
    "dropping the index {a} of {b}, from which nobody has read for {c} days",
    "den Index {a} von {b} löschen, den seit {c} Tagen niemand liest",
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
