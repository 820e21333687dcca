import { describe, expect, it } from "vitest";
import { mawpsModel } from "../../src/model/mawps.ts";
import { shippedModels } from "../../src/model/shipped.ts";
import {
  grouperOf,
  largestFirst,
  nothing,
  ownerOf,
  tally,
  topOf,
  type Group,
  type Grouping,
  type Piece,
} from "../../src/usage/sums.ts";

const now = new Date("2026-03-01T12:00:00.000Z");
const piece: Piece = { key: "x", part: "objects", bytes: 1, at: now };
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

describe("the group of a piece", () => {
  it.each<[string, Grouping, Partial<Piece>, string | null]>([
    ["its kind", "entity", { key: "public/documents/user-1/cv/1.pdf" }, "documentFiles"],
    ["no kind", "entity", { key: "invoices/1.pdf" }, null],
    ["a person's", "user", { key: "public/documents/user-1/cv/1.pdf" }, "user-1"],
    [
      "nobody's, though a folder looks like a person",
      "user",
      { key: "public/profile-images/rentals/1.jpg" },
      null,
    ],
    ["nobody's: of no kind", "user", { key: "invoices/user-1/1.pdf" }, null],
    ["an ending in small letters", "type", { key: "a.b/Lebenslauf.PDF" }, "pdf"],
    ["no ending: a folder has the dot", "type", { key: "a.pdf/file" }, null],
    ["no ending: the dot begins the name", "type", { key: "a/.htaccess" }, null],
    ["no ending that looks like a type", "type", { key: "a/1.verylongending" }, null],
    ["the class", "class", { storageClass: "GLACIER" }, "GLACIER"],
    ["the class that S3 leaves out", "class", {}, "STANDARD"],
    ["no class: a delete marker", "class", { part: "markers" }, null],
    ["a day", "age", { at: daysAgo(1) }, "up to 1 day"],
    ["more than a day", "age", { at: daysAgo(1.01) }, "up to 7 days"],
    ["a year", "age", { at: daysAgo(365) }, "up to 1 year"],
    ["very old", "age", { at: daysAgo(1096) }, "older"],
    ["no time", "age", { at: undefined }, null],
  ])("%s", (_name, by, given, group) => {
    expect(grouperOf(by, { model: mawpsModel, bucket: "userFiles", now })({ ...piece, ...given })).toBe(
      group,
    );
  });

  it.each([
    ["prework-guide", "media", "submissions/s-1/user-1/photo.jpg", "user-1"],
    ["prework-guide", "media", "users/user-1/profile/avatar.png", "user-1"],
    ["prework", "media", "users/user-1/uploads/2026/03/a.pdf", "user-1"],
    ["fc024", "attachments", "customers/c-1/u-1/a.pdf", "c-1"],
    ["fc024", "attachments", "opportunities/o-1/u-1/a.pdf", null],
  ])("of %s in %s: %s is of %s", async (name, bucket, key, owner) => {
    const model = await shippedModels[name]?.();
    expect(ownerOf(model ?? mawpsModel, bucket)({ key })).toBe(owner);
  });
});

describe("groups", () => {
  it("are summed up part by part", () => {
    const sums = tally();
    sums.add("a", { part: "objects", bytes: 5 });
    sums.add("a", { part: "objects", bytes: 7 });
    sums.add("a", { part: "markers", bytes: 0 });
    sums.add(null, { part: "unfinished", bytes: 3 });
    expect(sums.groups()).toEqual([
      {
        group: "a",
        sums: { ...nothing, objects: { count: 2, bytes: 12 }, markers: { count: 1, bytes: 0 } },
      },
      { group: null, sums: { ...nothing, unfinished: { count: 1, bytes: 3 } } },
    ]);
  });

  const group = (name: string | null, bytes: number): Group => ({
    ...nothing,
    group: name,
    objects: { count: 1, bytes },
    bytes,
  });

  it("stand the largest first, those of none last among equals, and the others are one", () => {
    const sorted = largestFirst([group("a", 1), group(null, 5), group("b", 9), group("c", 5)]);
    expect(sorted.map((each) => each.group)).toEqual(["b", "c", null, "a"]);
    expect(topOf(sorted, 4)).toEqual(sorted);
    // One alone takes as much room as its name.
    expect(topOf(sorted, 3)).toEqual(sorted);
    expect(topOf(sorted, 2).at(-1)).toEqual({ ...group("2 others", 6), objects: { count: 2, bytes: 6 } });
    expect(topOf(sorted, undefined)).toEqual(sorted);
  });
});
