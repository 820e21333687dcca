import { expect, test } from "vitest";
import { differences, needlessIndexes, tableOfFact, type Catalogue } from "../../src/sql/catalogue.ts";

const users: Catalogue = new Map([
  ["table users", "InnoDB"],
  ["column users.id", "int NOT NULL"],
  ["index users.PRIMARY", "UNIQUE (id)"],
]);

test("differences are told fact by fact, and of a whole table once", () => {
  const found: Catalogue = new Map([
    ["table users", "InnoDB"],
    ["column users.id", "bigint NOT NULL"],
    ["table notes", "InnoDB"],
    ["column notes.id", "int"],
  ]);
  expect(differences(users, found)).toEqual([
    { fact: "column users.id", is: "different", found: "bigint NOT NULL", wanted: "int NOT NULL" },
    { fact: "index users.PRIMARY", is: "missing", found: undefined, wanted: "UNIQUE (id)" },
    { fact: "table notes", is: "additional", found: "InnoDB", wanted: undefined },
  ]);
  expect(differences(users, new Map())).toEqual([
    { fact: "table users", is: "missing", found: undefined, wanted: "InnoDB" },
  ]);
  expect(differences(users, users)).toEqual([]);
  const dotted: Catalogue = new Map([
    ["table my.logs", ""],
    ["column my.logs.id", "int"],
    ["index my.logs.PRIMARY", "UNIQUE (id)"],
  ]);
  expect(differences(dotted, new Map([["table my", ""]]))).toMatchObject([
    { fact: "table my", is: "additional" },
    { fact: "table my.logs", is: "missing" },
  ]);
});

test("of two indexes the one is needless whose columns begin the other, or are the same", () => {
  const indexes: Catalogue = new Map([
    ["table t", ""],
    ["table u", ""],
    ["table t.a", ""],
    ["index t.PRIMARY", "UNIQUE (id)"],
    ["index t.a", "(a)"],
    ["index t.ab", "(a, b)"],
    ["index t.ab2", "(a, b)"],
    ["index t.abc", "(abc)"],
    ["index t.id", "(id)"],
    ["index u.a", "(a)"],
    ["index t.a.b", "(a, b)"],
    ["index t.prefix", "(a(10))"],
    ["index t.partial", "btree (b) WHERE b IS NOT NULL"],
  ]);
  expect(needlessIndexes(indexes)).toEqual([
    { index: "t.a", by: "t.ab", isSame: false },
    { index: "t.ab2", by: "t.ab", isSame: true },
    { index: "t.id", by: "t.PRIMARY", isSame: true },
  ]);
});

test("the table of a fact is the longest that there is, whatever is in its name", () => {
  const tables = new Set(["my", "my.logs"]);
  const of = (fact: string) => tableOfFact(fact, (name) => tables.has(name));
  expect(["column my.logs.id", "index my.id", "view my", "column other.id"].map(of)).toEqual([
    "my.logs",
    "my",
    undefined,
    undefined,
  ]);
});
