import type { UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { readableFolders, type ObjectFacts } from "./check-facts.ts";
import type { StoredEntry } from "./entry.ts";
import type { Deletion, Remembered } from "./remembered.ts";

/** What a repair does. */
export type Repair =
  /** Only for a person who names it: who deletes a document on the website leaves its object behind. */
  | { readonly does: "rebuild"; readonly object: ObjectFacts; readonly remembered: Remembered }
  /** Among the removed entries, for retention. */
  | {
      readonly does: "keep-deleted";
      readonly object: ObjectFacts;
      readonly remembered: Remembered;
      readonly deletion: Deletion;
    }
  | { readonly does: "point"; readonly entry: StoredEntry; readonly key: string }
  | { readonly does: "finish"; readonly entry: StoredEntry }
  | { readonly does: "withdraw"; readonly entry: StoredEntry }
  | { readonly does: "correct-size"; readonly entry: StoredEntry; readonly sizeBytes: number }
  | { readonly does: "drop-entry"; readonly entry: StoredEntry }
  | { readonly does: "rename-id"; readonly entry: StoredEntry }
  | { readonly does: "move"; readonly entry: StoredEntry }
  /** `entry`: of the document whose bytes it has a second time. */
  | { readonly does: "delete-object"; readonly entry: StoredEntry; readonly key: string }
  | { readonly does: "abort-upload"; readonly upload: UnfinishedUpload };

/** Something that is not as it should be, and what helps. */
export interface Finding {
  readonly userId: string;
  readonly kind:
    | "object-without-entry"
    | "left-over-object"
    | "entry-without-object"
    | "wrong-size"
    | "wrong-hash"
    | "half-done-upload"
    | "old-multipart-upload"
    | "duplicate-id"
    | "shared-object"
    | "wrong-item"
    | "strange-entry";
  readonly id?: string;
  readonly key?: string;
  /** When the object of one without an entry was stored. ISO 8601. */
  readonly storedAt?: string;
  readonly what: string;
  readonly remedy: string;
  /** What `--repair` does about it; undefined where only a person can tell. */
  readonly repair?: Repair;
}

/** How a remedy begins that the tool has itself. */
export const byRepair = "`mawps doc check --repair`";

/** Its object lies outside of its user's own folders: then nothing is done by what the entry says. */
export function isAstray({ userId, document: { s3Key } }: StoredEntry): boolean {
  return s3Key !== "" && !readableFolders(userId).some((folder) => s3Key.startsWith(folder));
}
