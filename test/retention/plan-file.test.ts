import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plainPicture } from "../fixtures/pictures.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { dayMs, lines, storedIn } from "./stored.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

const start = testStart.toISOString();

function deleted(id: string, more: Record<string, unknown> = {}) {
  const s3Key = `public/documents/user-1/cv/1700000000000-${id}.pdf`;
  return {
    id,
    name: `${id}.pdf`,
    type: "cv",
    s3Key,
    uploadedAt: start,
    status: "DELETED",
    deletedAt: start,
    ...more,
  };
}

/** A home with one due document, 31 days on, and a plan for it. */
async function planned(...ids: string[]) {
  const stored = storedIn(home, "simple");
  const documents = (ids.length === 0 ? ["gone"] : ids).map((id) => deleted(id));
  await stored.putProfile("user-1", documents);
  for (const { s3Key } of documents) await stored.put(s3Key);
  home.laterMs = 31 * dayMs;
  const plan = await stored.run("retention", "plan", "--output", "plan.json");
  expect(plan.exitCode).toBe(0);
  const [first] = documents;
  return { stored, documents, key: first?.s3Key ?? "" };
}

const path = () => join(home.folder, "plan.json");
const carryOut = (stored: ReturnType<typeof storedIn>) =>
  stored.run("retention", "run", "plan.json", "--yes", "--json");

