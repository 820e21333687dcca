import {
  DeleteItemCommand,
  DeleteTableCommand,
  PutItemCommand,
  UpdateTableCommand,
  type GetItemCommandInput,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import prework from "../../../models/prework.json" with { type: "json" };
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { says, startFakeClamd } from "../../scan/fake-clamd.ts";
import { modelSite } from "../../support/model-site.ts";
import { serveHome } from "../../support/served.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  await writeFile(join(home.folder, "notes.txt"), "what is written");
  await writeFile(join(home.folder, "other.txt"), "something else");
});
afterEach(() => home.remove());

describe("the documents of prework", () => {
  const bucket = "prework-media-bucket";
  const table = "prework-files";
  const key = "users/u-1/uploads/2026/03/notes.txt";
  const account = { id: "u-1", email: "max@example.com", name: "Max", isActive: true };

  it("are rows in its words, with files under its keys, from the upload to the restore", async () => {
    const site = modelSite(home, "prework");
    await site.put("prework-users", [account]);
    const uploaded = await site.run(
      "doc",
      "upload",
      "max@example.com",
      "notes.txt",
      "--tag",
      "new",
      "--public",
      "--no-scan",
      "--json",
    );
    expect([uploaded.exitCode, uploaded.stderr]).toEqual([0, ""]);
    const [row, ...others] = await site.rows(table);
    expect(others).toEqual([]);
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      originalName: "notes.txt",
      mimeType: "text/plain",
      size: 15,
      s3Key: key,
      uploadedBy: "u-1",
      tags: ["new"],
      isPublic: true,
      createdAt: expect.stringMatching(/^2026-03-01T/),
      status: "READY",
      scanResult: "SKIPPED",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const id = String(row?.["id"]);
    expect((await site.file(bucket, key)).toString()).toBe("what is written");

    const listed = await site.run("doc", "list", "u-1", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject({
      userId: "u-1",
      id,
      name: "notes.txt",
      status: "READY",
      size: 15,
      isPublic: true,
    });
    const all = await site.run("doc", "list", "--all");
    expect(all.stdout).toContain("notes.txt");
    expect((await site.run("doc", "show", "u-1", id)).stdout).toMatch(/^size +15 B$/m);
    const shown = await site.run("doc", "show", "u-1", id, "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, s3Key: key, contentType: "text/plain" });

    const link = await site.run("doc", "url", "u-1", id, "--expires", "1h", "--allow-unscanned", "--json");
    expect(new URL((JSON.parse(link.stdout) as { url: string }).url).pathname).toContain(key);
    const got = await site.run("doc", "get", "u-1", id, "-o", "got", "--json");
    expect(JSON.parse(got.stdout)).toMatchObject({ verified: "sha256", outcome: "fetched" });
    expect(await readFile(join(home.folder, "got", "notes.txt"), "utf8")).toBe("what is written");

    const renamed = await site.run("doc", "rename", "u-1", id, "minutes.txt", "--json");
    expect(renamed.exitCode).toBe(0);
    const removed = await site.run("doc", "rm", "u-1", id, "--yes", "--json");
    expect([removed.exitCode, removed.stderr]).toEqual([0, ""]);
    expect(await site.rows(table)).toEqual([
      {
        ...row,
        originalName: "minutes.txt",
        status: "DELETED",
        deletedAt: expect.stringMatching(/^2026-03-01T/),
        deletedBy: "local:tester",
      },
    ]);
    expect(await site.left(bucket)).toEqual([key]);
    const restored = await site.run("doc", "restore", "u-1", id, "--json");
    expect(restored.exitCode).toBe(0);
    expect(await site.rows(table)).toEqual([{ ...row, originalName: "minutes.txt" }]);

    const trail = await site.run("audit", "list", "--json");
    const actions = trail.stdout
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { action: string }).action]));
    expect(new Set(actions)).toEqual(
      new Set([
        "document.uploaded",
        "document.link-created",
        "document.downloaded",
        "document.renamed",
        "document.deleted",
        "document.restored",
      ]),
    );
  });

  it("never take the place of another file of the same name", async () => {
    const site = modelSite(home, "prework");
    await site.put("prework-users", [account]);
    const upload = (...argv: string[]) => site.run("doc", "upload", "u-1", ...argv, "--no-scan");
    expect((await upload("notes.txt")).exitCode).toBe(0);
    const again = await upload("notes.txt");
    expect(again.stderr).toContain("already exists, nothing to upload");
    const refused = await upload("other.txt", "--name", "notes.txt");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`there is a file ${key} already`);
    expect((await upload("other.txt", "--name", "other.txt")).exitCode).toBe(0);
    await site.putFiles(bucket, ["users/u-1/uploads/2026/03/stray.txt"]);
    expect((await upload("other.txt", "--name", "stray.txt")).exitCode).toBe(1);
    expect((await site.file(bucket, key)).toString()).toBe("what is written");
    expect(await site.column(table, "originalName")).toEqual(["notes.txt", "other.txt"]);
    expect(await site.left(bucket)).toHaveLength(3);
  });

  it("take it where the model says so", async () => {
    const { uploadFiles } = prework.entities;
    const entities = { ...prework.entities, uploadFiles: { ...uploadFiles, sameName: "replaces" } };
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify({ ...prework, entities }));
    const site = modelSite(home, "own.model.json");
    await site.put("prework-users", [account]);
    for (const name of ["notes.txt", "other.txt"]) {
      const done = await site.run("doc", "upload", "u-1", name, "--name", "notes.txt", "--no-scan");
      expect(done.exitCode).toBe(0);
    }
    expect(await site.rows(table)).toMatchObject([{ originalName: "notes.txt", size: 14, status: "READY" }]);
    expect((await site.file(bucket, key)).toString()).toBe("something else");
    expect(await site.left(bucket)).toEqual([key, key]);
    const trail = await site.run("audit", "list", "--json");
    expect(trail.stdout).toMatch(/"document.deleted".*"method":"replaced"/);

    // Of two of one name in a call the second waits for another name; what is held keeps its place.
    await mkdir(join(home.folder, "more"));
    await writeFile(join(home.folder, "more", "notes.txt"), "a third text");
    const both = await site.run("doc", "upload", "u-1", "notes.txt", "more/notes.txt", "--no-scan");
    expect(both.exitCode).toBe(3);
    expect(both.stderr).toContain(`another file of this call has the key ${key}`);
    const [stands] = await site.rows(table);
    expect(stands).toMatchObject({ size: 15, status: "READY" });
    const held = { ...stands, legalHold: "case 7" };
    await site.put(table, [held]);
    const refused = await site.run("doc", "upload", "u-1", "more/notes.txt", "--no-scan");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("which it would replace, is under a legal hold");
    expect(await site.rows(table)).toEqual([held]);
    expect(await site.left(bucket)).toEqual([key, key, key]);
  });

  it("go on with a file that changed since its upload was interrupted, and keep no second entry of what is infected", async () => {
    const site = modelSite(home, "prework");
    await site.put("prework-users", [account]);
    const begun = {
      id: "begun",
      originalName: "notes.txt",
      s3Key: key,
      uploadedBy: "u-1",
      createdAt: "2026-02-28T00:00:00.000Z",
      status: "UPLOADING",
      sha256: "a".repeat(64),
    };
    await site.put(table, [begun]);
    const upload = await site.run("doc", "upload", "u-1", "notes.txt", "--no-scan");
    expect(upload.exitCode).toBe(0);
    const rows = await site.rows(table);
    expect(rows).toMatchObject([{ s3Key: key, size: 15, status: "READY" }]);

    await using fake = await startFakeClamd({ complete: says("stream: Eicar-Test-Signature FOUND\0") });
    const { host, port } = fake.clamd;
    const scanned = modelSite(home, "prework", {
      MAWPS_CLAMAV_HOST: host,
      MAWPS_CLAMAV_PORT: String(port),
    });
    const infected = await scanned.run("doc", "upload", "u-1", "other.txt", "--name", "notes.txt");
    expect(infected.exitCode).toBe(1);
    expect(infected.stderr).toContain("it is infected (Eicar-Test-Signature)");
    expect(await site.rows(table)).toEqual(rows);
  });

  it("are not written again where somebody removed the row of an upload meanwhile", async () => {
    const site = modelSite(home, "prework");
    await site.put("prework-users", [account]);
    home.beforeCall = async (command, input, aws) => {
      const { TableName, Key } = input as UpdateItemCommandInput;
      if (command !== "UpdateItemCommand" || TableName !== table) return;
      await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName, Key }));
    };
    const upload = await site.run("doc", "upload", "u-1", "notes.txt", "--no-scan");
    home.beforeCall = undefined;
    expect(upload.exitCode).toBe(1);
    expect(upload.stderr).toContain("somebody else changed its entry meanwhile");
    expect(await site.rows(table)).toEqual([]);
  });

  it("open nobody else's file, whatever a row says", async () => {
    const site = modelSite(home, "prework");
    const others = "users/u-2/uploads/2026/03/secret.txt";
    await site.put("prework-users", [account]);
    await site.put(table, [
      { id: "d-1", s3Key: others, uploadedBy: "u-1", createdAt: "2026-02-01T00:00:00.000Z" },
    ]);
    await site.putFiles(bucket, [others]);
    for (const argv of [
      ["url", "u-1", "d-1", "--allow-unscanned"],
      ["get", "u-1", "d-1", "-o", "got"],
    ]) {
      const refused = await site.run("doc", ...argv);
      expect(refused.exitCode).toBeGreaterThan(0);
      expect(refused.stderr).toContain("its object is in none of the folders of u-1");
    }
  });

  it("are checked against their files, and mended where that is asked for and sure", async () => {
    const site = modelSite(home, "prework");
    const bucket = "prework-media-bucket";
    const file = (name: string, user = "u-1") => `users/${user}/uploads/2026/03/${name}.pdf`;
    const sha256 = (name: string) =>
      createHash("sha256")
        .update(`bytes of ${file(name)}`)
        .digest("hex");
    const row = (id: string, fields: Record<string, unknown> = {}) => ({
      id,
      originalName: `${id}.pdf`,
      s3Key: file(id),
      uploadedBy: "u-1",
      createdAt: "2026-02-01T00:00:00.000Z",
      status: "READY",
      ...fields,
    });
    const arrived = { originalName: "arrived.txt", status: "UPLOADING", scanResult: "SKIPPED" };
    const rows = [
      row("whole"),
      row("lost"),
      row("other-bytes", { sha256: "0".repeat(64) }),
      row("half", { status: "UPLOADING" }),
      row("arrived", { ...arrived, sha256: sha256("arrived"), size: 46 }),
      row("held", { status: "UPLOADING", legalHold: "case 7" }),
      row("begun", { status: "UPLOADING", createdAt: "2026-02-28T23:00:00.000Z" }),
      row("size", { sha256: sha256("size"), size: 1 }),
      row("of-u-2", { s3Key: file("theirs", "u-2") }),
      row("strange", { s3Key: "secrets/plan.pdf" }),
      row("same", { s3Key: file("whole") }),
    ];
    await site.put(table, rows);
    const avatar = "users/u-1/profiles/p-1/avatar.jpg";
    const there = ["whole", "other-bytes", "arrived", "size"].map((name) => file(name));
    const files = [...there, file("theirs", "u-2"), file("alone", "u-3"), avatar];
    await site.putFiles(bucket, files);
    const checked = await site.run("doc", "check", "--json");
    expect(checked.exitCode).toBe(4);
    const found = checked.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map(({ userId, kind, id, key }) => [userId, kind, id ?? key].join(" ")).toSorted()).toEqual(
      [
        "u-1 entry-without-object lost",
        ...["arrived", "begun", "half", "held"].map((id) => `u-1 half-done-upload ${id}`),
        "u-1 wrong-size size",
        "u-1 shared-object same",
        "u-1 wrong-hash other-bytes",
        "u-1 wrong-item of-u-2",
        "u-1 wrong-item strange",
        `u-2 object-without-entry ${file("theirs", "u-2")}`,
        `u-3 object-without-entry ${file("alone", "u-3")}`,
      ].toSorted(),
    );
    const repairable = ["arrived", "half", "held", "size"];
    expect(
      found.flatMap((each) => (each["repairable"] === true ? [String(each["id"])] : [])).toSorted(),
    ).toEqual(repairable);
    expect((await site.run("doc", "check", "u-3")).stdout).toContain(file("alone", "u-3"));
    expect(await site.column(table, "id")).toEqual(rows.map(({ id }) => id).toSorted());

    const repaired = await site.run("doc", "check", "u-1", "--repair", "--yes", "--json");
    expect(repaired.exitCode).toBe(4);
    const outcomes = repaired.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      outcomes.flatMap((each) => (each["repaired"] === true ? [String(each["id"])] : [])).toSorted(),
    ).toEqual(["arrived", "half", "size"]);
    const after = await site.rows(table);
    expect(after.find(({ id }) => id === "arrived")).toMatchObject({ status: "READY", size: 46 });
    expect(after.find(({ id }) => id === "size")).toEqual({
      ...rows.find(({ id }) => id === "size"),
      size: 43,
    });
    const as = new Set(["arrived", "half", "size"]);
    const untouched = rows.filter(({ id }) => !as.has(id));
    expect(after).toHaveLength(untouched.length + 2);
    expect(after).toEqual(expect.arrayContaining(untouched));
    expect(await site.left(bucket)).toEqual(files.toSorted());
  });

  it("move to another key where links to them are to end, and nothing of them stays", async () => {
    const site = modelSite(home, "prework");
    await site.put("prework-users", [account]);
    await site.run("doc", "upload", "u-1", "notes.txt", "--no-scan");
    const [row] = await site.rows(table);
    const id = String(row?.["id"]);
    const moved = (from: string) => {
      const mark = createHash("sha256").update(`moved from ${from}`).digest("hex").slice(0, 8);
      return from.replace(".txt", `-${mark}.txt`);
    };
    const foreseen = await site.run("doc", "revoke", "u-1", id, "--dry-run");
    expect(foreseen.stdout).toContain(`would move ${key} to ${moved(key)}`);
    expect(await site.left(bucket)).toEqual([key]);

    // What ends the run between the entry and the former file.
    home.beforeCall = async (command) => {
      if (command.startsWith("DeleteObject")) throw new Error("the machine ended here");
    };
    expect((await site.run("doc", "revoke", "u-1", id)).exitCode).toBe(1);
    home.beforeCall = undefined;
    expect(await site.rows(table)).toEqual([{ ...row, s3Key: moved(key) }]);
    expect(await site.left(bucket)).toEqual([key, moved(key)].toSorted());
    const checked = await site.run("doc", "check", "u-1", "--json");
    expect(JSON.parse(checked.stdout)).toMatchObject({ kind: "left-over-object", id, key, repairable: true });
    expect((await site.run("doc", "check", "u-1", "--repair", "--yes")).exitCode).toBe(0);
    expect(await site.left(bucket)).toEqual([moved(key)]);

    // Another file that came to the former key since is nobody's former file.
    await site.putFiles(bucket, [key]);
    const again = await site.run("doc", "revoke", "u-1", id);
    expect([again.exitCode, again.stdout]).toEqual([
      0,
      `no link to notes.txt works any more; its object is at ${moved(moved(key))}\n`,
    ]);
    expect(await site.rows(table)).toEqual([{ ...row, s3Key: moved(moved(key)) }]);
    expect(await site.left(bucket)).toEqual([key, moved(moved(key))].toSorted());
    expect((await site.file(bucket, moved(moved(key)))).toString()).toBe("what is written");
    const trail = await site.run("audit", "list", "--action", "document.link-revoked", "--json");
    expect(trail.stdout).toContain(`"previousKey":"${moved(key)}"`);
  });

  it("stay where they are while something else names their file, or nothing of it may be deleted", async () => {
    const { profiles } = prework.entities;
    const refs = { ...profiles.refs, photo: "object:profileFiles" };
    const entities = {
      ...prework.entities,
      profiles: { ...profiles, refs, fields: { ...profiles.fields, photo: "text" } },
    };
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify({ ...prework, entities }));
    const site = modelSite(home, "own.model.json");
    const file = (name: string) => `users/u-1/uploads/2026/03/${name}.txt`;
    const names = ["in-profile", "of-two", "held"];
    const rows = names.map((id) => ({
      id,
      originalName: `${id}.txt`,
      s3Key: file(id),
      uploadedBy: "u-1",
      createdAt: "2026-02-01T00:00:00.000Z",
      status: "READY",
      ...(id === "held" ? { legalHold: "case 7" } : {}),
    }));
    const others = { ...rows[1], id: "other", uploadedBy: "u-2" };
    await site.put(table, [...rows, others]);
    await site.put("prework-user-profiles", [{ id: "p-1", userId: "u-1", photo: file("in-profile") }]);
    await site.putFiles(bucket, names.map(file));
    for (const [id, why] of [
      ["in-profile", "something else names its file too (profiles)"],
      ["of-two", "something else names its file too (what is kept of each file)"],
      ["held", "is under a legal hold (case 7)"],
    ] as const) {
      const refused = await site.run("doc", "revoke", "u-1", id);
      expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toContain(why);
    }
    expect(await site.left(bucket)).toEqual(names.map(file).toSorted());
    expect(await site.rows(table)).toEqual(expect.arrayContaining([...rows, others]));

    // What a table names that is not there cannot be told.
    await site.look(async (aws) => {
      const [dynamodb, TableName] = [await aws.dynamodb(), "prework-user-profiles"];
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName }));
    });
    expect((await site.run("doc", "revoke", "u-1", "in-profile")).exitCode).toBe(1);
    expect(await site.left(bucket)).toEqual(names.map(file).toSorted());
    expect(await site.rows(table)).toEqual(expect.arrayContaining([...rows, others]));
  });

  it("leave a former file that is somebody else's by now", async () => {
    const site = modelSite(home, "prework");
    const mark = (from: string) =>
      createHash("sha256").update(`moved from ${from}`).digest("hex").slice(0, 8);
    const moved = (from: string) => from.replace(".txt", `-${mark(from)}.txt`);
    const row = {
      id: "d-1",
      originalName: "notes.txt",
      s3Key: moved(key),
      uploadedBy: "u-1",
      createdAt: "2026-02-01T00:00:00.000Z",
      status: "READY",
    };
    const theirs = { ...row, id: "d-2", s3Key: key, uploadedBy: "u-2" };
    await site.put("prework-users", [account]);
    await site.put(table, [row, theirs]);
    await site.look(async (aws) => {
      for (const each of [key, moved(key)])
        await putObject(aws, { bucket, key: each, body: Buffer.from("what is written") });
    });
    expect((await site.run("doc", "revoke", "u-1", "d-1")).exitCode).toBe(0);
    const again = moved(moved(key));
    expect(await site.left(bucket)).toEqual([key, again].toSorted());
    expect(
      (await site.rows(table)).toSorted((one, other) => (String(one["id"]) < String(other["id"]) ? -1 : 1)),
    ).toEqual([{ ...row, s3Key: again }, theirs]);
  });

  it("lose nothing to check --repair while a hold stands on the person, nor what came meanwhile", async () => {
    const site = modelSite(home, "prework");
    const at = (name: string) => `users/u-1/uploads/2026/03/${name}.txt`;
    const mark = createHash("sha256")
      .update(`moved from ${at("notes")}`)
      .digest("hex")
      .slice(0, 8);
    const moved = at(`notes-${mark}`);
    const row = (id: string, s3Key: string, status: string) => ({
      id,
      originalName: `${id}.txt`,
      s3Key,
      uploadedBy: "u-1",
      createdAt: "2026-02-01T00:00:00.000Z",
      status,
    });
    const rows = [row("begun", at("begun"), "UPLOADING"), row("moved", moved, "READY")];
    await site.put("prework-users", [account]);
    await site.put(table, rows);
    const body = Buffer.from("what is written");
    const metadata = { sha256: createHash("sha256").update(body).digest("hex") };
    await site.look(async (aws) => {
      for (const each of [at("notes"), moved]) await putObject(aws, { bucket, key: each, body, metadata });
    });
    const repair = async () => {
      const { exitCode, stdout } = await site.run("doc", "check", "u-1", "--repair", "--yes", "--json");
      return {
        exitCode,
        outcomes: stdout
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .map(({ kind, repaired, refused }) => ({ kind, repaired, refused }))
          .toSorted((one, other) => (String(one.kind) < String(other.kind) ? -1 : 1)),
      };
    };
    const state = async () => ({
      ids: await site.column(table, "id"),
      files: await site.left(bucket),
    });
    const before = { ids: ["begun", "moved"], files: [at("notes"), moved].toSorted() };

    expect((await site.run("user", "hold", "add", "u-1", "--reason", "case 7")).exitCode).toBe(0);
    const refused = "legal hold of the person: case 7";
    expect(await repair()).toEqual({
      exitCode: 4,
      outcomes: [
        { kind: "half-done-upload", repaired: false, refused },
        { kind: "left-over-object", repaired: false, refused },
      ],
    });
    expect(await state()).toEqual(before);
    expect((await site.run("user", "hold", "rm", "u-1", "--yes")).exitCode).toBe(0);

    // The file arrives, and another one at the former key, when all is decided.
    home.beforeCall = async (command, _input, aws) => {
      if (command !== "ListObjectVersionsCommand") return;
      for (const name of ["begun", "notes"])
        await putObject(aws, { bucket, key: at(name), body: Buffer.from(`new ${name}`) });
    };
    const late = await repair();
    home.beforeCall = undefined;
    expect(late.exitCode).toBe(4);
    expect(late.outcomes.map(({ kind, repaired }) => [kind, repaired])).toEqual([
      ["half-done-upload", false],
      ["left-over-object", false],
    ]);
    const files = [at("begun"), at("notes"), at("notes"), moved].toSorted();
    expect(await state()).toEqual({ ids: before.ids, files });
    expect((await site.file(bucket, at("notes"))).toString()).toBe("new notes");
  });

  it.each([
    [["upload", "u-1", "notes.txt", "--type", "cv"], "--type is not for prework"],
    [["upload", "u-1", "notes.txt", "--create-profile"], "--create-profile is not for prework"],
    [
      ["upload", "u-1", "notes.txt", "--field", "a=b"],
      "the key of a file has no field a that is to be given",
    ],
    [["rm", "u-1", "d-1", "--hard"], "--hard is not for prework"],
    [["request", "u-1", "--post", "--name", "a.pdf"], "--post is not for prework"],
  ])("what the site has no word for ends before anything is opened: %j", async (argv, why) => {
    const refused = await modelSite(home, "prework").run("doc", ...argv);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(why);
    expect(home.calls).toEqual([]);
  });
});

