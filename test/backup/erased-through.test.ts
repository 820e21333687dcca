import { describe, expect, it } from "vitest";
import { erasedThrough } from "../../src/backup/erased-through.ts";
import type { Link, Model } from "../../src/model/schema.ts";

type Erased = Pick<Link, "role" | "erase">;

const subject = { subject: "user", find: "scan" } as const;
const deleted: Erased = { role: "subject", erase: "delete" };
const kept: Erased = { role: "subject", erase: { keep: { basis: "books" } } };
const expiring: Erased = { role: "subject", erase: { expires: true } };

/** Letters are of whose thread they are in, and enclosures of whose letter they are in. */
function modelOf(thread: Erased, letter: Erased): Model {
  return {
    name: "post",
    region: "eu-central-1",
    subjects: { user: { what: "user", accounts: "cognito", ids: ["sub"] } },
    buckets: {},
    tables: {
      threads: { name: "threads", key: ["id"] },
      letters: { name: "letters", key: ["id"], ttl: "ttl" },
      enclosures: { name: "enclosures", key: ["id"] },
    },
    entities: {
      threads: {
        what: "threads",
        from: { table: "threads" },
        fields: { id: "text", userId: "text" },
        links: [{ ...subject, ...thread, by: "userId" }],
      },
      letters: {
        what: "letters",
        from: { table: "letters" },
        fields: { id: "text", threadId: "text" },
        refs: { threadId: "threads.id" },
        links: [{ ...subject, ...letter, by: { via: "threadId" } }],
      },
      enclosures: {
        what: "enclosures",
        from: { table: "enclosures" },
        fields: { id: "text", letterId: "text" },
        refs: { letterId: "letters.id" },
        links: [{ ...subject, ...deleted, by: { via: "letterId" } }],
      },
    },
  };
}

const typed = (item: Readonly<Record<string, string | number>>) =>
  Object.fromEntries(
    Object.entries(item).map(([name, is]) => [name, typeof is === "number" ? { N: String(is) } : { S: is }]),
  );
const stored: Readonly<Record<string, Readonly<Record<string, string | number>>[]>> = {
  threads: [
    { id: "t-1", userId: "erased" },
    { id: "t-2", userId: "other" },
  ],
  letters: [
    { id: "l-1", threadId: "t-1" },
    { id: "l-ends", threadId: "t-1", ttl: 1 },
    { id: "l-2", threadId: "t-2" },
  ],
  enclosures: [
    { id: "e-1", letterId: "l-1" },
    { id: "e-2", letterId: "l-2" },
  ],
};

async function judged(model: Model, without?: string) {
  const { erasedOf, unknown } = await erasedThrough({
    model,
    isErased: (id) => id === "erased",
    tableOf: (role) =>
      role === without
        ? undefined
        : {
            primary: ["id"],
            async *items() {
              for (const item of stored[role] ?? []) yield typed(item);
            },
          },
  });
  const away = Object.entries(stored).flatMap(([role, items]) =>
    items.flatMap((item) => (erasedOf(role, typed(item), ["id"]).includes("erased") ? [item["id"]] : [])),
  );
  return { away, unknown: unknown.map(({ role }) => role) };
}

describe("what goes by something of an erased person's", () => {
  it.each<[string, Erased, Erased, string[]]>([
    ["deleted with its parent", deleted, deleted, ["t-1", "l-1", "l-ends", "e-1"]],
    ["deleted by a parent that is kept", kept, deleted, ["l-1", "l-ends", "e-1"]],
    [
      "deleted by a parent that gets another name",
      { role: "subject", erase: "pseudonym" },
      deleted,
      ["l-1", "l-ends", "e-1"],
    ],
    ["deleted by a parent that never expires", expiring, deleted, ["t-1", "l-1", "l-ends", "e-1"]],
    ["what expires, but for what says when", deleted, expiring, ["t-1", "l-1", "e-1"]],
    ["what goes by what is kept itself", deleted, kept, ["t-1", "e-1"]],
    ["not by what they only wrote", { role: "author", erase: "delete" }, deleted, ["t-1"]],
    ["not by what only names them", { role: "mention", erase: "delete" }, deleted, ["t-1"]],
    [
      "not by letters that they only wrote",
      deleted,
      { role: "author", erase: "delete" },
      ["t-1", "l-1", "l-ends"],
    ],
  ])("stays away: %s", async (_which, thread, letter, away) => {
    expect(await judged(modelOf(thread, letter))).toEqual({ away, unknown: [] });
  });

  it.each([
    ["threads", ["letters", "enclosures"]],
    ["letters", ["enclosures"]],
  ])("is told where the backup has no %s", async (without, unknown) => {
    expect(await judged(modelOf(deleted, deleted), without)).toMatchObject({ unknown });
  });
});
