import { checkDocuments } from "../documents/check.ts";
import type { Memory } from "../documents/remembered.ts";
import type { DocumentSite } from "../documents/site.ts";
import { timeOf } from "../model/json.ts";
import type { Nobodies } from "../model/nobodies.ts";
import { planRetention } from "./plan.ts";
import type { PlanEntry } from "./plan-entry.ts";
import type { RetentionSite } from "./site.ts";

/** What should not be: something whose time is over, or a half of a document without the other. */
export type Breach =
  | { readonly kind: "overdue"; readonly entry: PlanEntry }
  | {
      readonly kind: "object-without-entry" | "entry-without-object";
      readonly userId: string;
      /** Of the document. */
      readonly id: string | undefined;
      readonly bucket: string;
      readonly key: string | undefined;
      /** Since when an object without an entry is there. ISO 8601. */
      readonly storedAt: string | undefined;
      readonly what: string;
    };

/** Documents whose files and entries are compared. */
export interface Checked {
  readonly documents: DocumentSite;
  /** What the audit trail remembers of somebody's documents. */
  readonly rememberedOf: Memory;
  /** Counts what is passed over. */
  readonly nobodies: Nobodies;
}

/**
 * Looks whether what should be gone is gone, whoever was to do it, and whether each file has an entry and each entry its file; reads only.
 * Left out are what retention keeps, such as for a hold, what rules that keep the newest few take, since that has no time, and files that came later
 * than that moment.
 * @param site opened for the moment by which everything that was due should have been done.
 * @param checked left out where the site keeps no documents.
 */
export async function* breaches(site: RetentionSite, checked: Checked | undefined): AsyncGenerator<Breach> {
  const timeless = new Set(
    site.declaration.retention.flatMap(({ id, keepNewest }) => (keepNewest === undefined ? [] : [id])),
  );
  for await (const entry of planRetention(site))
    if (entry.action !== "keep" && !timeless.has(entry.rule)) yield { kind: "overdue", entry };
  if (checked === undefined) return;
  const { documents, rememberedOf, nobodies } = checked;
  const found = checkDocuments(documents, undefined, {
    readAll: false,
    // What was begun and never finished is retention's own matter.
    oldUploadMs: Number.POSITIVE_INFINITY,
    rememberedOf,
    nobodies,
  });
  for await (const { findings } of found)
    for (const { kind, userId, id, key, what, storedAt } of findings) {
      if (kind !== "object-without-entry" && kind !== "entry-without-object") continue;
      // Of an upload that goes on meanwhile the file may be seen before its entry.
      if ((timeOf(storedAt) ?? 0) <= site.rules.at.getTime())
        yield { kind, userId, id, bucket: documents.bucket, key, storedAt, what };
    }
}
