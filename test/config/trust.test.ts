import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import prework from "../../models/prework.json" with { type: "json" };
import { startFaultyServer, type FaultyServer } from "../support/faulty-server.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
let server: FaultyServer;

beforeEach(async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
  home = await makeHome();
  server = await startFaultyServer();
  server.fault = () => ({ status: 403, body: "{}" });
  await writeConfig({ target: "aws", endpointUrl: server.url });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await home.remove();
});

async function writeConfig(values: Record<string, unknown>): Promise<void> {
  await writeFile(join(home.folder, "mawps.config.json"), JSON.stringify(values));
}

/** How many requests the server of the file has seen since it was last asked. */
function seen(): number {
  return server.requests.splice(0).length;
}

const kept = () => join(home.folder, ".config", "mawps", "trusted.json");

it("sends nothing to a server of a file that was only found, and says what to do", async () => {
  const { exitCode, stderr } = await home.run(["hero", "show"]);
  expect([exitCode, seen()]).toEqual([1, 0]);
  expect(stderr).toContain(server.url);
  expect(stderr).toContain("mawps config trust");
  expect((await home.run(["hero", "show", "--yes"])).exitCode).toBe(1);
  expect((await home.run(["init", "--target", "aws", "--overwrite", "--name", "x"])).exitCode).toBe(0);
  await home.run(["hero", "show"]);
  expect(seen()).toBe(0);
});

it.each([
  ["that was only found", "p-1", 1, "mawps config trust"],
  ["that names no user pool", undefined, 2, "no user pool is configured"],
])("refuses to show a person by a file %s, in one way alone", async (_file, userPoolId, code, told) => {
  const unhandled: unknown[] = [];
  const note = (why: unknown) => void unhandled.push(why);
  process.on("unhandledRejection", note);
  try {
    await writeConfig({ target: "aws", endpointUrl: server.url, userPoolId });
    const { exitCode, stderr } = await home.run(["user", "show", "max@example.com"]);
    expect([exitCode, unhandled, seen()]).toEqual([code, [], 0]);
    expect(stderr).toContain(told);
  } finally {
    process.off("unhandledRejection", note);
  }
});

it("asks once at a terminal, and again when the file has changed", async () => {
  expect((await home.run(["hero", "show"], { answers: [false] })).stderr).toContain("nothing was sent");
  expect(seen()).toBe(0);
  await home.run(["hero", "show"], { answers: [true] });
  expect(seen()).toBeGreaterThan(0);
  await home.run(["hero", "show"]);
  expect(seen()).toBeGreaterThan(0);
  await writeConfig({ target: "aws", endpointUrl: server.url, name: "other" });
  expect((await home.run(["hero", "show"])).exitCode).toBe(1);
  expect(seen()).toBe(0);
});

it("asks again when the model has changed that the file names", async () => {
  const model = join(home.folder, "site.model.json");
  await writeFile(model, JSON.stringify(prework));
  await writeConfig({ target: "aws", endpointUrl: server.url, model: "site.model.json" });
  expect((await home.run(["config", "trust"])).exitCode).toBe(0);
  await home.run(["doctor"]);
  expect(seen()).toBeGreaterThan(0);
  await writeFile(
    model,
    JSON.stringify({ ...prework, buckets: { media: { ...prework.buckets.media, name: "other" } } }),
  );
  expect((await home.run(["setup", "--yes"])).stderr).toContain("mawps config trust");
  expect(seen()).toBe(0);
});

it("believes a file after `config trust`, and keeps that for its owner alone", async () => {
  const dry = await home.run(["config", "trust", "--dry-run", "--json"]);
  expect(JSON.parse(dry.stdout)).toMatchObject({ places: [server.url], dryRun: true });
  await expect(stat(kept())).rejects.toMatchObject({ code: "ENOENT" });
  expect((await home.run(["config", "trust"])).exitCode).toBe(0);
  expect((await stat(kept())).mode & 0o777).toBe(0o600);
  await home.run(["hero", "show"]);
  expect(seen()).toBeGreaterThan(0);
});

