import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import prework from "../../../models/prework.json" with { type: "json" };
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const { files } = prework.entities;
const { uploadedBy: _uploadedBy, ...fields } = files.fields;
const { files: _table, ...tables } = prework.tables;
/** Prework with its files in lists of its members, in place of a table of their own. */
const ownModel = {
  ...prework,
  tables: { ...tables, members: { name: "prework-members", key: "memberId" } },
  entities: {
    ...prework.entities,
    members: {
      what: "members",
      from: { table: "members" },
      fields: { about: "text" },
      links: [{ subject: "user", role: "subject", by: "memberId", find: "key", erase: "delete" }],
    },
    files: {
      ...files,
      from: { table: "members" },
      at: "papers[]",
      fields: { ...fields, fileId: "text" },
      links: [{ subject: "user", role: "subject", by: "memberId", find: "key", erase: "delete" }],
    },
  },
  features: {
    ...prework.features,
    documents: {
      ...prework.features.documents,
      fields: { ...prework.features.documents.fields, id: "fileId", owner: "memberId" },
    },
  },
};
const bucket = "prework-media-bucket";
const table = "prework-members";
const account = { id: "u-1", email: "max@example.com", name: "Max", isActive: true };
const at = (name: string) => `users/u-1/uploads/2026/03/${name}`;

let home: TestHome;
let site: ReturnType<typeof modelSite>;

beforeEach(async () => {
  home = await makeHome();
  await writeFile(join(home.folder, "own.model.json"), JSON.stringify(ownModel));
  await writeFile(join(home.folder, "notes.txt"), "what is written");
  await writeFile(join(home.folder, "other.txt"), "something else");
  site = modelSite(home, "own.model.json");
  await site.put("prework-users", [account]);
});
afterEach(() => home.remove());

const papers = async () =>
  (await site.rows(table)).flatMap(({ papers: list }) => (Array.isArray(list) ? list : []));

describe("documents in lists of items of another site", () => {
  it("are uploaded, listed, fetched, changed, moved and removed there, and the rest of the item stays", async () => {
    await site.put(table, [{ memberId: "u-1", about: "kept" }, { memberId: "u-2" }]);
    const upload = await site.run("doc", "upload", "max@example.com", "notes.txt", "other.txt", "--no-scan");
    expect([upload.exitCode, upload.stderr]).toEqual([0, expect.not.stringContaining("error")]);
    const both = await papers();
    const paper = (name: string) => both.find(({ originalName }) => originalName === name);
    expect(paper("notes.txt")).toEqual({
      fileId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      originalName: "notes.txt",
      mimeType: "text/plain",
      size: 15,
      s3Key: at("notes.txt"),
      tags: [],
      isPublic: false,
      createdAt: expect.stringMatching(/^2026-03-01T/),
      status: "READY",
      scanResult: "SKIPPED",
      sha256: createHash("sha256").update("what is written").digest("hex"),
    });
    expect(await site.left(bucket)).toEqual([at("notes.txt"), at("other.txt")]);
    const [id, other] = [String(paper("notes.txt")?.fileId), String(paper("other.txt")?.fileId)];
    expect(id).not.toBe(other);

    const listed = await site.run("doc", "list", "--all", "--json");
    expect(
      listed.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id)
        .toSorted(),
    ).toEqual([id, other].toSorted());
    expect((await site.run("doc", "get", "u-1", id, "-o", "got")).exitCode).toBe(0);
    expect(await readFile(join(home.folder, "got", "notes.txt"), "utf8")).toBe("what is written");
    expect((await site.run("doc", "check")).exitCode).toBe(0);
    expect((await site.run("doc", "tag", "u-1", id, "new")).exitCode).toBe(0);
    expect((await site.run("doc", "rename", "u-1", id, "minutes.txt")).exitCode).toBe(0);
    const mark = createHash("sha256")
      .update(`moved from ${at("notes.txt")}`)
      .digest("hex")
      .slice(0, 8);
    expect((await site.run("doc", "revoke", "u-1", id)).exitCode).toBe(0);
    const moved = at(`notes-${mark}.txt`);
    const changed = { ...paper("notes.txt"), originalName: "minutes.txt", tags: ["new"], s3Key: moved };
    const find = async () => (await papers()).find(({ fileId }) => fileId === id);
    expect(await find()).toEqual(changed);
    expect(await site.left(bucket)).toEqual([moved, at("other.txt")]);

    expect((await site.run("doc", "rm", "u-1", id, "--yes")).exitCode).toBe(0);
    expect(await find()).toMatchObject({ status: "DELETED", deletedBy: "local:tester" });
    expect((await site.run("doc", "restore", "u-1", id)).exitCode).toBe(0);
    expect(await find()).toEqual(changed);
    expect((await site.run("doc", "rm", "u-1", id, "--yes")).exitCode).toBe(0);
    home.laterMs = 60 * 86_400_000;
    expect((await site.run("retention", "run", "--yes")).exitCode).toBe(0);
    expect((await papers()).map(({ fileId }) => fileId)).toEqual([other]);
    expect(await site.left(bucket)).toEqual([at("other.txt")]);
    const [first, second] = await site.rows(table);
    expect([first, second].toSorted((one) => (one?.["memberId"] === "u-1" ? -1 : 1))).toEqual([
      { memberId: "u-1", about: "kept", papers: [paper("other.txt")] },
      { memberId: "u-2" },
    ]);
  });

  it("are not made where nobody has an item, and not changed under a hold of theirs or of the item", async () => {
    const nowhere = await site.run("doc", "upload", "u-1", "notes.txt", "--no-scan");
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([1, expect.stringContaining("has no item of u-1")]);
    expect([await site.rows(table), await site.left(bucket)]).toEqual([[], []]);

    const paper = (id: string, more: Record<string, unknown> = {}) => ({
      fileId: id,
      originalName: `${id}.txt`,
      s3Key: at(`${id}.txt`),
      status: "READY",
      createdAt: "2026-02-01T00:00:00.000Z",
      ...more,
    });
    await site.putFiles(bucket, [at("one.txt"), at("two.txt")]);
    const held = { memberId: "u-1", papers: [paper("one"), paper("two", { legalHold: "case 7" })] };
    const refused = async (id: string, why: string) => {
      for (const verb of ["rm", "revoke"]) {
        const outcome = await site.run("doc", verb, "u-1", id, "--yes");
        expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining(why)]);
      }
    };
    await site.put(table, [held]);
    await refused("two", "case 7");
    await site.put(table, [{ ...held, legalHold: "case 8" }]);
    await refused("one", "case 8");
    expect(await papers()).toEqual(held.papers);

    // A hold of the item comes when all is decided.
    await site.put(table, [held]);
    home.beforeCall = async (command, _input, aws) => {
      if (command !== "UpdateItemCommand") return;
      const change = { TableName: table, Key: { memberId: { S: "u-1" } } };
      await (
        await aws.dynamodb()
      ).send(
        new UpdateItemCommand({
          ...change,
          UpdateExpression: "SET legalHold = :hold",
          ExpressionAttributeValues: { ":hold": { S: "case 9" } },
        }),
      );
    };
    expect((await site.run("doc", "rm", "u-1", "one", "--yes")).exitCode).toBe(1);
    home.beforeCall = undefined;
    expect(await papers()).toEqual(held.papers);
    expect(await site.left(bucket)).toEqual([at("one.txt"), at("two.txt")]);
  });
});
