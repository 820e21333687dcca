import { getItem, type Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { serverTime } from "../aws/s3/server-time.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { errorName } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { type FoundLease, type Here, keepLease, whenFree } from "../lease.ts";
import { timeOf } from "../model/json.ts";
import { migrationLockId } from "../model/tool-tables.ts";
import type { LedgerPlace } from "./migration.ts";

/** Who runs, for whoever finds the lock taken. */
export interface Owner {
  /** Another one for each run. */
  readonly id: string;
  /** As the audit trail names them. */
  readonly actor: string;
}

export interface LockOptions {
  readonly owner: Owner;
  readonly here: Here;
  /** Each second while an owner elsewhere may be dead or alive. */
  readonly onWait?: (holder: LockHolder, leftMs: number) => void;
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
 * Takes the lock, at once where it is free, its lease has ended, or its owner was a process of this machine that is gone. The lease
 * of an owner elsewhere is waited for, which may be dead; one that is renewed meanwhile is at work.
 *
 * Times are S3's, not this machine's, where its answer tells them: a clock that is ahead must not take a living runner's
 * lease. The item stays when the lock is given back: `fence` counts all owners there ever were.
 * @throws CliError when somebody else holds it.
 */
export async function takeLock(site: LedgerPlace, options: LockOptions): Promise<HeldLock> {
  const { aws, migrationsTable: table, signal } = site;
  const { owner, here, leaseMs = 60_000, heartbeatMs = 20_000 } = options;
  const local = site.now().getTime();
  const told = site.bucket === undefined ? undefined : await serverTime(aws, site.bucket, signal);
  const aheadMs = local - (told?.getTime() ?? local);
  const nowMs = () => site.now().getTime() - aheadMs;
  const leaseEnd = () => ({ S: new Date(nowMs() + leaseMs).toISOString() });

  const look = async () => foundLock(await getItem(aws, { table, key: lockKey, signal }));
  let { item: found, holder } = await look();
  if (holder !== undefined) {
    const waiting = await whenFree({
      look: async () => {
        ({ item: found, holder } = await look());
        return holder;
      },
      here,
      nowMs,
      onWait: options.onWait ?? (() => undefined),
      signal,
    });
    if (!waiting.isFree && waiting.found !== undefined) throw held(waiting.found);
  }
  const fence = Number(found?.["fence"]?.N ?? 0) + 1;
  // Taken while looking: by the same look, both would go on.
  const asFound = (["fence", "owner", "leaseEnd"] as const).map((path) => {
    const to = found?.[path];
    return to === undefined ? { path, is: "absent" as const } : { path, is: "equal" as const, to };
  });
  const taken = await updateAttributes(aws, {
    table,
    key: lockKey,
    set: [
      { path: "fence", value: { N: String(fence) } },
      { path: "owner", value: { S: owner.id } },
      { path: "actor", value: { S: owner.actor } },
      { path: "host", value: { S: here.host } },
      { path: "pid", value: { N: String(here.pid) } },
      { path: "since", value: { S: new Date(nowMs()).toISOString() } },
      { path: "leaseEnd", value: leaseEnd() },
    ],
    conditions: asFound,
    signal,
  });
  if (!taken.applied) {
    const other = foundLock(taken.found).holder;
    if (other !== undefined) throw held(other);
    throw new CliError("another run took the lock of the migrations at the same moment", {
      hint: "`mawps migrate status` shows it; run the command again when it has ended",
    });
  }

  const isOurs = [
    { path: "owner", is: "equal" as const, to: { S: owner.id } },
    { path: "fence", is: "equal" as const, to: { N: String(fence) } },
  ];
  const lost = () =>
    new CliError("another run took over the migrations: this one was silent for too long", {
      hint: "nothing more is written here; `mawps migrate status` shows how far the other one is",
    });
  // Whatever is written goes in turn: transactions that look at the same item at the same time cancel each other.
  const lease = keepLease({
    leaseMs,
    heartbeatMs,
    lost,
    nowMs: () => performance.now(),
    async renew() {
      const change = { table, key: lockKey, set: [{ path: "leaseEnd", value: leaseEnd() }] };
      return (await updateAttributes(aws, { ...change, conditions: isOurs })).applied;
    },
  });

  return {
    fence,
    assertHeld: () => lease.assertHeld(),
    write: (steps) =>
      lease.inTurn(async () => {
        if (lease.isLost) throw lost();
        // Without the run's signal: what was begun is noted also after Ctrl-C.
        const refusal = await transact(aws, [
          { kind: "check", table, key: lockKey, conditions: isOurs },
          ...steps,
        ]);
        if (refusal === undefined) return;
        if (!refusal.refused.includes(0)) throw new Error("an entry of the migrations was written twice");
        lease.lose();
        throw lost();
      }),
    async release() {
      await lease.stop();
      if (lease.isLost) return;
      await updateAttributes(aws, {
        table,
        key: lockKey,
        remove: ["owner", "actor", "host", "pid", "since", "leaseEnd"],
        conditions: isOurs,
      });
    },
  };
}

/** Who holds the lock, whether or not the lease has ended; undefined when nobody does. */
export interface LockHolder extends FoundLease {
  readonly actor: string;
  readonly host: string;
  readonly since: string;
  readonly leaseEnd: string;
}

/** Who holds the lock; nobody where the table is not there yet. */
export async function readLock({
  aws,
  migrationsTable: table,
  signal,
}: Pick<LedgerPlace, "aws" | "migrationsTable" | "signal">): Promise<LockHolder | undefined> {
  try {
    return foundLock(await getItem(aws, { table, key: lockKey, signal })).holder;
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

function foundLock(item: Item | undefined): { item: Item | undefined; holder: LockHolder | undefined } {
  if (item?.["owner"] === undefined) return { item, holder: undefined };
  const { actor, host, pid, since, leaseEnd } = plain(item);
  const holder = {
    actor: String(actor),
    host: String(host),
    since: String(since),
    leaseEnd: String(leaseEnd),
    owner: { host: String(host), pid: typeof pid === "number" ? pid : undefined },
    endsAtMs: timeOf(leaseEnd) ?? 0,
  };
  return { item, holder };
}

function held({ actor, host, since, leaseEnd }: LockHolder): CliError {
  return new CliError(`migrations are being run by ${actor} on ${host} since ${since}`, {
    hint: `wait for its end; should that run die, its lock ends by itself, at ${leaseEnd} if it is silent from now on`,
  });
}
