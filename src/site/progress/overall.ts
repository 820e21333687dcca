import { isRecord, type JsonObject } from "../../model/json.ts";
import { type OverallStats, type ReadPage, type ReadProgress, readProgress } from "./read.ts";

/** Who computes: the storage model, or the website's newer tracker. Both are in the data. */
export type Formula = "model" | "tracker";

export interface Overall {
  readonly model: OverallStats;
  readonly tracker: OverallStats;
  readonly stored: OverallStats | undefined;
  /** The formulas that give what is stored; both where they agree, none where it is stale or there is nothing. */
  readonly matches: readonly Formula[];
  /** The one that this user's numbers are in. */
  readonly formula: Formula;
}

/**
 * Overall progress by both formulas, and as stored.
 *
 *     model   | total: the stored total, at least the pages there are | percent: 100 * completed / total
 *     tracker | total: the pages ever visited                         | percent: mean of their percentages
 *
 * The formula in use is the one that gives what is stored. Where none does, a total above the visited pages can only
 * come from the model; anything else is taken as the tracker's, which is what the website writes today.
 */
export function computeOverall({ pages, stored }: Pick<ReadProgress, "pages" | "stored">): Overall {
  const visited = pages.filter((page) => page.visited);
  const model = byModel(pages, visited, stored?.totalPages ?? 0);
  const tracker = byTracker(visited);
  const matches = (["model", "tracker"] as const).filter((formula) => {
    return stored !== undefined && sameStats(stored, formula === "model" ? model : tracker);
  });
  const guess = stored !== undefined && stored.totalPages > visited.length ? "model" : "tracker";
  return { model, tracker, stored, matches, formula: matches[0] ?? guess };
}

function byModel(
  pages: readonly ReadPage[],
  visited: readonly ReadPage[],
  storedTotal: number,
): OverallStats {
  const totalPages = Math.max(storedTotal, pages.length);
  const completedPages = pages.filter((page) => page.completed).length;
  return {
    totalPages,
    visitedPages: visited.length,
    completedPages,
    completionPercentage: totalPages === 0 ? 0 : Math.round((100 * completedPages) / totalPages),
  };
}

function byTracker(visited: readonly ReadPage[]): OverallStats {
  const sum = visited.reduce((total, page) => total + page.percent, 0);
  return {
    totalPages: visited.length,
    visitedPages: visited.length,
    completedPages: visited.filter((page) => page.completed).length,
    completionPercentage: visited.length === 0 ? 0 : Math.round(sum / visited.length),
  };
}

function sameStats(a: OverallStats, b: OverallStats): boolean {
  return (
    a.totalPages === b.totalPages &&
    a.visitedPages === b.visitedPages &&
    a.completedPages === b.completedPages &&
    a.completionPercentage === b.completionPercentage
  );
}

export interface Recomputed {
  readonly formula: Formula;
  readonly before: OverallStats | undefined;
  /** The attribute as it should be stored; what it holds beyond the four numbers is kept. */
  readonly after: JsonObject;
  readonly changed: boolean;
}

/** What `overallStats` should say. `formula` is the one in use unless one is asked for. Pure. */
export function recompute(progressData: unknown, asked?: Formula): Recomputed {
  const overall = computeOverall(readProgress(progressData));
  const formula = asked ?? overall.formula;
  const present = isRecord(progressData) ? progressData["overallStats"] : undefined;
  const { stored } = overall;
  return {
    formula,
    before: stored,
    after: { ...(isRecord(present) ? present : {}), ...overall[formula] },
    changed: stored === undefined || !sameStats(stored, overall[formula]),
  };
}
