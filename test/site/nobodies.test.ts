import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { scanItems } from "../../src/aws/dynamodb/items.ts";
import { plainPicture } from "../fixtures/pictures.ts";
import { addressWithoutAccount, addresses } from "./accounts.ts";
import { nobodies, profiles, secrets, userDocuments } from "./items.ts";
import { pdf } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let built: LiveSite;
let site: LiveSite;

beforeAll(async () => {
  built = await makeLiveSite();
  // The tool's own tables and settings, once for all tests.
  await built.picture();
});

afterAll(() => built.remove());

beforeEach(async () => {
  site = await built.copy();
  await writeFile(join(site.home.folder, "cv.pdf"), pdf("neu"));
  await writeFile(join(site.home.folder, "photo.png"), await plainPicture([1, 2, 3]).png().toBuffer());
  await writeFile(join(site.home.folder, "progress.json"), '{"pages":{"values":{"visitCount":1}}}');
});

afterEach(() => site.remove());

const upload = (user: string) => ["doc", "upload", user, "cv.pdf", "--type", "cv", "--no-scan"];

describe("what is no person's is no user", () => {
  test("no command takes settings or a record of an older backend for one, or changes anything", async () => {
    const commands: readonly ((user: string) => string[])[] = [
      upload,
      (user) => [...upload(user), "--create-profile"],
      (user) => ["doc", "list", user],
      (user) => ["doc", "check", user, "--repair", "--yes"],
      (user) => ["avatar", "set", user, "photo.png"],
      (user) => ["progress", "show", user],
      (user) => ["progress", "import", user, "progress.json", "--create-profile"],
      (user) => ["progress", "recompute", user],
    ];
    const before = await site.picture();
    const outcomes: string[] = [];
    for (const user of [nobodies[0], nobodies[1], site.people.ruth, addresses.ruth]) {
      for (const command of commands) {
        const { exitCode, stderr } = await site.run(command(user));
        const isRefused = /is no user: the item with this id is/.test(stderr);
        if (exitCode !== 1 || !isRefused) outcomes.push(`${command(user).join(" ")}: ${exitCode} ${stderr}`);
      }
    }
    expect(outcomes).toEqual([]);
    expect(await site.changedSince(before)).toEqual([]);
  });

  test("an address is never an id, whether or not a pool is asked", async () => {
    const before = await site.picture();
    const outcome = await site.run(upload(addressWithoutAccount));
    expect(outcome).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("unknown user") });
    for (const command of [
      ["doc", "list", addressWithoutAccount],
      ["avatar", "set", addressWithoutAccount, "photo.png"],
      ["progress", "import", addressWithoutAccount, "progress.json"],
    ]) {
      expect((await site.run(command)).exitCode).toBe(1);
    }
    expect(await site.changedSince(before)).toEqual([]);
  });

  test("the document for an address goes to the account's profile, not to the access record of the address", async () => {
    const before = await site.picture();
    const { exitCode, stderr } = await site.run(upload(addresses.lena));
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    const changed = await site.changedSince(before);
    expect(changed).toEqual([
      `changed item ${profiles} ${JSON.stringify({ userId: site.people.lena })}`,
      expect.stringContaining(`/${site.people.lena}/cv/`),
    ]);
  });

  test("a new profile for an address that has only an access record stands under an id of its own", async () => {
    const before = await site.picture();
    const { exitCode } = await site.run([...upload(addressWithoutAccount), "--create-profile"]);
    expect(exitCode).toBe(0);
    const [item, object, ...others] = await site.changedSince(before);
    const userId = /"userId":"([0-9a-f-]{36})"/.exec(item ?? "")?.[1] ?? "none";
    expect(item).toBe(`new item ${profiles} ${JSON.stringify({ userId })}`);
    expect(object).toContain(`/${userId}/cv/`);
    expect(others).toEqual([]);
    const listed = await site.run(["doc", "list", addressWithoutAccount, "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ userId, name: "cv.pdf" });
  });

  test("progress and documents are counted for people alone", async () => {
    const { lena, tomas, mira } = site.people;
    const stats = JSON.parse((await site.run(["progress", "stats", "--json"])).stdout) as {
      users: number;
      nobodies: number;
    };
    expect(stats).toMatchObject({ users: [lena, tomas, mira].length, nobodies: 6 });
    const left = "not counted: 6 items that are no person's: ";
    for (const argv of [
      ["progress", "stats"],
      ["progress", "export", "-o", "all.json"],
      ["progress", "recompute", "--dry-run"],
      ["doc", "list", "--all"],
      ["doc", "check"],
      ["doc", "scan", "--report"],
    ]) {
      const { stderr } = await site.run(argv);
      expect([argv.join(" "), stderr.includes(left)]).toEqual([argv.join(" "), true]);
    }
    const env = { MAWPS_USER_DOCUMENTS_TABLE: "not-there" };
    expect((await site.run(["migrate", "plan"], { env })).stdout).toContain("  4 items looked at, ");
    expect((await site.run(["migrate", "plan"], { env })).stdout).toContain(
      "  not looked at: 6 items of no person's",
    );
    const listed = (await site.run(["doc", "list", "--all", "--json"])).stdout.trim().split("\n");
    const users = new Set(listed.map((line) => (JSON.parse(line) as { userId: string }).userId));
    expect([...users].filter((user) => ![lena, tomas, site.people.jonas].includes(user))).toEqual([]);
  });
});

