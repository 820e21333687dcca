import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queryItems } from "../../../src/aws/dynamodb/items.ts";
import { twinHistoryType } from "../../../src/model/twin.ts";
import { plainPicture } from "../../fixtures/pictures.ts";
import { dayMs, lines, shapes, storedIn } from "../../retention/stored.ts";
import { makeHome, testStart, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

const start = testStart.toISOString();
const folder = "public/documents/user-1/cv";

function later(days: number): string {
  return new Date(testStart.getTime() + days * dayMs).toISOString();
}

function documentOf(id: string, more: Record<string, unknown> = {}) {
  const s3Key = `${folder}/1700000000000-${id}.pdf`;
  return { id, name: `${id}.pdf`, type: "cv", s3Key, size: 5, uploadedAt: start, status: "READY", ...more };
}

describe.each(shapes)("retention on %s keys", (shape) => {
  it("purges a document 31 days after its deletion: no byte, no version, no marker, no entry", async () => {
    const stored = storedIn(home, shape);
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start, deletedBy: "admin" });
    const kept = documentOf("kept");
    await stored.putProfile("user-1", [gone, kept], {
      progressData: { pages: { ikigai: { visitCount: 3 } } },
    });
    await stored.put(gone.s3Key, "first");
    await stored.put(gone.s3Key, "second");
    await stored.remove(gone.s3Key);
    await stored.put(kept.s3Key);

    home.laterMs = 29 * dayMs;
    expect((await stored.run("retention", "plan", "--json", "--exit-code")).exitCode).toBe(0);
    home.laterMs = 31 * dayMs;
    const plan = await stored.run("retention", "plan", "--json", "--exit-code");
    expect(plan.exitCode).toBe(5);
    expect(lines(plan.stdout)).toEqual([
      expect.objectContaining({
        rule: "deleted-documents",
        action: "purge",
        reason: "deleted on 2026-03-01",
        key: gone.s3Key,
        userId: "user-1",
        bytes: 11,
        ageDays: 31,
      }),
    ]);
    const run = await stored.run("retention", "run", "--yes", "--json");
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(lines(run.stdout)).toMatchObject([{ done: 1, skipped: [], failed: [] }]);
    expect(await stored.left()).toEqual([kept.s3Key]);
    expect(await stored.profile("user-1")).toEqual({
      userId: "user-1",
      type: "user-profile",
      name: "Änne",
      progressData: { pages: { ikigai: { visitCount: 3 } } },
      documents: [kept],
    });
    const trail = lines((await stored.run("audit", "list", "--json", "--user", "user-1")).stdout);
    expect(trail.map(({ action, details }) => [action, details])).toEqual([
      ["document.purged", expect.objectContaining({ phase: "done", documentIds: ["gone"], versions: 3 })],
      ["document.purged", expect.objectContaining({ phase: "begun", documentIds: ["gone"], versions: 3 })],
    ]);
    expect((await stored.run("audit", "verify")).exitCode).toBe(0);
  });

  it("is checked: what is long overdue, and halves of documents; changes nothing, and ends with 4", async () => {
    const stored = storedIn(home, shape);
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    const lost = documentOf("lost");
    await stored.putProfile("user-1", [gone, lost]);
    await stored.put(gone.s3Key);
    const check = async (...argv: string[]) => {
      const { exitCode, stdout } = await stored.run("retention", "check", "--json", ...argv);
      return [exitCode, lines(stdout)];
    };
    const half = {
      kind: "entry-without-object",
      rule: null,
      userId: "user-1",
      documentId: "lost",
      what: lost.s3Key,
      bucket: "mawps-user-files-1760106396",
      key: lost.s3Key,
    };
    home.laterMs = 31 * dayMs;
    expect(await check()).toMatchObject([4, [half]]);
    const overdue = {
      kind: "overdue",
      rule: "deleted-documents",
      userId: "user-1",
      documentId: "gone",
      what: gone.s3Key,
      bucket: half.bucket,
      key: gone.s3Key,
      bytes: 5,
      // Behind S3's time of the file, which counts.
      dueAt: expect.stringMatching(/^2026-03-31T12:0/),
      why: `deleted on ${start.slice(0, 10)}`,
    };
    const [code, found] = await check("--late", "12h");
    expect([code, found]).toMatchObject([4, [overdue, half]]);
    const [{ lateMs } = {}] = found as readonly { readonly lateMs?: number }[];
    expect(Math.floor((lateMs ?? 0) / dayMs)).toBe(1);
    const { stdout: text } = await stored.run("retention", "check", "--late", "12h");
    expect(text).toMatch(/LATE +SIZE/);
    expect(text.replaceAll(/\s+/g, " ")).toMatch(/overdue 24 h 5 B deleted-documents user-1/);
    const before = await stored.profile("user-1");
    home.laterMs = 33 * dayMs;
    expect(await check()).toMatchObject([4, [overdue, half]]);
    expect([await stored.left(), await stored.profile("user-1")]).toEqual([[gone.s3Key], before]);
    await stored.put(lost.s3Key);
    await stored.run("retention", "run", "--yes");
    await stored.put(`${folder}/1700000000000-nobodies.pdf`);
    const unnamed = {
      kind: "object-without-entry",
      what: `${folder}/1700000000000-nobodies.pdf`,
      storedAt: expect.stringMatching(/^2026-04-0/),
    };
    // Its entry may be on its way.
    expect(await check()).toEqual([0, []]);
    home.laterMs = 36 * dayMs;
    expect(await check()).toMatchObject([4, [unnamed]]);
    await stored.remove(`${folder}/1700000000000-nobodies.pdf`);
    expect(await check()).toEqual([0, []]);
  });

  it("does nothing in a dry run, and says what it would do", async () => {
    const stored = storedIn(home, shape);
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    await stored.putProfile("user-1", [gone]);
    await stored.put(gone.s3Key);
    home.laterMs = 31 * dayMs;
    const dry = await stored.run("retention", "run", "--dry-run", "--json");
    expect(lines(dry.stdout)).toMatchObject([{ done: 1, dryRun: true, rules: [{ count: 1, bytes: 5 }] }]);
    const out = await stored.run("retention", "plan", "--dry-run", "--output", "plan.json");
    expect(out.exitCode).toBe(0);
    expect(out.stderr).toContain(`would write ${join(home.folder, "plan.json")}`);
    await expect(readFile(join(home.folder, "plan.json"))).rejects.toThrow("ENOENT");
    expect(await stored.left()).toEqual([gone.s3Key]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [gone] });
  });

  it("marks expired documents as deleted, and purges them after the period", async () => {
    const stored = storedIn(home, shape);
    const expiring = documentOf("cv", { expiresAt: later(10), tags: ["alt"] });
    await stored.putProfile("user-1", [documentOf("first"), expiring]);
    await stored.put(expiring.s3Key);
    home.laterMs = 11 * dayMs;
    expect((await stored.run("retention", "run", "--yes")).exitCode).toBe(0);
    const { documents } = (await stored.profile("user-1")) as { documents: Record<string, unknown>[] };
    expect(documents[1]).toEqual({
      ...expiring,
      status: "DELETED",
      deletedAt: expect.stringMatching(/^2026-03-12T12:/),
      deletedBy: "retention",
    });
    expect(await stored.left()).toEqual([expiring.s3Key]);
    home.laterMs = 42 * dayMs;
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [{ id: "first" }] });
  });

  it("keeps what is under a legal hold, in all versions, and tells why", async () => {
    const stored = storedIn(home, shape);
    const held = documentOf("held", { status: "DELETED", deletedAt: start, legalHold: "Klage 12 C 34/26" });
    await stored.putProfile("user-1", [held]);
    await stored.put(held.s3Key, "first");
    await stored.put(held.s3Key, "second");
    home.laterMs = 40 * dayMs;
    const plan = await stored.run("retention", "plan", "--json", "--exit-code");
    expect(plan.exitCode).toBe(0);
    expect(lines(plan.stdout)).toMatchObject([
      { action: "keep", documentId: "held", reason: "legal hold: Klage 12 C 34/26" },
    ]);
    expect((await stored.run("retention", "plan")).stdout).toContain("legal hold: Klage 12 C 34/26");
    expect((await stored.run("retention", "run", "--yes")).exitCode).toBe(0);
    expect(await stored.left()).toEqual([held.s3Key, held.s3Key]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [held] });
  });

  it("removes half-done uploads with what arrived of them, and unfinished multipart uploads", async () => {
    const stored = storedIn(home, shape);
    const half = documentOf("half", { status: "UPLOADING" });
    const asked = documentOf("asked", { status: "UPLOADING", uploadUntil: later(7) });
    await stored.putProfile("user-1", [half, asked]);
    await stored.put(half.s3Key);
    await stored.beginUpload(`${folder}/1700000000000-big.pdf`);
    home.laterMs = 2 * dayMs;
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [asked] });
    expect(await stored.uploads()).toHaveLength(1);
    home.laterMs = 6.9 * dayMs;
    expect(lines((await stored.run("retention", "plan", "--json")).stdout)).toEqual([]);
    home.laterMs = 8 * dayMs;
    const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
    expect(plan.map(({ rule, bytes, by }) => [rule, bytes, by])).toEqual([
      ["half-done-uploads", 0, "run"],
      ["multipart-uploads", 4, "lifecycle"],
    ]);
    await stored.run("retention", "run", "--yes");
    expect(await stored.uploads()).toEqual([]);
  });

  it("removes avatars and hero images that were live and nothing points to, with variants, in both layouts", async () => {
    const stored = storedIn(home, shape, { MAWPS_RETENTION_KEEP_IMAGES: "1" });
    await writeFile(join(home.folder, "photo.jpg"), await plainPicture([200, 60, 50]).jpeg().toBuffer());
    const set = async (...argv: string[]) =>
      String(lines((await stored.run(...argv, "photo.jpg", "--json")).stdout)[0]?.["key"]);
    const oldAvatar = "profile-images/user-1/avatar-1600000000000.png";
    const url = `https://mawps-user-files-1760106396.s3.eu-central-1.amazonaws.com/${oldAvatar}`;
    await stored.putProfile("user-1", [], { profileImage: url });
    await stored.put(oldAvatar);
    const [avatar1, avatar2] = [await set("avatar", "set", "user-1"), await set("avatar", "set", "user-1")];
    const hero1 = await set("hero", "set", "--responsive");
    const [hero2, hero3] = [await set("hero", "set"), await set("hero", "set")];
    const others = ["public/other/logo.svg", "public/profile-images/owner/1700000000001-a1b2c3.png"];
    for (const key of others) await stored.put(key, "picture", "publicMedia");
    const rentals = [1, 2, 3].map((n) => `public/profile-images/rentals/170000000000${n}-r1s2t3.jpg`);
    for (const key of rentals) await stored.put(key);
    home.laterMs = 91 * dayMs;
    const { stdout, stderr } = await stored.run("retention", "plan");
    const told = [
      "1 old picture left alone under manuel-weiss-public-media/public/profile-images/owner/: nothing says that they ever were hero images (`mawps hero list --unknown` shows all there are)\n",
      "3 old pictures left alone under mawps-user-files-1760106396/public/profile-images/: nothing says that they ever were avatars\n",
    ];
    for (const line of told) expect(stderr).toContain(line);
    await stored.run("retention", "plan", "--output", "due.json");
    const planned = await stored.run("retention", "run", "due.json", "--dry-run");
    for (const line of told) expect(planned.stderr).toContain(line);
    const variants = [`${hero1.slice(0, -4)}w64.avif`, `${hero1.slice(0, -4)}w64.webp`];
    expect(stdout).toContain(variants[0]);
    const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
    expect(
      plan.map(({ rule, key, userId }) => `${String(rule)} ${String(userId)} ${String(key)}`).sort(),
    ).toEqual([
      ...[hero1, ...variants].map((key) => `unreferenced-images owner ${key}`).sort(),
      `unreferenced-images user-1 ${oldAvatar}`,
    ]);
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([...rentals, avatar1, avatar2]);
    expect((await stored.left("publicMedia")).sort()).toEqual([...others, hero2, hero3].sort());
  });

  it("never takes a picture of which nothing says that it was live, however old and many there are", async () => {
    const stored = storedIn(home, shape, { MAWPS_RETENTION_KEEP_IMAGES: "0" });
    const services = Array.from(
      { length: 9 },
      (_, n) => `public/profile-images/owner/170000000000${n}-a1b2c3.png`,
    );
    const tools = "public/profile-images/owner/1700000000009-4f9c2a1b.jpg";
    const avatars = [
      "public/profile-images/user-1/1700000000000-abc.jpg",
      "profile-images/user-1/avatar-16.png",
    ];
    for (const key of [...services, tools]) await stored.put(key, "picture", "publicMedia");
    for (const key of avatars) await stored.put(key);
    await stored.putProfile("user-1", []);
    home.laterMs = 400 * dayMs;
    const run = await stored.run("retention", "run", "--yes");
    expect([run.exitCode, run.stdout]).toEqual([0, "nothing is due\n"]);
    for (const [number, place] of [
      ["10 old pictures", "manuel-weiss-public-media/public/profile-images/owner/"],
      ["1 old picture", "mawps-user-files-1760106396/public/profile-images/"],
      ["1 old picture", "mawps-user-files-1760106396/profile-images/"],
    ])
      expect(run.stderr).toContain(`${number} left alone under ${place}: `);
    expect(await stored.left("publicMedia")).toEqual([...services, tools]);
    expect(await stored.left()).toEqual([...avatars].sort());
  });

  it("keeps the newest states of the digital twin", async () => {
    const stored = storedIn(home, shape);
    for (let version = 1; version <= 12; version++) {
      await stored.putItem((config) => config.tables[shape === "simple" ? "digitalTwin" : "userProfiles"], {
        userId: "owner",
        type: twinHistoryType(version),
        personality: { traits: `v${version}` },
      });
    }
    const run = await stored.run("retention", "run", "--yes", "--json");
    expect(lines(run.stdout)).toMatchObject([{ done: 2, rules: [{ rule: "twin-history" }] }]);
    const left = await stored.look(async (aws, config) => {
      const table = config.tables[shape === "simple" ? "digitalTwin" : "userProfiles"];
      const types: string[] = [];
      const partition = { attribute: "userId", value: { S: "owner" } };
      for await (const page of queryItems(aws, { table, partition })) {
        types.push(...page.map((item) => item["type"]?.S ?? ""));
      }
      return types;
    });
    expect(left).toEqual(Array.from({ length: 10 }, (_, n) => twinHistoryType(n + 3)));
  });

  it("removes replaced versions after the period and says that S3 would", async () => {
    const stored = storedIn(home, shape);
    const key = `${folder}/1700000000000-cv.pdf`;
    await stored.put(key, "first");
    home.laterMs = 10 * dayMs;
    await stored.put(key, "second");
    home.laterMs = 39 * dayMs;
    expect(lines((await stored.run("retention", "plan", "--json")).stdout)).toEqual([]);
    home.laterMs = 41 * dayMs;
    expect(lines((await stored.run("retention", "plan", "--json")).stdout)).toMatchObject([
      {
        rule: "noncurrent-versions",
        by: "lifecycle",
        bytes: 5,
        userId: "user-1",
        reason: "replaced on 2026-03-11",
      },
    ]);
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([key]);
  });

  it("turns every rule off", async () => {
    const off = Object.fromEntries(
      ["DELETED_DOCUMENTS", "EXPIRED_DOCUMENTS", "HALF_DONE_UPLOADS", "MULTIPART_UPLOADS"]
        .concat("NONCURRENT_VERSIONS", "UNREFERENCED_IMAGES", "KEEP_TWIN_VERSIONS", "AUDIT_ENTRIES")
        .map((name) => [`MAWPS_RETENTION_${name}`, "off"]),
    );
    const stored = storedIn(home, shape, { ...off, MAWPS_RETENTION_KEEP_IMAGES: "0" });
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    await stored.putProfile("user-1", [
      gone,
      documentOf("half", { status: "UPLOADING" }),
      documentOf("old", { expiresAt: start }),
    ]);
    await stored.put(gone.s3Key, "first");
    await stored.put(gone.s3Key, "second");
    await stored.put("public/profile-images/user-1/1700000000000-abc.jpg");
    await stored.beginUpload(`${folder}/1700000000000-big.pdf`);
    home.laterMs = 9000 * dayMs;
    expect(lines((await stored.run("retention", "plan", "--json")).stdout)).toEqual([]);
    expect((await stored.run("retention", "run")).stdout).toBe("nothing is due\n");
  });
});