describe("a plan in a file", () => {
  it("is JSON that says what it is valid for, readable by its owner only", async () => {
    const { key } = await planned();
    const plan = JSON.parse(await readFile(path(), "utf8")) as Record<string, unknown>;
    expect(plan).toMatchObject({
      created: expect.stringMatching(/^2026-04-01T12:/),
      environment: {
        target: "local",
        region: "eu-central-1",
        store: join(home.folder, "store"),
        "buckets.userFiles": "mawps-user-files-1760106396",
        "tables.userProfiles": "mawps-user-profiles",
        "retention.deletedDocuments": 30,
      },
      entries: [{ key, versions: [{ bytes: 5 }], was: { deletedAt: start } }],
    });
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it("is done exactly: what is due since stays", async () => {
    const { stored } = await planned();
    const later = "public/documents/user-2/cv/1700000000000-later.pdf";
    await stored.putProfile("user-2", [{ ...deleted("later"), s3Key: later }]);
    const run = await carryOut(stored);
    expect(lines(run.stdout)).toMatchObject([{ done: 1 }]);
    expect(await stored.left()).toEqual([]);
    expect(await stored.profile("user-2")).toMatchObject({ documents: [{ id: "later" }] });
    // The same plan once more finds its work done.
    expect(lines((await carryOut(stored)).stdout)).toMatchObject([{ done: 0, gone: 1, skipped: [] }]);
  });

  it.each<[string, (s: ReturnType<typeof storedIn>, key: string) => Promise<unknown>, RegExp]>([
    [
      "the document was restored",
      (s) => s.putProfile("user-1", [{ ...deleted("gone"), status: "READY", deletedAt: null }]),
      /nothing is due any more: status was "DELETED", is "READY"/,
    ],
    [
      "it was restored and deleted again lately",
      (s) => s.putProfile("user-1", [deleted("gone", { deletedAt: "2026-03-30T00:00:00.000Z" })]),
      /nothing is due any more: deletedAt was "2026-03-01T12:00:00.000Z", is "2026-03-30/,
    ],
    [
      "it was deleted at another time",
      (s) => s.putProfile("user-1", [deleted("gone", { deletedAt: "2026-02-01T00:00:00.000Z" })]),
      /its entry changed: deletedAt was/,
    ],
    [
      "it came under a legal hold",
      (s) => s.putProfile("user-1", [deleted("gone", { legalHold: "Klage" })]),
      /legal hold: Klage/,
    ],
    [
      "it was moved to another key",
      (s) =>
        s.putProfile("user-1", [
          deleted("gone", { s3Key: "public/documents/user-1/cv/1800000000000-x.pdf" }),
        ]),
      /its object was moved to another key/,
    ],
    [
      "its entry is gone and its object is not",
      (s) => s.putProfile("user-1", []),
      /its entry is gone, its object is not/,
    ],
    ["its object got another version", (s, key) => s.put(key, "newer"), /in S3 only since 2026-04-01/],
  ])("skips and names what changed: %s", async (_name, change, why) => {
    const { stored, key } = await planned();
    await change(stored, key);
    const before = await stored.left();
    const run = await carryOut(stored);
    expect(run.exitCode).toBe(0);
    const [result] = lines(run.stdout) as [{ done: number; skipped: { why: string; key: string }[] }];
    expect(result).toMatchObject({ done: 0, skipped: [{ key, rule: "deleted-documents" }] });
    expect(result.skipped[0]?.why).toMatch(why);
    expect(run.stderr).toContain(key);
    expect(await stored.left()).toEqual(before);
  });

  it("removes the entry alone when another one names its object by now", async () => {
    const { stored, key } = await planned();
    await stored.putProfile("user-1", [
      deleted("gone"),
      { ...deleted("gone"), id: "other", status: "READY" },
    ]);
    expect(lines((await carryOut(stored)).stdout)).toMatchObject([{ done: 1, skipped: [] }]);
    expect(await stored.left()).toEqual([key]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [{ id: "other" }] });
  });

  it("skips an object with a version, ETag or time that the plan does not know", async () => {
    const { stored, key } = await planned("a", "b", "c");
    const text = await readFile(path(), "utf8");
    const rows = text.split("\n");
    const edited = rows
      .map((row) => (row.includes("-a.pdf") ? row.replace(/"etag":"[^,]*",/, '"etag":"other",') : row))
      .map((row) =>
        row.includes("-b.pdf")
          ? row.replace(/"lastModified":"[^"]*"/, '"lastModified":"2026-01-01T00:00:00.000Z"')
          : row,
      )
      .map((row) => (row.includes("-c.pdf") ? row.replace(/"version":"[^"]*"/, '"version":"other"') : row));
    expect(edited).not.toEqual(rows);
    await writeFile(path(), edited.join("\n"));
    const run = await carryOut(stored);
    const [result] = lines(run.stdout) as [{ done: number; skipped: { why: string }[] }];
    expect(result.done).toBe(0);
    expect(result.skipped.map(({ why }) => why)).toEqual([
      "it has other bytes now (ETag)",
      expect.stringMatching(/^it was written anew on 2026-03-01/),
      expect.stringMatching(/^a version was added/),
    ]);
    expect(await stored.left()).toContain(key);
    expect(await stored.left()).toHaveLength(3);
  });

  it("does nothing that is not due, whatever somebody wrote into it", async () => {
    const { stored, documents } = await planned("gone");
    const ready = { ...deleted("ready"), status: "READY", deletedAt: null };
    await stored.putProfile("user-1", [...documents, ready]);
    await stored.put(ready.s3Key);
    await stored.run("retention", "plan", "--output", "plan.json");
    const text = await readFile(path(), "utf8");
    await writeFile(path(), text.replaceAll("-gone.pdf", "-ready.pdf").replaceAll('"gone"', '"ready"'));
    expect(lines((await carryOut(stored)).stdout)).toMatchObject([
      { done: 0, skipped: [{ documentId: "ready" }] },
    ]);
    expect(await stored.left()).toHaveLength(2);
  });

  it.each<[string, Record<string, string>, string]>([
    ["bucket", { MAWPS_USER_FILES_BUCKET: "another-bucket" }, "buckets.userFiles"],
    ["table", { MAWPS_AUDIT_LOG_TABLE: "another-table" }, "tables.auditLog"],
    ["period", { MAWPS_RETENTION_DELETED_DOCUMENTS: "29" }, "retention.deletedDocuments"],
    ["rule that is off", { MAWPS_RETENTION_DELETED_DOCUMENTS: "off" }, "retention.deletedDocuments"],
    ["store", { MAWPS_HOME: "elsewhere" }, "store"],
    ["region", { AWS_REGION: "eu-west-1" }, "region"],
  ])("is refused with another %s", async (_name, env, named) => {
    const { stored } = await planned();
    const run = await home.run(["retention", "run", "plan.json", "--yes"], { env });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("was made for another environment");
    expect(run.stderr).toContain(named);
    expect(await stored.left()).toHaveLength(1);
  });

  it.each<[string, (text: string) => string]>([
    ["cut off in the middle of an entry", (text) => text.slice(0, text.length / 2)],
    ["cut off behind an entry", (text) => text.slice(0, text.indexOf("\n]"))],
    ["without one of its entries", (text) => text.replace(/\n\{.*?\n/, "\n")],
    ["with an entry that is none", (text) => text.replace('"purge"', '"destroy"')],
    ["empty", () => ""],
    ["something else", () => '{"a": 1}\n'],
  ])("is refused when it is %s", async (_name, damage) => {
    const { stored } = await planned("a", "b");
    await writeFile(path(), damage(await readFile(path(), "utf8")));
    const run = await stored.run("retention", "run", "plan.json", "--yes");
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("is no whole retention plan");
    expect(await stored.left()).toHaveLength(2);
  });

  it("is refused when there is no such file, or it cannot be written", async () => {
    const { stored } = await planned();
    expect((await stored.run("retention", "run", "none.json")).stderr).toContain(
      "none.json: there is no such file",
    );
    expect((await stored.run("retention", "plan", "--output", "no/folder.json")).exitCode).toBe(1);
  });

  it("takes the place of no other file unasked, and is told of", async () => {
    const { stored } = await planned();
    await writeFile(path(), "somebody's");
    const before = home.calls.length;
    const refused = await stored.run("retention", "plan", "--output", "plan.json");
    expect([refused.exitCode, refused.stdout, home.calls.length]).toEqual([1, "", before]);
    expect(refused.stderr).toContain("plan.json already exists\nhint: pass --overwrite to replace it");
    expect(await readFile(path(), "utf8")).toBe("somebody's");
    const told = await stored.run("retention", "plan", "--output", "plan.json", "--overwrite");
    expect(told.stderr).toContain(`wrote ${path()}`);
    const { totals } = JSON.parse(await readFile(path(), "utf8")) as { totals: object };
    expect(totals).toMatchObject({ entries: 1 });
    const names = await readdir(home.folder);
    expect(names.filter((name) => name.startsWith("plan.json"))).toEqual(["plan.json"]);
  });

  it("keeps a picture that was brought back, and a version that is the current one again", async () => {
    const stored = storedIn(home, "simple", { MAWPS_RETENTION_KEEP_IMAGES: "0" });
    const file = "public/other/file.txt";
    await stored.putProfile("user-1", []);
    await writeFile(join(home.folder, "photo.jpg"), await plainPicture([200, 60, 50]).jpeg().toBuffer());
    const set = await stored.run("avatar", "set", "user-1", "photo.jpg", "--json");
    const picture = String(lines(set.stdout)[0]?.["key"]);
    await stored.run("avatar", "rm", "user-1", "--yes");
    await stored.put(file);
    await stored.remove(file);
    home.laterMs = 91 * dayMs;
    await stored.run("retention", "plan", "--output", "plan.json");
    await stored.putProfile("user-1", [], { profileImage: `https://cdn.example/${picture}?v=1` });
    await stored.look(async (aws, config) => {
      const s3 = await aws.s3();
      await s3.send(new PutObjectCommand({ Bucket: config.buckets.userFiles, Key: file, Body: "again" }));
    });
    const run = await carryOut(stored);
    expect(lines(run.stdout)).toMatchObject([{ skipped: [{ key: picture }] }]);
    expect(await stored.left()).toContain(picture);
  });
});