it("takes flags, variables, a file that is named, the user's own and one from init for the user's own word", async () => {
  const path = join(home.folder, "mawps.config.json");
  await home.run(["hero", "show", "--config", path]);
  expect(seen()).toBeGreaterThan(0);
  await home.run(["hero", "show"], { env: { MAWPS_CONFIG: path } });
  expect(seen()).toBeGreaterThan(0);
  await home.run(["hero", "show", "--endpoint-url", server.url]);
  expect(seen()).toBeGreaterThan(0);
  await home.run(["init", "--target", "aws", "--endpoint-url", server.url, "--overwrite"]);
  await home.run(["hero", "show"]);
  expect(seen()).toBeGreaterThan(0);
  await mkdir(join(home.folder, ".config", "mawps"), { recursive: true });
  const own = { target: "aws", endpointUrl: server.url, name: "own" };
  await writeFile(join(home.folder, ".config", "mawps", "mawps.config.json"), JSON.stringify(own));
  await writeFile(path, "{}");
  await home.run(["hero", "show", "--config", join(home.folder, ".config", "mawps", "mawps.config.json")]);
  expect(seen()).toBeGreaterThan(0);
});

it.each([
  ["host", "scanner.example.com"],
  ["socket", "/tmp/else.sock"],
])("asks before documents go to a scanner whose %s the file names", async (key, value) => {
  await writeConfig({ clamav: { [key]: value } });
  await writeFile(join(home.folder, "a.txt"), "x");
  const { exitCode, stderr } = await home.run([
    "doc",
    "upload",
    "u",
    "a.txt",
    "--type",
    "cv",
    "--create-profile",
  ]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(value);
});

it.each<[string, Record<string, unknown>, string]>([
  ["users' files", { buckets: { userFiles: "somebody-elses" } }, "somebody-elses"],
  ["pictures", { buckets: { publicMedia: "somebody-elses" } }, "somebody-elses"],
  ["what the website shows", { publicBaseUrl: "https://else.example.com" }, "https://else.example.com"],
  ["backups", { backup: { repository: "s3://somebody-elses/x" } }, "s3://somebody-elses/x"],
  ["backups in a folder", { backup: { repository: "../else" } }, "else"],
  ["who can read backups", { backup: { encryptTo: "age1else" } }, "age1else"],
])("writes nothing where such a file sends %s, and reads without a question", async (_name, values, told) => {
  await writeConfig({ target: "aws", ...values });
  const env = { AWS_ENDPOINT_URL: server.url };
  const { exitCode, stderr } = await home.run(["hero", "rm", "--yes"], { env });
  expect([exitCode, seen()]).toEqual([1, 0]);
  expect(stderr).toContain(told);
  await home.run(["hero", "show"], { env });
  expect(seen()).toBeGreaterThan(0);
  await home.run(["config", "trust"], { env });
  await home.run(["hero", "rm", "--yes"], { env });
  expect(seen()).toBeGreaterThan(0);
});

it.each<[string, Record<string, unknown>]>([
  ["what the defaults say", { buckets: { userFiles: "mawps-user-files-1760106396" } }],
  ["a folder beside it", { backup: { repository: "backups" } }],
  ["names in the user's own account", { name: "production", tables: { userProfiles: "other-profiles" } }],
])("asks nothing of a file that says %s", async (_name, values) => {
  await writeConfig({ target: "aws", ...values });
  await home.run(["hero", "rm", "--yes"], { env: { AWS_ENDPOINT_URL: server.url } });
  expect(seen()).toBeGreaterThan(0);
});

it("asks again where what was kept cannot be read", async () => {
  await home.run(["config", "trust"]);
  await writeFile(kept(), "[1");
  expect((await home.run(["hero", "show"])).exitCode).toBe(1);
  await home.run(["config", "trust"]);
  expect(JSON.parse(await readFile(kept(), "utf8"))).toHaveLength(1);
});
