import { describe, expect, it } from "vitest";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { declarationOf } from "../../src/model/declare.ts";
import { shippedModels } from "../../src/model/shipped.ts";
import { ownersOf } from "../../src/model/ownership.ts";

const owners = ownersOf(mawps(defaultNames));

describe("the owner of an object", () => {
  it.each([
    ["a document", "userFiles", "public/documents/user-1/cv/1-a.pdf", "user-1"],
    ["an avatar", "userFiles", "public/profile-images/user-1/1-a.jpg", "user-1"],
    ["a document of the older layout", "userFiles", "users/user-1/documents/cv/1-a.pdf", "user-1"],
    ["an avatar of the older layout", "userFiles", "profile-images/user-1/avatar-1.jpg", "user-1"],
    ["a hero image", "publicMedia", "public/profile-images/owner/1-a.jpg", "owner"],
    ["an id like another's beginning", "userFiles", "users/user-10/x", "user-10"],
    ["an id with dots and umlauts", "userFiles", "users/jürgen@example.com/x", "jürgen@example.com"],
    ["nobody: the anchor of the trail", "userFiles", "audit/mawps-audit-log/main.json", undefined],
    ["nobody: the folder alone", "userFiles", "users/user-1", undefined],
    ["nobody: an empty id", "userFiles", "users//x", undefined],
    ["nobody: a bucket where nothing is declared", "elsewhere", "users/user-1/x", undefined],
  ])("%s", (_name, bucket, key, userId) => {
    expect(owners.ofKey(bucket, key)?.userId).toBe(userId);
  });
});

it("is found where other fields stand before the id in a key", async () => {
  const guide = await shippedModels["prework-guide"]?.();
  if (guide === undefined) throw new Error("no such model");
  const names = { region: guide.region, buckets: {}, tables: {}, websiteOrigins: ["*"] };
  const guided = ownersOf(declarationOf(guide, names, {}));
  for (const [key, userId] of [
    ["submissions/s/user-1/a.pdf", "user-1"],
    ["submissions/s/user-12/deeper/a.pdf", "user-12"],
    ["submissions/user-1", undefined],
    ["users/user-1/profile/avatar.png", "user-1"],
  ] as const)
    expect([key, guided.ofKey("media", key)?.userId]).toEqual([key, userId]);
});

describe("the owner of an item", () => {
  it("is who the declared attribute names, and an erasure keeps the audit trail", () => {
    expect(owners.ofItem("userProfiles", { userId: { S: "user-1" } })).toEqual({
      userId: "user-1",
      erasure: "delete",
    });
    expect(owners.ofItem("auditLog", { chain: { S: "main" }, userId: { S: "user-1" } })).toEqual({
      userId: "user-1",
      erasure: "keep",
    });
    expect(owners.ofItem("auditLog", { chain: { S: "main" } })).toBeUndefined();
    expect(owners.ofItem("migrations", { userId: { S: "user-1" } })).toEqual({
      userId: "user-1",
      erasure: "delete",
    });
    expect(owners.ofItem("migrations", { userId: { N: "7" } })).toMatchObject({ userId: "7" });
    expect(owners.ofItem("migrations", { id: { S: "lock" } })).toBeUndefined();
    expect(owners.ofItem("elsewhere", { userId: { S: "user-1" } })).toBeUndefined();
  });
});

describe("the owner of an item in single-table design", () => {
  it.each([
    ["an account", "users", { PK: "USER#u-1", SK: "METADATA" }, "u-1"],
    ["a membership", "teams", { PK: "TEAM#t-1", SK: "MEMBER#u-1", GSI2PK: "USER#u-1" }, "u-1"],
    ["nobody: a team", "teams", { PK: "TEAM#t-1", SK: "METADATA", GSI1PK: "ORG#o-1" }, undefined],
    ["an assignment", "assignments", { PK: "ASSIGNMENT#a", SK: "METADATA", GSI1PK: "USER#u-1" }, "u-1"],
    ["nobody: another word before the id", "teams", { PK: "TEAM#t-1", SK: "OTHER#u-1" }, undefined],
  ])("%s", async (_name, table, item, userId) => {
    const model = await shippedModels["prework-guide"]?.();
    const names = { region: "us-east-1", buckets: {}, tables: {}, websiteOrigins: ["*"] };
    const ofGuide = ownersOf(model === undefined ? { owned: [] } : declarationOf(model, names, {}));
    const typed = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, { S: value }]));
    expect(ofGuide.ofItem(table, typed)?.userId).toBe(userId);
  });
});
