import { isRecord, own, timeOf } from "../../model/json.ts";
import type { Twin } from "../../model/twin.ts";
import { isEmpty } from "./validate.ts";

export interface TwinAge {
  /** The text of the date as it stands in the twin. */
  readonly date: string;
  readonly field: "analytics.lastTraining" | "updatedAt";
}

/** When a twin was trained last: `analytics.lastTraining`, else `updatedAt`; undefined when neither is a date. */
export function twinAge(twin: Twin): TwinAge | undefined {
  const analytics = twin["analytics"];
  const lastTraining = isRecord(analytics) ? analytics["lastTraining"] : undefined;
  const { updatedAt } = twin;
  if (isDate(lastTraining)) return { date: lastTraining, field: "analytics.lastTraining" };
  return isDate(updatedAt) ? { date: updatedAt, field: "updatedAt" } : undefined;
}

/**
 * Which of two twins is the newer one. A twin without a date counts as older than one with a date: where the age is not
 * known, the state that can show one is the one to keep.
 */
export function compareAge(stored: Twin, source: Twin): "stored-newer" | "source-newer" | "same-age" {
  const ages = [twinAge(stored), twinAge(source)].map((age) => timeOf(age?.date) ?? Number.NEGATIVE_INFINITY);
  const [storedAt = 0, sourceAt = 0] = ages;
  if (storedAt === sourceAt) return "same-age";
  return storedAt > sourceAt ? "stored-newer" : "source-newer";
}

/**
 * The newer of each section, and every field that only one of the two has. For one section or field of the top level:
 *
 *     only one has it, or the other's is empty | that one
 *     both carry a date of their own           | the later one   (`updatedAt`, for analytics `lastTraining`)
 *     otherwise                                | that of the newer twin; of twins of the same age, the stored one
 *
 * Merging the outcome with the same source again gives the outcome.
 */
export function mergeTwin(stored: Twin, source: Twin): Twin {
  const sourceIsNewer = compareAge(stored, source) === "source-newer";
  const names = new Set([...Object.keys(stored), ...Object.keys(source)]);
  return Object.fromEntries(
    [...names].map(
      (name) => [name, newerField(own(stored, name), own(source, name), sourceIsNewer)] as const,
    ),
  );
}

function newerField(stored: unknown, source: unknown, sourceIsNewer: boolean): unknown {
  if (source === undefined || (isEmpty(source) && stored !== undefined)) return stored;
  if (stored === undefined || isEmpty(stored)) return source;
  const [storedAt, sourceAt] = [sectionTime(stored), sectionTime(source)];
  const newer =
    storedAt !== undefined && sourceAt !== undefined && storedAt !== sourceAt
      ? sourceAt > storedAt
      : sourceIsNewer;
  return newer ? source : stored;
}

function sectionTime(section: unknown): number | undefined {
  return isRecord(section)
    ? (timeOf(section["updatedAt"]) ?? timeOf(section["lastTraining"]))
    : timeOf(section);
}

function isDate(value: unknown): value is string {
  return timeOf(value) !== undefined;
}
