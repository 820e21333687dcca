import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serve } from "@mawps/local-aws/src/serve.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { startFarServer, tellsOfThreads, type FarServer } from "./support/rounds.ts";
import { makeHome, testStart, type TestHome } from "./support/world.ts";

let home: TestHome;
let served: Awaited<ReturnType<typeof serve>>;
let far: FarServer;
let env: Record<string, string>;

const ten = (from: number) => Array.from({ length: 10 }, (_, at) => `${from + at}.txt`);

beforeAll(async () => {
  home = await makeHome();
  // The SDK signs by the real clock: a server with another one would have each first call repeated.
  home.laterMs = Date.now() - testStart.getTime();
  await home.run(["setup", "--yes"]);
  await home.run(["setup", "--yes", "--model", "prework"]);
  for (let at = 0; at <= 40; at += 1) await writeFile(join(home.folder, `${at}.txt`), `document ${at}\n`);
  for (let at = 0; at < 2; at += 1) {
    await writeFile(
      join(home.folder, `twin-${at}.json`),
      JSON.stringify({ personality: { traits: `calm ${at}` } }),
    );
    const picture = sharp({ create: { width: 800, height: 600, channels: 3, background: `#33669${at}` } });
    await writeFile(join(home.folder, `photo-${at}.png`), await picture.png().toBuffer());
  }
  await home.run(["doc", "upload", "user-1", "40.txt", "--type", "cv", "--create-profile"]);
  const dir = join(home.folder, "store");
  const at = { region: "eu-central-1", now: () => new Date() };
  const store = await openStore(dir, at);
  served = await serve(store, { ...at, dir, port: 0 });
  far = await startFarServer(served.endpoint);
  // The SDK looks for credentials in the process's own environment.
  vi.stubEnv("AWS_ACCESS_KEY_ID", store.credentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", store.credentials.secretAccessKey);
  env = {
    MAWPS_TARGET: "aws",
    AWS_ENDPOINT_URL: far.endpoint,
    MAWPS_YES: "true",
    MAWPS_BACKUP_REPOSITORY: join(home.folder, "backups"),
  };
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await far.stop();
  await served.close();
  await home.remove();
});

async function run(
  argv: readonly string[],
  allowed: readonly number[] = [0],
  onResult?: () => void,
): Promise<string> {
  const { exitCode, stdout, stderr } = await home.run(argv, { env, ...(onResult && { onResult }) });
  expect(allowed, `${argv.join(" ")}: ${stderr}`).toContain(exitCode);
  return stdout;
}

interface Row {
  readonly name: string;
  /** Calls one after another. */
  readonly most: number;
  /** How many of them before the result is told; default all. The trail is anchored behind it. */
  readonly told?: number;
  /** For the first time, when the command loads its code, and for the second one, which counts. */
  readonly argv: (time: 0 | 1, id: string) => readonly string[];
  readonly exitCodes?: readonly number[];
}

const rows: readonly Row[] = [
  // The first: what each command leaves is more to read.
  { name: "backup create", most: 8, argv: () => ["backup", "create"] },
  // Beside each other: a listing of each bucket and of its uploads, each table, the pool.
  { name: "access check", most: 1, argv: () => ["access", "check"] },
  { name: "storage usage", most: 1, argv: () => ["storage", "usage", "--no-record"] },
  // Three questions about each of 21 tables, over the 50 connections of a client.
  { name: "storage cost", most: 2, argv: () => ["storage", "cost"] },
  { name: "hero show", most: 1, argv: () => ["hero", "show"] },
  { name: "hero set", most: 4, told: 3, argv: (time) => ["hero", "set", `photo-${time}.png`, "--no-verify"] },
  {
    name: "doc upload",
    most: 5,
    argv: (time) => ["doc", "upload", "user-1", `${time}.txt`, "--type", "cv"],
  },
  {
    name: "doc upload of ten",
    most: 5,
    argv: (time) => ["doc", "upload", "user-1", ...ten(10 + time * 10), "--type", "cv"],
  },
  { name: "doc list", most: 1, argv: () => ["doc", "list", "user-1"] },
  {
    name: "doc get",
    most: 3,
    told: 2,
    argv: (time, id) => ["doc", "get", "user-1", id, "-o", `out-${time}`],
  },
  {
    name: "doc url",
    most: 4,
    told: 3,
    argv: (_time, id) => ["doc", "url", "user-1", id, "--allow-unscanned"],
  },
  { name: "doc tag", most: 4, told: 3, argv: (time, id) => ["doc", "tag", "user-1", id, `tag-${time}`] },
  {
    name: "doc rm",
    most: 4,
    told: 3,
    argv: (time, id) => ["doc", "rm", "user-1", id, ...(time === 0 ? ["--dry-run"] : [])],
  },
  {
    name: "twin migrate",
    most: 5,
    argv: (time) => ["twin", "migrate", `twin-${time}.json`, "--force"],
  },
  { name: "retention plan", most: 4, argv: () => ["retention", "plan"] },
  { name: "doctor", most: 4, argv: () => ["doctor"], exitCodes: [0, 4] },
  { name: "doctor of prework", most: 4, argv: () => ["doctor", "--model", "prework"], exitCodes: [0, 4] },
];

describe.runIf(tellsOfThreads)("with a region far away", () => {
  it.each(rows)(
    "$name waits for at most $most answers one after another",
    async ({ argv, most, told = most, exitCodes }) => {
      const listed = await run(["doc", "list", "user-1", "--json"]);
      const { id } = JSON.parse(listed.split("\n", 1)[0] ?? "") as { id: string };
      await run(argv(0, id), exitCodes);
      let toldAfter: number | undefined;
      const { rounds } = await far.rounds((now) =>
        run(argv(1, id), exitCodes, () => void (toldAfter ??= now())),
      );
      // More of them, and this tells which wait for which.
      expect(rounds.slice(most)).toEqual([]);
      expect(toldAfter).toBeLessThanOrEqual(told);
    },
  );
});
