import { bytes } from "../model/bytes.ts";
import { groupedTo } from "../model/count.ts";
import { germanDate, germanNumber } from "../model/sentences.ts";
import { duration } from "../output/dates.ts";
import { pageTime } from "../output/html.ts";
import { dollars, grouped, quantityText } from "../output/text.ts";

/** Numbers, sizes and dates as the readers of a page write them. */
export interface Figures {
  readonly grouped: (number: number) => string;
  /** With so many places behind the point. */
  readonly fixed: (value: number, places: number) => string;
  readonly bytes: (size: number) => string;
  readonly dollars: (usd: number) => string;
  readonly quantity: (quantity: number) => string;
  readonly percent: (percent: number) => string;
  readonly duration: (ms: number) => string;
  /** A value of an axis, to a thousandth. */
  readonly axis: (value: number) => string;
  readonly time: (at: Date) => string;
  /** A day or a moment in ISO 8601; what is neither stays as it is. */
  readonly iso: (text: string) => string;
  /** The day within its year, of `2026-12-01`. */
  readonly dayOfYear: (day: string) => string;
}

export const english: Figures = {
  grouped,
  fixed: (value, places) => groupedTo(places, value),
  bytes,
  dollars,
  quantity: quantityText,
  percent: (percent) => `${percent}\u00A0%`,
  duration,
  axis: (value) => value.toLocaleString("en", { maximumFractionDigits: 3 }),
  time: pageTime,
  iso: (text) => text,
  dayOfYear: (day) => day.slice(5),
};

export const german: Figures = {
  grouped: (number) => germanNumber(english.grouped(number)),
  fixed: (value, places) => germanNumber(english.fixed(value, places)),
  bytes: (size) => germanNumber(english.bytes(size)),
  dollars: (usd) => germanNumber(english.dollars(usd)).replace("under", "unter"),
  quantity: (quantity) => germanNumber(english.quantity(quantity)).replace("under", "unter"),
  percent: (percent) => germanNumber(english.percent(percent)),
  duration: (ms) => germanNumber(english.duration(ms)).replace("days", "Tage"),
  axis: (value) => germanNumber(english.axis(value)),
  time: (at) => germanDate(english.time(at)),
  iso: germanDate,
  dayOfYear: (day) => germanDate(day).slice(0, 6),
};

/** In German what is nothing but a number in groups, one with its unit, a day or a moment; else as it is, as a version's number. */
export function germanFigure(text: string): string {
  return isFigure.test(text) ? germanNumber(text) : german.iso(text);
}

const isFigure = /^(?:\d{1,3}(?:,\d{3})+|\d[\d,]*(?:\.\d+)? (?:B|KB|MB|GB|TB|s|USD))$/;
