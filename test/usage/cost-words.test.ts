import { expect, it } from "vitest";
import { lineIn, savingIn, type WordedLine } from "../../src/usage/cost-words.ts";

const line = (code: WordedLine["code"], values: unknown, free?: number): WordedLine => ({
  code,
  values,
  price: { free },
});

it.each([
  [
    "files of a class with a least size",
    line("files", { part: "noncurrent", storageClass: "STANDARD_IA", isRounded: true }),
    [
      "alte Versionen, STANDARD_IA",
      "GB",
      "ein ganzer Monat wie jetzt, zum Preis der ersten 50 TB, keines unter der kleinsten berechneten Größe",
    ],
  ],
  [
    "what scales, with its bounds",
    line("capacity", { kind: "write", units: 1500, bounds: { min: 15, max: 15_000 } }),
    [
      "feste Schreibkapazität",
      "Einheitsstunden",
      "die Einheiten von Tabellen und Indizes wie jetzt, 1.500, 730 Stunden, alle in der Klasse STANDARD; nach dem Modell passen sie sich zwischen 15 und 15.000 an",
    ],
  ],
  [
    "one account, and those that cost nothing",
    line("accounts", { plan: "LITE", accounts: 1 }, 10_000),
    [
      "Konten, Stufe LITE",
      "Konto",
      "jedes ist im Monat aktiv, mehr kann es nicht kosten, und meldet sich direkt an; die ersten 10.000 kosten nichts, und nichts anderes braucht sie auf",
    ],
  ],
])("%s in German", (_name, worded, german) => {
  expect(Object.values(lineIn("de", worded))).toEqual(german);
});

it("what could be saved is told in German with the lines of which no price is known", () => {
  const unknown = [line("files", { part: "unfinished", storageClass: "SNOW", isRounded: false })];
  expect(savingIn("de", { code: "unfinished", values: { days: 7, unknown } })).toEqual({
    what: "Uploads entfernen, die länger als 7 Tage offen liegen",
    assumption:
      "ihre Teile bleiben, solange sie niemand entfernt; ohne offene Uploads, SNOW: kein Preis ist bekannt",
    remedy: "mawps setup --fix",
  });
});
