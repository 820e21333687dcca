import type { Context, Unconnected } from "../context.ts";
import { CliError } from "../errors.ts";
import { countsOf, type Counts } from "./manifest.ts";
import { chosenSnapshot, openBackups, storeOf, tellAhead } from "./open.ts";
import type { ArchivedPartition, Manifest } from "./snapshot.ts";
import { listSnapshots, readManifest, type SnapshotEntry } from "./snapshots.ts";

export interface Listed extends SnapshotEntry {
  /** Absent where the manifest cannot be read here. */
  readonly counts?: Counts;
  readonly damaged?: string;
  readonly archive?: ArchivedPartition | undefined;
}

/** The backups of a repository, newest first; what each holds is read as it is asked for. */
export async function listBackups(
  context: Unconnected,
  repo: string | undefined,
): Promise<AsyncGenerator<Listed>> {
  const { signal } = context;
  const repository = await openBackups(context, repo);
  if (!repository.canRead)
    context.note("the repository is encrypted: what the backups hold is shown with its key only");
  const { snapshots, ahead } = await listSnapshots(repository, { now: context.now(), signal });
  tellAhead(context, ahead);
  return (async function* () {
    for (const entry of snapshots) {
      if (!repository.canRead) {
        yield entry;
        continue;
      }
      try {
        const manifest = await readManifest(repository, entry.id, signal);
        yield { ...entry, counts: countsOf(manifest), archive: manifest.archive };
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        yield { ...entry, damaged: error.message };
      }
    }
  })();
}

export type Shown = Manifest & Omit<SnapshotEntry, "id" | "startedAt"> & { readonly where: string };

/** What one backup holds, and what came of the looks at it. */
export async function showBackup(
  context: Unconnected,
  { snapshot, repo }: { readonly snapshot: string; readonly repo: string | undefined },
): Promise<Shown> {
  const repository = await openBackups(context, repo);
  const { entry, manifest } = await chosenSnapshot(context, repository, snapshot);
  const { id, startedAt: _, ...checks } = entry;
  const where = `${repository.store.where.replace(/\/$/, "")}/snapshots/${id}`;
  return { ...manifest, ...checks, where };
}

/** Which backups there are, and what came of the looks at them: that is known without the keys. */
export interface KnownBackups {
  readonly where: string;
  /** Newest first, without archives. */
  readonly snapshots: readonly SnapshotEntry[];
  /** Ids of the future: they count for nothing. */
  readonly ahead: readonly string[];
  readonly maxAgeHours: number;
  readonly maxDrillAgeDays: number;
}

/** Of the repository as configured; measures how old the newest is. */
export async function knownBackups(context: Context): Promise<KnownBackups> {
  const { signal, backups } = context;
  const { maxAgeHours, maxDrillAgeDays } = backups;
  const store = await storeOf(context, undefined);
  const now = context.now();
  const { snapshots: all, ahead } = await listSnapshots({ store }, { now, signal });
  const snapshots = all.filter(({ isArchive }) => !isArchive);
  const [newest] = snapshots;
  if (newest !== undefined)
    context.measure({ BackupAge: (now.getTime() - newest.startedAt.getTime()) / 1000 });
  return { where: store.where, snapshots, ahead, maxAgeHours, maxDrillAgeDays };
}
