import { isRecord, type JsonObject } from "./json.ts";

/** The localStorage key that the website keeps the twin under. */
export const twinKey = "digitalTwinTraining";

/** `type` of the twin's item under `userId: "owner"`. */
export const twinType = "digital-twin";

/** The sections that hold what was trained, in the website's order. */
export const twinSections = ["personality", "experience", "communication", "analytics"] as const;

/** A twin as it came: known and unknown fields, unchecked. */
export type Twin = JsonObject;

/** Whether a value is a twin rather than a dump of localStorage, whose values are all strings. */
export function isTwin(value: unknown): value is Twin {
  return isRecord(value) && twinSections.some((name) => isRecord(value[name]));
}

/**
 * Sort key of an earlier state in the history: `digital-twin#v00000007`. Named by the number of the state it keeps and
 * not by the time of saving: a run that is repeated after a crash writes the same entry again, never a second one.
 */
export function twinHistoryType(version: number): string {
  return `${twinType}#v${String(version).padStart(8, "0")}`;
}

/** The version in a history entry's sort key; undefined for any other `type`. */
export function twinHistoryVersion(type: string): number | undefined {
  const digits = new RegExp(`^${twinType}#v(\\d{8})$`).exec(type)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
