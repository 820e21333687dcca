import type { JsonObject } from "../../model/json.ts";
import { escapedHtml, foreignHtml, pageEnd, pageHead } from "../../output/html.ts";
import type { Language } from "../../model/sentences.ts";
import type { LeftOut, Missing } from "./values.ts";

/** One kind of thing on the page. */
export interface PageEntity {
  readonly entity: string;
  readonly what: string;
  readonly count: number;
  /** The first of them. */
  readonly shown: readonly JsonObject[];
  readonly files: { readonly name: string; readonly bytes: number }[];
}

export interface Page {
  readonly language: Language;
  /** The page in the other language. */
  readonly other: string;
  readonly site: string;
  readonly at: Date;
  readonly person: string;
  readonly entities: readonly PageEntity[];
  readonly leftOut: readonly LeftOut[];
  readonly missing: readonly Missing[];
}

const words = {
  de: {
    title: "Ihre Daten bei",
    of: "Auskunft über",
    at: "Stand",
    other: "English",
    intro:
      "Alles, was über Sie gespeichert ist. Jede Art von Daten hat einen Ordner: als JSON, wie es gespeichert ist, und als CSV für Tabellenprogramme. manifest.json nennt die Prüfsumme (SHA-256) jeder Datei.",
    entries: "Einträge",
    files: "Dateien",
    more: "weitere Einträge stehen in den Dateien des Ordners",
    leftOut: "Nicht enthalten",
    missing: "Nicht lesbar",
    unread: {
      vanished: "inzwischen verschwunden",
      archived: "archiviert",
      denied: "Zugriff verweigert",
    },
    reasons: {
      secret: "geheim: Kennwörter, Schlüssel und Ähnliches",
      others: "Daten anderer Personen",
      elsewhere: "Dateien außerhalb Ihrer Ordner",
      unreached: "an einem Ort, der nicht durchsucht wurde",
      unfinished: "begonnen und nie zu Ende hochgeladen",
      shared: "was unter dieser Adresse steht: nicht bestätigt, oder auch die eines anderen Kontos",
    },
    times: "mal",
    none: "nichts",
  },
  en: {
    title: "Your data at",
    of: "Everything about",
    at: "As of",
    other: "Deutsch",
    intro:
      "All that is stored about you. Each kind of data has a folder: as JSON, as it is stored, and as CSV for spreadsheets. manifest.json has the checksum (SHA-256) of each file.",
    entries: "entries",
    files: "files",
    more: "more entries are in the files of the folder",
    leftOut: "Not included",
    missing: "Could not be read",
    unread: {
      vanished: "vanished meanwhile",
      archived: "archived",
      denied: "access denied",
    },
    reasons: {
      secret: "secret: passwords, keys and the like",
      others: "data of other people",
      elsewhere: "files outside of your folders",
      unreached: "in a place that was not looked through",
      unfinished: "begun and never uploaded to its end",
      shared: "what stands under this address: not verified, or another account's too",
    },
    times: "times",
    none: "nothing",
  },
} as const;

/** Text longer than this is cut on the page; whole it is in the other files. */
const mostCharacters = 500;

/** A page for people: all of it in itself, without a script, and with everything foreign as text. Pure. */
export function* exportPage(page: Page): Generator<string> {
  const { language, site, person, at, entities, leftOut, missing } = page;
  const word = words[language];
  yield pageHead(language, `${word.title} ${site}`);
  yield `<h1>${word.title} ${foreignHtml(site)}</h1>\n<p>${word.of} <b>${foreignHtml(person)}</b> · ${word.at} ${at.toISOString()} · ${link(page.other, word.other)}</p>\n`;
  yield `<p>${word.intro}</p>\n<ul>\n`;
  for (const { entity, what, count } of entities)
    yield `<li><a href="#${encodeURIComponent(entity)}">${foreignHtml(what)}</a>: ${count}</li>\n`;
  yield "</ul>\n";
  for (const { entity, what, count, shown, files } of entities) {
    yield `<h2 id="${escapedHtml(encodeURIComponent(entity))}">${foreignHtml(what)} <small>${foreignHtml(entity)}/</small></h2>\n`;
    for (const value of shown) yield table(value);
    if (shown.length > 0 && count > shown.length) yield `<p>${count - shown.length} ${word.more}</p>\n`;
    if (files.length === 0) continue;
    yield `<p>${files.length} ${word.files}</p>\n<ul>\n`;
    for (const { name, bytes } of files) yield `<li>${link(name, name)} <small>${bytes} bytes</small></li>\n`;
    yield "</ul>\n";
  }
  yield `<h2>${word.leftOut}</h2>\n<ul>\n`;
  for (const { entity, path, reason, times } of leftOut)
    yield `<li>${foreignHtml(entity)}: <bdi><code>${escapedHtml(path)}</code></bdi>, ${times} ${word.times} (${word.reasons[reason]})</li>\n`;
  yield `${leftOut.length === 0 ? `<li>${word.none}</li>\n` : ""}</ul>\n`;
  if (missing.length > 0) {
    yield `<h2>${word.missing}</h2>\n<ul>\n`;
    for (const { entity, name, why } of missing)
      yield `<li>${foreignHtml(entity)}: ${foreignHtml(name)} (${word.unread[why]})</li>\n`;
    yield "</ul>\n";
  }
  yield pageEnd;
}

function table(value: JsonObject): string {
  const rows = Object.entries(value).map(([name, inner]) => {
    const text = typeof inner === "string" ? inner : JSON.stringify(inner);
    const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
    return `<tr><th>${foreignHtml(name)}</th><td>${foreignHtml(cut)}</td></tr>`;
  });
  return `<table>${rows.join("")}</table>\n`;
}

function link(name: string, text: string): string {
  const href = name.split("/").map(encodeURIComponent).join("/");
  return `<a href="${escapedHtml(href)}">${escapedHtml(text)}</a>`;
}
