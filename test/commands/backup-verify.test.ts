import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { putObject } from "../../src/aws/objects.ts";
import { putTyped } from "../support/typed-tables.ts";
import { itemsOfEveryType } from "../support/typed-items.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const profiles = "mawps-user-profiles";
const bucket = "mawps-user-files-1760106396";

let home: TestHome;
let repository: string;
let id: string;

beforeEach(async () => {
  home = await makeHome();
  repository = join(home.folder, "repository");
  await putTyped(home, profiles, itemsOfEveryType());
  await home.look(async (aws) => {
    for (const text of ["one", "two", "two"]) {
      await putObject(aws, { bucket, key: `public/${crypto.randomUUID()}`, body: Buffer.from(text) });
    }
  });
  const { stdout } = await home.run(["backup", "create", "--repo", repository, "--json"]);
  ({ id } = JSON.parse(stdout) as { id: string });
});

afterEach(() => home.remove());

const verify = (...options: string[]) => home.run(["backup", "verify", "--repo", repository, ...options]);

async function contents(): Promise<string[]> {
  const found = await readdir(join(repository, "data"), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function contentOf(text: string): Promise<string> {
  for (const path of await contents()) if ((await readFile(path, "utf8")) === text) return path;
  throw new Error(`no content is ${text}`);
}

test("a whole one is told as such, and only a look at all of it counts as verified", async () => {
  const quick = await verify("--json");
  expect(quick.exitCode).toBe(0);
  const found = JSON.parse(quick.stdout) as { contents: number };
  // Three of the test's own, and the audit trail's anchor.
  expect(found).toMatchObject({
    snapshot: id,
    items: itemsOfEveryType().length,
    objects: 4,
    read: 0,
    faults: [],
  });
  const listed = async () =>
    JSON.parse((await home.run(["backup", "list", "--repo", repository, "--json"])).stdout) as object;
  expect(await listed()).not.toHaveProperty("verifiedAt");
  const whole = await verify("--all", "--json");
  expect(JSON.parse(whole.stdout)).toMatchObject({ read: found.contents, faults: [] });
  expect(await listed()).toHaveProperty("verifiedAt");
});

test("a byte of an object that changed is found by --all, its length and its loss by every look", async () => {
  await writeFile(await contentOf("two"), "tow");
  expect((await verify()).exitCode).toBe(0);
  const all = await verify("--all");
  expect(all.exitCode).toBe(4);
  expect(all.stdout).toContain("is not what was stored");
  await writeFile(await contentOf("tow"), "longer");
  expect((await verify()).exitCode).toBe(4);
  await rm(await contentOf("longer"));
  const gone = await verify();
  expect(gone.exitCode).toBe(4);
  expect(gone.stdout).toContain("is missing");
  const { stdout } = await home.run(["backup", "list", "--repo", repository]);
  expect(stdout).toContain("verify found faults");
});

test("each damaged, cut or missing part is found, and every other fault told besides", async () => {
  const parts = (await contents()).filter((path) => !path.includes("/snapshots/"));
  let found = 0;
  for (const path of parts) {
    const bytes = await readFile(path);
    // Objects are looked at whole with --all only.
    if (bytes[0] !== 0x1f) continue;
    found += 1;
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 4;
    for (const damaged of [flipped, bytes.subarray(0, -1)]) {
      await writeFile(path, damaged);
      expect((await verify()).exitCode).toBe(4);
    }
    await writeFile(path, bytes);
  }
  expect(found).toBeGreaterThanOrEqual(2);
  for (const path of parts) await rm(path);
  const { faults } = JSON.parse((await verify("--json")).stdout) as { faults: string[] };
  expect(faults.filter((fault) => fault.includes("is missing")).length).toBeGreaterThanOrEqual(2);
});

test("an encrypted one is looked through with its passphrase, and without it refused", async () => {
  const place = join(home.folder, "encrypted");
  const env = { MAWPS_BACKUP_PASSPHRASE: "correct horse" };
  expect((await home.run(["backup", "create", "--repo", place], { env })).exitCode).toBe(0);
  expect((await home.run(["backup", "verify", "--repo", place, "--all"], { env })).exitCode).toBe(0);
  const refused = await home.run(["backup", "verify", "--repo", place]);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("no key for it is at hand");
  const shown = await home.run(["backup", "show", "--repo", place], { env });
  expect(shown.stdout).toContain(profiles);
  const listed = await home.run(["backup", "list", "--repo", place]);
  expect(listed).toMatchObject({ exitCode: 0 });
});

test("a sample is chosen, and says how much it was", async () => {
  // So many that by chance neither all of them are chosen nor none.
  await home.look(async (aws) => {
    for (let n = 0; n < 60; n += 1)
      await putObject(aws, { bucket, key: `public/many/${n}`, body: Buffer.from(`${n}`) });
  });
  await home.run(["backup", "create", "--repo", repository]);
  const { stdout, exitCode } = await verify("--sample", "50%", "--json");
  expect(exitCode).toBe(0);
  const { read, contents: all } = JSON.parse(stdout) as { read: number; contents: number };
  expect(all).toBe(64);
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(all);
  expect((await verify("--sample", "0%")).exitCode).toBe(2);
  expect((await verify("--sample", "10%", "--all")).exitCode).toBe(2);
});

test("what is damaged and removed comes back with the next backup, for the older one as well", async () => {
  const damaged = [await contentOf("two"), ...(await partsIn())];
  for (const path of damaged) await writeFile(path, "x");
  const found = await verify();
  expect(found.exitCode).toBe(4);
  expect(found.stderr).toContain("remove the damaged files");
  for (const path of damaged) await rm(path);
  expect((await home.run(["backup", "create", "--repo", repository])).exitCode).toBe(0);
  // What only the older one has, such as the audit trail's state of then, is lost.
  const after = await verify(id, "--all", "--json");
  const { faults } = JSON.parse(after.stdout) as { faults: string[] };
  expect(faults.filter((fault) => fault.includes(profiles) || fault.includes("object "))).toEqual([]);
});

async function partsIn(): Promise<string[]> {
  const all = await Promise.all(
    (await contents()).map(async (path) => [path, await readFile(path)] as const),
  );
  return all.filter(([, bytes]) => bytes[0] === 0x1f).map(([path]) => path);
}

test("of a backup whose manifest is damaged it does not say that anything was read", async () => {
  await writeFile(join(repository, "snapshots", id, "manifest.json"), "{}");
  const { exitCode, stdout, stderr } = await verify("--all");
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/^backup \S+ cannot be read:\n {2}the manifest of .*\n$/);
  expect(stderr).toContain("hint: make a new backup");
});
