import { expect, it } from "vitest";
import { readingText, type Began, type Whole } from "../../../src/commands/backup/create-progress.ts";

const now = { what: "bucket files", items: 1200, objects: 40, bytes: 45e6, users: 0, rows: 0 };
const whole: Whole = { items: 1500, files: { objects: 90, bytes: 200e6 } };
const began: Began = { atMs: 1000, bytes: 5e6 };

it.each<[string, Parameters<typeof readingText>[0], Partial<Parameters<typeof readingText>[1]>, unknown[]]>([
  [
    "what is read, what there is, how fast, how long still",
    now,
    {},
    [
      "bucket files: 1,200 of about 1,500 items, 40 of 90 objects, 45.0 MB of 200 MB, 10.0 MB/s, 16 s left",
      0.225,
    ],
  ],
  [
    "no end while it is being counted",
    now,
    { whole: { items: 1500, files: undefined } },
    ["bucket files: 1,200 of about 1,500 items, 40 objects, 0 accounts so far"],
  ],
  [
    "no end before the first object",
    { ...now, objects: 0, bytes: 0 },
    { began: undefined },
    ["bucket files: 1,200 of about 1,500 items, 0 objects, 0 accounts so far"],
  ],
  [
    "no more than all where more is there than was counted",
    { ...now, items: 1600, objects: 91, bytes: 205e6 },
    {},
    ["bucket files: 1,600 items, 91 of 91 objects, 205 MB of 205 MB, 50.0 MB/s, 0.0 s left", 1],
  ],
  [
    "no rate right at the beginning",
    now,
    { began: { atMs: 3000, bytes: 5e6 } },
    ["bucket files: 1,200 of about 1,500 items, 40 of 90 objects, 45.0 MB of 200 MB", 0.225],
  ],
])("tells %s", (_name, reading, differing, told) => {
  expect(readingText(reading, { whole, began, atMs: 5000, ...differing })).toEqual(told);
});
