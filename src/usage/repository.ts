import type { Aws } from "../aws/clients.ts";
import { repositoryFiles } from "../backup/configuration.ts";
import { folderStore } from "../backup/folder-store.ts";
import { prefixOf, type RepositoryPlace } from "../backup/place.ts";
import { sideBySide } from "../concurrency.ts";
import { walkVersions } from "./listing.ts";
import { tally, type Piece, type Tally } from "./sums.ts";
import { walkUnfinished } from "./unfinished.ts";

interface Measuring {
  readonly groupOf: (piece: Piece) => string | null;
  readonly onLooked: (more: number) => void;
  readonly signal: AbortSignal;
}

/** What backups take, wherever they lie: in a bucket with the old versions and unfinished uploads under their prefix. */
export async function measureRepository(
  aws: Aws,
  place: RepositoryPlace,
  { groupOf, onLooked, signal }: Measuring,
): Promise<ReturnType<Tally["groups"]>> {
  const sums = tally();
  const onPiece = (piece: Piece) => sums.add(groupOf(piece), piece);
  if ("folder" in place) {
    for await (const { name: key, bytes, modifiedAt: at } of repositoryFiles(
      folderStore(place.folder),
      signal,
    )) {
      onPiece({ key, part: "objects", bytes, at });
      onLooked(1);
    }
    return sums.groups();
  }
  const { bucket } = place;
  const prefix = prefixOf(place);
  const onPieces = (pieces: readonly Piece[]) => {
    for (const piece of pieces) onPiece(piece);
    onLooked(pieces.length);
  };
  await sideBySide(signal, [
    (signal) => walkVersions(aws, { bucket, prefixes: [prefix], starts: [], needs: [], signal, onPieces }),
    (signal) => walkUnfinished(aws, { bucket, prefix, signal }, { isWanted: () => true, onPiece }),
  ]);
  return sums.groups();
}
