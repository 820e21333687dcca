import { describe, expect, it } from "vitest";
import { itemsOf } from "../../src/model/items.ts";
import {
  accountItems,
  parentsOf,
  personalBuckets,
  personalParts,
  personalTables,
  replacedAt,
  tablesThrough,
} from "../../src/model/links.ts";
import type { Model } from "../../src/model/schema.ts";
import { shippedModels } from "../../src/model/shipped.ts";
import { own } from "../../src/model/json.ts";
import { tableKeysOf } from "../../src/model/table-keys.ts";

async function shipped(name: string): Promise<Model> {
  const load = own(shippedModels, name);
  if (load === undefined) throw new Error(`no model ${name}`);
  return load();
}

const typed = (item: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(item).map(([name, text]) => [name, { S: text }]));

const ids = ["user-1", "max@example.com"];

/** The keys of a table as the model has them: of texts, but for these. */
const keysIn = ({ tables }: Pick<Model, "tables">, role: string, numbers: readonly string[] = []) => ({
  ...tableKeysOf(tables[role] ?? { name: role }),
  types: new Map(numbers.map((name) => [name, "N" as const])),
});

const link = { subject: "user", role: "subject", erase: "delete" } as const;

/** Accounts of which some are kept, told by a condition, beside what another kind says by its key; and orders by numbers. */
const shop: Model = {
  name: "shop",
  region: "eu-central-1",
  buckets: {},
  tables: {
    users: { name: "users", key: "PK" },
    orders: { name: "orders", key: "id", indexes: { Of: { key: "owner" } } },
  },
  subjects: { user: { what: "user", ids: ["id"], accounts: { entity: "users" } } },
  entities: {
    kept: {
      what: "what is kept",
      from: { table: "users" },
      key: { PK: "{id}" },
      when: { isKept: true },
      links: [{ ...link, by: "id", find: "key", erase: { keep: { basis: "duty" } } }],
    },
    users: {
      what: "users",
      from: { table: "users" },
      key: { PK: "USER#{id}" },
      links: [{ ...link, by: "id", find: "key" }],
    },
    orders: {
      what: "orders",
      from: { table: "orders" },
      fields: { owner: "number" },
      links: [{ ...link, by: "owner", find: { index: "Of" } }],
    },
  },
  features: { accounts: { entity: "users", fields: { id: "id", email: "email" } } },
};