test("who has documents of documents-api alone is somebody: listed, taken away, brought back", async () => {
  const { jonas } = site.people;
  const before = await site.picture();
  expect((await site.run(["doc", "list", addresses.jonas])).stdout).toContain("api-doc-2");
  expect((await site.run(["doc", "rm", jonas, "api-doc-2", "--hard", "--yes"])).exitCode).toBe(0);
  expect(await site.changedSince(before)).toEqual([
    `gone item ${userDocuments} ${JSON.stringify({ userId: jonas, documentId: "api-doc-2" })}`,
  ]);
  expect((await site.run(["doc", "restore", jonas, "api-doc-2"])).exitCode).toBe(0);
  expect(await site.changedSince(before)).toEqual([]);
  const unknown = await site.run(["doc", "list", site.people.admin]);
  expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("has no profile")]);
});

describe("migrate up", () => {
  test("changes nothing where the website of today is at work", async () => {
    const before = await site.picture();
    const { exitCode, stdout } = await site.run(["migrate", "up", "--yes"]);
    expect([exitCode, stdout]).toEqual([0, expect.any(String)]);
    expect(await site.changedSince(before)).toEqual([]);
  });

  test("elsewhere leaves what is no person's, and keeps none of it in its journal", async () => {
    const before = await site.picture();
    const env = { MAWPS_USER_DOCUMENTS_TABLE: "not-there" };
    const { exitCode, stdout } = await site.run(["migrate", "up", "--yes"], { env });
    expect([exitCode, stdout]).toEqual([0, expect.any(String)]);
    // One of her entries has a secret, which the journal would hold if they were changed.
    expect(stdout).toContain(`${site.people.lena} doc-lena-1: what would be changed holds a secret`);
    expect(stdout).toContain("documents[3].uploadToken");
    const changed = await site.changedSince(before);
    expect(changed).toContain(`changed item ${profiles} ${JSON.stringify({ userId: site.people.tomas })}`);
    const untouched = [...nobodies, site.people.ruth, addressWithoutAccount, addresses.lena, "owner"];
    const names = untouched.map((userId) => `item ${profiles} ${JSON.stringify({ userId })}`);
    expect(changed.filter((line) => names.some((name) => line.endsWith(name)))).toEqual([]);
    const records = (await journal()).join("\n");
    expect(records).toContain(site.people.tomas);
    expect(secrets.filter((secret) => records.includes(secret))).toEqual([]);
    const down = await site.run(["migrate", "down", "--to", "none", "--yes"], { env });
    expect([down.exitCode, down.stderr]).toEqual([0, expect.any(String)]);
    const left = (await site.changedSince(before)).filter((line) => /^\w+ item /.test(line));
    expect(left).toEqual([]);
  });
});

/** The records of the journal as text. */
async function journal(): Promise<string[]> {
  return site.look(async (aws) => {
    const records: string[] = [];
    for await (const page of scanItems(aws, { table: "mawps-migrations" })) {
      for (const { data } of page) if (data?.B !== undefined) records.push(String(gunzipSync(data.B)));
    }
    return records;
  });
}
