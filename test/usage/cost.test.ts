import { describe, expect, it } from "vitest";
import { costGroupOf, costOf, type Stored, type Terms } from "../../src/usage/cost.ts";
import { loadPrices, pricesIn } from "../../src/usage/prices.ts";
import { nothing, type Group, type Piece } from "../../src/usage/sums.ts";

const now = new Date("2026-10-01T00:00:00.000Z");
const terms: Terms = { unfinished: 7, noncurrent: 30, objects: 30, isTiered: false };
const gigabyte = 1024 ** 3;
const prices = await loadPrices(undefined);

const empty: Stored = {
  files: [],
  tables: [],
  scaled: new Map(),
  recovering: new Set(),
  nativeBackupBytes: 0,
  accounts: undefined,
  plan: "ESSENTIALS",
  unusedIndexes: [],
};

const group = (name: string, amounts: Partial<Group>): Group => ({
  ...nothing,
  group: name,
  bytes: 0,
  ...amounts,
});
const table = (name: string, gigabytes: number, indexGigabytes: number) => ({
  table: name,
  entities: [],
  items: 1,
  bytes: gigabytes * gigabyte,
  indexes: [{ name: "i", items: 1, bytes: indexGigabytes * gigabyte }],
  class: "STANDARD" as const,
  billing: "on-demand" as const,
});