describe("the items that a model links to somebody", () => {
  it.each([
    ["mawps", "userProfiles", { userId: "user-1" }, ["profiles"]],
    ["mawps", "userProfiles", { userId: "user-12" }, []],
    ["mawps", "userProfiles", { userId: "max@example.com" }, ["accessRecords"]],
    ["mawps", "userProfiles", { userId: "user-1", pk: "a", sk: "b" }, ["olderRecords"]],
    [
      "mawps",
      "migrations",
      { id: "removed-documents", entry: "user-1/a", userId: "user-1" },
      ["migrationJournal"],
    ],
    ["prework", "users", { id: "user-1" }, ["users"]],
    ["prework", "files", { id: "f", uploadedBy: "user-1" }, ["files"]],
    ["prework-guide", "users", { PK: "USER#user-1", SK: "METADATA" }, ["users"]],
    ["prework-guide", "users", { PK: "USER#user-1", SK: "UNHEARD-OF" }, ["users"]],
    ["prework-guide", "users", { PK: "USER#user-12", SK: "METADATA" }, []],
    ["prework-guide", "teams", { PK: "TEAM#t", SK: "METADATA", managerId: "user-1" }, ["teams"]],
    ["prework-guide", "teams", { PK: "TEAM#t", SK: "MEMBER#user-1" }, ["teamMembers"]],
    ["prework-guide", "teams", { PK: "TEAM#user-1", SK: "MEMBER#user-12" }, []],
    ["prework-guide", "sessions", { PK: "SESSION#list#1", SK: "USER#user-1" }, ["sessions"]],
    [
      "prework-guide",
      "sessions",
      { PK: "OPERATION#1", SK: "TIMESTAMP#1#2", userId: "user-1" },
      ["operations"],
    ],
    ["prework-guide", "sessions", { PK: "EVENT#team#1", SK: "TIMESTAMP#1#2", userId: "user-1" }, ["events"]],
    ["prework-guide", "sessions", { PK: "SYNC#1", SK: "STATE", modifiedBy: "user-1" }, ["syncStates"]],
    ["prework-guide", "sessions", { PK: "SYNC#1", SK: "STATE", modifiedBy: "user-12" }, []],
    ["prework-guide", "media", { PK: "MEDIA#1", SK: "METADATA", GSI1PK: "USER#user-1" }, ["media"]],
  ] as const)("%s, %s %j: %j", async (name, role, item, entities) => {
    const model = await shipped(name);
    const table = personalTables(model).find((each) => each.role === role);
    expect(table?.linksOf(typed(item), ids, keysIn(model, role)).map(({ link }) => link.entity)).toEqual(
      entities,
    );
  });

  it.each([
    ["mawps", "userProfiles", [{ attribute: "userId", value: { S: "user-1" } }]],
    ["mawps", "auditLog", [{ index: "UserId-Timestamp-Index", attribute: "userId", value: { S: "user-1" } }]],
    ["mawps", "migrations", ["scan"]],
    ["prework-guide", "users", [{ attribute: "PK", value: { S: "USER#user-1" } }]],
    [
      "prework-guide",
      "assignments",
      [{ index: "UserAssignmentsIndex", attribute: "GSI1PK", value: { S: "USER#user-1" } }],
    ],
    ["prework-guide", "sessions", ["scan"]],
  ] as const)("%s, %s are asked for by %j", async (name, role, questions) => {
    const model = await shipped(name);
    const table = personalTables(model).find((each) => each.role === role);
    expect(table?.questions("user-1", keysIn(model, role))).toEqual(questions);
  });

  it("are looked for in all of a table that lacks the index", async () => {
    const table = personalTables(await shipped("prework")).find(({ role }) => role === "files");
    expect(table?.questions("user-1", { primary: ["id"], indexes: {}, types: new Map() })).toEqual(["scan"]);
  });

  it("are of the kind that every command takes them for: keys with more literals before conditions", () => {
    const item = { PK: { S: "USER#user-1" }, isKept: { BOOL: true } };
    const [users] = personalTables(shop);
    expect(itemsOf(shop, "users")(item)?.name).toBe("users");
    expect(users?.linksOf(item, ids, keysIn(shop, "users"))).toMatchObject([
      { id: "user-1", link: { entity: "users", erase: "delete" } },
    ]);
    expect(accountItems(shop)?.accountIn(item)).toEqual({
      id: "user-1",
      email: undefined,
      fields: { id: "user-1" },
    });
    expect(accountItems(shop)?.accountIn({ ...item, PK: { S: "user-1" } })).toBeUndefined();
    expect(accountItems(shop)?.attributes.toSorted()).toEqual(["PK", "email", "isKept"]);
  });

  it.each([
    ["7", [{ index: "Of", attribute: "owner", value: { N: "7" } }]],
    ["-12", [{ index: "Of", attribute: "owner", value: { N: "-12" } }]],
    ["007", []],
    ["max@example.com", []],
  ])("are asked for by a number where the key is one: %s", (id, questions) => {
    const orders = personalTables(shop).find(({ role }) => role === "orders");
    expect(orders?.questions(id, keysIn(shop, "orders", ["owner"]))).toEqual(questions);
  });

  it("go by things of another kind, and answers by nobody's things but their writer's", () => {
    const notes = {
      what: "notes",
      from: { table: "orders" },
      key: { PK: "NOTE#{id}" },
      fields: { order: "text", answers: "text" },
      refs: { order: "orders.owner", answers: "notes.id" },
      links: ["order", "answers"].map((via) => ({ ...link, by: { via }, find: "scan" as const })),
    } as const;
    const model: Model = { ...shop, entities: { ...shop.entities, notes } };
    expect(tablesThrough(model).map(({ parent }) => parent)).toEqual([{ entity: "orders", field: "owner" }]);
    expect(parentsOf(model, "notes")).toEqual(["orders"]);
  });

  it("may name their owner by a number", () => {
    const orders = personalTables(shop).find(({ role }) => role === "orders");
    const found = orders?.linksOf({ owner: { N: "7" } }, ["7"], keysIn(shop, "orders"));
    expect(found).toMatchObject([{ id: "7", named: { N: "7" } }]);
    expect(orders?.linksOf({ owner: { N: "70" } }, ["7"], keysIn(shop, "orders"))).toEqual([]);
  });

  it.each([
    [{ N: "7" }, "0", { N: "0" }],
    [{ N: "7" }, "deleted-user", undefined],
    [{ S: "user-1" }, "deleted-user", { S: "deleted-user" }],
  ])("have in the place of %j, for %s, %j", (named, name, to) => {
    expect(replacedAt({ attribute: "owner" }, named, name)).toEqual(to);
  });

  it("have parts that are entities of their own", async () => {
    expect(personalParts(await shipped("mawps"), "userProfiles")).toMatchObject([
      { entity: "documents", path: ["documents"], isList: true },
      { entity: "progress", path: ["progressData"], isList: false },
    ]);
  });
});

