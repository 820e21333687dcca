import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createBucket } from "../../../src/aws/s3/bucket.ts";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { ledgerEntry, writeErasure } from "../../../src/backup/erasures.ts";
import { documentBucket, putDocument, putProfile } from "../../support/documents.ts";
import { makePool, makeUsers } from "../../backup/user-pools.ts";
import { makeHome, type TestHome, type WorldOptions } from "../../support/world.ts";

let home: TestHome;
let entry: Record<string, unknown>;

let temporary: string;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "mawps-test-drills-"));
  vi.stubEnv("TMPDIR", temporary);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true, force: true });
});

beforeEach(async () => {
  home = await makeHome();
  // The trail is not empty, and begins before the backup.
  await home.run(["backup", "create", "--only", "users"]);
  await home.look(async (aws) => {
    entry = await putDocument(aws, { userId: "user-1", id: "doc-1", body: "eins" });
    await putProfile(aws, "user-1", { documents: [entry] });
    await putProfile(aws, "user-2");
  });
});
afterEach(() => home.remove());

async function created(): Promise<string> {
  home.laterMs += 60_000;
  const { exitCode, stdout, stderr } = await home.run(["backup", "create", "--json"]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return (JSON.parse(stdout) as { id: string }).id;
}

interface Report {
  readonly snapshot: string;
  readonly outcome: string;
  readonly items: number;
  readonly lost: readonly string[];
  readonly suppressed: number;
  readonly steps: readonly { readonly step: string; readonly seconds: number }[];
  readonly faults: readonly { readonly what: string; readonly why: string }[];
}

async function drill(argv: readonly string[] = [], options: WorldOptions = {}) {
  const { exitCode, stdout, stderr } = await home.run(["backup", "drill", ...argv, "--json"], options);
  return { exitCode, stderr, report: (stdout === "" ? {} : JSON.parse(stdout)) as Report };
}

/** Of drills; the folder for temporary files is this file's own, as other tests drill beside it. */
async function leftFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("mawps-drill-"));
}

async function listed() {
  const folder = join(home.folder, "store", "backups", "checks");
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith("-drill.json"));
  return Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as object),
  );
}