describe("what a month costs", () => {
  it("case 1: files in Frankfurt, with old versions and parts, and what tiering would save", () => {
    const stored: Stored = {
      ...empty,
      files: [
        group("STANDARD large past", {
          objects: { count: 40_000, bytes: 100 * gigabyte },
          noncurrent: { count: 2000, bytes: 20 * gigabyte },
          unfinished: { count: 3, bytes: 10 * gigabyte },
        }),
        group("STANDARD large young", { objects: { count: 10_000, bytes: 50 * gigabyte } }),
        group("STANDARD small past", { objects: { count: 90_000, bytes: 4 * gigabyte } }),
      ],
    };
    const { lines, usd, savings, old } = costOf(stored, pricesIn(prices, "eu-central-1"), { now, terms });
    expect(lines.map(({ what, quantity, usd: each }) => [what, quantity, each?.toFixed(4)])).toEqual([
      // 154 x 0.0245, 20 x 0.0245, 10 x 0.0245
      ["objects, STANDARD", 154, "3.7730"],
      ["old versions, STANDARD", 20, "0.4900"],
      ["unfinished uploads, STANDARD", 10, "0.2450"],
    ]);
    expect(usd).toBeCloseTo(4.508, 10);
    expect(savings.map(({ usd: each, remedy }) => [each?.toFixed(4), remedy])).toEqual([
      ["0.2450", "mawps setup --fix"],
      ["0.4900", "mawps setup --fix"],
      // 100 GB x (0.0245 - 0.0135) less 50,000 objects x 0.0025 / 1,000
      ["0.9750", expect.stringContaining("intelligent-tiering")],
    ]);
    expect(savings[2]?.assumption).toContain("STANDARD_IA");
    expect(old).toEqual([]);
  });

  it("case 2: tables in Ireland, with 25 GB free, recovery and backups of which no price is known", () => {
    const stored: Stored = {
      ...empty,
      tables: [table("a", 30, 10), table("b", 5, 0)],
      recovering: new Set(["a"]),
      nativeBackupBytes: 12 * gigabyte,
      accounts: 10_500,
    };
    const { lines, usd } = costOf(stored, pricesIn(prices, "eu-west-1"), { now, terms });
    expect(lines.map(({ what, quantity, usd: each }) => [what, quantity, each?.toFixed(4)])).toEqual([
      // (45 - 25) x 0.283; 30 x 0.22; 500 x 0.015
      ["tables and their indexes, STANDARD", 45, "5.6600"],
      ["point-in-time recovery", 30, "6.6000"],
      ["backups kept by DynamoDB", 12, undefined],
      ["accounts, plan ESSENTIALS", 10_500, "7.5000"],
    ]);
    expect(usd).toBeCloseTo(5.66 + 6.6 + 7.5, 10);
  });

  it("backups in a bucket of their own cost what files do, whole with what was replaced", () => {
    const of = (gigabytes: number) => ({ count: 1, bytes: gigabytes * gigabyte });
    const backupFiles = [
      group("STANDARD large past", { objects: of(30), noncurrent: of(8) }),
      group("STANDARD small young", { unfinished: of(2) }),
      group("GLACIER_IR large past", { objects: of(100) }),
    ];
    const told = costOf({ ...empty, backupFiles }, pricesIn(prices, "us-east-1"), { now, terms });
    expect(told.lines.map(({ what, quantity, usd }) => [what, quantity, usd?.toFixed(4)])).toEqual([
      ["backups, GLACIER_IR", 100, "0.4000"],
      // (30 + 8 + 2) x 0.023
      ["backups, STANDARD", 40, "0.9200"],
    ]);
    expect(told.savings).toEqual([]);
  });

  it("requests cost what CloudWatch counted; what it does not know of all is shown with its price", () => {
    const asked = {
      tables: new Map([
        ["a", { write: 4_000_000, read: 10_000_000 }],
        // Its units are paid by the hour.
        ["fixed", { write: 9_000_000, read: 0 }],
      ]),
      buckets: new Map([["files", { write: 20_000, read: 500_000, downloadedBytes: 130 * gigabyte }]]),
    };
    const fixed = { ...table("fixed", 0, 0), indexes: [], billing: { writeUnits: 10, readUnits: 100 } };
    const stored: Stored = { ...empty, tables: [table("a", 1, 0), fixed], asked, buckets: ["files"] };
    const toldOf = (some: Stored) => {
      const { lines, uncounted } = costOf(some, pricesIn(prices, "us-east-1"), { now, terms });
      const costs = lines.filter(({ code }) => code !== "tables");
      return {
        lines: costs.map(({ what, quantity, usd }) => [what, quantity, usd?.toFixed(4)]),
        assumptions: costs.map(({ assumption }) => assumption),
        uncounted: uncounted.map(({ id }) => id),
      };
    };
    const all = toldOf(stored);
    expect(all.lines).toEqual([
      // 10 x 730 x 0.00065; 100 x 730 x 0.00013
      ["provisioned write capacity", 7300, "4.7450"],
      ["provisioned read capacity", 73_000, "9.4900"],
      // 20 x 0.005; 500 x 0.0004; (130 - 100) x 0.09
      ["PUT, POST and LIST requests", 20, "0.1000"],
      ["GET and HEAD requests", 500, "0.2000"],
      ["downloads", 130, "2.7000"],
      // 4 x 0.625; 10 x 0.125
      ["write requests of tables on demand", 4, "2.5000"],
      ["read requests of tables on demand", 10, "1.2500"],
    ]);
    expect(all.assumptions[2]).toContain("of the 1 of 1 buckets that keep metrics of them");
    expect(all.uncounted).toEqual([]);
    const some = toldOf({ ...stored, buckets: ["files", "others"] });
    expect(some.lines).toEqual(all.lines);
    expect(some.uncounted).toEqual(["s3.requests.write", "s3.requests.read", "transfer.out"]);
    const none = toldOf({ ...stored, asked: undefined });
    expect(none.lines).toEqual(all.lines.slice(0, 2));
    expect(none.uncounted).toEqual([...some.uncounted, "dynamodb.write", "dynamodb.read"]);
  });

  it("an index that nobody reads is worth what it takes beyond what is free, and what was written into it; what is due, its bytes", () => {
    const stored: Stored = {
      ...empty,
      tables: [table("a", 40, 10)],
      unusedIndexes: [{ table: "a", index: "i", writeUnits: 2_000_000 }],
      due: [{ rule: "deleted-documents", count: 1200, bytes: 100 * gigabyte }],
    };
    const told = (some: Stored) =>
      costOf(some, pricesIn(prices, "eu-central-1"), { now, terms }).savings.map(({ what, usd, remedy }) => [
        what,
        usd?.toFixed(4),
        remedy,
      ]);
    const drop = `aws dynamodb update-table --table-name a --global-secondary-index-updates '[{"Delete":{"IndexName":"i"}}]'`;
    const index = "dropping the index i of a, from which nobody has read for 30 days";
    expect(told(stored)).toEqual([
      // 100 x 0.0245
      ["deleting what is due by the rule deleted-documents: 1,200 entries", "2.4500", "mawps retention run"],
      // 10 x 0.306 + 2 x 0.7625
      [index, "4.5850", drop],
    ]);
    // Of 26 GB one is paid, whatever the index takes of them: 0.306 + 1.525.
    expect(told({ ...stored, due: [], tables: [table("a", 16, 10)] })).toEqual([[index, "1.8310", drop]]);
  });

  it("case 3: small objects in Virginia, for which tiering has nothing to do, and a class of its own price", () => {
    const stored: Stored = {
      ...empty,
      files: [
        group("STANDARD small past", { objects: { count: 1_000_000, bytes: 10 * gigabyte } }),
        group("STANDARD large young", { objects: { count: 8000, bytes: 2 * gigabyte } }),
        group("GLACIER_IR large past", { objects: { count: 10, bytes: 500 * gigabyte } }),
      ],
    };
    const { lines, savings } = costOf(stored, pricesIn(prices, "us-east-1"), { now, terms });
    expect(lines.map(({ what, usd }) => [what, usd?.toFixed(4)])).toEqual([
      // 500 x 0.004; 12 x 0.023
      ["objects, GLACIER_IR", "2.0000"],
      ["objects, STANDARD", "0.2760"],
    ]);
    // Nothing large is old: 8,000 objects x 0.0025 / 1,000 for nothing.
    expect(savings.map(({ usd }) => usd?.toFixed(4))).toEqual(["-0.0200"]);
    expect(savings[0]?.assumption).not.toContain("STANDARD_IA");
  });

  it("case 4: old versions of several classes, each at its price, and what watching over Intelligent-Tiering costs", () => {
    const amount = (count: number, gigabytes: number) => ({ count, bytes: gigabytes * gigabyte });
    const stored: Stored = {
      ...empty,
      files: [
        group("STANDARD large past", { noncurrent: amount(10, 10) }),
        group("GLACIER_IR large past", { noncurrent: amount(10, 100) }),
        group("DEEP_ARCHIVE large past", { noncurrent: amount(10, 1000) }),
        group("INTELLIGENT_TIERING large young", {
          objects: amount(40_000, 20),
          noncurrent: amount(5000, 1),
        }),
        group("INTELLIGENT_TIERING large past", { noncurrent: amount(4000, 2) }),
        group("INTELLIGENT_TIERING small past", { objects: amount(90_000, 1) }),
        group("STANDARD_IA small past", { unfinished: amount(2, 30) }),
      ],
    };
    const { lines, savings } = costOf(stored, pricesIn(prices, "us-east-1"), { now, terms });
    expect(lines.map(({ what, quantity, usd }) => [what, quantity, usd?.toFixed(4)])).toEqual([
      ["old versions, DEEP_ARCHIVE", 1000, undefined],
      // 100 x 0.004; 21 x 0.023, 3 x 0.023; 10 x 0.023; 30 x 0.0125
      ["old versions, GLACIER_IR", 100, "0.4000"],
      ["objects, INTELLIGENT_TIERING", 21, "0.4830"],
      ["old versions, INTELLIGENT_TIERING", 3, "0.0690"],
      ["old versions, STANDARD", 10, "0.2300"],
      ["unfinished uploads, STANDARD_IA", 30, "0.3750"],
      // 49 x 0.0025
      ["monitoring, INTELLIGENT_TIERING", 49, "0.1225"],
    ]);
    expect(savings.map(({ usd }) => usd?.toFixed(4))).toEqual([
      "0.3750",
      // 0.4 + 2 x 0.023 + 0.23 + 4 x 0.0025
      "0.6860",
    ]);
    expect(savings[1]?.assumption).toContain("without old versions, DEEP_ARCHIVE: no price is known");
  });

  it("is not known in a region without prices, and no figure is without a date and an assumption", () => {
    const stored = {
      ...empty,
      files: [group("STANDARD large past", { objects: { count: 1, bytes: gigabyte } })],
      accounts: 1,
    };
    const nowhere = costOf(stored, pricesIn(prices, "sa-east-1"), { now, terms });
    expect(nowhere.lines.map(({ usd }) => usd)).toEqual([null, 0]);
    expect(nowhere.savings.map(({ usd }) => usd)).toEqual([null]);
    const later = costOf(stored, pricesIn(prices, "eu-central-1"), { now: new Date("2027-09-01"), terms });
    expect(later.old.map(({ id }) => id)).toContain("s3.storage.STANDARD");
    expect(later.old.map(({ id }) => id)).not.toContain("cognito.ESSENTIALS");
    const texts = [...later.lines, ...later.savings].map(({ assumption }) => assumption);
    expect(texts).toHaveLength(3);
    expect(texts.filter((text) => text === "")).toEqual([]);
  });

  it("each price that travels with the program has a region, a source and a day, and is there once", () => {
    const names = prices.map(({ id, region }) => `${region} ${id}`);
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
    const isWhole = ({ source, date, usd }: (typeof prices)[number]) =>
      source.startsWith("https://") && /^2\d{3}-\d\d-\d\d$/.test(date) && usd > 0;
    expect(prices.filter((price) => !isWhole(price))).toEqual([]);
  });
});