describe("the documents of prework-guide", () => {
  it("are handed in for each submission, also under the name and with the bytes of another one's", async () => {
    const site = modelSite(home, "prework-guide");
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    const begun = {
      PK: "MEDIA#begun",
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: "MEDIA#begun",
      userId: "u-1",
      fileName: "notes.txt",
      s3Key: "submissions/s-0/u-1/notes.txt",
      uploadStatus: "pending",
      sha256: "0".repeat(64),
      createdAt: "2026-03-01T00:00:00.000Z",
    };
    await site.put("pre-work-media", [begun]);
    const upload = async (submission: string) => {
      const argv = ["doc", "upload", "u-1", "notes.txt", "--no-scan"];
      const { exitCode, stdout } = await site.run(...argv, "--field", `submissionId=${submission}`);
      return [exitCode, /uploaded|already exists/.exec(stdout)?.[0]];
    };
    expect(await upload("s-1")).toEqual([0, "uploaded"]);
    expect(await upload("s-2")).toEqual([0, "uploaded"]);
    expect(await upload("s-1")).toEqual([0, "already exists"]);
    expect(await upload("..")).toEqual([1, undefined]);
    const at = (submission: string) => `submissions/${submission}/u-1/notes.txt`;
    const rows = await site.rows("pre-work-media");
    expect(Object.fromEntries(rows.map(({ s3Key, uploadStatus }) => [String(s3Key), uploadStatus]))).toEqual({
      [at("s-0")]: "pending",
      [at("s-1")]: "completed",
      [at("s-2")]: "completed",
    });
    expect(rows).toHaveLength(3);
    for (const submission of ["s-1", "s-2"])
      expect((await site.file("pre-work-media-uploads", at(submission))).toString()).toBe("what is written");
  });

  it("are asked for by a link that works once, and confirmed where they are", async () => {
    const env = { MAWPS_MODEL: "prework-guide" };
    const site = modelSite(home, "prework-guide");
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    const pending = {
      PK: "MEDIA#lapsed",
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: "MEDIA#lapsed",
      fileName: "scan.txt",
      s3Key: "submissions/s-2/u-1/scan.txt",
      uploadStatus: "pending",
    };
    const served = await serveHome(home, { env });
    try {
      const words = ["--name", "scan.txt", "--field", "submissionId=s-2", "--json"];
      const ask = () => site.run("doc", "request", "u-1", ...words);
      // A link that nobody used ended before.
      const lapsed = { ...pending, uploadUntil: "2026-02-02T00:00:00.000Z" };
      await site.put("pre-work-media", [lapsed]);
      const asked = await ask();
      expect([asked.exitCode, asked.stderr]).toEqual([0, ""]);
      const { id, url, headers } = JSON.parse(asked.stdout) as {
        id: string;
        url: string;
        headers: Record<string, string>;
      };
      const waiting = await site.run("doc", "confirm", "u-1", id);
      expect(waiting.stderr).toContain("nothing has arrived yet");
      expect(await site.rows("pre-work-media")).toMatchObject([
        { PK: `MEDIA#${id}`, uploadStatus: "pending", uploadUntil: expect.any(String) },
      ]);
      const second = await ask();
      expect(second.exitCode).toBe(1);
      expect(second.stderr).toContain(`${id} (scan.txt) waits for submissions/s-2/u-1/scan.txt until`);
      expect(await site.column("pre-work-media", "PK")).toEqual([`MEDIA#${id}`]);
      const send = async (body: string, more = headers) =>
        (await fetch(url, { method: "PUT", headers: more, body })).status;
      expect(await send("what is written", { "Content-Type": "text/plain" })).toBe(403);
      expect(await send("what is written")).toBe(200);
      expect(await send("something else")).toBe(412);
      // Another request ran at the same time as one of today; nothing comes by its link any more.
      await site.put("pre-work-media", [lapsed]);
      const confirmed = await site.run("doc", "confirm", "u-1", id, "--json");
      expect([confirmed.exitCode, confirmed.stderr]).toEqual([0, ""]);
      expect(await send("something else")).toBe(412);
    } finally {
      await served.stop();
    }
    const key = "submissions/s-2/u-1/scan.txt";
    const row = (await site.rows("pre-work-media")).find(({ PK }) => PK !== "MEDIA#lapsed");
    expect(row).toMatchObject({ s3Key: key, uploadStatus: "completed", fileSize: 15, scanResult: "SKIPPED" });
    expect(row).not.toHaveProperty("uploadUntil");
    expect(await site.left("pre-work-media-uploads")).toEqual([key]);
    expect((await site.file("pre-work-media-uploads", key)).toString()).toBe("what is written");
  });

  it("are sent as the model says: in one call below 100 MiB", async () => {
    const site = modelSite(home, "prework-guide");
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    const large = Buffer.alloc(9 * 1024 ** 2, "notes\n");
    await writeFile(join(home.folder, "large.txt"), large);
    const calls: string[] = [];
    home.beforeCall = async (name) => void calls.push(name);
    const { exitCode } = await site.run("doc", "upload", "u-1", "large.txt", "--field", "submissionId=s-9");
    home.beforeCall = undefined;
    expect(exitCode).toBe(0);
    expect(calls).not.toContain("CreateMultipartUploadCommand");
    const sent = await site.file("pre-work-media-uploads", "submissions/s-9/u-1/large.txt");
    expect(sent.equals(large)).toBe(true);
  });

  it("open and remove nothing that is a team's, an avatar, or not asked for", async () => {
    const site = modelSite(home, "prework-guide");
    const [bucket, table] = ["pre-work-media-uploads", "pre-work-media"];
    const team = "users/teams/t-1/shared/plan.pdf";
    const avatar = "users/u-1/profile/avatar.png";
    const begun = "submissions/s-1/u-1/begun.pdf";
    const held = "submissions/s-1/u-1/held.pdf";
    const row = (id: string, fields: Record<string, unknown>) => ({
      PK: `MEDIA#${id}`,
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: `MEDIA#${id}`,
      fileName: "plan.pdf",
      createdAt: "2026-03-01T00:00:00.000Z",
      ...fields,
    });
    const asked = { uploadStatus: "pending", uploadUntil: "2026-03-02T00:00:00.000Z" };
    const rows = [
      row("read", { s3Key: team, uploadStatus: "completed" }),
      row("team", { ...asked, s3Key: team }),
      row("avatar", { ...asked, s3Key: avatar }),
      row("begun", { s3Key: begun, uploadStatus: "pending" }),
      row("held", { ...asked, s3Key: held, legalHold: "case 7" }),
    ];
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    await site.put(table, rows);
    await site.putFiles(bucket, [team, avatar, begun, held]);
    const refusals: [string, ...string[]][] = [
      ["its object is in none of the folders of u-1", "url", "u-1", "read", "--allow-unscanned"],
      ["its object is in none of the folders of u-1", "get", "u-1", "read", "-o", "got"],
      ["its object is in none of the folders of u-1", "confirm", "u-1", "team"],
      ["its file is of a kind that no link leads to", "confirm", "u-1", "avatar"],
      ["no link was made for it", "confirm", "u-1", "begun"],
      ["is under a legal hold (case 7)", "confirm", "u-1", "held"],
    ];
    for (const [why, ...argv] of refusals) {
      const refused = await site.run("doc", ...argv);
      expect(refused.exitCode).toBeGreaterThan(0);
      expect(refused.stderr).toContain(why);
    }
    expect(await site.left(bucket)).toEqual([team, avatar, begun, held].toSorted());
    // A team's file and an avatar are what such an entry may name.
    const checked = await site.run("doc", "check", "u-1", "--json");
    expect([checked.exitCode, checked.stdout]).toEqual([4, expect.not.stringContaining("wrong-item")]);
    expect(await site.column(table, "PK")).toEqual(rows.map(({ PK }) => PK).toSorted());
  });

  it("move to another key by revoke, and are repaired by what their rows and files say", async () => {
    const site = modelSite(home, "prework-guide");
    const [bucket, table] = ["pre-work-media-uploads", "pre-work-media"];
    const at = (name: string) => `submissions/s-1/u-1/${name}.txt`;
    const sha256 = createHash("sha256")
      .update(`bytes of ${at("arrived")}`)
      .digest("hex");
    const row = (id: string, fields: Record<string, unknown>) => ({
      PK: `MEDIA#${id}`,
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: `MEDIA#${id}`,
      fileName: `${id}.txt`,
      s3Key: at(id),
      createdAt: "2026-02-01T00:00:00.000Z",
      uploadStatus: "pending",
      ...fields,
    });
    const sizes = { fileSize: Buffer.byteLength(`bytes of ${at("arrived")}`), sha256 };
    const rows = [
      row("arrived", { ...sizes, scanResult: "SKIPPED" }),
      row("begun", { createdAt: "2026-03-01T11:00:00.000Z" }),
      row("half", {}),
      row("whole", { uploadStatus: "completed" }),
    ];
    const files = [at("arrived"), at("whole")];
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    await site.put(table, rows);
    await site.putFiles(bucket, files);
    const mark = createHash("sha256")
      .update(`moved from ${at("whole")}`)
      .digest("hex")
      .slice(0, 8);
    const moved = at(`whole-${mark}`);
    expect((await site.run("doc", "revoke", "u-1", "whole")).exitCode).toBe(0);
    expect(await site.left(bucket)).toEqual([at("arrived"), moved]);
    expect((await site.file(bucket, moved)).toString()).toBe(`bytes of ${at("whole")}`);

    expect((await site.run("doc", "check", "u-1", "--repair", "--yes")).exitCode).toBe(4);
    const after = await site.rows(table);
    expect(after).toHaveLength(3);
    expect(after).toEqual(
      expect.arrayContaining([
        rows[1],
        { ...rows[3], s3Key: moved },
        expect.objectContaining({ PK: "MEDIA#arrived", uploadStatus: "completed", sha256 }),
      ]),
    );
    expect(await site.left(bucket)).toEqual([at("arrived"), moved]);
  });

  it("are opened as their row stands, not as an index may still have it", async () => {
    const site = modelSite(home, "prework-guide");
    const table = "pre-work-media";
    const s3Key = "submissions/s-1/u-1/notes.txt";
    const row = {
      PK: "MEDIA#d-1",
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: "MEDIA#d-1",
      fileName: "notes.txt",
      s3Key,
      createdAt: "2026-03-01T00:00:00.000Z",
      uploadStatus: "completed",
    };
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    await site.putFiles("pre-work-media-uploads", [s3Key]);
    home.beforeCall = async (command, input, aws) => {
      const { TableName } = input as GetItemCommandInput;
      if (command !== "GetItemCommand" || TableName !== table) return;
      const Item = typed({ ...row, uploadStatus: "deleted" }).M ?? {};
      await (await aws.dynamodb()).send(new PutItemCommand({ TableName, Item }));
    };
    for (const argv of [
      ["url", "u-1", "d-1", "--allow-unscanned"],
      ["get", "u-1", "d-1", "-o", "got"],
    ]) {
      await site.put(table, [row]);
      const refused = await site.run("doc", ...argv);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("d-1 (notes.txt) is DELETED, not READY");
    }
    // No PDF: what had come by a link would go in every version.
    const waits = {
      ...row,
      fileName: "notes.pdf",
      uploadStatus: "pending",
      uploadUntil: "2026-03-02T00:00:00.000Z",
    };
    await site.put(table, [waits]);
    const over = await site.run("doc", "confirm", "u-1", "d-1");
    expect(over.exitCode).toBe(1);
    expect(over.stderr).toContain("d-1 (notes.txt) is DELETED: there is nothing to confirm");
    expect(await site.left("pre-work-media-uploads")).toEqual([s3Key]);
    // A hold that comes while the file is looked at keeps it; one that comes while it goes keeps the entry, and is told.
    const held = { ...waits, legalHold: "case 7" };
    const moments: [string, string, string[]][] = [
      ["GetObjectCommand", "is under a legal hold (case 7)", [s3Key]],
      ["DeleteObjectsCommand", "d-1: somebody else changed its entry meanwhile", []],
    ];
    for (const [moment, told, files] of moments) {
      home.beforeCall = async (command, _input, aws) => {
        if (command !== moment) return;
        const dynamodb = await aws.dynamodb();
        await dynamodb.send(new PutItemCommand({ TableName: table, Item: typed(held).M ?? {} }));
      };
      await site.put(table, [waits]);
      const changed = await site.run("doc", "confirm", "u-1", "d-1");
      expect(changed.exitCode).toBe(1);
      expect(changed.stderr).toContain(told);
      expect(await site.rows(table)).toEqual([held]);
      expect(await site.left("pre-work-media-uploads")).toEqual(files);
    }
    home.beforeCall = undefined;
    // What somebody else has begun is not withdrawn.
    const begun = { uploadStatus: "pending", sha256: "a".repeat(64), uploadedBy: "other" };
    await site.put(table, [{ ...row, ...begun, s3Key: "submissions/s-2/u-1/notes.txt" }]);
    const words = ["--no-scan", "--field", "submissionId=s-2"];
    const upload = await site.run("doc", "upload", "u-1", "notes.txt", ...words);
    expect(upload.exitCode).toBe(1);
    expect(await site.column(table, "uploadedBy")).toEqual(["other"]);
  });

  it("have composite keys, its own status words, and a key that needs one thing more", async () => {
    const site = modelSite(home, "prework-guide");
    await site.put("pre-work-users", [{ PK: "USER#u-1", SK: "METADATA", email: "max@example.com" }]);
    const upload = (...argv: string[]) =>
      site.run("doc", "upload", "max@example.com", "notes.txt", "--no-scan", "--json", ...argv);
    const incomplete = await upload();
    expect(incomplete.exitCode).toBe(2);
    expect(incomplete.stderr).toContain("the key of a file needs submissionId");
    expect((await upload("--field", "submissionId=../x")).exitCode).toBeGreaterThan(0);
    const uploaded = await upload("--field", "submissionId=s-1");
    expect([uploaded.exitCode, uploaded.stderr]).toEqual([0, ""]);
    const { id } = JSON.parse(uploaded.stdout) as { id: string };
    const key = "submissions/s-1/u-1/notes.txt";
    const row = {
      PK: `MEDIA#${id}`,
      SK: "METADATA",
      GSI1PK: "USER#u-1",
      GSI1SK: `MEDIA#${id}`,
      userId: "u-1",
      fileName: "notes.txt",
      s3Key: key,
      s3Bucket: "pre-work-media-uploads",
      fileSize: 15,
      mimeType: "text/plain",
      uploadStatus: "completed",
      createdAt: expect.stringMatching(/^2026-03-01T/),
      scanResult: "SKIPPED",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    };
    expect(await site.rows("pre-work-media")).toEqual([row]);
    expect(await site.left("pre-work-media-uploads")).toEqual([key]);
    const listed = await site.run("doc", "list", "u-1", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject({ id, status: "READY", userId: "u-1" });
    expect((await site.run("doc", "rm", "u-1", id, "--yes")).exitCode).toBe(0);
    expect(await site.rows("pre-work-media")).toMatchObject([{ uploadStatus: "deleted" }]);
    const unknown = await site.run("doc", "list", "nobody@example.com");
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain("no account has this address");
  });
});