describe("backup drill", () => {
  it("restores the newest backup, finds it sound, records that, and leaves nothing behind", async () => {
    const id = await created();
    const before = await leftFolders();
    const { exitCode, stderr, report } = await drill();
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(report).toMatchObject({ snapshot: id, outcome: "ok", suppressed: 0, faults: [] });
    expect(report.items).toBeGreaterThan(2);
    expect(report.steps.map(({ step }) => step)).toEqual(["restore", "invariants"]);
    expect(await leftFolders()).toEqual(before);
    expect(await listed()).toMatchObject([{ snapshot: id, kind: "drill", outcome: "ok", faults: 0 }]);
    const audit = await home.run(["audit", "list", "--json"]);
    expect(JSON.parse(audit.stdout.split("\n")[0] ?? "")).toMatchObject({
      action: "backup.drilled",
      details: { backupId: id, status: "ok" },
    });
  });

  it("proves custom attributes of accounts, and tells a check of the pool that has them", async () => {
    const poolId = await home.look(async (aws) => {
      const made = await makePool(aws, { Schema: [{ Name: "level", AttributeDataType: "Number" }] });
      await makeUsers(aws, made, { anna: { attributes: { "custom:level": "3", email: "a@example.com" } } });
      return made;
    });
    const env = { MAWPS_USER_POOL_ID: poolId };
    home.laterMs += 60_000;
    expect((await home.run(["backup", "create"], { env })).exitCode).toBe(0);
    const check = 'test -n "$MAWPS_USER_POOL_ID" && test "$MAWPS_USER_POOL_ID" != "$LIVE"';
    const { exitCode, report } = await drill(["--check", check], { env: { ...env, LIVE: poolId } });
    expect(report).toMatchObject({ outcome: "ok", users: 1, faults: [] });
    expect(report.lost).not.toContainEqual(expect.stringMatching(/attributes/));
    expect(exitCode).toBe(0);
  });

  it("restores tables that DynamoDB exported into a bucket of the site", async () => {
    await home.look((aws) => createBucket(aws, "table-exports"));
    const place = ["--engine", "aws", "--export-to", "s3://table-exports/mawps"];
    home.laterMs += 60_000;
    const created = await home.run(["backup", "create", ...place, "--yes"]);
    expect([created.exitCode, created.stdout]).toEqual([0, expect.stringContaining("backup 20")]);
    const { exitCode, stderr, report } = await drill();
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(report).toMatchObject({ outcome: "ok", faults: [] });
    expect(report.items).toBeGreaterThan(2);
  });

  it("changes nothing of the site that it drills for, but for its own record", async () => {
    await created();
    const state = () =>
      home.look(async (aws) => {
        const { scanItems } = await import("../../../src/aws/dynamodb/items.ts");
        const items = [];
        for await (const page of scanItems(aws, { table: "mawps-user-profiles" })) items.push(...page);
        return items;
      });
    const before = await state();
    await drill();
    expect(await state()).toEqual(before);
  });

  it.each<[string, Record<string, unknown>, string | RegExp]>([
    ["is missing", { s3Key: "public/documents/user-1/cv/0-none.txt" }, "its object is missing"],
    ["has another size", { size: 5 }, "its object has 4 B, the entry says 5 B"],
    ["has another hash", { sha256: "0".repeat(64) }, /not the one that the entry has the hash of/],
    ["is not named", { s3Key: "" }, "names no object"],
  ])("finds an entry whose object %s", async (_, change, why) => {
    await home.look((aws) => putProfile(aws, "user-1", { documents: [{ ...entry, ...change }] }));
    const id = await created();
    const { exitCode, report } = await drill();
    expect(exitCode).toBe(4);
    expect(report).toMatchObject({ outcome: "failed", faults: [{ what: "document doc-1 of user-1" }] });
    expect(report.faults[0]?.why).toMatch(why);
    expect(await listed()).toMatchObject([{ snapshot: id, outcome: "failed", faults: 1 }]);
  });

  it("takes an entry without status for ready, and one that is deleted for nothing to look at", async () => {
    const { status: _, ...bare } = entry;
    await home.look(async (aws) => {
      await putProfile(aws, "user-1", {
        documents: [bare, { ...entry, id: "doc-2", status: "DELETED", s3Key: "public/documents/none" }],
      });
      await deleteObject(aws, { bucket: documentBucket, key: String(entry["s3Key"]) });
    });
    await created();
    const { report } = await drill();
    expect(report.faults).toEqual([{ what: "document doc-1 of user-1", why: "its object is missing" }]);
  });

  it("fails with a backup that is damaged, and says so in the record", async () => {
    const id = await created();
    const content = join(home.folder, "store", "backups", "data");
    const hash = String(entry["sha256"]);
    await writeFile(join(content, hash.slice(0, 2), hash), "zwei");
    const before = await leftFolders();
    const { exitCode, report } = await drill();
    expect(exitCode).toBe(4);
    expect(report.faults).toHaveLength(1);
    expect(report.faults[0]).toMatchObject({ what: `backup ${id}` });
    expect(report.faults[0]?.why).toContain("cannot be restored");
    expect(report.steps.map(({ step }) => step)).toEqual(["restore"]);
    expect(await listed()).toMatchObject([{ snapshot: id, outcome: "failed" }]);
    expect(await leftFolders()).toEqual(before);
  });

  it("fails with one of which a content is missing", async () => {
    await created();
    const hash = String(entry["sha256"]);
    await rm(join(home.folder, "store", "backups", "data", hash.slice(0, 2), hash));
    const { exitCode, report } = await drill();
    expect([exitCode, report.faults.length]).toEqual([4, 1]);
  });

  it("leaves out who was erased since, and takes that for right", async () => {
    await created();
    await home.look((aws) =>
      writeErasure(ledgerEntry("user-1", "00ff", new Date("2026-03-01T12:30:00Z")), {
        aws,
        table: "mawps-audit-log",
      }),
    );
    const { exitCode, report } = await drill();
    expect([exitCode, report.faults]).toEqual([0, []]);
    expect(report.suppressed).toBe(1);
  });

  it("drills an older backup by its id", async () => {
    const first = await created();
    await home.look((aws) => putProfile(aws, "user-3"));
    await created();
    const { report } = await drill([first]);
    expect(report).toMatchObject({ snapshot: first, outcome: "ok" });
  });

  it("finds a trail that was changed before the backup", async () => {
    await home.look(async (aws) => {
      const { scanItems } = await import("../../../src/aws/dynamodb/items.ts");
      const { PutItemCommand } = await import("@aws-sdk/client-dynamodb");
      for await (const [item] of scanItems(aws, { table: "mawps-audit-log" })) {
        const Item = { ...item, actor: { S: "somebody else" } };
        await (await aws.dynamodb()).send(new PutItemCommand({ TableName: "mawps-audit-log", Item }));
      }
    });
    await created();
    const { exitCode, report } = await drill();
    expect(exitCode).toBe(4);
    expect(report.faults[0]?.what).toMatch(/^audit trail, entry \d+/);
    expect(report.faults[0]?.why).toContain("edited");
  });

  it("--dry-run restores nothing, and says what it would", async () => {
    const id = await created();
    const { exitCode, stdout } = await home.run(["backup", "drill", "--dry-run"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`would restore ${id} on trial`);
    expect(await listed()).toEqual([]);
  });

  it("satisfies doctor", async () => {
    const env = { MAWPS_BACKUP_REPOSITORY: join(home.folder, "store", "backups") };
    await created();
    await drill();
    const { stdout } = await home.run(["doctor", "--json"], { env });
    expect(stdout).toMatch(/"check":"backup drill".*"status":"ok"/);
  });

  it("works from a repository in a bucket too", async () => {
    const env = { MAWPS_BACKUP_REPOSITORY: `s3://${documentBucket}/backups` };
    await home.run(["backup", "create", "--only", "tables"], { env });
    const { exitCode, report } = await drill([], { env });
    expect([exitCode, report.faults]).toEqual([0, []]);
    const again = await home.run(["backup", "prune", "--keep-last", "1", "--yes", "--json"], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ removed: [] });
  });
});

