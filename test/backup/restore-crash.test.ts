import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listObjects } from "../../src/aws/s3/listing.ts";
import { deleteObject, putObject } from "../../src/aws/s3/objects.ts";
import { describeTable } from "../../src/aws/dynamodb/table-description.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";
import { itemsOfEveryType } from "../support/typed-items.ts";
import { putTyped, removeUsers, textOf } from "../support/typed-tables.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../support/world.ts";

const profiles = "mawps-user-profiles";
const bucket = "mawps-user-files-1760106396";
const keys = ["users/user-1/a.txt", "users/user-1/b.txt"];

let mortal: Mortal;
/** Has a backup, and has lost what is in it. */
let robbed: TestHome;
let items: string[] = [];

beforeAll(async () => {
  mortal = await buildMortal("mortal-calls");
  robbed = await makeHome();
  await putTyped(robbed, profiles, itemsOfEveryType());
  await robbed.look(async (aws) => {
    for (const key of keys) await putObject(aws, { bucket, key, body: Buffer.from(key) });
  });
  items = await textOf(robbed, profiles);
  await robbed.run(["backup", "create"]);
  await removeUsers(
    robbed,
    profiles,
    itemsOfEveryType().map(({ userId }) => (userId as { S: string }).S),
  );
  await robbed.look(async (aws) => {
    for (const key of keys) await deleteObject(aws, { bucket, key });
  });
});

afterAll(async () => {
  await mortal.remove();
  await robbed.remove();
});

async function copyOf(home: TestHome): Promise<TestHome> {
  const copy = await makeHome();
  copy.laterMs = afterRealClockMs();
  await cp(join(home.folder, "store"), join(copy.folder, "store"), { recursive: true });
  return copy;
}

async function objectKeys(home: TestHome): Promise<string[]> {
  return home.look(async (aws) => {
    const found: string[] = [];
    for await (const page of listObjects(aws, { bucket, prefix: "users/" }))
      found.push(...page.objects.map(({ key }) => key));
    return found;
  });
}

/** Kills the command at every third step (what is so after one call is so before the next), runs it again, and looks at what is there. */
async function killEverywhere(
  argv: readonly string[],
  look: (home: TestHome, killedAt: string) => Promise<void>,
) {
  let deaths = 0;
  for (let fatal = 1; ; fatal += 3) {
    const home = await copyOf(robbed);
    const steps = await mortal.die(home, fatal, [...argv, "--yes"]);
    const last = steps.at(-1) ?? "nothing";
    const isDone = last === "acknowledged";
    if (!isDone) deaths += 1;
    const again = await home.run([...argv, "--yes"]);
    const stderr = again.exitCode === 0 ? "" : again.stderr;
    expect({ last, exitCode: again.exitCode, stderr }).toEqual({ last, exitCode: 0, stderr: "" });
    await look(home, last);
    await home.remove();
    if (isDone) return deaths;
  }
}

it("killed at any write into what is there, the same command again brings all back, and the trail holds", async () => {
  const deaths = await killEverywhere(["backup", "restore"], async (home, last) => {
    expect({ last, items: await textOf(home, profiles) }).toEqual({ last, items });
    expect(await objectKeys(home)).toEqual(keys);
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });
  expect(deaths).toBeGreaterThan(4);
});

it("killed at any write of a new table, the same command again brings its items and its settings", async () => {
  const argv = ["backup", "restore", "--only", "userProfiles", "--into-prefix", "test-"];
  const deaths = await killEverywhere(argv, async (home, last) => {
    expect({ last, items: await textOf(home, `test-${profiles}`) }).toEqual({ last, items });
    const [made, original] = await home.look(async (aws) => [
      await describeTable(aws, `test-${profiles}`),
      await describeTable(aws, profiles),
    ]);
    expect({ last, made: made?.description }).toEqual({ last, made: original?.description });
  });
  expect(deaths).toBeGreaterThan(4);
});
