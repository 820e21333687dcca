import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import type { TransactStep } from "../../src/aws/dynamodb/transact.ts";
import { readLock, takeLock } from "../../src/migrations/lock.ts";
import { openSite, type OpenedSite } from "./open-site.ts";

let opened: OpenedSite;

beforeEach(async () => {
  opened = await openSite("simple");
});

afterEach(() => opened.close());

/** Two processes of one machine that live, as far as the other can tell. */
const here = { host: "here", pid: 1, isAlive: (pid: number) => pid === 2 };
const beside = { host: "here", pid: 2, isAlive: (pid: number) => pid === 1 };
const owner = (id: string) => ({ id, actor: `local:${id}` });
const one1 = { owner: owner("one"), here };
const two2 = { owner: owner("two"), here: beside };
const noHeart = { heartbeatMs: 1_000_000 };

function note(text: string): TransactStep[] {
  const item = { id: { S: "0001-test" }, entry: { S: "state" }, text: { S: text } };
  return [{ kind: "put", table: opened.site.migrationsTable, item }];
}

async function noted(): Promise<string | undefined> {
  const key = { id: { S: "0001-test" }, entry: { S: "state" } };
  return (await getItem(opened.aws, { table: opened.site.migrationsTable, key }))?.["text"]?.S;
}

it("is held by one: the second is told who has it and until when", async () => {
  const one = await takeLock(opened.site, one1);
  await expect(takeLock(opened.site, two2)).rejects.toThrow(/run by local:one on here since .*Z/);
  await one.release();
  expect(await readLock(opened.site)).toBeUndefined();
  const two = await takeLock(opened.site, two2);
  expect([one.fence, two.fence]).toEqual([1, 2]);
  await two.release();
});

it("of two that take it at the same moment one gets it", async () => {
  const both = await Promise.allSettled([one1, two2].map((who) => takeLock(opened.site, who)));
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  for (const each of both) if (each.status === "fulfilled") await each.value.release();
});

it("lets a dead owner's lease be taken over; what that one still writes fails, and changes nothing", async () => {
  const one = await takeLock(opened.site, { ...one1, leaseMs: 1000, ...noHeart });
  await one.write(note("of the first"));
  await sleep(2100);
  expect(() => one.assertHeld()).toThrow("another run took over");
  const two = await takeLock(opened.site, two2);
  await two.write(note("of the second"));
  await expect(one.write(note("late"))).rejects.toThrow("another run took over");
  expect(await noted()).toBe("of the second");
  // Nor does it take the other's lock along when it ends.
  await one.release();
  expect(await readLock(opened.site)).toMatchObject({ actor: "local:two" });
  await two.write(note("still of the second"));
  await two.release();
  expect(await noted()).toBe("still of the second");
});

it("shows signs of life for as long as it is held", async () => {
  const one = await takeLock(opened.site, { ...one1, leaseMs: 60_000, heartbeatMs: 100 });
  const first = await readLock(opened.site);
  while ((await readLock(opened.site))?.leaseEnd === first?.leaseEnd) await sleep(20);
  one.assertHeld();
  await expect(takeLock(opened.site, two2)).rejects.toThrow("run by local:one");
  await one.release();
});

it("goes by the server's clock: one that is ahead takes nobody's lease", async () => {
  const one = await takeLock(opened.site, one1);
  const ahead = { ...opened.site, now: () => new Date(Date.now() + 3_600_000) };
  await expect(takeLock(ahead, two2)).rejects.toThrow("run by local:one");
  await one.release();
});

it("of a process of this machine that is gone is taken over at once, before its lease ends", async () => {
  const dead = await takeLock(opened.site, { ...one1, ...noHeart });
  const beforeMs = performance.now();
  const waits: number[] = [];
  const two = await takeLock(opened.site, {
    ...two2,
    here: { ...beside, isAlive: () => false },
    onWait: (_, leftMs) => void waits.push(leftMs),
  });
  expect([waits, two.fence]).toEqual([[], 2]);
  expect(performance.now() - beforeMs).toBeLessThan(60_000);
  await expect(dead.write(note("late"))).rejects.toThrow("another run took over");
  await two.release();
});

it("of somebody elsewhere is waited for, as long as its lease goes on, and told how long", async () => {
  await takeLock(opened.site, { ...one1, leaseMs: 3000, ...noHeart });
  const waits: number[] = [];
  const two = await takeLock(opened.site, {
    ...two2,
    here: { ...beside, host: "elsewhere" },
    onWait: ({ actor }, leftMs) => void waits.push(actor === "local:one" ? leftMs : Infinity),
  });
  expect(waits.length).toBeGreaterThan(0);
  expect(waits.toSorted((one, other) => other - one)).toEqual(waits);
  expect(waits[0]).toBeLessThanOrEqual(3000 + 1000);
  expect(two.fence).toBe(2);
  await two.release();
});

it("of somebody elsewhere who shows signs of life is not waited for", async () => {
  const one = await takeLock(opened.site, { ...one1, leaseMs: 5000, heartbeatMs: 100 });
  const elsewhere = { ...two2, here: { ...beside, host: "elsewhere" } };
  await expect(takeLock(opened.site, elsewhere)).rejects.toThrow("run by local:one");
  await one.release();
});
