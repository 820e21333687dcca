import { isRecord, type JsonObject, timeOf } from "../../model/json.ts";
import { naturalOrder } from "../../model/natural-order.ts";

export interface ReadStep {
  readonly name: string;
  readonly completed: boolean;
  readonly completedAt: number | undefined;
}

/** A page in numbers that can be relied on. Times are milliseconds since 1970. */
export interface ReadPage {
  readonly name: string;
  readonly visited: boolean;
  readonly completed: boolean;
  /** 0-100. */
  readonly percent: number;
  readonly visitCount: number;
  readonly firstVisit: number | undefined;
  readonly lastVisit: number | undefined;
  /** The latest of lastVisit and lastUpdate. */
  readonly lastActivity: number | undefined;
  readonly completedAt: number | undefined;
  /** In natural order: step-2 before step-10. */
  readonly steps: readonly ReadStep[];
  /** `testResults` (older) or `results` (newer). */
  readonly testResults: unknown;
}

export interface ReadSectionStep {
  readonly name: string;
  readonly updatedAt: number | undefined;
}

export interface OverallStats {
  readonly totalPages: number;
  readonly visitedPages: number;
  readonly completedPages: number;
  readonly completionPercentage: number;
}

export interface ProgressProblem {
  readonly path: string;
  readonly problem: string;
}

export interface ReadProgress {
  readonly pages: readonly ReadPage[];
  readonly sections: readonly { readonly name: string; readonly steps: readonly ReadSectionStep[] }[];
  /** As stored, with 0 for numbers that are none; undefined where there are none at all. */
  readonly stored: OverallStats | undefined;
  readonly lastActivity: number | undefined;
  /** At most `maxProblems`; `problemCount` has them all. */
  readonly problems: readonly ProgressProblem[];
  readonly problemCount: number;
}

const maxProblems = 20;
/** A page's form data beyond this crowds out the rest of a 400 KB item. */
const largeFormBytes = 100_000;

/**
 * Reads `progressData` and `lastProgressUpdate` of a profile item. Whatever is broken (a text where a map should be,
 * NaN, a page without dates, far too much form data) is left out or taken as 0 and named in `problems`; problems name
 * paths and kinds, never contents. Never throws, whatever the value.
 */
export function readProgress(progressData: unknown, lastProgressUpdate?: unknown): ReadProgress {
  const problems = new Problems();
  if (progressData === undefined) return { ...nothing, lastActivity: timeOf(lastProgressUpdate) };
  const progress = problems.map(progressData, "progressData") ?? {};
  const pages = entries(problems.map(progress["pages"], "pages")).flatMap(([name, page]) => {
    const fields = problems.map(page, `pages.${name}`);
    return fields === undefined ? [] : [readPage(name, fields, problems)];
  });
  const sections = readSections(progress["sections"], problems);
  const times = [
    problems.time(lastProgressUpdate, "lastProgressUpdate"),
    ...pages.map((page) => page.lastActivity),
    ...sections.flatMap(({ steps }) => steps.map(({ updatedAt }) => updatedAt)),
  ];
  return {
    pages,
    sections,
    stored: readStats(progress["overallStats"], problems),
    lastActivity: latest(times),
    problems: problems.first,
    problemCount: problems.count,
  };
}

const nothing = { pages: [], sections: [], stored: undefined, problems: [], problemCount: 0 };

