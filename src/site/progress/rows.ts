import type { ReadPage } from "./read.ts";
import type { ProgressStatistics } from "./statistics.ts";

type Cell = string | number | boolean | null;

export const progressColumns = [
  "userId",
  "page",
  "completed",
  "completionPercentage",
  "visitCount",
  "firstVisit",
  "lastVisit",
  "stepsCompleted",
  "steps",
] as const;

/** One row a page, in the order of `progressColumns`. */
export function progressRows(userId: string, pages: readonly ReadPage[]): Cell[][] {
  return pages.map((page) => [
    userId,
    page.name,
    page.completed,
    page.percent,
    page.visitCount,
    isoTime(page.firstVisit),
    isoTime(page.lastVisit),
    page.steps.filter((step) => step.completed).length,
    page.steps.length,
  ]);
}

export const pageColumns = [
  "page",
  "visitors",
  "completed",
  "meanPercent",
  "medianSecondsToComplete",
] as const;

/** One row a page, in the order of `pageColumns`. */
export function pageRows({ pages }: Pick<ProgressStatistics, "pages">): Cell[][] {
  return pages.map((page) => pageColumns.map((column) => page[column]));
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
