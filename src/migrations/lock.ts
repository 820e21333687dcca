import { getItem, type Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { serverTime } from "../aws/s3/server-time.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError } from "../errors.ts";
import { migrationLockId } from "../model/mawps.ts";
import type { MigrationSite } from "./migration.ts";

/** Who runs, for whoever finds the lock taken. */
export interface Owner {
  /** Another one for each run. */
  readonly id: string;
  /** As the audit trail names them. */
  readonly actor: string;
  readonly host: string;
}

export interface LockOptions {
  readonly owner: Owner;
  /** How long the lock holds without a sign of life; default 60 s. */
  readonly leaseMs?: number;
  /** Between two signs of life; default 20 s. */
  readonly heartbeatMs?: number;
}

/** The one runner's right to change the state of migrations. */
export interface HeldLock {
  /** Rises with each owner. */
  readonly fence: number;
  /**
   * Writes items of the migrations table, at most 99, all or none, on condition that the lock is still this owner's: the
   * condition is part of the transaction, so that nothing of an owner whose lease was taken over arrives late.
   * @throws CliError when the lock is lost.
   */
  write(steps: readonly TransactStep[]): Promise<void>;
  /**
   * Asked before each change outside of the migrations table, which cannot carry the condition.
   * @throws CliError when the lease may have ended.
   */
  assertHeld(): void;
  /** Stops the signs of life and gives the lock back, if it is still this owner's. */
  release(): Promise<void>;
}

const lockKey: Item = { id: { S: migrationLockId }, entry: { S: "main" } };

/**
 * Takes the lock, at once where it is free or its lease has ended.
 *
 * Times are S3's, not this machine's, where its answer tells them: a clock that is ahead must not take a living runner's
 * lease. The item stays when the lock is given back: `fence` counts all owners there ever were.
 * @throws CliError when somebody else holds it.
 */
export async function takeLock(site: MigrationSite, options: LockOptions): Promise<HeldLock> {
  const { aws, migrationsTable: table, signal } = site;
  const { owner, leaseMs = 60_000, heartbeatMs = 20_000 } = options;
  const local = site.now().getTime();
  const aheadMs = local - ((await serverTime(aws, site.bucket, signal))?.getTime() ?? local);
  const nowMs = () => site.now().getTime() - aheadMs;
  const leaseEnd = () => ({ S: new Date(nowMs() + leaseMs).toISOString() });

  const found = await getItem(aws, { table, key: lockKey, signal });
  assertFree(found, nowMs());
  const fence = Number(found?.["fence"]?.N ?? 0) + 1;
  // Taken while looking: by the same look, both would go on.
  const asFound = (["fence", "owner", "leaseEnd"] as const).map((path) => {
    const to = found?.[path];
    return to === undefined ? { path, is: "absent" as const } : { path, is: "equal" as const, to };
  });
  let renewedAt = performance.now();
  const taken = await updateAttributes(aws, {
    table,
    key: lockKey,
    set: [
      { path: "fence", value: { N: String(fence) } },
      { path: "owner", value: { S: owner.id } },
      { path: "actor", value: { S: owner.actor } },
      { path: "host", value: { S: owner.host } },
      { path: "since", value: { S: new Date(nowMs()).toISOString() } },
      { path: "leaseEnd", value: leaseEnd() },
    ],
    conditions: asFound,
    signal,
  });
  if (!taken.applied) {
    assertFree(taken.found, nowMs());
    throw new CliError("another run took the lock of the migrations at the same moment", {
      hint: "`mawps migrate status` shows it; run the command again when it has ended",
    });
  }

  const isOurs = [
    { path: "owner", is: "equal" as const, to: { S: owner.id } },
    { path: "fence", is: "equal" as const, to: { N: String(fence) } },
  ];
  let isLost = false;
  // One after the other: transactions that look at the same item at the same time cancel each other.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const lost = () =>
    new CliError("another run took over the migrations: this one was silent for too long", {
      hint: "nothing more is written here; `mawps migrate status` shows how far the other one is",
    });
  const assertHeld = () => {
    if (isLost || performance.now() - renewedAt > leaseMs) throw lost();
  };

  async function renew(): Promise<void> {
    const from = performance.now();
    const outcome = await updateAttributes(aws, {
      table,
      key: lockKey,
      set: [{ path: "leaseEnd", value: leaseEnd() }],
      conditions: isOurs,
    });
    if (outcome.applied) renewedAt = from;
    else isLost = true;
  }

  // What fails on the way to the service is tried again with the next one; the lease ends by itself.
  const heart = setInterval(() => void inTurn(renew).catch(() => undefined), heartbeatMs);
  heart.unref();

  return {
    fence,
    assertHeld,
    write: (steps) =>
      inTurn(async () => {
        if (isLost) throw lost();
        // Without the run's signal: what was begun is noted also after Ctrl-C.
        const refusal = await transact(aws, [
          { kind: "check", table, key: lockKey, conditions: isOurs },
          ...steps,
        ]);
        if (refusal === undefined) return;
        if (!refusal.refused.includes(0)) throw new Error("an entry of the migrations was written twice");
        isLost = true;
        throw lost();
      }),
    async release() {
      clearInterval(heart);
      await inTurn(async () => {
        if (isLost) return;
        await updateAttributes(aws, {
          table,
          key: lockKey,
          remove: ["owner", "actor", "host", "since", "leaseEnd"],
          conditions: isOurs,
        });
      });
    },
  };
}

/** Who holds the lock, whether or not the lease has ended; undefined when nobody does. */
export interface LockHolder {
  readonly actor: string;
  readonly host: string;
  readonly since: string;
  readonly leaseEnd: string;
}

/** For `status`. */
export async function readLock(site: MigrationSite): Promise<LockHolder | undefined> {
  return holderOf(
    await getItem(site.aws, { table: site.migrationsTable, key: lockKey, signal: site.signal }),
  );
}

function holderOf(item: Item | undefined): LockHolder | undefined {
  if (item?.["owner"] === undefined) return undefined;
  const { actor, host, since, leaseEnd } = plain(item);
  return {
    actor: String(actor),
    host: String(host),
    since: String(since),
    leaseEnd: String(leaseEnd),
  };
}

function assertFree(found: Item | undefined, nowMs: number): void {
  const holder = holderOf(found);
  if (holder === undefined || !(Date.parse(holder.leaseEnd) > nowMs)) return;
  const { actor, host, since, leaseEnd } = holder;
  throw new CliError(`migrations are being run by ${actor} on ${host} since ${since}`, {
    hint: `if that run died, its lock ends at ${leaseEnd}: run the command again then`,
  });
}