function readPage(name: string, page: JsonObject, problems: Problems): ReadPage {
  const path = `pages.${name}`;
  const time = (field: string) => problems.time(page[field], `${path}.${field}`);
  const [firstVisit, lastVisit, lastUpdate] = [time("firstVisit"), time("lastVisit"), time("lastUpdate")];
  if (page["firstVisit"] === undefined && page["lastVisit"] === undefined) problems.add(path, "has no dates");
  if (firstVisit !== undefined && lastVisit !== undefined && lastVisit < firstVisit) {
    problems.add(path, "has a last visit before the first");
  }
  const percent = problems.number(page["completionPercentage"], `${path}.completionPercentage`);
  if (percent < 0 || percent > 100) problems.add(`${path}.completionPercentage`, "is outside 0-100");
  checkFormData(page["formData"], `${path}.formData`, problems);
  const visitCount = problems.number(page["visitCount"], `${path}.visitCount`);
  return {
    name,
    visited: visitCount > 0 || firstVisit !== undefined || lastVisit !== undefined,
    completed: page["completed"] === true,
    percent: Math.min(100, Math.max(0, percent)),
    visitCount,
    firstVisit,
    lastVisit,
    lastActivity: latest([firstVisit, lastVisit, lastUpdate]),
    completedAt: time("completedAt"),
    steps: readSteps(page["steps"], `${path}.steps`, problems),
    testResults: page["testResults"] ?? page["results"],
  };
}

function readSteps(value: unknown, path: string, problems: Problems): ReadStep[] {
  const steps = entries(problems.map(value, path)).flatMap(([name, step]) => {
    const fields = problems.map(step, `${path}.${name}`);
    if (fields === undefined) return [];
    const completedAt = problems.time(fields["completedAt"], `${path}.${name}.completedAt`);
    return [{ name, completed: fields["completed"] === true, completedAt }];
  });
  return steps.length < 2 ? steps : steps.toSorted((a, b) => naturalOrder(a.name, b.name));
}

function readSections(value: unknown, problems: Problems): ReadProgress["sections"] {
  return entries(problems.map(value, "sections")).map(([name, section]) => {
    const steps = entries(problems.map(section, `sections.${name}`)).map(([step, content]) => {
      const path = `sections.${name}.${step}`;
      return {
        name: step,
        updatedAt: problems.time(problems.map(content, path)?.["updatedAt"], `${path}.updatedAt`),
      };
    });
    return { name, steps: steps.toSorted((a, b) => naturalOrder(a.name, b.name)) };
  });
}

function readStats(value: unknown, problems: Problems): OverallStats | undefined {
  const stats = problems.map(value, "overallStats");
  if (stats === undefined) return undefined;
  const number = (field: keyof OverallStats) => problems.number(stats[field], `overallStats.${field}`);
  return {
    totalPages: number("totalPages"),
    visitedPages: number("visitedPages"),
    completedPages: number("completedPages"),
    completionPercentage: number("completionPercentage"),
  };
}

function checkFormData(value: unknown, path: string, problems: Problems): void {
  const fields = problems.map(value, path);
  if (fields === undefined) return;
  let size = 0;
  for (const field of Object.values(fields)) size += typeof field === "string" ? field.length : 0;
  if (size > largeFormBytes) problems.add(path, `takes ${Math.round(size / 1000)} KB of the item's 400`);
}

function entries(map: JsonObject | undefined): [string, unknown][] {
  return map === undefined ? [] : Object.entries(map);
}

/** The latest of the times that are known. */
export function latest(times: readonly (number | undefined)[]): number | undefined {
  let found: number | undefined;
  for (const time of times) if (time !== undefined && (found === undefined || time > found)) found = time;
  return found;
}

/** Takes values for what they should be and remembers where they were not. Absent is never a problem. */
class Problems {
  readonly first: ProgressProblem[] = [];
  count = 0;

  add(path: string, problem: string): void {
    this.count += 1;
    if (this.first.length < maxProblems) this.first.push({ path, problem });
  }

  map(value: unknown, path: string): JsonObject | undefined {
    if (isRecord(value)) return value;
    if (value !== undefined) this.add(path, `is ${kindOf(value)} where a map should be`);
    return undefined;
  }

  number(value: unknown, path: string): number {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (value !== undefined) this.add(path, `is ${kindOf(value)} where a number should be`);
    return 0;
  }

  time(value: unknown, path: string): number | undefined {
    const time = timeOf(value);
    if (time === undefined && value !== undefined && value !== null) this.add(path, "is no date");
    return time;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : String(value);
  if (typeof value === "string") return "a text";
  return typeof value === "boolean" ? "true or false" : "something else";
}
