import { isRecord, own, sameJson } from "../../model/json.ts";

export interface FieldChange {
  readonly path: readonly string[];
  readonly kind: "added" | "removed" | "changed";
  /** Absent for `added`. */
  readonly before?: unknown;
  /** Absent for `removed`. */
  readonly after?: unknown;
}

/**
 * The fields in which two twins differ, in order of their paths. Goes down into objects that both have; lists and texts
 * are one field. Empty exactly when `sameJson` holds.
 */
export function diffTwin(before: unknown, after: unknown): readonly FieldChange[] {
  return changes(before, after, []);
}

function changes(before: unknown, after: unknown, path: readonly string[]): FieldChange[] {
  if (sameJson(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [{ path, kind: "changed", before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name): FieldChange[] => {
    const inner = [...path, name];
    const [was, is] = [own(before, name), own(after, name)];
    if (was === undefined) return is === undefined ? [] : [{ path: inner, kind: "added", after: is }];
    if (is === undefined) return [{ path: inner, kind: "removed", before: was }];
    return changes(was, is, inner);
  });
}
