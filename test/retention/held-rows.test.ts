import { expect, it } from "vitest";
import { keyedHash } from "../../src/model/hash.ts";
import { personalBuckets } from "../../src/model/links.ts";
import { mawpsModel } from "../../src/model/mawps.ts";
import type { Model } from "../../src/model/schema.ts";
import { objectsOf } from "../../src/model/objects.ts";
import { ownerOfKey, ownersOfKey } from "../../src/retention/find-objects.ts";
import { decide } from "../../src/retention/decide-row.ts";
import { ownersWhereHeld } from "../../src/stores/row-owners.ts";
import { holdingOf, type RetentionSite } from "../../src/retention/site.ts";

const salt = "00ff";
const hold = { sequence: 1, userId: "u-1", reason: "case 1", since: "2026-01-01T00:00:00.000Z", salt };
const holding = holdingOf([{ ...hold, hashes: ["u-1", "max@example.com"].map((id) => keyedHash(id, salt)) }]);

const expires: Model["entities"][string]["expires"] = [
  { id: "old", what: "old letters", after: 30, since: "at", do: "delete", by: "run" },
];
const links = (by: string): Model["entities"][string]["links"] => [
  { subject: "people", role: "subject", by, find: "scan", erase: "delete" },
];
const from = { table: "letters" };
const model = {
  subjects: { people: { what: "people", accounts: "table", ids: ["id", "email"] } },
  tables: { letters: { name: "letters", key: ["id"] } },
  entities: {
    byId: { what: "letters", from, links: links("owner"), expires },
    byAddress: { what: "letters", from, links: links("email"), expires },
  },
} as unknown as Model;
const rules = {
  byId: new Map([
    ["old", { id: "old", what: "old letters", action: "purge" as const, by: "run" as const, afterDays: 30 }],
  ]),
  at: new Date("2026-06-30T12:00:00.000Z"),
};

it.each([
  ["byId", { owner: "u-1" }, "keep"],
  ["byId", { owner: "u-12" }, "purge"],
  ["byAddress", { email: "max@example.com" }, "keep"],
  ["byAddress", { email: "Max@Example.com" }, "keep"],
  ["byAddress", { email: "eva@example.com" }, "purge"],
] as const)("a row %s of %j is to %s", (entity, whose, action) => {
  const fields = { id: "l-1", at: "2026-01-01T00:00:00.000Z", ...whose };
  const stored = { entity, table: "letters", key: { id: "l-1" }, fields, bytes: 1, raw: {} };
  expect(decide({ model, rules, holding }, stored)?.action).toBe(action);
});

it.each([
  ["public/documents/user-1/cv/1734384121711-letter.pdf", "user-1"],
  ["public/documents/user-1/letter.pdf", "user-1"],
  ["users/user-1/applications/letter.pdf", "user-1"],
  ["odd/letter.pdf", null],
])("MAWPS's file %s is of %s, also for a hold", (key, owner) => {
  const personal = new Map(personalBuckets(mawpsModel).map((each) => [each.role, each]));
  const site = { documents: {}, model: mawpsModel, files: [], personal } as unknown as RetentionSite;
  expect(ownerOfKey(site, "userFiles", key)).toBe(owner);
});

/** Scans lie in threads, and are of whose thread that is; the key of one names its sender as well. */
const threads = {
  subjects: model.subjects,
  tables: { threads: { name: "threads", key: ["id"] } },
  buckets: { files: { name: "files" } },
  entities: {
    threads: { what: "threads", from: { table: "threads" }, fields: { id: "text" }, links: links("owner") },
    scans: {
      what: "scans",
      from: { bucket: "files" },
      key: "scans/{threadId}/{sender}/{name}",
      refs: { threadId: "threads.id" },
      links: [
        { subject: "people", role: "author", by: "sender", find: "scan", erase: "delete" },
        { subject: "people", role: "subject", by: { via: "threadId" }, find: "scan", erase: "delete" },
      ],
    },
  },
} as unknown as Model;
const owners: Readonly<Record<string, string>> = { "t-1": "u-1", "t-2": "u-2" };
const asked: string[] = [];
const site = {
  model: threads,
  files: [{ bucket: "files", kinds: objectsOf(threads, "files") }],
  personal: new Map(),
  holding,
  store: {
    async *find(entity: string, { values }: { readonly values: readonly string[] }) {
      asked.push(...values);
      yield values.map((id) => ({ entity, fields: { id, owner: owners[id] } }));
    },
  },
} as unknown as RetentionSite;

it.each([
  ["t-1", ["u-1", "u-9"], 1],
  ["t-2", ["u-2", "u-9"], 0],
])("a file in thread %s is of %j, of whom %j is held", async (thread, all, held) => {
  const file = { bucket: "files", key: `scans/${thread}/u-9/a.pdf`, userId: null };
  const found = await ownersOfKey(site, file);
  expect([found.toSorted(), holding.of(found).length]).toEqual([all, held]);
});

it("nobody is asked whose a row is that goes by another while nobody is held", async () => {
  asked.length = 0;
  const row = {
    entity: "scans",
    table: "",
    key: {},
    fields: { threadId: "t-1", sender: "u-9" },
    bytes: 0,
    raw: {},
  };
  expect([...(await ownersWhereHeld({ ...site, holding: holdingOf([]) }, [row])).values()]).toEqual([[]]);
  expect(asked).toEqual([]);
  expect((await ownersWhereHeld(site, [row])).get(row)).toEqual(["u-9", "u-1"]);
});
