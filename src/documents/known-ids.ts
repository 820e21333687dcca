import { createHash } from "node:crypto";
import type { UserDocuments } from "./entry.ts";
import type { Examined } from "./examine.ts";
import { uuid } from "../model/uuid.ts";

/** So many numbers of one file are looked at. */
const mostGaps = 64;

/**
 * The ids of a user's documents that were uploaded under this name with these bytes, and the one that the next such has: they follow
 * from both, so that of an upload that was broken off, or is made twice at once, the same entry is found. Pure.
 */
export function knownIds({
  user: { userId, entries },
  name,
  sha256,
}: {
  readonly user: Pick<UserDocuments, "userId" | "entries">;
  readonly name: string;
  readonly sha256: string;
}): { readonly known: readonly string[]; readonly next: string } {
  const there = new Set(entries.map(({ document }) => document.id));
  const known: string[] = [];
  let next: string | undefined;
  // One that is gone leaves a gap, behind which others may be.
  for (let at = 0; next === undefined || at < Math.min(entries.length, mostGaps); at += 1) {
    const text = JSON.stringify([userId, name, sha256, at]);
    const id = uuid(createHash("sha256").update(text).digest("hex").slice(0, 32));
    if (there.has(id)) known.push(id);
    else next ??= id;
  }
  return { known, next };
}

/** The user, whose entries have the hashes of the files whose names and bytes their ids tell of. Pure. */
export function withKnownHashes(user: UserDocuments, files: readonly Examined[]): UserDocuments {
  const byId = new Map(
    files.flatMap((file) =>
      knownIds({ user, name: file.source.name, sha256: file.sha256 }).known.map((id) => [id, file] as const),
    ),
  );
  const entries = user.entries.map((entry) => {
    const file = byId.get(entry.document.id);
    // With another size the site has put another file there since.
    if (file === undefined || file.sizeBytes !== entry.document.size) return entry;
    return { ...entry, document: { ...entry.document, sha256: file.sha256 } };
  });
  return { ...user, entries };
}