describe("the objects that a model links to somebody", () => {
  it.each([
    ["mawps", "userFiles", "public/documents/user-1/cv/a.pdf", "documentFiles"],
    ["mawps", "userFiles", "public/documents/user-12/cv/a.pdf", undefined],
    ["mawps", "userFiles", "users/user-1/a/b/c.pdf", "oldDocumentFiles"],
    ["mawps", "profileImages", "voice/user-1/a.webm", "siteUploads"],
    ["prework", "media", "users/user-1/profiles/p/avatar.jpg", "profileFiles"],
    ["prework", "media", "users/user-1/uploads/2026/01/a.pdf", "uploadFiles"],
    ["prework", "media", "users/user-1/unheard-of/a.pdf", "profileFiles"],
    ["prework-guide", "media", "submissions/s/user-1/a.pdf", "submissionFiles"],
    ["prework-guide", "media", "submissions/s/user-1/deeper/a.pdf", "submissionFiles"],
    ["prework-guide", "media", "submissions/user-1/user-12/a.pdf", undefined],
    ["prework-guide", "media", "users/user-1/profile/avatar.png", "avatarFiles"],
    ["prework-guide", "media", "users/teams/t/shared/user-1", undefined],
  ] as const)("%s, %s/%s: %s", async (name, role, key, entity) => {
    const bucket = personalBuckets(await shipped(name)).find((each) => each.role === role);
    expect(bucket?.ownersIn(key).find(({ id }) => ids.includes(id))?.link.entity).toBe(entity);
    expect(entity === undefined || bucket?.prefixes("user-1").some((each) => key.startsWith(each))).toBe(
      true,
    );
  });

  it("are nobody's below a name that the model gives something else", async () => {
    const [guide] = personalBuckets(await shipped("prework-guide"));
    for (const key of ["users/teams/t/shared/a.pdf", "users/teams/unheard-of"])
      expect([key, guide?.ownersIn(key)]).toEqual([key, []]);
    const [, files] = personalBuckets(await shipped("mawps"));
    expect(files?.ownersIn("public/profile-images/rentals/a/b.jpg")).toEqual([]);
  });
});

it.each(Object.keys(shippedModels))(
  "a record of a legal hold is no entry of the trail of %s",
  async (name) => {
    const table = personalTables(await shipped(name)).find(({ role }) => role === "auditLog");
    const keys = {
      primary: ["chain", "sequence"],
      indexes: { "UserId-Timestamp-Index": ["userId", "timestamp"] },
      types: new Map(),
    };
    const owners = ["main", "holds"].map(
      (chain) =>
        table?.linksOf({ chain: { S: chain }, sequence: { N: "1" }, userId: { S: "u-1" } }, ["u-1"], keys)
          .length,
    );
    expect(owners).toEqual([1, 0]);
  },
);
