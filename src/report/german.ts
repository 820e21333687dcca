import { germanFigure } from "./figures.ts";

/**
 * In German what the tool says in English of what it found: what a plan of setup says. Names, commands and what others answered are
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
