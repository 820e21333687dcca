import { describe, expect, it } from "vitest";
import { findPerson, type People } from "../../src/users/person.ts";

interface Account {
  readonly subject: string;
  readonly id: string;
  readonly email: string | undefined;
}

const anna: Account = { subject: "user", id: "u-1", email: "Anna@example.com" };

/** A site whose accounts are rows: one has this id, and several may have its address. */
function siteOf(accounts: readonly Account[]): People {
  const rows = { accounts: (given: string) => Promise.resolve(given === anna.id ? [anna] : accounts) };
  return { model: { subjects: {}, entities: {} }, rows } as unknown as People;
}

describe("the addresses of an account that is a row", () => {
  const own = ["Anna@example.com", "anna@example.com"];
  it.each<[string, Account[], boolean]>([
    ["theirs alone", [anna], false],
    ["theirs by two columns", [anna, anna], false],
    ["another's in the same case", [anna, { ...anna, id: "u-2" }], true],
    ["another's in another case", [anna, { ...anna, id: "u-2", email: "ANNA@example.com" }], true],
    ["another's in another column", [anna, { ...anna, id: "u-2", email: "else@example.com" }], true],
    ["another kind's", [anna, { ...anna, subject: "staff" }], true],
  ])("stand for nobody else: %s", async (_whose, accounts, isShared) => {
    const found = await findPerson(siteOf(accounts), anna.id);
    expect([found.ids, found.sharedAddresses]).toEqual(isShared ? [["u-1"], own] : [["u-1", ...own], []]);
  });
});
