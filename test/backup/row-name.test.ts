import { describe, expect, it } from "vitest";
import { rowNamed } from "../../src/backup/row-name.ts";
import type { DatabaseSnapshot } from "../../src/backup/snapshot.ts";
import { CliError } from "../../src/errors.ts";

const facts = {
  "table users": "InnoDB",
  "column users.id": "varchar(36) NOT NULL",
  "index users.PRIMARY": "UNIQUE (id)",
  "table notes": "InnoDB",
  "column notes.id": "varchar(36) NOT NULL",
  "column notes.day": "datetime NOT NULL",
  "index notes.PRIMARY": "UNIQUE (id, day)",
  "table loose": "InnoDB",
  "column loose.id": "int",
};
const databaseOf = (role: string, catalogue: Record<string, string>): DatabaseSnapshot => ({
  role,
  name: `${role}_db`,
  engine: "mysql",
  from: "",
  to: "",
  rows: 0,
  catalogue,
  file: { sha256: "", bytes: 0 },
  tables: [],
});
const users = Object.entries(facts).filter(([fact]) => fact.includes("users"));
const databases = [
  databaseOf("main", facts),
  databaseOf("crm", {
    ...Object.fromEntries(users),
    "table only": "InnoDB",
    "index only.PRIMARY": "UNIQUE (id)",
  }),
];

describe("the row that a text names", () => {
  it.each<[string, ReturnType<typeof rowNamed>]>([
    ["only:o-1", { database: "crm", table: "only", key: ["o-1"] }],
    ["only:a:b,c", { database: "crm", table: "only", key: ["a:b,c"] }],
    ['only:["a"]', { database: "crm", table: "only", key: ['["a"]'] }],
    ["main.users:u-1", { database: "main", table: "users", key: ["u-1"] }],
    ["crm_db.users:u-1", { database: "crm", table: "users", key: ["u-1"] }],
    [
      "notes:n-1,2026-06-01 00:00:00",
      { database: "main", table: "notes", key: ["n-1", "2026-06-01 00:00:00"] },
    ],
    ['notes:["a,b","c:d"]', { database: "main", table: "notes", key: ["a,b", "c:d"] }],
    ["user-1/user-profile", undefined],
    ["eu-central-1:1234", undefined],
    ["only", undefined],
  ])("%s", (text, row) => {
    expect(rowNamed({ databases }, text)).toEqual(row);
  });

  it.each([
    ["users:u-1", "several databases have a table users"],
    ["loose:1", "table loose has no primary key"],
    ["notes:n-1", "a row of notes is known by 2 columns: id, day"],
    ["notes:a,b,c", "a row of notes is known by 2 columns: id, day"],
    ["notes:n-1,", "a row of notes is known by 2 columns: id, day"],
    ["only:", "a row of only is known by its id"],
  ])("%s is wrong usage", (text, told) => {
    const naming = () => rowNamed({ databases }, text);
    expect(naming).toThrow(told);
    expect(naming).toThrow(CliError);
  });
});
