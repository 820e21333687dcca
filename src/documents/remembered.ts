import { listAudit } from "../audit/list.ts";
import type { AuditSite } from "../audit/site.ts";

/** What became of a document after its upload: its object's metadata says nothing of it. */
export interface Remembered {
  readonly name?: string;
  readonly tags?: readonly string[];
  /** Of a soft delete that was not taken back. */
  readonly deletion?: { readonly deletedAt: string; readonly deletedBy: string };
}

/** What the audit trail remembers of a user's documents, by their ids. */
export async function rememberedOf(
  trail: AuditSite,
  userId: string,
): Promise<ReadonlyMap<string, Remembered>> {
  const remembered = new Map<string, Remembered>();
  const settled = new Set<string>();
  // The newest first: what is known already is not asked of older ones.
  for await (const { action, actor, details, timestamp } of listAudit(trail, { userId })) {
    const { documentId: id, name, tags, deletedAt } = details;
    if (typeof id !== "string") continue;
    const known = remembered.get(id) ?? {};
    if (action === "document.renamed" && typeof name === "string") remembered.set(id, { name, ...known });
    if (action === "document.tagged" && isTexts(tags)) remembered.set(id, { tags, ...known });
    if ((action === "document.deleted" || action === "document.restored") && !settled.has(id)) {
      settled.add(id);
      if (action === "document.restored") continue;
      const deletion = {
        deletedAt: typeof deletedAt === "string" ? deletedAt : timestamp,
        deletedBy: actor,
      };
      remembered.set(id, { ...known, deletion });
    }
  }
  return remembered;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
