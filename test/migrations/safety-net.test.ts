import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { folderStore } from "../../src/backup/folder-store.ts";
import { ensureRepository, type Repository } from "../../src/backup/repository.ts";
import type { TableSnapshot } from "../../src/backup/snapshot.ts";
import { commitSnapshot, recordCheck } from "../../src/backup/snapshots.ts";
import { youngBackup } from "../../src/migrations/safety-net.ts";

let folder: string;
let repository: Repository;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  const randomHex = (bytes: number) => "ab".repeat(bytes);
  repository = await ensureRepository(
    folderStore(join(folder, "backups")),
    { spool: folder, randomHex },
    { now: new Date() },
  );
});

afterEach(() => rm(folder, { recursive: true }));

const table = "mawps-user-profiles";
const id = "20261121T031500Z-1f2e3d";

async function putBackup(name: string, region = "eu-central-1"): Promise<void> {
  const at = "2026-11-21T03:15:00.000Z";
  const description = {
    keys: { partition: { name: "userId", type: "S" as const } },
    indexes: [],
    localIndexes: [],
    billing: "on-demand" as const,
    deletionProtection: true,
    tags: {},
  };
  const snapshot: TableSnapshot = {
    role: "userProfiles",
    name,
    description,
    from: at,
    to: at,
    items: 0,
    parts: [],
  };
  await commitSnapshot(repository, {
    manifest: {
      format: 1,
      id,
      tool: "mawps/test",
      model: "MAWPS",
      schemaVersion: null,
      target: "aws",
      region,
      startedAt: at,
      endedAt: at,
      engine: "scan",
      tables: [snapshot],
      buckets: [],
    },
    recovery: { open: "how" },
  });
}

function found(now: string, of: Repository = repository) {
  const signal = new AbortController().signal;
  return youngBackup(of, { what: { table, region: "eu-central-1" }, now: new Date(now), signal });
}

it("finds a backup of the last 24 hours that has the table", async () => {
  await putBackup(table);
  expect(await found("2026-11-22T03:14:00Z")).toEqual({ id, isSeen: true });
  expect(await found("2026-11-22T03:16:00Z")).toBeUndefined();
});

it("knows no backup of another table", async () => {
  expect(await found("2026-11-21T04:00:00Z")).toBeUndefined();
  await putBackup("test-profiles");
  expect(await found("2026-11-21T04:00:00Z")).toBeUndefined();
});

it("does not count the same table of another region", async () => {
  await putBackup(table, "us-east-1");
  expect(await found("2026-11-21T04:00:00Z")).toBeUndefined();
});

it("does not count a backup that was found damaged", async () => {
  await putBackup(table);
  const check = { snapshot: id, kind: "verify" as const, at: "2026-11-21T04:00:00.000Z", share: 1 };
  await recordCheck(repository, { ...check, outcome: "failed", faults: 1 });
  expect(await found("2026-11-21T04:00:00Z")).toBeUndefined();
});

it("takes one that cannot be read here by its time", async () => {
  await putBackup(table);
  expect(await found("2026-11-21T04:00:00Z", { ...repository, canRead: false })).toEqual({
    id,
    isSeen: false,
  });
});
