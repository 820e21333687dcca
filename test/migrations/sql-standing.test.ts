import { expect, test } from "vitest";
import type { RegisteredSql } from "../../src/migrations/sql-files.ts";
import { correctedStates, placeAmong, type Place } from "../../src/migrations/sql-standing.ts";
import { noCounts, type MigrationState, type Status } from "../../src/migrations/state.ts";
import type { Catalogue } from "../../src/sql/catalogue.ts";

const ids = ["0001-a", "0002-b", "0003-c"];
const catalogue = (...tables: string[]): Catalogue =>
  new Map(tables.map((table) => [`table ${table}`, "InnoDB"] as const));
/** The second only puts rows in. */
const catalogues = [catalogue(), catalogue("a"), catalogue("a"), catalogue("a", "c")];

function states(...all: (Status | undefined)[]): Map<string, MigrationState> {
  return new Map(
    all.flatMap((status, at) => {
      const id = ids[at] ?? "";
      const state = { id, startedAt: "", by: "", tool: "", counts: noCounts, batch: 0 };
      return status === undefined ? [] : [[id, { ...state, status }] as const];
    }),
  );
}

test.each<[string, Catalogue, Map<string, MigrationState>, unknown, string[]?, string[]?]>([
  ["empty", catalogue(), states(), { at: 0 }],
  ["newest, whatever the ledger says", catalogue("a", "c"), states(), { at: 3 }],
  ["older than the ledger says", catalogue(), states("applied", "applied", "applied"), { at: 0 }],
  ["as behind two versions: the ledger decides", catalogue("a"), states("applied"), { at: 1 }],
  ["as behind two versions, without a ledger", catalogue("a"), states(), { at: 2 }],
  [
    "between two, as the ledger says",
    catalogue("c"),
    states("applied", "applied", "applying"),
    { within: "0003-c" },
  ],
  ["at none, beside what the ledger says", catalogue("c"), states("applied"), { nearest: 1 }],
  ["at none, without a ledger", catalogue("c"), states(), { nearest: 0 }],
  [
    "before one that was begun and has changed rows",
    catalogue("a"),
    states("applied", "applying"),
    { within: "0002-b" },
    ["mawps_journal_0002_1"],
  ],
  [
    "behind one that was taken back, but for its rows",
    catalogue(),
    states("reverting"),
    { within: "0001-a" },
    ["mawps_journal_0001_2"],
  ],
  [
    "as behind two versions, of rows of which nothing says that they were changed",
    catalogue("a"),
    states(),
    { at: 1 },
    [],
    ["0002-b"],
  ],
  [
    "as behind two versions, where the ledger knows of the rows alone",
    catalogue("a"),
    states(undefined, "applied"),
    { at: 2 },
    [],
    ["0002-b"],
  ],
  [
    "behind one with a journal",
    catalogue("a"),
    states("applied", "applied"),
    { at: 2 },
    ["mawps_journal_0002_1"],
  ],
])("a schema that is %s", (_, found, known, place, journals = [], changing = []) => {
  expect(
    placeAmong(catalogues, found, { ids, states: known, journals, changing: new Set(changing) }),
  ).toMatchObject(place as object);
});

const third = { within: "0003-c" };

test.each<[Place | number, (Status | undefined)[], (Status | undefined)[]]>([
  [2, [], ["applied", "applied", undefined]],
  [2, ["applied", "reverted", "reverted"], ["applied", "applied", "reverted"]],
  [1, ["applied", "applied", "applied"], ["applied", "reverted", "reverted"]],
  [1, ["applied", "applying", undefined], ["applied", "applying", undefined]],
  [2, ["applied", "reverting", undefined], ["applied", "reverting", undefined]],
  [third, [undefined, "reverted", "applying"], ["applied", "applied", "applying"]],
  [third, [undefined, "applied", "reverting"], ["applied", "applied", "reverting"]],
  [{ within: "0001-a" }, ["applying", "applied", undefined], ["applying", "applied", undefined]],
])("with %j in the schema and %j in the ledger they are %j", (place, told, corrected) => {
  const registered: RegisteredSql[] = ids.map((id) => ({
    migration: { id, description: "", up: [], down: [] },
    checksum: "00",
  }));
  const result = correctedStates(
    registered,
    states(...told),
    typeof place === "number" ? { at: place } : place,
  );
  expect(ids.map((id) => result.get(id)?.status)).toEqual(corrected);
});
