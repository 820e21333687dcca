import { isRecord, type JsonObject, own, sameJson } from "../../model/json.ts";
import { withSecretsOf, type Secrets } from "../../model/secrets.ts";
import { mergeProgress } from "./merge.ts";
import { recompute } from "./overall.ts";

export type ImportPlan =
  | { readonly action: "nothing-to-do" }
  | {
      readonly action: "write";
      readonly value: JsonObject;
      /** Pages that only the source has, and pages that its data changes. */
      readonly newPages: readonly string[];
      readonly changedPages: readonly string[];
      readonly changedSections: readonly string[];
    };

/**
 * Decides what an import of a device's progress writes: the merge of both, with `overallStats` computed anew in the
 * formula that the user's numbers are in. Nothing when the source has nothing that is not there already; so importing
 * the same source again does nothing, and stored statistics are not touched for their own sake. A source has no secrets: what is
 * stored of them stays.
 */
export function planImport(stored: JsonObject | undefined, source: JsonObject, secrets: Secrets): ImportPlan {
  const before = stored ?? {};
  const merged = withSecretsOf(secrets, before, mergeProgress(before, source));
  if (stored !== undefined && sameJson(withoutStats(merged), withoutStats(before)))
    return { action: "nothing-to-do" };
  const overallStats = before["overallStats"] ?? source["overallStats"];
  const value = { ...merged, overallStats: recompute({ ...merged, overallStats }).after };
  const [pagesBefore, pages] = [part(before, "pages"), part(merged, "pages")];
  const [sectionsBefore, sections] = [part(before, "sections"), part(merged, "sections")];
  return {
    action: "write",
    value,
    newPages: Object.keys(pages).filter((name) => !Object.hasOwn(pagesBefore, name)),
    changedPages: changed(pagesBefore, pages).filter((name) => Object.hasOwn(pagesBefore, name)),
    changedSections: changed(sectionsBefore, sections),
  };
}

function withoutStats(progress: JsonObject): JsonObject {
  return { ...progress, overallStats: undefined };
}

function part(progress: JsonObject, name: string): JsonObject {
  return isRecord(progress[name]) ? progress[name] : {};
}

function changed(before: JsonObject, after: JsonObject): string[] {
  return Object.keys(after).filter((name) => !sameJson(own(before, name), after[name]));
}
