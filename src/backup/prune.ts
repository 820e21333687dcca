import { CliError, exitCodes } from "../errors.ts";
import { DamagedError, damageMarks, markOf } from "./damage.ts";
import { partLines } from "./parts.ts";
import { abandonedMs, listPending, removePending } from "./pending.ts";
import { takePruneLock, type PruneLock } from "./prune-lock.ts";
import { lookFrom, planPrune, type PruneSite } from "./prune-plan.ts";
import type { PrunePolicy, Verdict } from "./prune-policy.ts";
import type { Repository } from "./repository.ts";
import type { Part } from "./snapshot.ts";
import { isCommitted, listSnapshots, readManifest, removeSnapshot } from "./snapshots.ts";
import type { StoredFile } from "./store.ts";

/** Why contents that no backup refers to were left where they are. */
export type LeftContents =
  /** A backup is being made, or was broken off less than a day ago: it may refer to them. */
  | { readonly why: "pending"; readonly ids: readonly string[] }
  /** What these backups refer to cannot be read. */
  | { readonly why: "damaged"; readonly ids: readonly string[] };

export interface Pruned {
  readonly removed: readonly string[];
  /** Broken-off backups that nobody took up within a day. */
  readonly abandoned: readonly string[];
  readonly contents: number;
  readonly bytes: number;
  readonly left?: LeftContents;
}

/** Removed in one call. */
const batchSize = 1000;

/** What a sweep would remove once the backups that are not kept are gone. Removes nothing, and looks without a lock. */
export async function previewSweep(
  site: PruneSite,
  verdicts: readonly Verdict[],
): Promise<Pick<Pruned, "contents" | "bytes" | "left">> {
  const { repository, here } = site;
  const { young } = await pendingIn(site);
  const going = verdicts.filter(({ isKept }) => !isKept).map(({ id }) => id);
  const referred = await referredTo(site, new Set(going));
  const left = leftContents(young, referred);
  const sum = { contents: 0, bytes: 0 };
  if (left !== undefined) return { ...sum, left };
  for await (const { bytes } of unreferred(repository, {
    referred: referred.names,
    before: here.now(),
    signal: here.signal,
  })) {
    sum.contents += 1;
    sum.bytes += bytes;
  }
  return sum;
}

/**
 * Removes the backups in `doomed` that the policy still gives up, then the contents that no backup refers to any more. One at
 * a time in a repository. Ended anywhere, the next one goes on: a backup without manifest is none, and contents are
 * found by what refers to them, not by what was removed before.
 *
 * Contents stay, and `left` says why, beside a backup on its way that showed life within a day, and where a manifest stays that
 * cannot be read.
 * @throws DamagedError, before anything is removed, when a backup that the policy keeps lacks its lists: what it refers to is
 *   not known, and those that would go may be the only ones that are whole.
 */
export async function prune(
  site: PruneSite,
  { policy, doomed }: { readonly policy: PrunePolicy; readonly doomed: ReadonlySet<string> },
): Promise<Pruned> {
  const { repository, here } = site;
  const lock = await takePruneLock(repository, here);
  try {
    // Before the backups: one that is done in between is then found as pending or as a backup, and not as neither.
    const found = await pendingIn(site);
    // Behind the lock once more: another prune may have removed what this one meant to keep.
    const { verdicts } = await planPrune(site, policy);
    const going = verdicts.filter(({ id, isKept }) => !isKept && doomed.has(id)).map(({ id }) => id);
    const referred = await referredTo(site, new Set(going));

    const left = leftContents(found.young, referred);
    const remains = found.young.length === 0 ? await remainsIn(site) : [];
    const contents: StoredFile[] = [];
    const free = { referred: referred.names, before: lock.takenAt, signal: here.signal };
    if (left === undefined) for await (const file of unreferred(repository, free)) contents.push(file);
    // Its command ended before it could tell of a backup that was whole, and the marker is what says so.
    for (const id of found.abandoned)
      if (await isCommitted(repository, id, here.signal))
        await site.audit.record({ action: "backup.created", details: { backupId: id } });
    const remove = async () => {
      for (const [at, id] of going.entries()) {
        site.onProgress(`removing ${id}`, { done: at, total: going.length, of: "backups" });
        await lock.assertHeld();
        await removeSnapshot(repository, id, here.signal);
      }
      for (const id of found.abandoned) {
        await lock.assertHeld();
        await removePending(repository, id, here.signal);
      }
      for (const id of remains) {
        await lock.assertHeld();
        await removeSnapshot(repository, id, here.signal);
      }
      const done = await sweep(site, lock, contents);
      if (left === undefined) await forgetDamage(site, lock, referred.names);
      return done;
    };
    const event = { action: "backup.pruned", details: { backupIds: going } } as const;
    const counted = ({ contents: objects, bytes }: Pick<Pruned, "contents" | "bytes">) => ({
      objects,
      bytes,
    });
    const count = going.length + found.abandoned.length + remains.length + contents.length;
    const swept = await (count > 0 ? site.audit.irreversible(event, remove, counted) : remove());
    return {
      removed: going,
      abandoned: found.abandoned,
      ...swept,
      ...(left === undefined ? {} : { left }),
    };
  } finally {
    await lock.release();
  }
}

function leftContents(young: readonly string[], { unknown }: Referred): LeftContents | undefined {
  if (young.length > 0) return { why: "pending", ids: young };
  return unknown.length > 0 ? { why: "damaged", ids: unknown } : undefined;
}

