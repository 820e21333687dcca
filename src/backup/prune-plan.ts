import type { Tell } from "../amount.ts";
import type { AuditTrail } from "../audit/trail.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { DamagedError } from "./damage.ts";
import { openBackups, tellAhead, tellLate } from "./open.ts";
import type { Here } from "./prune-lock.ts";
import { decidePrune, type Aged, type PrunePolicy, type Verdict } from "./prune-policy.ts";
import type { Repository } from "./repository.ts";
import { listSnapshots, readManifest, type Look, type SnapshotEntry } from "./snapshots.ts";

export interface PruneSite {
  readonly repository: Repository;
  readonly here: Here;
  readonly audit: AuditTrail;
  readonly onProgress: Tell;
}

/** Opens the repository that is meant, and decides what a policy keeps in it; tells of what counts for nothing there. */
export async function openPrune(
  context: Context,
  { policy, repo }: { readonly policy: PrunePolicy; readonly repo: string | undefined },
): Promise<{ readonly site: PruneSite; readonly verdicts: readonly Verdict[] }> {
  const { machine, signal, audit } = context;
  context.progress("looking at the backups");
  const site = {
    repository: await openBackups(context, repo),
    here: { ...machine, now: () => context.now(), signal },
    audit,
    onProgress: context.progress,
  };
  const { verdicts, ahead, late } = await planPrune(site, policy);
  tellAhead(context, ahead);
  tellLate(context, late);
  return { site, verdicts };
}

/** What is known of the backups before anything is decided. */
export interface PrunePlan {
  readonly verdicts: readonly Verdict[];
  /** Ids of the future: they count for nothing, and stay. */
  readonly ahead: readonly string[];
  /** Ids of the past that came to the repository since, beside others that came in their time: they take no other's place. */
  readonly late: readonly string[];
}

/**
 * Decides what a policy keeps of what is there. Removes nothing. A manifest that cannot be read, has not the shape of one, or
 * came long after its time may be anybody's: it takes no other's place, and goes only where the policy would give up a whole
 * one too.
 * @throws CliError for an encrypted repository without its key: which backups are real is not known then.
 */
export async function planPrune(
  { repository, here }: Pick<PruneSite, "repository" | "here">,
  policy: PrunePolicy,
): Promise<PrunePlan> {
  if (!repository.canRead) {
    throw new CliError("the repository is encrypted: without its key nobody knows which backups are real", {
      hint: "set backup.identityFile, backup.passphraseFile or MAWPS_BACKUP_PASSPHRASE; nothing was removed",
    });
  }
  const { snapshots, ahead } = await listSnapshots(repository, lookFrom(here));
  const whole: (Aged & Pick<SnapshotEntry, "isLate">)[] = [];
  const archives: Verdict[] = [];
  const damaged = new Set<string>();
  for (const entry of snapshots) {
    const { id, startedAt, isArchive } = entry;
    const keep = (reason: string) => archives.push({ id, startedAt, isKept: true, reasons: [reason] });
    try {
      const { left, archive } = await readManifest(repository, id, here.signal);
      if (archive !== undefined) {
        keep(`archive of ${archive.table}, ${archive.partition}: nowhere else`);
        continue;
      }
      whole.push(left === undefined ? entry : { ...entry, left: left.join(", ") });
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      // Its mark is all that is left to tell of an archive, which no policy gives up.
      if (isArchive) keep("damaged, and marked as an archive");
      else damaged.add(id);
    }
  }
  const late = new Set(whole.filter(({ isLate }) => isLate).map(({ id }) => id));
  const verdicts = [
    ...archives,
    ...decidePrune(
      whole.filter(({ isLate }) => !isLate),
      policy,
    ),
    ...decidePrune(whole, policy).filter(({ id }) => late.has(id)),
    ...decidePrune(snapshots, policy)
      .filter(({ id }) => damaged.has(id))
      .map((verdict) =>
        verdict.isKept ? { ...verdict, reasons: ["damaged, and counts for nothing"] } : verdict,
      ),
  ];
  return {
    verdicts: verdicts.sort((one, other) => (one.id < other.id ? 1 : -1)),
    ahead,
    late: late.size < whole.length ? [...late] : [],
  };
}

/** By the clock of whoever prunes. */
export function lookFrom({ now, signal }: Here): Look {
  return { now: now(), signal };
}
