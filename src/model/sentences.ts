/** The languages that pages are made in. */
export const languages = ["de", "en"] as const;
export type Language = (typeof languages)[number];

/** A message, and what to do about it in one line. */
export type Telling = readonly [message: string, remedy?: string];

/** What is said of some values, in every language: one that lacks a language does not compile. */
export type Sentence<Values, T = Telling> = Readonly<Record<Language, (values: Values) => T>>;

export function both<Values = undefined>(
  en: (values: Values) => Telling,
  de: (values: Values) => Telling,
): Sentence<Values> {
  return { en, de };
}

/** The values of a sentence. */
export type ValuesOf<S, T = Telling> = S extends Sentence<infer Values, T> ? Values : never;

/** Of an English number or size: a point for the comma between thousands, a comma for the point. */
export function germanNumber(text: string): string {
  return text.replaceAll(/[.,](?=\d)/g, (mark) => (mark === "." ? "," : "."));
}

/** A day or a moment in ISO 8601 as `01.12.2026` and `01.12.2026 03:04:05 UTC`; what is neither stays as it is. */
export function germanDate(text: string): string {
  return text
    .replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, "$1 $2 UTC")
    .replace(/^(\d{4})-(\d\d)-(\d\d)(?!\d)/, "$3.$2.$1");
}