async function pendingIn({
  repository,
  here,
}: PruneSite): Promise<{ young: readonly string[]; abandoned: readonly string[] }> {
  const all = await listPending(repository, here.signal);
  const now = here.now().getTime();
  // A time that cannot be read is no sign of death.
  const isOld = ({ owner }: (typeof all)[number]) => now - Date.parse(owner.beatAt) >= abandonedMs;
  return {
    young: all.filter((one) => !isOld(one)).map(({ id }) => id),
    abandoned: all.filter(isOld).map(({ id }) => id),
  };
}

interface Referred {
  /** Names of contents. */
  readonly names: ReadonlySet<string>;
  /** Backups that count for nothing and of which nobody knows what they refer to. */
  readonly unknown: readonly string[];
}

/**
 * All contents that backups refer to, those of the future too, except those that go: some 200 bytes of memory for each. A
 * part that several of them share, which is the rule, is read once.
 */
async function referredTo(
  { repository, here, onProgress }: PruneSite,
  going: ReadonlySet<string>,
): Promise<Referred> {
  const { snapshots, ahead } = await listSnapshots(repository, lookFrom(here));
  const ids = [...ahead, ...snapshots.map(({ id }) => id)].filter((id) => !going.has(id));
  const unknown: string[] = [];
  const names = new Set<string>();
  const add = ({ sha256 }: Pick<Part, "sha256">) => names.add(repository.contentName(sha256));
  const readParts = new Set<string>();
  for (const [at, id] of ids.entries()) {
    onProgress(`looking what ${id} refers to`, { done: at, total: ids.length, of: "backups" });
    let isManifestRead = false;
    try {
      const { tables, buckets, userPool, databases = [] } = await readManifest(repository, id, here.signal);
      isManifestRead = true;
      const lists: readonly (readonly Part[])[] = [
        ...tables.map(partsOf),
        ...databases.flatMap((database) => database.tables.map(partsOf)),
        userPool?.parts ?? [],
      ];
      for (const part of lists.flat()) add(part);
      for (const { file } of databases) add(file);
      for (const part of buckets.flatMap(partsOf)) {
        if (readParts.has(part.sha256)) continue;
        readParts.add(part.sha256);
        add(part);
        for await (const lines of partLines(repository, part, here.signal))
          for (const line of lines) add({ sha256: contentOf(line) });
      }
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      if (!isManifestRead || ahead.includes(id)) {
        unknown.push(id);
        continue;
      }
      throw new CliError(`backup ${id} is to stay, and is damaged: ${error.message}; nothing was removed`, {
        exitCode: exitCodes.findings,
        hint: `what it needs is not known. If it is beyond repair, remove snapshots/${id} from ${repository.store.where} by hand`,
        cause: error,
      });
    }
  }
  return { names, unknown };
}

function partsOf({ parts }: { readonly parts: readonly Part[] }): readonly Part[] {
  return parts;
}

/** What was left of a backup whose removal or commit was broken off: files beside a manifest that is not there. */
async function remainsIn({ repository, here }: PruneSite): Promise<readonly string[]> {
  const { snapshots, ahead } = await listSnapshots(repository, lookFrom(here));
  const whole = new Set([...ahead, ...snapshots.map(({ id }) => id)]);
  const remains = new Set<string>();
  for (const folder of ["snapshots/", "checks/"]) {
    for await (const { name } of repository.store.list(folder, here.signal)) {
      const id = name.split("/")[1] ?? "";
      if (/^\d{8}T\d{6}Z-[\da-f]{6}$/.test(id) && !whole.has(id)) remains.add(id);
    }
  }
  return [...remains];
}

/** A promise of the format: each line of an object begins with its content. */
function contentOf(line: Buffer): string {
  const [, sha256] = /^\{"content":"([\da-f]{64})"/.exec(line.toString("latin1", 0, 80)) ?? [];
  if (sha256 === undefined) throw new DamagedError("a part with objects holds a line that is none");
  return sha256;
}

/**
 * Removes contents that nothing refers to: those that were there before the lock. No backup is made while it stands, but what
 * a command that was taken for dead writes is not taken away from it here.
 */
async function sweep(
  { repository, here, onProgress }: PruneSite,
  lock: PruneLock,
  all: readonly StoredFile[],
): Promise<{ contents: number; bytes: number }> {
  const done = { contents: 0, bytes: 0 };
  for (let at = 0; at < all.length; at += batchSize) {
    onProgress("removing contents", { done: at, total: all.length, of: "contents" });
    const batch = all.slice(at, at + batchSize);
    here.signal?.throwIfAborted();
    await lock.assertHeld();
    await repository.store.remove(
      batch.map(({ name }) => name),
      here.signal,
    );
    done.contents += batch.length;
    for (const { bytes } of batch) done.bytes += bytes;
  }
  return done;
}

/** Forgets what was marked as damaged and is referred to no more. */
async function forgetDamage(
  { repository: { store }, here }: PruneSite,
  lock: PruneLock,
  referred: ReadonlySet<string>,
): Promise<void> {
  const marks = (await damageMarks(store, here.signal)).filter(({ name }) => !referred.has(name));
  if (marks.length > 0) await lock.assertHeld();
  await store.remove(
    marks.map(({ name }) => markOf(name)),
    here.signal,
  );
}

/** As the repository names its contents: whatever else lies below `data/` was put there by somebody else, and stays. */
const contentFile = /^data\/([\da-f]{2})\/\1[\da-f]{62}$/;

async function* unreferred(
  { store }: Repository,
  {
    referred,
    before,
    signal,
  }: { referred: ReadonlySet<string>; before: Date; signal: AbortSignal | undefined },
): AsyncGenerator<StoredFile> {
  for await (const file of store.list("data/", signal)) {
    signal?.throwIfAborted();
    if (!contentFile.test(file.name)) continue;
    if (!referred.has(file.name) && file.modifiedAt.getTime() < before.getTime()) yield file;
  }
}
