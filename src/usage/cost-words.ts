import { dropIndexCommand, unreadDays } from "../aws/cloudwatch/unused-indexes.ts";
import { count, grouped } from "../model/count.ts";
import { germanNumber, type Language, type Sentence, type ValuesOf } from "../model/sentences.ts";

/** What it is, in what it is counted, and what its figure takes for granted. */
type LineTelling = readonly [what: string, unit: string, assumption: string];
/** What it is, what its figure takes for granted, and what brings it about. */
type SavingTelling = readonly [what: string, assumption: string, remedy: string];

function line<Values = undefined>(
  en: (values: Values) => LineTelling,
  de: (values: Values) => LineTelling,
): Sentence<Values, LineTelling> {
  return { en, de };
}

function saving<Values>(
  en: (values: Values) => SavingTelling,
  de: (values: Values) => SavingTelling,
): Sentence<Values, SavingTelling> {
  return { en, de };
}

const groupedDe = (number: number) => germanNumber(grouped(number));

const partsDe = {
  objects: "Objekte",
  noncurrent: "alte Versionen",
  unfinished: "offene Uploads",
} as const;
const partsEn = {
  objects: "objects",
  noncurrent: "old versions",
  unfinished: "unfinished uploads",
} as const;

interface Capacity {
  readonly kind: "write" | "read";
  readonly units: number;
  /** Between which the model lets them scale. */
  readonly bounds: { readonly min: number; readonly max: number } | undefined;
}

/** How many of all buckets keep metrics of their requests. */
interface Watched {
  readonly known: number;
  readonly all: number;
}

const watchedEn = ({ known, all }: Watched) => `of the ${known} of ${all} buckets that keep metrics of them`;
const watchedDe = ({ known, all }: Watched) => `von den ${known} von ${all} Buckets, die sie messen`;

