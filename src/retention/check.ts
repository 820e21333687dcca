import type { TrailPlace } from "../audit/place.ts";
import { checkDocuments } from "../documents/check.ts";
import { rememberedOf } from "../documents/remembered.ts";
import type { DocumentSite } from "../documents/site.ts";
import type { Nobodies } from "../model/nobodies.ts";
import { isActedOn, planRetention } from "./plan.ts";
import type { PlanEntry } from "./plan-entry.ts";
import type { RetentionSite } from "./site.ts";

/** What should not be: something whose time is over, or a half of a document without the other. */
export type Breach =
  | { readonly kind: "overdue"; readonly entry: PlanEntry }
  | {
      readonly kind: "object-without-entry" | "entry-without-object";
      readonly userId: string;
      readonly key: string | undefined;
      readonly what: string;
    };

/** Documents whose files and entries are compared. */
export interface Checked {
  readonly documents: DocumentSite;
  /** Remembers what was deleted. */
  readonly trail: TrailPlace;
  /** Counts what is passed over. */
  readonly nobodies: Nobodies;
}

/**
 * Looks whether what should be gone is gone, and whether each file has an entry and each entry its file; reads only.
 * @param site opened for the moment by which everything that was due should have been done.
 * @param checked left out where the site keeps no documents.
 */
export async function* breaches(site: RetentionSite, checked: Checked | undefined): AsyncGenerator<Breach> {
  for await (const entry of planRetention(site)) if (isActedOn(entry)) yield { kind: "overdue", entry };
  if (checked === undefined) return;
  const { documents, trail, nobodies } = checked;
  const found = checkDocuments(documents, undefined, {
    readAll: false,
    // What was begun and never finished is retention's own matter.
    oldUploadMs: Number.POSITIVE_INFINITY,
    rememberedOf: (userId) => rememberedOf(trail, userId),
    nobodies,
  });
  for await (const { findings } of found)
    for (const { kind, userId, key, what } of findings)
      if (kind === "object-without-entry" || kind === "entry-without-object")
        yield { kind, userId, key, what };
}
