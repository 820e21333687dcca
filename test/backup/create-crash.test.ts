import { randomBytes } from "node:crypto";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { putObject } from "../../src/aws/s3/objects.ts";
import type { Part } from "../../src/backup/snapshot.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { itemsOfEveryType } from "../support/typed-items.ts";
import { putTyped } from "../support/typed-tables.ts";

const files = "mawps-user-files-1760106396";
let mortal: Mortal;
let filled: TestHome;

beforeAll(async () => {
  mortal = await buildMortal("mortal-writes");
  filled = await makeHome();
  await putTyped(filled, "mawps-user-profiles", itemsOfEveryType());
  await filled.look(async (aws) => {
    await putObject(aws, { bucket: files, key: "public/small", body: Buffer.from("a document") });
    // Too large for the memory: goes by way of a file.
    await putObject(aws, { bucket: files, key: "public/large", body: randomBytes(9 * 1024 ** 2) });
  });
});

afterAll(async () => {
  await mortal.remove();
  await filled.remove();
});

/** A copy of the filled store; the repository beside it. */
async function prepared(): Promise<{ home: TestHome; repository: string; argv: string[] }> {
  const home = await makeHome();
  await cp(join(filled.folder, "store"), join(home.folder, "store"), { recursive: true });
  const repository = join(home.folder, "repository");
  return { home, repository, argv: ["backup", "create", "--repo", repository] };
}

/** Files of the repository, without what a crash may leave on its way to a name: it is swept a day later. */
async function filesIn(repository: string): Promise<string[]> {
  const found = await readdir(repository, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith("/tmp"))
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1));
}

interface Held {
  readonly id: string;
  readonly tables: readonly { name: string; items: number; parts: readonly Part[] }[];
  readonly buckets: readonly { name: string; objects: number; bytes: number; parts: readonly Part[] }[];
}

/** What a backup holds of the profiles and files, apart from times; the audit trail and its anchor are others each time. */
async function held(repository: string, id: string) {
  const path = join(repository, "snapshots", id, "manifest.json");
  const { tables, buckets } = JSON.parse(await readFile(path, "utf8")) as Held;
  const profiles = tables.filter(({ name }) => name === "mawps-user-profiles");
  const bucket = buckets.find(({ name }) => name === files);
  const keys = await Promise.all((bucket?.parts ?? []).map(({ sha256 }) => linesOf(repository, sha256)));
  return {
    tables: profiles.map(({ name, items, parts }) => ({ name, items, parts })),
    objects: keys
      .flat()
      .filter(({ put }) => put.Key.startsWith("public/"))
      .map(({ content, put }) => [put.Key, content]),
    // No object is counted twice, whatever was broken off.
    isCounted:
      bucket?.objects === keys.flat().length &&
      bucket.bytes === sum(keys.flat().map(({ seen }) => seen.size)),
  };
}

interface Line {
  readonly content: string;
  readonly seen: { readonly size: number };
  readonly put: { readonly Key: string };
}

async function linesOf(repository: string, sha256: string): Promise<Line[]> {
  const zipped = await readFile(join(repository, "data", sha256.slice(0, 2), sha256));
  const lines = gunzipSync(zipped).toString().trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Ids in the audit trail, each once: a run that died after its entry, but before its end, is told of again by the next. */
async function toldOf(home: TestHome): Promise<Set<string>> {
  const listed = await home.run(["audit", "list", "--action", "backup.created", "--json"]);
  const entries = listed.stdout.split("\n").filter((line) => line !== "");
  return new Set(
    entries.map((line) => (JSON.parse(line) as { details: { backupId: string } }).details.backupId),
  );
}

it("killed at every third of its writes, the same command again ends with whole backups, each told of, and nothing left over", async () => {
  const undisturbed = await prepared();
  const whole = await undisturbed.home.run([...undisturbed.argv, "--json"]);
  const expected = await held(undisturbed.repository, (JSON.parse(whole.stdout) as { id: string }).id);
  const contents = (await filesIn(undisturbed.repository)).filter((name) => name.startsWith("data/"));
  await undisturbed.home.remove();
  let resumed = 0;
  let deaths = 0;
  for (let fatal = 1; ; fatal += 3) {
    const { home, repository, argv } = await prepared();
    const steps = await mortal.die(home, fatal, argv);
    const killed = steps.at(-1) ?? "nothing";
    if (killed === "acknowledged") {
      await home.remove();
      break;
    }
    deaths += 1;
    const visible = (await filesIn(repository)).filter((name) => name.endsWith("/manifest.json"));
    const again = await home.run([...argv, "--json"]);
    const told = { killed, exitCode: again.exitCode, stderr: again.exitCode === 0 ? "" : again.stderr };
    expect(told).toEqual({ killed, exitCode: 0, stderr: "" });
    const result = JSON.parse(again.stdout) as { id: string; resumed: boolean };
    if (result.resumed) resumed += 1;
    expect({ killed, ...(await held(repository, result.id)) }).toEqual({ killed, ...expected });
    const left = await filesIn(repository);
    const manifests = left.filter((name) => name.endsWith("/manifest.json"));
    expect({ killed, manifests: manifests.length }).toEqual({ killed, manifests: visible.length + 1 });
    expect({ killed, left: left.filter((name) => /^(pending|locks)\//.test(name)) }).toEqual({
      killed,
      left: [],
    });
    // The trail's anchors and announcements are others each time; a prune removes what no snapshot refers to.
    const more = left.filter((name) => name.startsWith("data/")).length - contents.length;
    expect({ killed, more: more <= 3 + 6 * visible.length }).toEqual({ killed, more: true });
    const ids = manifests.map((name) => name.split("/")[1] ?? "");
    expect({ killed, told: await toldOf(home) }).toEqual({ killed, told: new Set(ids) });
    await home.remove();
  }
  expect(deaths).toBeGreaterThan(10);
  expect(resumed).toBeGreaterThan(5);
}, 600_000);
