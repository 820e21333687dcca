import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPolicy } from "../../src/aws/s3/bucket-policy.ts";
import { readLifecycle } from "../../src/aws/s3/bucket-settings.ts";
import { orderInventory, readInventories, type StoredInventory } from "../../src/aws/s3/inventory.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { inventoryDecision, withInventories } from "../../src/setup/inventory.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const site = mawps(defaultNames);
const sources = site.buckets.filter(({ keptBy }) => keptBy !== "site").map(({ name }) => name);
const destination = "lists-of-the-site";
const env = { MAWPS_INVENTORY_BUCKET: destination };

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

async function ordered(): Promise<Map<string, readonly StoredInventory[]>> {
  return home.look(async (aws) => {
    const found = new Map<string, readonly StoredInventory[]>();
    for (const name of sources) {
      const stored = await readInventories(aws, name);
      if (Array.isArray(stored)) found.set(name, stored as readonly StoredInventory[]);
    }
    return found;
  });
}

describe("inventories of the site's buckets", () => {
  it("are ordered by setup, with a bucket into which S3 may put them and from which they go again", async () => {
    const plan = await home.run(["setup", "--dry-run", "--json"], { env });
    expect(await ordered()).toEqual(new Map(sources.map((name) => [name, []])));
    const steps = plan.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    const planned = steps.filter(({ result }) => result === "planned");
    expect(planned.filter(({ aspect }) => aspect === "inventory").map(({ name }) => name)).toEqual(sources);
    expect(planned[0]).toMatchObject({ name: destination, kind: "create" });

    const done = await home.run(["setup", "--yes"], { env });
    expect(done.exitCode).toBe(0);
    const wanted: StoredInventory = {
      id: "mawps",
      isEnabled: true,
      versions: "All",
      frequency: "Weekly",
      format: "CSV",
      fields: ["Size", "LastModifiedDate", "StorageClass", "EncryptionStatus"],
      destination: { bucket: destination, prefix: "mawps-inventory" },
      filteredBy: undefined,
    };
    expect(await ordered()).toEqual(new Map(sources.map((name) => [name, [wanted]])));
    const [policy, lifecycle] = await home.look((aws) =>
      Promise.all([readPolicy(aws, destination), readLifecycle(aws, destination)]),
    );
    expect(policy).toMatchObject({
      Statement: expect.arrayContaining([
        {
          Sid: "MawpsInventories",
          Effect: "Allow",
          Principal: { Service: "s3.amazonaws.com" },
          Action: ["s3:PutObject"],
          Resource: [`arn:aws:s3:::${destination}/mawps-inventory/*`],
          Condition: { ArnLike: { "aws:SourceArn": sources.map((name) => `arn:aws:s3:::${name}`) } },
        },
      ]) as unknown,
    });
    expect(lifecycle).toMatchObject({
      rules: [{ Filter: { Prefix: "mawps-inventory/" }, Expiration: { Days: 60 } }],
    });
    const again = await home.run(["setup", "--yes"], { env });
    expect(again.stdout).toContain("nothing to do");
  });

  it("are looked at by doctor: missing, as declared, otherwise", async () => {
    const told = async (more: Record<string, string> = {}) => {
      const { stdout } = await home.run(["doctor", "--json"], { env: { ...env, ...more } });
      const findings = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, string>);
      return findings.filter(({ check, subject }) => check === "bucket" && subject === sources[0]);
    };
    expect(await told()).toMatchObject([
      {
        status: "problem",
        message: expect.stringMatching(/^inventory: missing/) as string,
        remedy: "mawps setup",
      },
    ]);
    await home.run(["setup", "--yes"], { env });
    expect(await told()).toMatchObject([{ status: "ok" }]);
    expect(await told({ MAWPS_INVENTORY_FREQUENCY: "daily" })).toMatchObject([
      {
        message: expect.stringMatching(/^inventory: mawps: weekly, .*; should be: mawps: daily, /) as string,
        remedy: "mawps setup --fix",
      },
    ]);
  });

  it("of somebody else's order are taken where they are as good", async () => {
    await home.look((aws) =>
      orderInventory(aws, sources[0] ?? "", {
        order: {
          id: "theirs",
          versions: "All",
          frequency: "Daily",
          format: "Parquet",
          fields: ["Size", "LastModifiedDate", "StorageClass"],
          destination: { bucket: "elsewhere-on-aws", prefix: undefined },
        },
        wait: {},
      }),
    );
    await home.run(["setup", "--yes"], { env });
    const ids = [...(await ordered()).values()].map((stored) => stored.map(({ id }) => id));
    expect(ids).toEqual([["theirs"], ...sources.slice(1).map(() => ["mawps"])]);
  });

  it("in a bucket of the site itself are refused before anything is made", async () => {
    const { exitCode, stderr } = await home.run(["setup", "--yes"], {
      env: { MAWPS_INVENTORY_BUCKET: sources[0] ?? "" },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`inventory.bucket: ${sources[0]} is a bucket of the site itself`);
    expect(await ordered()).toEqual(new Map(sources.map((name) => [name, []])));
  });
});

describe("what is to be done about an inventory", () => {
  const [wanted] = withInventories(site, { bucket: destination, frequency: "Weekly" }).buckets.flatMap(
    ({ inventory }) => inventory ?? [],
  );
  if (wanted === undefined) throw new Error("no inventory");
  const ours: StoredInventory = { ...wanted, isEnabled: true };
  const theirs: StoredInventory = { ...ours, id: "theirs", destination: { bucket: "b", prefix: undefined } };

  it.each([
    ["nothing", [], "add"],
    ["ours", [ours], "ok"],
    ["ours, switched off", [{ ...ours, isEnabled: false }], "change"],
    ["ours, more often", [{ ...ours, frequency: "Daily" as const }], "change"],
    ["ours, elsewhere", [{ ...ours, destination: { bucket: "b", prefix: undefined } }], "change"],
    ["ours, with a field too few", [{ ...ours, fields: ["Size"] }], "change"],
    ["another as good", [theirs], "ok"],
    ["another of current objects", [{ ...theirs, versions: "Current" as const }], "add"],
    ["another of a part", [{ ...theirs, filteredBy: "public/" }], "add"],
    ["another as ORC", [{ ...theirs, format: "ORC" as const }], "add"],
    ["ours switched off, and another as good", [{ ...ours, isEnabled: false }, theirs], "ok"],
  ])("%s", (_name, stored, kind) => {
    expect(inventoryDecision(wanted)(stored).kind).toBe(kind);
  });
});
