import { naturalOrder } from "../../model/natural-order.ts";
import { computeOverall } from "./overall.ts";
import { Quantiles, sketchError } from "./quantiles.ts";
import { latest, type ReadPage, type ReadProgress } from "./read.ts";

export interface StatisticsOptions {
  readonly now: Date;
  /** Only this page; the completion figures are then of this page. */
  readonly page?: string;
  /** Only users who were active since. */
  readonly since?: Date;
}

export interface PageStatistics {
  readonly page: string;
  readonly visitors: number;
  readonly completed: number;
  readonly meanPercent: number;
  /** From the first visit to the completion, over those who completed it; null when nobody's time is known. */
  readonly medianSecondsToComplete: number | null;
  /** 0 when the median is exact (up to 1,000 values), else its relative error. */
  readonly medianError: number;
  /** How many completed each step, in natural order. */
  readonly steps: readonly { readonly step: string; readonly completed: number }[];
  /** The last step completed by those who did not complete the page; null is before the first step. */
  readonly stops: readonly { readonly step: string | null; readonly users: number }[];
}

export interface ProgressStatistics {
  /** Users looked at, with and without progress. */
  readonly users: number;
  readonly usersWithProgress: number;
  readonly usersWithProblems: number;
  readonly active: { readonly last7Days: number; readonly last30Days: number; readonly last90Days: number };
  /** Of users with progress, each by the formula that their own numbers are in. */
  readonly completion: {
    readonly meanPercent: number;
    /** Ten bins: at least `from`, less than `to`; 100 is in the last one. */
    readonly distribution: readonly { readonly from: number; readonly to: number; readonly users: number }[];
  };
  /** The most visited first. */
  readonly pages: readonly PageStatistics[];
  /** Pages, and steps of pages, beyond the number that is kept apart; 0 in data that a website wrote. */
  readonly leftOut: number;
}

/** How the step is called after which somebody stopped; null is before the first one. */
export function stopName(step: string | null): string {
  return step ?? "not begun";
}

const dayMs = 86_400_000;
/** Names are foreign data: without a limit, broken items could fill the memory. */
const maxPages = 500;
const maxStepsOfPage = 200;
const binWidth = 10;

interface PageTally {
  visitors: number;
  completed: number;
  percentSum: number;
  readonly times: Quantiles;
  readonly steps: Map<string, { completed: number; stopped: number }>;
  stoppedBefore: number;
}

/**
 * Adds up the progress of all users, one at a time, in memory that does not grow with their number: what is kept is
 * counts per page and step, and bounded quantiles. Holds no user's name or data.
 */
export class ProgressTally {
  readonly #options: StatisticsOptions;
  readonly #pages = new Map<string, PageTally>();
  readonly #bins = Array.from({ length: 100 / binWidth }, () => 0);
  readonly #active = { last7Days: 0, last30Days: 0, last90Days: 0 };
  #users = 0;
  #withProgress = 0;
  #withProblems = 0;
  #percentSum = 0;
  #leftOut = 0;

  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  add(progress: ReadProgress): void {
    const { page: asked, since } = this.#options;
    const pages = progress.pages.filter(
      (page) => page.visited && (asked === undefined || page.name === asked),
    );
    const lastActivity =
      asked === undefined ? progress.lastActivity : latest(pages.map((page) => page.lastActivity));
    if (since !== undefined && (lastActivity === undefined || lastActivity < since.getTime())) return;
    this.#users += 1;
    if (progress.problemCount > 0) this.#withProblems += 1;
    if (pages.length === 0 && (asked !== undefined || progress.sections.length === 0)) return;
    this.#withProgress += 1;
    this.#countActivity(lastActivity);
    this.#countCompletion(asked === undefined ? completionOf(progress) : (pages[0]?.percent ?? 0));
    for (const page of pages) this.#countPage(page);
  }

