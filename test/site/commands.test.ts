import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nobodies, secrets } from "./items.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
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
