import { sameJson } from "../../model/json.ts";
import type { Twin } from "../../model/twin.ts";
import { diffTwin, type FieldChange } from "./difference.ts";
import { compareAge, mergeTwin, type TwinAge, twinAge } from "./merge.ts";

/** What is stored now. A state that was not written by this tool has no version yet and counts as 0. */
export interface StoredTwin {
  readonly value: Twin;
  readonly version: number;
}

/** `newer`: only forwards in time; `merge`: the newer of each section; `force`: the source, whatever its age. */
export type MigrationMode = "newer" | "merge" | "force";

export type MigrationPlan =
  | { readonly action: "nothing-to-do" }
  | {
      readonly action: "refuse-newer";
      readonly stored: TwinAge | undefined;
      readonly source: TwinAge | undefined;
      readonly changes: readonly FieldChange[];
    }
  | {
      readonly action: "write";
      readonly value: Twin;
      readonly version: number;
      /** To be kept before the write, under `twinHistoryType(version)`. */
      readonly history: StoredTwin | undefined;
      readonly changes: readonly FieldChange[];
    };

export interface MigrationInput {
  /** Undefined when there is no twin yet. */
  readonly stored: StoredTwin | undefined;
  readonly source: Twin;
  readonly mode: MigrationMode;
}

/**
 * Decides what a migration writes. The run executes this very plan: keep `history`, then write `value` as `version` on
 * condition that the stored version is still the one planned on.
 *
 *     stored        | mode  | source is     | action
 *     none          | any   | -             | write the source as version 1, no history
 *     same content  | any   | -             | nothing to do
 *     other content | newer | newer, as old | write the source, the stored state to history
 *     other content | newer | older         | refuse
 *     other content | merge | any           | write the merged twin; nothing to do when that is the stored one
 *     other content | force | any           | write the source
 *
 * A source without a date is older than a stored twin with one (`compareAge`).
 */
export function planMigration({ stored, source, mode }: MigrationInput): MigrationPlan {
  if (stored === undefined) {
    return { action: "write", value: source, version: 1, history: undefined, changes: diffTwin({}, source) };
  }
  if (
    mode === "newer" &&
    !sameJson(stored.value, source) &&
    compareAge(stored.value, source) === "stored-newer"
  ) {
    return {
      action: "refuse-newer",
      stored: twinAge(stored.value),
      source: twinAge(source),
      changes: diffTwin(stored.value, source),
    };
  }
  return planWrite(stored, mode === "merge" ? mergeTwin(stored.value, source) : source);
}

/** The plan to make `value` the current twin: the next version, or nothing when it is the stored one already. */
export function planWrite(stored: StoredTwin, value: Twin): MigrationPlan {
  const changes = diffTwin(stored.value, value);
  if (changes.length === 0) return { action: "nothing-to-do" };
  return { action: "write", value, version: stored.version + 1, history: stored, changes };
}