describe("retention", () => {
  it("asks with numbers, and does nothing when declined or when nobody can answer", async () => {
    const stored = storedIn(home, "simple");
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    await stored.putProfile("user-1", [gone]);
    await stored.put(gone.s3Key);
    home.laterMs = 31 * dayMs;
    const silent = await stored.run("retention", "run");
    expect(silent.exitCode).toBe(1);
    expect(silent.stderr).toContain("Delete for good 1 (deleted-documents, 5 B)?");
    expect(silent.stderr).toContain("--yes");
    const declined = await home.run(["retention", "run", "--quiet"], { answers: [false] });
    expect(declined).toMatchObject({ exitCode: 1 });
    expect(declined.stderr).toContain("nothing was changed");
    expect(await stored.left()).toEqual([gone.s3Key]);
    expect((await home.run(["retention", "run", "--quiet"], { answers: [true] })).exitCode).toBe(0);
    expect(await stored.left()).toEqual([]);
  });

  it("refuses more deletions than the limit before the first, and does them when they are allowed", async () => {
    const stored = storedIn(home, "simple");
    const gone = ["a", "b", "c"].map((id) => documentOf(id, { status: "DELETED", deletedAt: start }));
    await stored.putProfile("user-1", gone);
    for (const { s3Key } of gone) await stored.put(s3Key);
    home.laterMs = 31 * dayMs;
    const refused = await stored.run("retention", "run", "--yes", "--max-delete", "2");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("3 deletions are due, more than the limit of 2; nothing was deleted");
    expect(refused.stderr).toContain("--max-delete 3");
    expect(await stored.left()).toHaveLength(3);
    expect((await stored.run("retention", "run", "--yes", "--max-delete", "3")).exitCode).toBe(0);
    expect(await stored.left()).toEqual([]);
    expect((await stored.run("retention", "run", "--max-delete", "-1")).exitCode).toBe(2);
  });

  it("allows 500 by default and no more where little is there", async () => {
    const stored = storedIn(home, "simple");
    const gone = Array.from({ length: 501 }, (_, n) =>
      documentOf(`d${n}`, { status: "DELETED", deletedAt: start }),
    );
    await stored.putProfile("user-1", gone);
    home.laterMs = 31 * dayMs;
    const refused = await stored.run("retention", "run", "--yes");
    expect(refused.stderr).toContain(
      "501 deletions are due, more than the limit of 500 (500, or 5 % of the 0 that",
    );
    const { documents } = (await stored.profile("user-1")) as { documents: unknown[] };
    expect(documents).toHaveLength(501);
  });

  it("refuses to delete by a clock that is ahead, and plans by S3's", async () => {
    const stored = storedIn(home, "simple");
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    await stored.putProfile("user-1", [gone]);
    await stored.put(gone.s3Key);
    home.aheadMs = 31 * dayMs;
    const run = await stored.run("retention", "run", "--yes");
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/the local clock is 44,6\d\d minutes ahead of S3's; nothing was deleted/);
    expect(lines((await stored.run("retention", "plan", "--json")).stdout)).toEqual([]);
    // A clock that is behind makes everything late, never early.
    home.laterMs = 31 * dayMs;
    home.aheadMs = -10 * dayMs;
    expect((await stored.run("retention", "run", "--yes", "--json")).stdout).toContain('"done":0');
    home.aheadMs = 0;
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([]);
  });

  it("lets no entry with an invented time purge an object that S3 knows to be younger", async () => {
    const stored = storedIn(home, "simple");
    const gone = documentOf("gone", { status: "DELETED", deletedAt: "2020-01-01T00:00:00.000Z" });
    await stored.putProfile("user-1", [gone]);
    await stored.put(gone.s3Key);
    home.laterMs = 29 * dayMs;
    const plan = await stored.run("retention", "plan", "--json", "--exit-code");
    expect([plan.exitCode, JSON.parse(plan.stdout)]).toMatchObject([
      0,
      {
        action: "keep",
        documentId: gone.id,
        ageDays: 29,
        reason: `deleted on 2020-01-01, but its object is in S3 only since ${start.slice(0, 10)}, which counts`,
      },
    ]);
    await stored.run("retention", "run", "--yes");
    expect(await stored.left()).toEqual([gone.s3Key]);
  });

  it("takes nobody else's object along, and none that another entry names", async () => {
    const stored = storedIn(home, "simple");
    const dead = { status: "DELETED", deletedAt: start };
    const theirs = "public/documents/user-2/cv/1700000000000-cv.pdf";
    const avatar = "public/profile-images/user-1/1700000000000-abc.jpg";
    const shared = documentOf("shared");
    await stored.putProfile("user-1", [
      documentOf("foreign", { ...dead, s3Key: theirs }),
      documentOf("anchor", { ...dead, s3Key: "audit/mawps-audit-log/main.json" }),
      documentOf("folder", { ...dead, s3Key: "public/documents/user-1/" }),
      documentOf("picture", { ...dead, s3Key: avatar }),
      { ...shared, id: "copy", ...dead },
      shared,
      documentOf("empty", { ...dead, s3Key: "" }),
    ]);
    for (const key of [theirs, avatar, shared.s3Key]) await stored.put(key);
    home.laterMs = 31 * dayMs;
    const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
    expect(plan.map(({ documentId, action }) => `${String(documentId)} ${String(action)}`)).toEqual([
      "foreign keep",
      "anchor keep",
      "folder keep",
      "picture keep",
      "copy purge",
      "empty purge",
    ]);
    expect((await stored.run("retention", "run", "--yes")).exitCode).toBe(0);
    expect(await stored.left()).toEqual([shared.s3Key, theirs, avatar].sort());
    const { documents } = (await stored.profile("user-1")) as { documents: { id: string }[] };
    expect(documents.map(({ id }) => id)).toEqual(["foreign", "anchor", "folder", "picture", "shared"]);
  });

  it("leaves an object that another attribute of the profile names, and says which", async () => {
    const stored = storedIn(home, "simple");
    const deleted = { status: "DELETED", deletedAt: start };
    const [resume, letter, gone] = ["resume", "letter", "gone"].map((id) => documentOf(id, deleted));
    if (resume === undefined || letter === undefined || gone === undefined) throw new Error("none");
    await stored.putProfile("user-1", [resume, letter, gone], {
      resumes: [{ id: "resume-1", s3Key: resume.s3Key }],
      applications: [{ files: { letter: `https://example.com/o/${encodeURIComponent(letter.s3Key)}?x=1` } }],
    });
    for (const { s3Key } of [resume, letter, gone]) await stored.put(s3Key);
    home.laterMs = 31 * dayMs;
    const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
    expect(plan.map(({ reason }) => reason)).toEqual([
      'deleted on 2026-03-01; "resumes" names its object, which stays',
      'deleted on 2026-03-01; "applications" names its object, which stays',
      "deleted on 2026-03-01",
    ]);
    expect((await stored.run("retention", "run", "--yes")).exitCode).toBe(0);
    expect(new Set(await stored.left())).toEqual(new Set([resume.s3Key, letter.s3Key]));
  });

  it("finishes what a crash between object and entry left", async () => {
    const stored = storedIn(home, "simple");
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
    await stored.putProfile("user-1", [gone]);
    home.laterMs = 31 * dayMs;
    const run = await stored.run("retention", "run", "--yes", "--json");
    expect(lines(run.stdout)).toMatchObject([{ done: 1 }]);
    expect(await stored.profile("user-1")).toMatchObject({ documents: [] });
  });

  it("tells what DynamoDB's TTL has still to remove of the audit trail, and leaves it", async () => {
    const stored = storedIn(home, "simple");
    const gone = documentOf("gone", { expiresAt: start });
    await stored.putProfile("user-1", [gone]);
    await stored.run("retention", "run", "--yes");
    home.laterMs = 2558 * dayMs;
    const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
    expect(plan.filter(({ rule }) => rule === "audit-entries")).toMatchObject([
      { action: "expire", by: "ttl", userId: "user-1", ageDays: 2558, item: { chain: "main", sequence: 1 } },
    ]);
    const checked = await stored.run("retention", "check", "--late", "12h", "--json");
    expect(checked.exitCode).toBe(4);
    expect(lines(checked.stdout)).toContainEqual(
      expect.objectContaining({
        kind: "overdue",
        rule: "audit-entries",
        userId: "user-1",
        table: "mawps-audit-log",
        item: { chain: "main", sequence: 1 },
        dueAt: expect.stringMatching(/^2033-03-01T12/),
      }),
    );
    await stored.run("retention", "run", "--yes");
    const trail = lines((await stored.run("audit", "list", "--json")).stdout);
    expect(trail.map(({ sequence }) => sequence)).toContain(1);
    expect((await stored.run("audit", "verify")).exitCode).toBe(0);
  });

  it("shows foreign names without letting them steer the terminal", async () => {
    const stored = storedIn(home, "simple");
    await stored.putProfile("user-1", [
      documentOf("x\u001B[2J", { status: "DELETED", deletedAt: start, legalHold: "\u001B]0;x\u0007" }),
    ]);
    home.laterMs = 31 * dayMs;
    const { stdout } = await stored.run("retention", "plan");
    expect(stdout).not.toContain("\u001B");
    expect(stdout).toContain("\\x1b");
  });
});

