import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBucket } from "../../../src/aws/s3/bucket.ts";
import { scanItems } from "../../../src/aws/dynamodb/items.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { readSettings } from "../../../src/aws/dynamodb/restore-settings.ts";
import { putProfile } from "../../support/documents.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

let home: TestHome;
const profiles = "mawps-user-profiles";

beforeEach(async () => {
  home = await makeHome();
  await home.look(async (aws) => {
    await putProfile(aws, "user-1", { name: "Änne" });
    await createBucket(aws, "mawps-exports");
  });
});

afterEach(() => home.remove());

function rows({ stdout }: Outcome): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function users(table: string): Promise<(string | undefined)[]> {
  return home.look(async (aws) => {
    const found: (string | undefined)[] = [];
    for await (const page of scanItems(aws, { table })) found.push(...page.map((item) => item["userId"]?.S));
    return found;
  });
}

async function actions(): Promise<unknown[]> {
  return rows(await home.run(["audit", "list", "--json"])).map(({ action }) => action);
}

describe("mawps backup native", () => {
  it("creates, lists, restores and deletes backups that DynamoDB keeps", async () => {
    const created = await home.run(["backup", "native", "create", "--name", "nightly", "--json"]);
    expect({ exitCode: created.exitCode, stderr: created.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(rows(created).map(({ table, name, status }) => [table, name, status])).toEqual([
      [profiles, "nightly", "AVAILABLE"],
      ["mawps-digital-twin", "nightly", "AVAILABLE"],
      ["mawps-audit-log", "nightly", "AVAILABLE"],
      ["mawps-migrations", "nightly", "AVAILABLE"],
    ]);
    await home.look((aws) => putProfile(aws, "user-2", { name: "Bo" }));

    const listed = rows(await home.run(["backup", "native", "list", "--table", "userProfiles", "--json"]));
    expect(listed).toEqual([expect.objectContaining({ table: profiles, name: "nightly", type: "USER" })]);
    const ambiguous = await home.run(["backup", "native", "restore", "nightly", "--into", "before", "--yes"]);
    expect(ambiguous.exitCode).toBe(1);
    expect(ambiguous.stderr).toContain("4 backups are called nightly");

    const id = String(listed[0]?.["id"]);
    const restored = await home.run([
      "backup",
      "native",
      "restore",
      id,
      "--into",
      "before",
      "--yes",
      "--json",
    ]);
    expect({ exitCode: restored.exitCode, stderr: restored.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(await users("before")).toEqual(["user-1"]);
    expect((await home.look((aws) => readSettings(aws, "before")))?.deletionProtection).toBe(true);

    const removed = await home.run(["backup", "native", "rm", id, "--yes"]);
    expect(removed.exitCode).toBe(0);
    expect(rows(await home.run(["backup", "native", "list", "--table", "userProfiles", "--json"]))).toEqual(
      [],
    );
    const gone = await home.run(["backup", "native", "rm", id, "--yes"]);
    expect([gone.exitCode, gone.stderr.includes(`no backup ${id}`)]).toEqual([1, true]);
    const begunAndDone = ["backup.pruned", "backup.pruned", "table.restored", "table.restored"];
    expect(await actions()).toEqual([...begunAndDone, ...Array.from({ length: 4 }, () => "backup.created")]);
  });

  it("exports every table to S3 as of one moment", async () => {
    const argv = ["backup", "native", "export", "--to", "s3://mawps-exports/weekly/"];
    const { exitCode, stdout, stderr } = await home.run([...argv, "--yes", "--json"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const found = rows({ exitCode, stdout, stderr });
    expect(found.map(({ table }) => table)).toEqual([
      profiles,
      "mawps-digital-twin",
      "mawps-audit-log",
      "mawps-migrations",
    ]);
    expect(new Set(found.map(({ at }) => at)).size).toBe(1);
    const stored = await home.look(async (aws) => {
      const keys: string[] = [];
      for await (const { objects } of listObjects(aws, { bucket: "mawps-exports" }))
        keys.push(...objects.map(({ key }) => key));
      return keys;
    });
    expect(found.map(({ manifest }) => stored.includes(String(manifest)))).toEqual([true, true, true, true]);
    expect(stored.every((key) => key.startsWith("weekly/AWSDynamoDB/"))).toBe(true);
    expect(await actions()).toEqual(Array.from({ length: 4 }, () => "backup.created"));
  });

  it("exports nothing into the public bucket", async () => {
    const argv = ["backup", "native", "export", "--to", "s3://manuel-weiss-public-media", "--yes"];
    const { exitCode, stderr } = await home.run(argv);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("bucket manuel-weiss-public-media is public: a table is not exported there");
  });

  it("takes a place that is no S3 address as wrong usage", async () => {
    expect((await home.run(["backup", "native", "export", "--to", "/tmp/x", "--yes"])).exitCode).toBe(2);
  });
});
