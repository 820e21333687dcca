import { listAudit } from "../audit/list.ts";
import { trailOf, type TrailPlace } from "../audit/place.ts";
import type { Context } from "../context.ts";
import type { AuditEntry } from "../model/audit.ts";
import { whereThere } from "../aws/setting.ts";

/** What became of a document after its upload: its object's metadata says nothing of it. */
export interface Remembered {
  readonly name?: string;
  readonly tags?: readonly string[];
  /** What the last scan found that came to a verdict. */
  readonly infection?:
    | { readonly scanResult: "INFECTED"; readonly scanSignature: string; readonly scannedAt: string }
    | undefined;
  /** Of a soft delete that was not taken back. */
  readonly deletion?: Deletion;
}

export interface Deletion {
  readonly deletedAt: string;
  readonly deletedBy: string;
}

/** What is remembered of a user's documents, by their ids, and by keys of their objects. */
export type Memory = (userId: string) => Promise<ReadonlyMap<string, Remembered>>;

/** What the site's audit trail remembers, also one that is not written to any more: what was deleted stays deleted. Nothing where there is none. */
export function memoryOf(site: Pick<Context, "aws" | "declaration" | "signal">): Memory {
  if (site.declaration.trail === undefined) return async () => new Map();
  const trail = trailOf(site);
  return (userId) => rememberedOf(trail, userId);
}

async function rememberedOf(trail: TrailPlace, userId: string): Promise<ReadonlyMap<string, Remembered>> {
  const changes: { readonly names: readonly string[]; readonly change: Remembered }[] = [];
  await whereThere(async () => {
    for await (const entry of listAudit(trail, { userId })) {
      const { documentId, documentIds, key } = entry.details;
      const change = changeOf(entry);
      if (change === undefined) continue;
      const names = [documentId, ...(Array.isArray(documentIds) ? documentIds : []), key];
      changes.push({ names: names.filter((each): each is string => typeof each === "string"), change });
    }
  });
  const remembered = new Map<string, Remembered>();
  // The newest came first; of two the later one counts.
  for (const { names, change } of changes.reverse()) {
    for (const name of names) remembered.set(name, { ...remembered.get(name), ...change });
  }
  return remembered;
}

/** Whether the audit trail tells of a link by which this file of a document was to be uploaded. */
export async function wasRequested(
  trail: TrailPlace,
  { documentId, key }: { readonly documentId: string; readonly key: string },
): Promise<boolean> {
  let isFound = false;
  await whereThere(async () => {
    for await (const { details } of listAudit(trail, { action: "document.requested" })) {
      isFound = details["documentId"] === documentId && details["key"] === key;
      if (isFound) return;
    }
  });
  return isFound;
}

function changeOf({ action, actor, details, timestamp }: AuditEntry): Remembered | undefined {
  const { name, tags, scanResult, signature, deletedAt } = details;
  switch (action) {
    case "document.renamed":
      return typeof name === "string" ? { name } : undefined;
    case "document.tagged":
      return isTexts(tags) ? { tags } : undefined;
    case "document.scanned":
      // A scan without a verdict takes none away.
      if (scanResult === "CLEAN") return { infection: undefined };
      if (scanResult !== "INFECTED") return undefined;
      return { infection: { scanResult, scanSignature: String(signature), scannedAt: timestamp } };
    case "document.deleted":
    case "document.purged":
      return {
        deletion: {
          deletedAt: typeof deletedAt === "string" ? deletedAt : timestamp,
          deletedBy: actor,
        },
      };
    case "document.restored":
      return { deletion: undefined };
    default:
      return undefined;
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