  result(): ProgressStatistics {
    const pages = [...this.#pages].map(([page, tally]) => pageStatistics(page, tally));
    return {
      users: this.#users,
      usersWithProgress: this.#withProgress,
      usersWithProblems: this.#withProblems,
      active: { ...this.#active },
      completion: {
        meanPercent: mean(this.#percentSum, this.#withProgress),
        distribution: this.#bins.map((users, bin) => ({
          from: bin * binWidth,
          to: (bin + 1) * binWidth,
          users,
        })),
      },
      pages: pages.toSorted((a, b) => b.visitors - a.visitors || naturalOrder(a.page, b.page)),
      leftOut: this.#leftOut,
    };
  }

  /** A clock that runs ahead makes times in the future; they count as active. */
  #countActivity(time: number | undefined): void {
    if (time === undefined) return;
    const days = (this.#options.now.getTime() - time) / dayMs;
    if (days <= 7) this.#active.last7Days += 1;
    if (days <= 30) this.#active.last30Days += 1;
    if (days <= 90) this.#active.last90Days += 1;
  }

  #countCompletion(percent: number): void {
    this.#percentSum += percent;
    const bin = Math.min(this.#bins.length - 1, Math.floor(percent / binWidth));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
  }

  #countPage(page: ReadPage): void {
    const tally = this.#tallyOf(page.name);
    if (tally === undefined) return;
    tally.visitors += 1;
    tally.percentSum += page.percent;
    if (page.completed) {
      tally.completed += 1;
      const time = timeToComplete(page);
      if (time !== undefined) tally.times.add(time / 1000);
    }
    const done = page.steps.filter((step) => step.completed);
    for (const step of done)
      this.#countStep(tally, step.name, { stopped: !page.completed && step === done.at(-1) });
    if (!page.completed && done.length === 0) tally.stoppedBefore += 1;
  }

  #tallyOf(page: string): PageTally | undefined {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    if (this.#pages.size >= maxPages) {
      this.#leftOut += 1;
      return undefined;
    }
    const tally = {
      visitors: 0,
      completed: 0,
      percentSum: 0,
      times: new Quantiles(),
      steps: new Map(),
      stoppedBefore: 0,
    };
    this.#pages.set(page, tally);
    return tally;
  }

  #countStep(tally: PageTally, name: string, { stopped }: { stopped: boolean }): void {
    let step = tally.steps.get(name);
    if (step === undefined) {
      if (tally.steps.size >= maxStepsOfPage) {
        this.#leftOut += 1;
        return;
      }
      step = { completed: 0, stopped: 0 };
      tally.steps.set(name, step);
    }
    step.completed += 1;
    if (stopped) step.stopped += 1;
  }
}

/** By the formula that the user's own numbers are in; never outside 0-100, whatever is stored. */
export function completionOf(progress: ReadProgress): number {
  const overall = computeOverall(progress);
  return Math.min(100, overall[overall.formula].completionPercentage);
}

/**
 * `completedAt`; where the page has none, the time of its last step; where it was visited once only, the end of that
 * visit. A later visit says nothing about the completion.
 */
function timeToComplete(page: ReadPage): number | undefined {
  const end =
    page.completedAt ??
    latest(page.steps.map((step) => step.completedAt)) ??
    (page.visitCount === 1 ? page.lastVisit : undefined);
  if (end === undefined || page.firstVisit === undefined || end < page.firstVisit) return undefined;
  return end - page.firstVisit;
}

function pageStatistics(page: string, tally: PageTally): PageStatistics {
  const median = tally.times.median();
  const steps = [...tally.steps].toSorted(([a], [b]) => naturalOrder(a, b));
  const stops = steps.map(([step, { stopped }]) => ({ step, users: stopped }));
  return {
    page,
    visitors: tally.visitors,
    completed: tally.completed,
    meanPercent: mean(tally.percentSum, tally.visitors),
    medianSecondsToComplete: median === undefined ? null : Math.round(median.value),
    medianError: median === undefined || median.exact ? 0 : sketchError,
    steps: steps.map(([step, { completed }]) => ({ step, completed })),
    stops: [{ step: null, users: tally.stoppedBefore }, ...stops].filter(({ users }) => users > 0),
  };
}

/** To a tenth: more digits than that are noise. */
function mean(sum: number, count: number): number {
  return count === 0 ? 0 : Math.round((10 * sum) / count) / 10;
}
