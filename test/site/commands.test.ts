import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plainPicture } from "../fixtures/pictures.ts";
import { soundTwin } from "../support/twins.ts";
import { addresses } from "./accounts.ts";
import { nobodies, profiles, secrets } from "./items.ts";
import { pdf, publicMedia, userFiles } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
  const put = (name: string, bytes: Uint8Array | string) => writeFile(join(site.home.folder, name), bytes);
  await put("photo.jpg", await plainPicture([9, 90, 190], { width: 900, height: 700 }).jpeg().toBuffer());
  await put("other.jpg", await plainPicture([190, 90, 9], { width: 900, height: 700 }).jpeg().toBuffer());
  await put("cv.pdf", pdf("neu"));
  await put("twin.json", JSON.stringify(soundTwin));
  await put(
    "progress.json",
    JSON.stringify({ pages: { neu: { visitCount: 1, firstVisit: "2026-02-20T10:00:00.000Z" } } }),
  );
});

afterAll(() => site.remove());

describe("upkeep", () => {
  test.each([
    ["retention", "run", "--yes"],
    ["migrate", "up", "--yes"],
  ])("%s %s changes nothing of the site's", async (...argv) => {
    const before = await site.picture();
    const { exitCode, stdout, stderr } = await site.run(argv);
    expect([0, 4], `${stdout}\n${stderr}`).toContain(exitCode);
    expect(await site.changedSince(before)).toEqual([]);
  });

  test("setup --fix leaves ownership, public access, CORS and every object as they are", async () => {
    const before = await site.picture();
    await site.run(["setup", "--fix", "--yes"]);
    const changed = await site.changedSince(before);
    expect(changed.filter((line) => /^\w+ (object|item|user|group) /.test(line))).toEqual([]);
    expect(changed.filter((line) => / (ownership|public access block|cors|acl)$/.test(line))).toEqual([]);
  });
});

describe("an unencrypted backup with the site's API keys", () => {
  test("is refused with the names of what holds them, before a repository is made", async () => {
    const before = await site.picture();
    const refused = await site.run(["backup", "create", "--repo", "open"]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    for (const id of nobodies) expect(refused.stderr).toContain(`${id} (`);
    expect(secrets.filter((secret) => refused.stderr.includes(secret))).toEqual([]);
    await expect(readdir(join(site.home.folder, "open"))).rejects.toThrow("ENOENT");
    expect(await site.changedSince(before)).toEqual([]);
  });

  test("is made where told, and an encrypted one holds none in the open", async () => {
    expect((await site.run(["backup", "create", "--repo", "told", "--with-secrets"])).exitCode).toBe(0);
    const env = { MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };
    expect((await site.run(["backup", "create", "--repo", "closed"], { env })).exitCode).toBe(0);
    const stored = await readdir(join(site.home.folder, "closed"), { recursive: true, withFileTypes: true });
    const files = stored.filter((each) => each.isFile());
    expect(files.length).toBeGreaterThan(3);
    for (const { parentPath, name } of files) {
      const bytes = await readFile(join(parentPath, name));
      expect(secrets.filter((secret) => bytes.includes(secret))).toEqual([]);
    }
  });
});

describe("a changing command changes what it means to", () => {
  const item = (userId: string) => `changed item ${profiles} ${JSON.stringify({ userId })}`;
  const hero = `new object ${publicMedia} public/profile-images/owner/`;

  test("and nothing else of the site's", async () => {
    const { lena, tomas } = site.people;
    const documents = `new object ${userFiles} public/documents/${lena}/cv/`;
    const avatar = `new object ${userFiles} public/profile-images/${lena}/`;
    const steps: readonly (readonly [argv: readonly string[], may: readonly string[]])[] = [
      [
        ["hero", "set", "photo.jpg"],
        [item("owner"), hero],
      ],
      [
        ["hero", "set", "other.jpg", "--hover", "photo.jpg"],
        [item("owner"), hero],
      ],
      [["hero", "rollback", "--yes"], [item("owner")]],
      [["hero", "rm", "--yes"], [item("owner")]],
      [
        ["avatar", "set", addresses.lena, "photo.jpg"],
        [item(lena), avatar],
      ],
      [["avatar", "rm", addresses.lena, "--yes"], [item(lena)]],
      [
        ["doc", "upload", addresses.lena, "cv.pdf", "--type", "cv", "--no-scan"],
        [item(lena), documents],
      ],
      [["doc", "tag", tomas, "doc-tomas-1", "geprüft"], [item(tomas)]],
      [["doc", "rename", tomas, "doc-tomas-1", "CV.pdf"], [item(tomas)]],
      [["doc", "rm", tomas, "doc-tomas-1", "--yes"], [item(tomas)]],
      [["doc", "restore", tomas, "doc-tomas-1"], [item(tomas)]],
      [["progress", "import", addresses.tomas, "progress.json"], [item(tomas)]],
      [
        ["progress", "recompute"],
        [item(tomas), item(lena)],
      ],
      [["twin", "migrate", "twin.json", "--yes"], []],
      [["audit", "verify"], []],
    ];
    let before = await site.picture();
    const faults: string[] = [];
    for (const [argv, may] of steps) {
      const { exitCode, stderr } = await site.run(argv);
      if (exitCode !== 0) faults.push(`${argv.join(" ")}: ${exitCode} ${stderr}`);
      const after = await site.picture();
      const changed = await site.changedSince(before, after);
      for (const line of changed.filter((each) => !may.some((start) => each.startsWith(start)))) {
        faults.push(`${argv.join(" ")}: ${line}`);
      }
      before = after;
    }
    expect(faults).toEqual([]);
  }, 600_000);
});
