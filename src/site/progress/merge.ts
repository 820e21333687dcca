import { canonicalJson, isRecord, type JsonObject, timeOf } from "../../model/json.ts";
import { latest } from "./read.ts";

/**
 * Merges two states of one user's progress (two devices, or a browser's cache and the table), so that the older never
 * overwrites the newer. Page by page:
 *
 *     firstVisit, completedAt          | the earlier
 *     lastVisit, lastUpdate            | the later
 *     visitCount, completionPercentage | the higher
 *     completed                        | true if one is
 *     steps, and steps of sections     | all of both; of the same step the one with the later date
 *     formData and every other field   | that of the page visited or updated later; where it has none, the other's
 *
 * `overallStats` and unknown attributes come from the state with the later activity. Where neither is later, both are
 * united, field by field, and of two values the greater counts by one fixed order. So the outcome does not depend on
 * the order of the two, and merging it again with either gives the outcome. Broken values are kept where they stand.
 */
export function mergeProgress(a: JsonObject, b: JsonObject): JsonObject {
  const order = Math.sign((activity(a) ?? 0) - (activity(b) ?? 0));
  return mergeFields(a, b, (name, mine, theirs) => {
    if (name === "pages") return mergeMaps(mine, theirs, mergePage, order);
    if (name === "sections")
      return mergeMaps(
        mine,
        theirs,
        (x, y) => mergeFields(x, y, (_name, one, other) => laterStep(one, other)),
        order,
      );
    return pick(mine, theirs, order);
  });
}

function mergePage(a: JsonObject, b: JsonObject): JsonObject {
  const order = Math.sign((pageActivity(a) ?? 0) - (pageActivity(b) ?? 0));
  return mergeFields(a, b, (name, mine, theirs) => {
    switch (name) {
      case "firstVisit":
      case "completedAt":
        return byTime(mine, theirs, { later: false, order });
      case "lastVisit":
      case "lastUpdate":
        return byTime(mine, theirs, { later: true, order });
      case "visitCount":
      case "completionPercentage":
        return higher(mine, theirs, order);
      case "completed":
        return mine === true || theirs === true ? true : pick(mine, theirs, order);
      case "steps":
        return mergeMaps(mine, theirs, laterStep, order);
      default:
        return pick(mine, theirs, order);
    }
  });
}

/** Of two of the same time that are united the outcome has this time, too: a date counts before what is none. */
function laterStep(a: unknown, b: unknown): unknown {
  const order = Math.sign((stepTime(a) ?? 0) - (stepTime(b) ?? 0));
  if (order !== 0 || !isRecord(a) || !isRecord(b)) return pick(a, b, order);
  return mergeFields(a, b, (name, mine, theirs) =>
    stepDates.some((date) => date === name)
      ? byTime(mine, theirs, { later: true, order })
      : unite(mine, theirs),
  );
}

/** What dates a step, the first that is a date. */
const stepDates = ["updatedAt", "completedAt"] as const;

type FieldMerge = (name: string, a: unknown, b: unknown) => unknown;

/** All fields of both; `merge` decides where both have one. */
function mergeFields(a: JsonObject, b: JsonObject, merge: FieldMerge): JsonObject {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    names.map((name) => {
      if (!Object.hasOwn(a, name)) return [name, b[name]];
      return [name, Object.hasOwn(b, name) ? merge(name, a[name], b[name]) : a[name]];
    }),
  );
}

/** Maps of the same kind of thing, thing by thing; what is no map gives way to a map. */
function mergeMaps(
  a: unknown,
  b: unknown,
  merge: (a: JsonObject, b: JsonObject) => unknown,
  order: number,
): unknown {
  if (!isRecord(a) || !isRecord(b)) return isRecord(a) ? a : isRecord(b) ? b : pick(a, b, order);
  return mergeFields(a, b, (_name, mine, theirs) => {
    if (isRecord(mine) && isRecord(theirs)) return merge(mine, theirs);
    return isRecord(mine) ? mine : isRecord(theirs) ? theirs : pick(mine, theirs, order);
  });
}

/** `order` is 1 when `a` is the newer one, -1 when `b` is, 0 when neither. */
function pick(a: unknown, b: unknown, order: number): unknown {
  if (order > 0) return a;
  return order < 0 ? b : unite(a, b);
}

/** The same outcome in whatever order, and `unite(unite(a, b), b)` is `unite(a, b)`. */
function unite(a: unknown, b: unknown): unknown {
  if (isRecord(a) && isRecord(b)) return mergeFields(a, b, (_name, mine, theirs) => unite(mine, theirs));
  if (typeof a === "number" && typeof b === "number") return a > b ? a : b;
  if (rank(a) !== rank(b)) return rank(a) > rank(b) ? a : b;
  return canonicalJson(a) > canonicalJson(b) ? a : b;
}

function rank(value: unknown): number {
  if (isRecord(value)) return 5;
  if (Array.isArray(value)) return 4;
  return ["boolean", "number", "string"].indexOf(typeof value) + 1;
}

function byTime(a: unknown, b: unknown, { later, order }: { later: boolean; order: number }): unknown {
  const [mine, theirs] = [timeOf(a), timeOf(b)];
  if (mine === undefined && theirs === undefined) return pick(a, b, order);
  if (mine === undefined || theirs === undefined) return mine === undefined ? b : a;
  if (mine === theirs) return unite(a, b);
  return mine > theirs === later ? a : b;
}

function higher(a: unknown, b: unknown, order: number): unknown {
  const [mine, theirs] = [Number.isFinite(a), Number.isFinite(b)];
  if (mine && theirs) return Math.max(Number(a), Number(b));
  if (!mine && !theirs) return pick(a, b, order);
  return mine ? a : b;
}

function activity(progress: JsonObject): number | undefined {
  const pages = isRecord(progress["pages"]) ? Object.values(progress["pages"]) : [];
  const sections = isRecord(progress["sections"]) ? Object.values(progress["sections"]) : [];
  const steps = sections.flatMap((section) => (isRecord(section) ? Object.values(section) : []));
  return latest([...pages.map(pageActivity), ...steps.map(stepTime)]);
}

function pageActivity(page: unknown): number | undefined {
  return isRecord(page) ? latest([timeOf(page["lastVisit"]), timeOf(page["lastUpdate"])]) : undefined;
}

function stepTime(step: unknown): number | undefined {
  if (!isRecord(step)) return undefined;
  const [time] = stepDates.flatMap((name) => timeOf(step[name]) ?? []);
  return time;
}
