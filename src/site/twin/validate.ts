import { bytes as human } from "../../model/bytes.ts";
import { attributeBytes, maxItemBytes, maxItemDepth } from "../../model/item-size.ts";
import { isRecord } from "../../model/json.ts";
import { isTwin, twinSections } from "../../model/twin.ts";
import { twinSchema } from "../../model/twin-schema.ts";

export interface TwinFinding {
  /** `unusable` keeps a twin from being stored; `suspect` is stored as it is. */
  readonly severity: "unusable" | "suspect";
  /** `analytics.progress`; empty for the twin as a whole. */
  readonly path: string;
  readonly problem: string;
}

export interface TwinReport {
  readonly findings: readonly TwinFinding[];
  /** Paths that the model does not name. They are kept. */
  readonly unknownFields: readonly string[];
  /** Anecdotes and insights as they are counted here, and texts that hold something. */
  readonly counts: { readonly anecdotes: number; readonly insights: number; readonly filledFields: number };
  /** Bytes in DynamoDB, of each section and of all. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly totalBytes: number;
}

/** Room for the item's keys, version and times beside the twin. */
const reservedBytes = 1024;
/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const numberLimits = { least: 1e-130, beyond: 1e126 };
/** The twin lies one level below the item. */
const reservedDepth = 1;

/**
 * Looks at a twin from outside: does it follow the model, what would DynamoDB refuse or change, what looks wrong.
 * Changes nothing and finds everything at once. Texts are never part of a finding.
 */
export function validateTwin(value: unknown): TwinReport {
  const twin = isRecord(value) ? value : {};
  const experience = isRecord(twin["experience"]) ? twin["experience"] : {};
  return {
    findings: [
      ...(isTwin(value) ? [] : [unusable("", `has none of the sections ${twinSections.join(", ")}`)]),
      ...schemaFindings(value),
      ...emptySections(twin),
      ...countFindings(twin, experience),
      ...storageFindings(value),
    ],
    unknownFields: unknownFields(twin),
    counts: {
      anecdotes: Math.max(...entryCounts(experience["anecdotes"])),
      insights: Math.max(...entryCounts(experience["insights"])),
      filledFields: twinSections
        .flatMap((name) => Object.values(twin[name] ?? {}))
        .filter((field) => !isEmpty(field)).length,
    },
    sizes: Object.fromEntries(Object.entries(twin).map(([name, field]) => [name, attributeBytes(field)])),
    totalBytes: attributeBytes(value),
  };
}

/** No text, no entry, or nothing but such. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.every(isEmpty);
  return isRecord(value) && Object.values(value).every(isEmpty);
}

function schemaFindings(value: unknown): TwinFinding[] {
  const issues = twinSchema.safeParse(value).error?.issues ?? [];
  return issues.map(({ path, message }) => {
    // A section that is no object has no place for its fields; a wrong field is only odd.
    return path.length <= 1 && path[0] !== "updatedAt"
      ? unusable(path.join("."), message)
      : suspect(path.join("."), message);
  });
}

function emptySections(twin: Readonly<Record<string, unknown>>): TwinFinding[] {
  return twinSections
    .filter((name) => isEmpty(twin[name]))
    .map((name) => suspect(name, twin[name] === undefined ? "is missing" : "is empty"));
}

function countFindings(
  twin: Readonly<Record<string, unknown>>,
  experience: Readonly<Record<string, unknown>>,
): TwinFinding[] {
  const analytics = isRecord(twin["analytics"]) ? twin["analytics"] : {};
  return ["anecdotes", "insights"].flatMap((field) => {
    const stated = analytics[`${field}Count`];
    const counted = entryCounts(experience[field]);
    if (typeof stated !== "number" || counted.includes(stated)) return [];
    const found = [...new Set(counted)].toSorted((a, b) => a - b).join(" or ");
    return [suspect(`analytics.${field}Count`, `says ${stated}, but ${field} has ${found}`)];
  });
}

/**
 * How many entries a free text may be said to have. The model keeps anecdotes in one text and does not say how the
 * website counts them, so each natural reading counts: paragraphs between blank lines, and lines. (A list, which older
 * data has, has its length.) A count is called wrong only when it fits none of them.
 */
function entryCounts(value: unknown): readonly [number, ...number[]] {
  if (Array.isArray(value)) return [value.length];
  if (typeof value !== "string") return [0];
  const parts = (separator: RegExp) => value.split(separator).filter((part) => part.trim() !== "").length;
  return [parts(/\r?\n[ \t]*\r?\n/), parts(/\r?\n/)];
}

function storageFindings(value: unknown): TwinFinding[] {
  const bytes = attributeBytes(value);
  const tooLarge = `takes ${human(bytes)} of the ${human(maxItemBytes)} that a DynamoDB item has`;
  return [
    ...(bytes + reservedBytes > maxItemBytes ? [unusable("", tooLarge)] : []),
    ...unstorable(value, [], reservedDepth),
  ];
}

/** What DynamoDB refuses, or what would not come back as it went in. */
function unstorable(value: unknown, path: readonly string[], depth: number): TwinFinding[] {
  const place = path.join(".");
  if (typeof value === "string") {
    return /\p{Surrogate}/u.test(value)
      ? [suspect(place, "holds half a character, which would be lost")]
      : [];
  }
  if (typeof value === "number") {
    const size = Math.abs(value);
    if (size >= numberLimits.beyond || (size > 0 && size < numberLimits.least))
      return [unusable(place, "is a number beyond the limits of DynamoDB")];
    const lost = Number.isInteger(value) && !Number.isSafeInteger(value);
    return lost ? [suspect(place, "is a number with more digits than JavaScript keeps")] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  if (depth >= maxItemDepth)
    return [unusable(place, `is nested deeper than the ${maxItemDepth} levels of DynamoDB`)];
  return Object.entries(value).flatMap(([name, element]) =>
    name === "__proto__"
      ? [unusable([...path, name].join("."), "has a name that would not come back")]
      : unstorable(element, [...path, name], depth + 1),
  );
}

function unknownFields(twin: Readonly<Record<string, unknown>>): string[] {
  const known = new Map<string, { readonly shape: object }>(
    twinSections.map((name) => [name, twinSchema.shape[name].unwrap()]),
  );
  return Object.entries(twin).flatMap(([name, field]) => {
    const section = known.get(name);
    if (section === undefined) return name === "updatedAt" ? [] : [name];
    const fields = isRecord(field) ? Object.keys(field) : [];
    return fields.filter((inner) => !Object.hasOwn(section.shape, inner)).map((inner) => `${name}.${inner}`);
  });
}

function unusable(path: string, problem: string): TwinFinding {
  return { severity: "unusable", path, problem };
}

function suspect(path: string, problem: string): TwinFinding {
  return { severity: "suspect", path, problem };
}
