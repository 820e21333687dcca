import { isRecord, type JsonObject } from "./json.ts";
import { progressAttributes, progressParts } from "./mawps.ts";

/** The localStorage key under which the website caches a user's progress. */
export function progressKey(userId: string): string {
  return `userProgress_${userId}`;
}

/** Fields by one of which a page is known where nothing says that it is one. */
const pageFields = [
  "firstVisit",
  "lastVisit",
  "visitCount",
  "completed",
  "completionPercentage",
  "formData",
  "steps",
];

/**
 * The progress in a value of the cache: the map itself, a map that wraps it, as the profile item
 * does, or one in which the pages stand side by side, whatever else is beside them. Undefined for anything else, such as a
 * dump of localStorage, whose values are all texts.
 */
export function progressIn(value: unknown): JsonObject | undefined {
  if (!isRecord(value)) return undefined;
  if (isRecord(value[progressAttributes.data])) return progressIn(value[progressAttributes.data]);
  if (progressParts.some((name) => isRecord(value[name]))) return value;
  const isPage = ([, page]: readonly [string, unknown]) =>
    isRecord(page) && pageFields.some((field) => Object.hasOwn(page, field));
  const all = Object.entries(value);
  const pages = all.filter(isPage);
  if (pages.length === 0) return undefined;
  return {
    ...Object.fromEntries(all.filter((each) => !isPage(each))),
    pages: Object.fromEntries(pages),
  };
}
