import { describe, expect, test } from "vitest";
import { hasTriggers } from "../../src/sql/catalogue.ts";
import { twinName } from "../../src/model/database.ts";
import { tableOfTwin, withoutTwins } from "../../src/sql/partition-twin.ts";
import { rangeOf } from "../../src/sql/partitions.ts";

describe("where the range of a partition ends", () => {
  const noon = (day: string) => Date.parse(`${day}T12:00:00Z`);
  test.each([
    ["mysql", "RANGE unix_timestamp(`at`)", "1767225600", "at", Date.parse("2026-01-01T00:00:00Z")],
    ["mysql", "RANGE unix_timestamp(`at`)", "MAXVALUE", "at", undefined],
    ["mysql", "RANGE to_days(`at`)", "739982", "at", noon("2026-01-01")],
    ["mysql", "RANGE year(`at`)", "2026", "at", noon("2026-01-01")],
    ["mysql", "RANGE COLUMNS `at`", "'2026-01-01 06:00:00'", "at", Date.parse("2026-01-01T18:00:00Z")],
    ["mysql", "RANGE COLUMNS `at`,`id`", "'2026-01-01',7", undefined, undefined],
    ["mysql", "RANGE `id`", "1000", undefined, undefined],
    ["mysql", "HASH `id`", "", undefined, undefined],
    [
      "postgres",
      "RANGE (at)",
      "FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00')",
      "at",
      Date.parse("2026-01-01T00:00:00Z"),
    ],
    ["postgres", "RANGE (at)", "FOR VALUES FROM (MINVALUE) TO ('2026-01-01')", "at", noon("2026-01-01")],
    ["postgres", "RANGE (at)", "FOR VALUES FROM ('2025-01-01') TO (MAXVALUE)", "at", undefined],
    ["postgres", "RANGE (at)", "DEFAULT", "at", undefined],
    [
      "postgres",
      "RANGE (at, id)",
      "FOR VALUES FROM ('2025-01-01', 1) TO ('2026-01-01', 1)",
      undefined,
      undefined,
    ],
    ["postgres", "LIST (at)", "FOR VALUES IN ('2025-01-01')", undefined, undefined],
  ] as const)("%s: %s, %s", (engine, method, bound, column, endMs) => {
    expect(rangeOf(engine, method, bound)).toEqual({ column, endMs });
  });
});

describe("what the rows of a partition stand in while they are out of their table", () => {
  test("says of which table they are, and is none where the name would be too long", () => {
    expect(twinName("logs")).toBe("mawps_out_logs");
    expect(twinName("l".repeat(60))).toBeUndefined();
  });

  test("is found among the tables that are there", () => {
    const catalogue = new Map([
      ["table logs", ""],
      ["table mawps_out_logs", ""],
      ["column mawps_out_logs.id", "int"],
      ["table mawps_out_nothing", ""],
    ] as const);
    expect(tableOfTwin(catalogue, "mawps_out_logs")).toBe("logs");
    expect([...withoutTwins(catalogue).keys()]).toEqual(["table logs", "table mawps_out_nothing"]);
    const dotted = new Map([
      ["table my.logs", ""],
      ["table mawps_out_my.logs", ""],
      ["column mawps_out_my.logs.id", "int"],
    ] as const);
    expect([...withoutTwins(dotted).keys()]).toEqual(["table my.logs"]);
  });
});

describe("a table that hears of its rows", () => {
  test.each([
    ["trigger t", "AFTER DELETE ON Menü BEGIN END", "Menü", true],
    ["trigger t", "AFTER DELETE ON a (b) BEGIN END", "a (b)", true],
    ["trigger t", "BEFORE INSERT ON logs SET NEW.at = NOW()", "logs", true],
    ["trigger t", "AFTER UPDATE ON logs SET @n = 1", "logs", false],
    ["trigger t", "AFTER DELETE ON logs_old BEGIN END", "logs", false],
    ["trigger Menü.t", 'CREATE TRIGGER t AFTER DELETE ON "Menü" FOR EACH ROW', "Menü", true],
    ["trigger other.t", "CREATE TRIGGER t AFTER DELETE ON other FOR EACH ROW", "Menü", false],
  ] as const)("%s: %s, of %s: %s", (fact, text, table, is) => {
    expect(hasTriggers(new Map([[fact, text]]), [table], ["INSERT", "DELETE"])).toBe(is);
  });
});
