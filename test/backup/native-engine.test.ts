import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBucket } from "../../src/aws/s3/bucket.ts";
import { deleteItems } from "../../src/aws/dynamodb/delete-items.ts";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { listObjects } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { exportForSnapshot, exportPlace } from "../../src/backup/native-engine.ts";
import { exportedLines } from "../../src/backup/native-export.ts";
import { openRepository } from "../../src/backup/repository.ts";
import { s3Store } from "../../src/backup/s3-store.ts";
import { readManifest } from "../../src/backup/snapshots.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { exportsBucket, makeNativeWorld, migrations, profiles, putUser } from "./native-world.ts";

describe("where DynamoDB exports a snapshot's tables to", () => {
  const at = (where: string, encryption: "none" | "age" = "none") =>
    ({ encryption, store: { where } }) as Parameters<typeof exportPlace>[0];
  const given = { bucket: "elsewhere", prefix: "x" };

  it.each([
    [
      "below a repository in S3",
      "s3://backups/mawps",
      undefined,
      { bucket: "backups", prefix: "mawps/exports" },
    ],
    ["below one that is a whole bucket", "s3://backups", undefined, { bucket: "backups", prefix: "exports" }],
    ["as told, beside one in S3", "s3://backups/mawps", given, given],
    ["as told, for a repository in a folder", "/srv/backups", given, given],
  ])("is %s", (_name, where, told, place) => {
    expect(exportPlace(at(where), told)).toEqual(place);
  });

  it("has to be told for a repository in a folder", () => {
    expect(() => exportPlace(at("/srv/backups"), undefined)).toThrow("this repository is a folder");
  });

  it("is nowhere for an encrypted repository", () => {
    expect(() => exportPlace(at("s3://backups", "age"), given)).toThrow("are not encrypted by age");
  });
});

it("exports for a snapshot, saves what was begun, and waits for that when taken up", async () => {
  const world = await makeNativeWorld();
  try {
    await putUser(world.aws, "user-1");
    const steps = new Map<string, unknown>();
    const pending = {
      id: "20261121T031500Z-1f2e3d",
      steps,
      step: async (name: string, state: unknown) => void steps.set(name, structuredClone(state)),
    };
    const ask = {
      tables: [profiles, migrations],
      place: { bucket: exportsBucket, prefix: "exports" },
      tell: () => undefined,
      firstDelayMs: 1,
    };
    const site = { ...world.site, signal: new AbortController().signal };
    const first = await exportForSnapshot(site, pending, ask);
    expect([...first.keys()]).toEqual([profiles, migrations]);
    expect(first.get(profiles)).toMatchObject({ items: 1, parts: [], export: { bucket: exportsBucket } });
    expect(first.get(profiles)?.from).toBe(first.get(migrations)?.to);
    expect(await exportForSnapshot(site, pending, ask)).toEqual(first);
    expect(world.calls.get("ExportTableToPointInTimeCommand")).toBe(2);
  } finally {
    await world.close();
  }
});

describe("mawps backup create --engine aws", () => {
  let home: TestHome;
  const repo = "s3://mawps-exports/backups";

  beforeEach(async () => {
    home = await makeHome();
    await home.look(async (aws) => {
      await createBucket(aws, exportsBucket);
      await putUser(aws, "user-1", { name: "Änne" });
      await putUser(aws, "user-2");
    });
  });

  afterEach(() => home.remove());

  it("records DynamoDB's exports in the snapshot, and their lines are the items", async () => {
    const argv = ["backup", "create", "--engine", "aws", "--repo", repo, "--json"];
    const { exitCode, stderr, stdout } = await home.run(argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const { id } = JSON.parse(stdout) as { id: string };
    await home.look(async (aws) => {
      const store = s3Store(aws, { bucket: exportsBucket, prefix: "backups" });
      const spool = join(home.folder, "spool");
      const unlock = { spool, randomHex: (bytes: number) => "0".repeat(2 * bytes) };
      const manifest = await readManifest(await openRepository(store, unlock), id);
      expect(manifest.engine).toBe("aws");
      const users = manifest.tables.find(({ role }) => role === "userProfiles");
      expect(users).toMatchObject({ items: 2, parts: [], export: { bucket: exportsBucket } });
      expect(users?.description.recoveryDays).toBe(35);
      expect(users?.export?.manifest).toMatch(/^backups\/exports\/AWSDynamoDB\/.*\/manifest-summary\.json$/);
      const lines: string[] = [];
      if (users?.export !== undefined) {
        for await (const batch of exportedLines(aws, users.export, { spool }))
          lines.push(...batch.map(String));
      }
      expect(lines.sort()).toEqual([
        '{"Item":{"userId":{"S":"user-1"},"name":{"S":"Änne"}}}',
        '{"Item":{"userId":{"S":"user-2"}}}',
      ]);
      expect(new Set(manifest.tables.map((table) => table.export?.at)).size).toBe(1);
    });
  });

  it("is restored from the exported files, and from none that is damaged", async () => {
    expect((await home.run(["backup", "create", "--engine", "aws", "--repo", repo])).exitCode).toBe(0);
    const key = { userId: { S: "user-1" } };
    const user = () => home.look((aws) => getItem(aws, { table: profiles, key }));
    await home.look((aws) => deleteItems(aws, profiles, { keys: [key] }));
    expect(await user()).toBeUndefined();
    const restore = ["backup", "restore", "latest", "--repo", repo, "--only", profiles, "--yes"];
    expect(await home.run(restore)).toMatchObject({ exitCode: 0 });
    expect(await user()).toEqual({ userId: { S: "user-1" }, name: { S: "Änne" } });

    await home.look(async (aws) => {
      await deleteItems(aws, profiles, { keys: [key] });
      const prefix = "backups/exports/";
      for await (const { objects } of listObjects(aws, { bucket: exportsBucket, prefix })) {
        for (const { key } of objects.filter(({ key }) => key.endsWith(".json.gz"))) {
          await putObject(aws, { bucket: exportsBucket, key, body: Buffer.from("damaged") });
        }
      }
    });
    const refused = await home.run(restore);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("its MD5 is not the one in the export's manifest");
    expect(await user()).toBeUndefined();
  });

  it("wants a place in S3 for a repository in a folder, before anything is exported", async () => {
    home.calls.length = 0;
    const { exitCode, stderr } = await home.run(["backup", "create", "--engine", "aws", "--repo", "backups"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("name a place: --export-to s3://bucket/prefix");
    expect(home.calls.filter(({ command }) => command.startsWith("Export"))).toEqual([]);
  });
});
