import { afterEach, beforeEach, expect, test } from "vitest";
import { pruneUnderWay, takePruneLock, waitForPrune } from "../../src/backup/prune-lock.ts";
import type { Repository } from "../../src/backup/repository.ts";
import { hereAs, namesIn, onEveryStore, openKept, type Kept } from "./prune-world.ts";

onEveryStore("the lock of a prune", (keep) => {
  let kept: Kept;
  let repository: Repository;

  beforeEach(async () => {
    kept = await keep();
    repository = await openKept(kept);
  });
  afterEach(() => kept.close());

  const locks = () => namesIn(kept.store, "locks/");

  test("is seen by others while it is held, and gone afterwards", async () => {
    const lock = await takePruneLock(repository, hereAs(1));
    expect(await pruneUnderWay(repository, hereAs(2, [1]))).toBe(true);
    await lock.assertHeld();
    await lock.release();
    expect(await pruneUnderWay(repository, hereAs(2, [1]))).toBe(false);
    expect(await locks()).toEqual([]);
  });

  test("is refused to a second one, which names the first", async () => {
    const lock = await takePruneLock(repository, hereAs(1));
    await expect(takePruneLock(repository, hereAs(2, [1]))).rejects.toThrow(/process 1 on here/);
    await lock.assertHeld();
    await lock.release();
  });

  test("goes to one of two that come at once", async () => {
    const both = await Promise.allSettled([
      takePruneLock(repository, hereAs(1, [2])),
      takePruneLock(repository, hereAs(2, [1])),
    ]);
    expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of both) if (one.status === "fulfilled") await one.value.release();
    expect(await locks()).toEqual([]);
  });

  test("is taken over from a dead command, which can do no more when it was not dead", async () => {
    const former = await takePruneLock(repository, hereAs(1));
    expect(await pruneUnderWay(repository, hereAs(2))).toBe(false);
    const latter = await takePruneLock(repository, hereAs(2));
    await expect(former.assertHeld()).rejects.toThrow(/at rest for too long/);
    await latter.assertHeld();
    await former.release();
    await latter.assertHeld();
    await latter.release();
    expect(await locks()).toEqual([]);
  });

  test("of another machine counts as dead three minutes after its last sign of life", async () => {
    const later = (ms: number) => ({
      ...hereAs(1),
      host: "elsewhere",
      now: () => new Date(Date.now() + ms),
    });
    const lock = await takePruneLock(repository, hereAs(1));
    expect(await pruneUnderWay(repository, later(2 * 60_000))).toBe(true);
    expect(await pruneUnderWay(repository, later(4 * 60_000))).toBe(false);
    await lock.release();
  });

  test("ends before others count it as dead, when its heart stopped", async () => {
    let ms = 0;
    const now = () => new Date(Date.now() + ms);
    const lock = await takePruneLock(repository, { ...hereAs(1), now });
    ms = 2 * 60_000 + 1;
    await expect(lock.assertHeld()).rejects.toThrow(/at rest for too long/);
    await lock.release();
  });

  test("lets a backup that waits go on once it is gone", async () => {
    const lock = await takePruneLock(repository, hereAs(1));
    let waits = 0;
    const waiting = waitForPrune(repository, hereAs(2, [1]), () => {
      waits += 1;
      void lock.release();
    });
    await waiting;
    expect(waits).toBe(1);
    expect(await pruneUnderWay(repository, hereAs(2, [1]))).toBe(false);
  });

  test("lets a backup go on at once where there is none", async () => {
    let waits = 0;
    await waitForPrune(repository, hereAs(2), () => (waits += 1));
    expect(waits).toBe(0);
  });
});
