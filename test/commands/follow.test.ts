import { expect, it } from "vitest";
import type { Amount } from "../../src/amount.ts";
import { follow } from "../../src/commands/follow.ts";

/** What a terminal is told of amounts that come so many seconds after the beginning. */
function told(steps: readonly (readonly [seconds: number, amount?: Amount])[]): unknown[] {
  const shown: unknown[] = [];
  let seconds = 0;
  const world = { now: () => new Date(1000 * seconds) };
  const update = (text: string, share?: number) =>
    void shown.push(share === undefined ? text : [text, share]);
  const tell = follow({ world } as Parameters<typeof follow>[0], { update, stop: () => undefined });
  for (const [at, amount] of steps) {
    seconds = at;
    tell("comparing", amount);
  }
  return shown;
}

const items = (done: number, total = 5000) => ({ done, total, of: "items" });

it("tells the rate and the time left once there is a rate, of what this run has done", () => {
  expect(told([[0], [1, items(1000)], [2, items(1200)], [11, items(3000)]])).toEqual([
    "comparing",
    ["comparing: 1,000 of 5,000 items", 0.2],
    ["comparing: 1,200 of 5,000 items", 0.24],
    ["comparing: 3,000 of 5,000 items, 200/s, 10 s left", 0.6],
  ]);
});

it("begins anew with another total, and never tells of more than all", () => {
  expect(
    told([
      [0, items(0)],
      [10, items(6000)],
      [11, items(10, 20)],
    ]),
  ).toEqual([
    ["comparing: 0 of 5,000 items", 0],
    ["comparing: 6,000 of 6,000 items, 600/s, 0.0 s left", 1],
    ["comparing: 10 of 20 items", 0.5],
  ]);
});

it("tells bytes as people read them", () => {
  expect(
    told([
      [0, { done: 0, total: 4e9 }],
      [4, { done: 1e9, total: 4e9 }],
    ]),
  ).toEqual([
    ["comparing: 0 B of 4.0 GB", 0],
    ["comparing: 1.0 GB of 4.0 GB, 250 MB/s, 12 s left", 0.25],
  ]);
});