export const lineWords = {
  /** `isRounded`: none is billed for less than a least size. */
  files: line<{
    readonly part: keyof typeof partsEn;
    readonly storageClass: string;
    readonly isRounded: boolean;
  }>(
    ({ part, storageClass, isRounded }) => [
      `${partsEn[part]}, ${storageClass}`,
      "GB",
      `a whole month as now, at the price of the first 50 TB${isRounded ? ", none below the least size that is billed" : ""}`,
    ],
    ({ part, storageClass, isRounded }) => [
      `${partsDe[part]}, ${storageClass}`,
      "GB",
      `ein ganzer Monat wie jetzt, zum Preis der ersten 50 TB${isRounded ? ", keines unter der kleinsten berechneten Größe" : ""}`,
    ],
  ),
  backups: line<{ readonly storageClass: string }>(
    ({ storageClass }) => [
      `backups, ${storageClass}`,
      "GB",
      "with old versions and unfinished uploads; a whole month as now, at the price of this region",
    ],
    ({ storageClass }) => [
      `Sicherungen, ${storageClass}`,
      "GB",
      "mit alten Versionen und offenen Uploads; ein ganzer Monat wie jetzt, zum Preis dieser Region",
    ],
  ),
  monitoring: line<{ readonly storageClass: string }>(
    ({ storageClass }) => [
      `monitoring, ${storageClass}`,
      "thousand objects",
      "a whole month as now; objects and old versions below 128 KB are not monitored",
    ],
    ({ storageClass }) => [
      `Überwachung, ${storageClass}`,
      "tausend Objekte",
      "ein ganzer Monat wie jetzt; Objekte und alte Versionen unter 128 KB werden nicht überwacht",
    ],
  ),
  tables: line<{ readonly tableClass: string }>(
    ({ tableClass }) => [
      `tables and their indexes, ${tableClass}`,
      "GB",
      "a whole month as DynamoDB last counted, without its 100 bytes an item",
    ],
    ({ tableClass }) => [
      `Tabellen mit ihren Indizes, ${tableClass}`,
      "GB",
      "ein ganzer Monat, wie DynamoDB zuletzt zählte, ohne dessen 100 Byte je Eintrag",
    ],
  ),
  recovery: line(
    () => ["point-in-time recovery", "GB", "by the size of the tables that have it, without their indexes"],
    () => [
      "Wiederherstellung zu jedem Zeitpunkt",
      "GB",
      "nach der Größe der Tabellen, die sie haben, ohne deren Indizes",
    ],
  ),
  "native-backups": line(
    () => ["backups kept by DynamoDB", "GB", "all in warm storage, a whole month as now"],
    () => ["Sicherungen bei DynamoDB", "GB", "alles im warmen Speicher, ein ganzer Monat wie jetzt"],
  ),
  capacity: line<Capacity>(
    ({ kind, units, bounds }) => [
      `provisioned ${kind} capacity`,
      "unit-hours",
      `the units of tables and indexes as now, ${grouped(units)}, for 730 hours, all of the class STANDARD${
        bounds === undefined
          ? ""
          : `; the model lets them scale from ${grouped(bounds.min)} to ${grouped(bounds.max)}`
      }`,
    ],
    ({ kind, units, bounds }) => [
      kind === "write" ? "feste Schreibkapazität" : "feste Lesekapazität",
      "Einheitsstunden",
      `die Einheiten von Tabellen und Indizes wie jetzt, ${groupedDe(units)}, 730 Stunden, alle in der Klasse STANDARD${
        bounds === undefined
          ? ""
          : `; nach dem Modell passen sie sich zwischen ${groupedDe(bounds.min)} und ${groupedDe(bounds.max)} an`
      }`,
    ],
  ),
  "table-requests": line<{ readonly kind: "write" | "read" }>(
    ({ kind }) => [
      `${kind} requests of tables on demand`,
      "million units",
      `as many a month as CloudWatch counted in the last ${unreadDays} days, with those of declared indexes`,
    ],
    ({ kind }) => [
      `${kind === "write" ? "Schreibanfragen" : "Leseanfragen"} an Tabellen nach Bedarf`,
      "Millionen Einheiten",
      `im Monat so viele, wie CloudWatch in den letzten ${unreadDays} Tagen zählte, mit denen der Indizes des Modells`,
    ],
  ),
  "bucket-requests": line<Watched & { readonly kind: "write" | "read" }>(
    ({ kind, ...watched }) => [
      kind === "write" ? "PUT, POST and LIST requests" : "GET and HEAD requests",
      "thousand requests",
      `as many a month as in the last ${unreadDays} days; ${watchedEn(watched)}; all to objects in STANDARD`,
    ],
    ({ kind, ...watched }) => [
      kind === "write" ? "Anfragen PUT, POST und LIST" : "Anfragen GET und HEAD",
      "tausend Anfragen",
      `im Monat so viele wie in den letzten ${unreadDays} Tagen; ${watchedDe(watched)}; alle an Objekte in STANDARD`,
    ],
  ),
  downloads: line<Watched>(
    (watched) => [
      "downloads",
      "GB",
      `as much a month as in the last ${unreadDays} days, all of it to the internet; ${watchedEn(watched)}`,
    ],
    (watched) => [
      "Downloads",
      "GB",
      `im Monat so viel wie in den letzten ${unreadDays} Tagen, alles ins Internet; ${watchedDe(watched)}`,
    ],
  ),
  accounts: line<{ readonly plan: string; readonly accounts: number }>(
    ({ plan, accounts }) => [
      `accounts, plan ${plan}`,
      accounts === 1 ? "account" : "accounts",
      "each is active in the month, which is the most that it can cost, and signs in directly",
    ],
    ({ plan, accounts }) => [
      `Konten, Stufe ${plan}`,
      accounts === 1 ? "Konto" : "Konten",
      "jedes ist im Monat aktiv, mehr kann es nicht kosten, und meldet sich direkt an",
    ],
  ),
};

/** `unknown`: lines of which no price is known. */
interface Removal {
  readonly days: number;
  readonly unknown: readonly WordedLine[];
}

const without = ({ unknown }: Removal, language: Language) => {
  const names = unknown.map((line) => lineIn(language, line).what).join(", ");
  if (names === "") return "";
  return language === "de"
    ? `; ohne ${names}: kein Preis ist bekannt`
    : `; without ${names}: no price is known`;
};

