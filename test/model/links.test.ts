import { describe, expect, it } from "vitest";
import { personalBuckets, personalParts, personalTables } from "../../src/model/links.ts";
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
    const keys = tableKeysOf(model.tables[role] ?? { name: role });
    expect(table?.linksOf(typed(item), ids, keys).map(({ link }) => link.entity)).toEqual(entities);
  });

  it.each([
    ["mawps", "userProfiles", [{ attribute: "userId", value: "user-1" }]],
    ["mawps", "auditLog", [{ index: "UserId-Timestamp-Index", attribute: "userId", value: "user-1" }]],
    ["mawps", "migrations", ["scan"]],
    ["prework-guide", "users", [{ attribute: "PK", value: "USER#user-1" }]],
    [
      "prework-guide",
      "assignments",
      [{ index: "UserAssignmentsIndex", attribute: "GSI1PK", value: "USER#user-1" }],
    ],
    ["prework-guide", "sessions", ["scan"]],
  ] as const)("%s, %s are asked for by %j", async (name, role, questions) => {
    const model = await shipped(name);
    const table = personalTables(model).find((each) => each.role === role);
    const keys = tableKeysOf(model.tables[role] ?? { name: role });
    expect(table?.questions("user-1", keys)).toEqual(questions);
  });

  it("are looked for in all of a table that lacks the index", async () => {
    const table = personalTables(await shipped("prework")).find(({ role }) => role === "files");
    expect(table?.questions("user-1", { primary: ["id"], indexes: {} })).toEqual(["scan"]);
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
    expect(bucket?.linkOf(key, ids)?.entity).toBe(entity);
    expect(entity === undefined || bucket?.prefixes("user-1").some((each) => key.startsWith(each))).toBe(
      true,
    );
  });

  it("are nobody's below a name that the model gives something else", async () => {
    const [guide] = personalBuckets(await shipped("prework-guide"));
    for (const key of ["users/teams/t/shared/a.pdf", "users/teams/unheard-of"])
      expect([key, guide?.linkOf(key, ["teams"])]).toEqual([key, undefined]);
    const [, files] = personalBuckets(await shipped("mawps"));
    expect(files?.linkOf("public/profile-images/rentals/a/b.jpg", ["rentals"])).toBeUndefined();
  });
});
