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

const owner = (id: string) => ({ id, actor: `local:${id}`, host: "here" });
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
  const one = await takeLock(opened.site, { owner: owner("one") });
  await expect(takeLock(opened.site, { owner: owner("two") })).rejects.toThrow(
    /run by local:one on here since .*Z/,
  );
  await one.release();
  expect(await readLock(opened.site)).toBeUndefined();
  const two = await takeLock(opened.site, { owner: owner("two") });
  expect([one.fence, two.fence]).toEqual([1, 2]);
  await two.release();
});

it("of two that take it at the same moment one gets it", async () => {
  const both = await Promise.allSettled(
    ["one", "two"].map((id) => takeLock(opened.site, { owner: owner(id) })),
  );
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  for (const each of both) if (each.status === "fulfilled") await each.value.release();
});

it("lets a dead owner's lease be taken over; what that one still writes fails, and changes nothing", async () => {
  const one = await takeLock(opened.site, { owner: owner("one"), leaseMs: 1000, ...noHeart });
  await one.write(note("of the first"));
  await sleep(2100);
  expect(() => one.assertHeld()).toThrow("another run took over");
  const two = await takeLock(opened.site, { owner: owner("two") });
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
  const one = await takeLock(opened.site, { owner: owner("one"), leaseMs: 2000, heartbeatMs: 100 });
  const first = await readLock(opened.site);
  while ((await readLock(opened.site))?.leaseEnd === first?.leaseEnd) await sleep(20);
  one.assertHeld();
  await expect(takeLock(opened.site, { owner: owner("two") })).rejects.toThrow("run by local:one");
  await one.release();
});

it("goes by the server's clock: one that is ahead takes nobody's lease", async () => {
  const one = await takeLock(opened.site, { owner: owner("one") });
  const ahead = { ...opened.site, now: () => new Date(Date.now() + 3_600_000) };
  await expect(takeLock(ahead, { owner: owner("two") })).rejects.toThrow("run by local:one");
  await one.release();
});
