import { isRecord, type JsonObject } from "./json.ts";

/** Attributes of a user's profile item that hold the progress. */
export const progressAttributes = { data: "progressData", updatedAt: "lastProgressUpdate" } as const;

/** The localStorage key under which the website caches a user's progress. */
export function progressKey(userId: string): string {
  return `userProgress_${userId}`;
}

/**
 * The progress in a value of the cache: the map itself, or a map that wraps it as `progressData`, as the profile item
 * does. Undefined for anything else, such as a dump of localStorage, whose values are all texts.
 */
export function progressIn(value: unknown): JsonObject | undefined {
  if (!isRecord(value)) return undefined;
  if (isRecord(value[progressAttributes.data])) return progressIn(value[progressAttributes.data]);
  return ["pages", "sections", "overallStats"].some((name) => isRecord(value[name])) ? value : undefined;
}
