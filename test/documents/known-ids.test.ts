import { expect, it } from "vitest";
import { knownIds } from "../../src/documents/known-ids.ts";
import type { StoredEntry } from "../../src/documents/entry.ts";

const file = { name: "notes.txt", sha256: "ab" };
const user = (...ids: readonly string[]) => ({
  userId: "user-1",
  entries: ids.map((id) => ({ document: { id } }) as StoredEntry),
});

it("the ids of a file's documents are found behind one that is gone, whose place is the next one's", () => {
  const { next: first } = knownIds({ user: user(), ...file });
  const { next: second } = knownIds({ user: user(first), ...file });
  expect(second).not.toBe(first);
  expect(knownIds({ user: user(first, second), ...file }).known).toEqual([first, second]);
  expect(knownIds({ user: user("another", second), ...file })).toEqual({ known: [second], next: first });
  expect(knownIds({ user: { ...user(first), userId: "user-2" }, ...file }).known).toEqual([]);
});
