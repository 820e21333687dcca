import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { putTyped } from "../../support/typed-tables.ts";
import { itemsOfEveryType } from "../../support/typed-items.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

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
  // Three of the test's own, and the audit trail's anchor and announcement.
  expect(found).toMatchObject({
    snapshot: id,
    // And the note that on a new store every migration is done.
    items: itemsOfEveryType().length + 1,
    objects: 5,
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
  expect(all).toBeGreaterThan(60);
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(all);
  expect((await verify("--sample", "0%")).exitCode).toBe(2);
  expect((await verify("--sample", "10%", "--all")).exitCode).toBe(2);
});

/** The content that holds the profiles of this home's backup, alone. */
async function partOfProfiles(): Promise<string> {
  const { stdout } = await home.run(["backup", "show", id, "--repo", repository, "--json"]);
  const { tables } = JSON.parse(stdout) as { tables: { name: string; parts: { sha256: string }[] }[] };
  const { sha256 = "" } = tables.find(({ name }) => name === profiles)?.parts[0] ?? {};
  return join(repository, "data", sha256.slice(0, 2), sha256);
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
  await writeFile(path, bytes);
}

const marks = () => readdir(join(repository, "damaged")).catch(() => []);
const create = (...options: string[]) => home.run(["backup", "create", "--repo", repository, ...options]);

test("what is damaged the next backup writes again as it was, for the older one as well", async () => {
  await home.look((aws) => putObject(aws, { bucket, key: "public/third", body: Buffer.from("three") }));
  ({ id } = JSON.parse((await create("--json")).stdout) as { id: string });
  const [one, two, three, items] = [
    await contentOf("one"),
    await contentOf("two"),
    await contentOf("three"),
    await partOfProfiles(),
  ];
  const before = new Map<string, Buffer>();
  for (const path of await contents()) before.set(path, await readFile(path));
  await flip(one);
  await flip(items);
  await writeFile(two, "tw");
  await rm(three);
  const found = await verify("--all");
  expect(found.exitCode).toBe(4);
  expect(found.stderr).toContain("`mawps backup create` writes again what the site still has");
  expect((await marks()).length).toBe(4);
  const made = await create();
  expect(made.exitCode).toBe(0);
  expect(made.stdout).toContain("\n4 damaged contents written again\n");
  for (const [path, bytes] of before) expect([path, await readFile(path)]).toEqual([path, bytes]);
  expect(await marks()).toEqual([]);
  // Whole it counts as once it was looked at again.
  const remark = "verify found faults";
  const list = async () => (await home.run(["backup", "list", "--repo", repository])).stdout;
  expect(await list()).toContain(remark);
  expect((await verify(id, "--all")).exitCode).toBe(0);
  expect(await list()).not.toContain(remark);
  expect((await home.run(["backup", "drill", id, "--repo", repository])).exitCode).toBe(0);
  expect((await verify("latest", "--all")).exitCode).toBe(0);
  expect((await create()).stdout).not.toContain("damaged");
});

test("what the site has no more stays damaged, is told with each backup, and is no part of the new one", async () => {
  await home.look(async (aws) => {
    await putObject(aws, { bucket, key: "public/goes", body: Buffer.from("goes") });
    await putObject(aws, { bucket, key: "public/stays", body: Buffer.from("stays") });
  });
  ({ id } = JSON.parse((await create("--json")).stdout) as { id: string });
  const [goes, stays] = [await contentOf("goes"), await contentOf("stays")];
  for (const path of [goes, stays]) await flip(path);
  expect((await verify("--all")).exitCode).toBe(4);
  await home.look((aws) => deleteObject(aws, { bucket, key: "public/goes" }));
  const cannot = "1 cannot be: nothing that was read for this backup has the bytes";
  expect((await create()).stdout).toContain(`1 damaged content written again; ${cannot}`);
  expect(await readFile(stays, "utf8")).toBe("stays");
  expect((await verify("latest", "--all")).exitCode).toBe(0);
  const { exitCode, stdout } = await verify(id, "--all", "--json");
  expect([exitCode, (JSON.parse(stdout) as { faults: string[] }).faults.length]).toEqual([4, 1]);
  expect(JSON.parse((await create("--json")).stdout)).toMatchObject({ mended: 0, damaged: 1 });
  // Brought back by hand, it is damaged no more, and no command has to be told.
  await writeFile(goes, "goes");
  expect(JSON.parse((await create("--json")).stdout)).toMatchObject({ mended: 0, damaged: 0 });
  expect(await marks()).toEqual([]);
});

test("a dry run of verify marks nothing, and says that the next backup does not know", async () => {
  await flip(await contentOf("one"));
  const { exitCode, stderr } = await verify("--all", "--dry-run");
  expect(exitCode).toBe(4);
  expect(stderr).toContain("hint: verify again with the outcome kept");
  expect(await marks()).toEqual([]);
});

test("a damaged list of objects does not keep a backup from being made", async () => {
  const { stdout } = await home.run(["backup", "show", id, "--repo", repository, "--json"]);
  const { buckets } = JSON.parse(stdout) as { buckets: { name: string; parts: { sha256: string }[] }[] };
  const { sha256 = "" } = buckets.find(({ name }) => name === bucket)?.parts[0] ?? {};
  await flip(join(repository, "data", sha256.slice(0, 2), sha256));
  expect((await verify()).exitCode).toBe(4);
  // It tells of the audit trail's anchor as it was then, which the site has no more.
  expect(JSON.parse((await create("--json")).stdout)).toMatchObject({ mended: 0, damaged: 1 });
  expect((await verify("latest", "--all")).exitCode).toBe(0);
});

test("an encrypted one of which every file is damaged is whole after two rounds", async () => {
  const env = { MAWPS_BACKUP_PASSPHRASE: "correct horse" };
  const run = (...line: string[]) => home.run(["backup", ...line, "--repo", repository, "--json"], { env });
  await rm(repository, { recursive: true });
  await run("create");
  for (const path of await contents()) await flip(path);
  expect((await run("verify", "--all")).exitCode).toBe(4);
  await run("create");
  // Which contents belong to a list that cannot be read shows once there is another list.
  expect((await run("verify", "--all")).exitCode).toBe(4);
  expect((await run("create")).exitCode).toBe(0);
  const { stdout, exitCode } = await run("verify", "--all");
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { faults: [] }]);
});

test("of a backup whose manifest is damaged it does not say that anything was read", async () => {
  await writeFile(join(repository, "snapshots", id, "manifest.json"), "{}");
  const { exitCode, stdout, stderr } = await verify("--all");
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/^backup \S+ cannot be read:\n {2}the manifest of .*\n$/);
  expect(stderr).toContain("hint: make a new backup");
});