export const savingWords = {
  due: saving<{ readonly rule: string; readonly count: number }>(
    ({ rule, count: number }) => [
      `deleting what is due by the rule ${rule}: ${count(number, "entry", "entries")}`,
      "all of it lies in STANDARD; what other lines remove is counted here, too",
      "mawps retention run",
    ],
    ({ rule, count: number }) => [
      `löschen, was nach der Regel ${rule} fällig ist: ${groupedDe(number)}`,
      "alles liegt in STANDARD; was andere Zeilen entfernen, zählt auch hier",
      "mawps retention run",
    ],
  ),
  unfinished: saving<Removal>(
    (removal) => [
      `removing uploads that lie unfinished for more than ${removal.days} days`,
      `their parts are kept as long as nobody removes them${without(removal, "en")}`,
      "mawps setup --fix",
    ],
    (removal) => [
      `Uploads entfernen, die länger als ${removal.days} Tage offen liegen`,
      `ihre Teile bleiben, solange sie niemand entfernt${without(removal, "de")}`,
      "mawps setup --fix",
    ],
  ),
  noncurrent: saving<Removal>(
    (removal) => [
      `removing versions that were replaced or deleted more than ${removal.days} days ago`,
      `at most: a listing tells when a version was written, not when it was replaced${without(removal, "en")}`,
      "mawps setup --fix",
    ],
    (removal) => [
      `Versionen entfernen, die vor mehr als ${removal.days} Tagen ersetzt oder gelöscht wurden`,
      `höchstens: eine Liste sagt, wann eine Version geschrieben, nicht wann sie ersetzt wurde${without(removal, "de")}`,
      "mawps setup --fix",
    ],
  ),
  /** `isByClass`: at the price of a storage class, as that of the tier is not known. */
  tiering: saving<{ readonly monitored: number; readonly isByClass: boolean }>(
    ({ monitored, isByClass }) => [
      "Intelligent-Tiering for objects of at least 128 KB",
      `none of the objects older than 30 days is read; ${grouped(monitored)} are monitored; moving them costs once for each${isByClass ? "; the cheaper tier at the price of STANDARD_IA, as its own is not known" : ""}`,
      'a lifecycle rule "intelligent-tiering" in the model, then mawps setup --fix',
    ],
    ({ monitored, isByClass }) => [
      "Intelligent-Tiering für Objekte ab 128 KB",
      `keines der Objekte, die älter als 30 Tage sind, wird gelesen; ${groupedDe(monitored)} werden überwacht; der Umzug kostet einmal für jedes${isByClass ? "; die billigere Stufe zum Preis von STANDARD_IA, da ihr eigener nicht bekannt ist" : ""}`,
      'eine Regel "intelligent-tiering" im Modell, dann mawps setup --fix',
    ],
  ),
  /** `writeUnits` of a table that is paid by request. */
  index: saving<{ readonly table: string; readonly index: string; readonly writeUnits: number | undefined }>(
    ({ table, index, writeUnits }) => [
      `dropping the index ${index} of ${table}, from which nobody has read for ${unreadDays} days`,
      writeUnits === undefined
        ? "nothing outside the model needs it; its provisioned units would be saved besides"
        : `nothing outside the model needs it, and it is written as in these days: ${grouped(writeUnits)} units`,
      dropIndexCommand(table, index),
    ],
    ({ table, index, writeUnits }) => [
      `den Index ${index} von ${table} löschen, den seit ${unreadDays} Tagen niemand liest`,
      writeUnits === undefined
        ? "nichts außerhalb des Modells braucht ihn; dazu käme, was seine festen Einheiten kosten"
        : `nichts außerhalb des Modells braucht ihn, und er wird geschrieben wie in diesen Tagen: ${groupedDe(writeUnits)} Einheiten`,
      dropIndexCommand(table, index),
    ],
  ),
};

export type LineCode = keyof typeof lineWords;
export type SavingCode = keyof typeof savingWords;
export type LineValues<C extends LineCode> = ValuesOf<(typeof lineWords)[C], LineTelling>;
export type SavingValues<C extends SavingCode> = ValuesOf<(typeof savingWords)[C], SavingTelling>;

/** A line by its code, the values of that, and how many units cost nothing. */
export interface WordedLine {
  readonly code: LineCode;
  readonly values: unknown;
  readonly price: { readonly free?: number | undefined } | null;
}

/** The words of a line. Pure. */
export function lineIn(language: Language, { code, values, price }: WordedLine) {
  const [what, unit, assumption] = (lineWords[code][language] as (values: unknown) => LineTelling)(values);
  const free = price?.free;
  return {
    what,
    unit,
    assumption: free === undefined ? assumption : `${assumption}; ${freeWords[language](free)}`,
  };
}

const freeWords = {
  en: (free: number) => `the first ${grouped(free)} cost nothing, nothing else uses them up`,
  de: (free: number) => `die ersten ${groupedDe(free)} kosten nichts, und nichts anderes braucht sie auf`,
};

/** The words of what could be saved. Pure. */
export function savingIn(
  language: Language,
  { code, values }: { readonly code: SavingCode; readonly values: unknown },
) {
  const telling = savingWords[code][language] as (values: unknown) => SavingTelling;
  const [what, assumption, remedy] = telling(values);
  return { what, assumption, remedy };
}
