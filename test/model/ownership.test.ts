import { describe, expect, it } from "vitest";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
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
    expect(owners.ofItem("migrations", { id: { S: "lock" } })).toBeUndefined();
    expect(owners.ofItem("elsewhere", { userId: { S: "user-1" } })).toBeUndefined();
  });
});
