import { expect, it } from "vitest";
import { flow } from "../../src/sql/flow.ts";

function paced() {
  const calls: string[] = [];
  const batches = flow<number>({ pause: () => calls.push("pause"), resume: () => calls.push("resume") });
  return { calls, batches };
}

it("pauses a connection that brings more than is taken, and has it go on", async () => {
  const { calls, batches } = paced();
  for (const batch of [1, 2, 3]) batches.push(batch);
  expect(calls).toEqual(["pause"]);
  const taken: number[] = [];
  for await (const batch of batches.batches(60_000)) {
    taken.push(batch);
    if (batch === 3) setImmediate(() => (batches.push(4), batches.end()));
  }
  expect([taken, calls]).toEqual([
    [1, 2, 3, 4],
    ["pause", "resume"],
  ]);
});

it("tells a failure behind what came before it, and gives up where nothing comes", async () => {
  const { batches } = paced();
  batches.push(1);
  batches.fail(new Error("gone"));
  const all = batches.batches(60_000);
  expect((await all.next()).value).toBe(1);
  await expect(all.next()).rejects.toThrow("gone");
  await expect(paced().batches.batches(1).next()).rejects.toThrow("statement timeout");
});

it("throws away what comes once nobody takes it, and leaves the connection going", async () => {
  const { calls, batches } = paced();
  for (const batch of [1, 2]) batches.push(batch);
  for await (const _ of batches.batches(60_000)) break;
  batches.push(3);
  expect(calls).toEqual(["pause", "resume"]);
});