it.each<[string, Partial<Piece>, string | null]>([
  ["large and past its term", { bytes: 131_072, at: new Date("2026-08-31") }, "STANDARD large past"],
  ["small", { bytes: 131_071, at: new Date("2026-08-31") }, "STANDARD small past"],
  ["young", { bytes: 1, at: new Date("2026-09-01T00:00:00.000Z") }, "STANDARD small young"],
  [
    "an upload has a term of its own",
    { part: "unfinished", at: new Date("2026-09-23") },
    "STANDARD small past",
  ],
  ["its class", { storageClass: "GLACIER" }, "GLACIER small young"],
  ["a marker", { part: "markers" }, null],
])("a piece is priced by what it is: %s", (_name, piece, expected) => {
  const given: Piece = { key: "x", part: "objects", bytes: 1, at: now, ...piece };
  expect(costGroupOf(now, terms)(given)).toBe(expected);
});

it("counts units of tables and indexes as they are now, and says how far they scale", () => {
  const units = (min: number, max: number) => ({ min, max, target: 70 });
  const stored: Stored = {
    ...empty,
    tables: [
      { ...table("scaled", 0, 0), billing: { readUnits: 24, writeUnits: 10 } },
      { ...table("fixed", 0, 0), billing: { readUnits: 3, writeUnits: 0 } },
      table("on demand", 0, 0),
    ],
    scaled: new Map([["scaled", { read: units(5, 50), write: units(5, 5) }]]),
  };
  const { lines } = costOf(stored, pricesIn(prices, "eu-central-1"), { now, terms });
  const found = lines.filter(({ what }) => what.startsWith("provisioned"));
  expect(found.map(({ what, quantity, assumption }) => [what, quantity, assumption])).toEqual([
    [
      "provisioned write capacity",
      10 * 730,
      "the units of tables and indexes as now, 10, for 730 hours, all of the class STANDARD; the model lets them scale from 10 to 10",
    ],
    [
      "provisioned read capacity",
      27 * 730,
      "the units of tables and indexes as now, 27, for 730 hours, all of the class STANDARD; the model lets them scale from 13 to 103",
    ],
  ]);
});

describe("what a figure takes for granted", () => {
  it.each([
    [1, "account"],
    [0, "accounts"],
    [2, "accounts"],
  ])("is told in the number of %i, with thousands grouped", (accounts, unit) => {
    const stored = { ...empty, accounts };
    const { lines } = costOf(stored, pricesIn(prices, "eu-central-1"), { now, terms });
    expect(lines).toMatchObject([
      { quantity: accounts, unit, assumption: expect.stringContaining("the first 10,000 cost nothing") },
    ]);
  });
});