describe("the owner's own check", () => {
  const real = () => ({ PATH: process.env["PATH"] ?? "" });

  it("sees the restored store as its target, and its output goes to stderr", async () => {
    await created();
    const { exitCode, stderr, report } = await drill(
      ["--check", 'echo "$MAWPS_TARGET"; test -f "$MAWPS_HOME/store.json" && ls "$MAWPS_HOME"'],
      { env: real() },
    );
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^local\n[^]*store\.json/);
    expect(report.steps.map(({ step }) => step)).toEqual(["restore", "invariants", "check"]);
  });

  it("counts with its exit code", async () => {
    const id = await created();
    const { exitCode, report } = await drill(["--check", "exit 3"], { env: real() });
    expect(exitCode).toBe(4);
    expect(report.faults).toEqual([{ what: "your check", why: "ended with 3" }]);
    expect(await listed()).toMatchObject([{ snapshot: id, outcome: "failed", faults: 1 }]);
  });

  it("can be told from the store of the site: what it writes goes with the folder", async () => {
    await created();
    const before = await leftFolders();
    await drill(["--check", 'echo changed > "$MAWPS_HOME/changed"'], { env: real() });
    expect(await leftFolders()).toEqual(before);
    expect(await readdir(join(home.folder, "store"))).not.toContain("changed");
  });

  it("ends with Ctrl-C, and the store goes then too", async () => {
    await created();
    const before = await leftFolders();
    const interrupt = new AbortController();
    const running = drill(["--check", `touch ${home.folder}/begun; exec sleep 600`], {
      env: real(),
      signal: interrupt.signal,
    });
    const begun = async (): Promise<"begun"> => {
      while (!(await readdir(home.folder)).includes("begun"))
        await new Promise((resolve) => setTimeout(resolve, 20));
      return "begun";
    };
    expect(await Promise.race([begun(), running])).toBe("begun");
    interrupt.abort();
    const { exitCode } = await running;
    expect(exitCode).not.toBe(0);
    expect(await leftFolders()).toEqual(before);
    expect(await listed()).toEqual([]);
  });

  it("does not run where nothing was restored", async () => {
    await created();
    await home.look((aws) =>
      putObject(aws, { bucket: documentBucket, key: "x", body: Buffer.from("later") }),
    );
    const hash = String(entry["sha256"]);
    await rm(join(home.folder, "store", "backups", "data", hash.slice(0, 2), hash));
    await drill(["--check", `touch ${home.folder}/ran`], { env: real() });
    expect(await readdir(home.folder)).not.toContain("ran");
  });
});