it("keeps what is due of somebody under a legal hold, by an older plan too, and nobody else's", async () => {
  const stored = storedIn(home, "simple");
  const gone = documentOf("gone", { status: "DELETED", deletedAt: start });
  const other = { ...gone, s3Key: gone.s3Key.replace("user-1", "user-12") };
  await stored.putProfile("user-1", [gone]);
  await stored.putProfile("user-12", [other]);
  for (const { s3Key } of [gone, other]) {
    await stored.put(s3Key, "first");
    await stored.put(s3Key, "second");
  }
  home.laterMs = 31 * dayMs;
  await stored.run("retention", "plan", "--output", "plan.json");
  expect((await stored.run("user", "hold", "add", "user-1", "--reason", "case 1")).exitCode).toBe(0);
  const plan = lines((await stored.run("retention", "plan", "--json")).stdout);
  const told = plan.map(({ action, userId, reason }) => [action, userId, reason].join(" "));
  expect(told.toSorted()).toEqual([
    "keep user-1 legal hold of the person: case 1",
    "purge user-12 deleted on 2026-03-01",
  ]);
  const run = await stored.run("retention", "run", "plan.json", "--yes", "--json");
  expect(lines(run.stdout)).toMatchObject([
    { done: 1, skipped: [{ why: "legal hold of the person: case 1" }] },
  ]);
  expect(await stored.left()).toEqual([gone.s3Key, gone.s3Key]);
  expect(await stored.profile("user-1")).toMatchObject({ documents: [gone] });
});
