import { access } from "node:fs/promises";
import { join } from "node:path";
import { PutItemCommand, UpdateContinuousBackupsCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { schemaVersion } from "../../../src/migrations/state.ts";
import { storeOf, putObjectOf, putWebsiteData, websiteEntry } from "../../migrations/stored.ts";
import { profileTable, readEntries } from "../../support/documents.ts";
import { asBeforeThisTool } from "../../support/old-store.ts";
import { asAws, serveHome } from "../../support/served.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await home.remove();
});

const table = "mawps-migrations";
const allIds = ["0001-document-fields", "0002-profile-type", "0003-document-items", "0004-document-keys"];

async function statuses(store: ReturnType<typeof storeOf>) {
  const { stdout, exitCode, stderr } = await store.run("migrate", "status", "--json");
  const rows = stdout.split("\n").filter((line) => line !== "");
  return { rows: rows.map((line) => JSON.parse(line) as Record<string, unknown>), exitCode, stderr };
}

describe("migrate", () => {
  it.each(["--batch=5", "--native-backup"])(
    "takes %s for wrong usage where a database is migrated",
    async (flag) => {
      const { exitCode, stderr } = await home.run(["--model", "lopez", "migrate", "up", flag]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is for tables of DynamoDB")]);
    },
  );

  it.each(["prework", "prework-guide"])(
    "has nothing to do for %s, and makes no store to say so",
    async (model) => {
      const run = (...argv: string[]) =>
        home.run(["--model", model, "migrate", ...argv], { env: { MAWPS_HOME: join(home.folder, "other") } });
      const text = `nothing to migrate: ${model} has no migrations\n`;
      for (const verb of ["status", "plan", "up", "down"])
        expect([verb, await run(verb)]).toMatchObject([verb, { exitCode: 0, stdout: text }]);
      expect(await run("status", "--exit-code", "--json")).toMatchObject({ exitCode: 0, stdout: "" });
      expect(await run("up", "--native-backup", "--json")).toMatchObject({ stdout: '{"applied":[]}\n' });
      expect(await run("down", "--to", "none", "--json")).toMatchObject({ stdout: '{"reverted":[]}\n' });
      const { exitCode, stderr } = await run("up", "--to", "0002");
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("the site has none")]);
      await expect(access(join(home.folder, "other"))).rejects.toThrow("ENOENT");
    },
  );

  it("applies up to a migration, tells when, by whom and how many, and takes back behind one", async () => {
    const store = storeOf(home, "composite");
    await store.look((aws) => putWebsiteData(aws, "composite"));
    expect((await store.run("migrate", "status", "--exit-code")).exitCode).toBe(5);
    expect(await store.look((aws) => schemaVersion(aws, table))).toBeNull();

    await store.json("migrate", "up", "--to", "0002");
    const { rows, exitCode } = await statuses(store);
    expect(exitCode).toBe(0);
    expect(rows.map(({ migration, status }) => [migration, status])).toEqual(
      allIds.map((id, at) => [id, at < 2 ? "applied" : "pending"]),
    );
    expect(rows[0]).toMatchObject({
      by: expect.stringMatching(/^local:/),
      tool: expect.stringMatching(/^mawps\//),
      startedAt: expect.stringMatching(/^2026-03-01T/),
      endedAt: expect.stringMatching(/^2026-03-01T/),
      counts: { looked: 7, changed: 3, left: 2 },
    });
    expect(await store.look((aws) => schemaVersion(aws, table))).toBe("0002-profile-type");
    expect((await store.run("migrate", "status", "--exit-code")).exitCode).toBe(5);
    for (const [verb, nothing] of [
      ["plan", "nothing to do: the migrations up to 0002 are applied"],
      ["up", "nothing to do: the migrations up to 0002 are applied"],
      ["down", "nothing to take back: no migration behind 0002 is applied"],
    ] as const) {
      expect((await store.run("migrate", verb, "--to", "0002")).stdout.trim()).toBe(nothing);
    }

    await store.json("migrate", "up");
    expect((await store.run("migrate", "status", "--exit-code")).exitCode).toBe(0);
    const down = await store.json("migrate", "down", "--to", "0001-document-fields");
    expect(down["reverted"]).toMatchObject([
      { id: allIds[3], counts: { changed: 1, objects: 3 } },
      { id: allIds[2], counts: { changed: 2 } },
      { id: allIds[1], counts: { changed: 0 } },
    ]);
    expect(await store.look((aws) => schemaVersion(aws, table))).toBe("0001-document-fields");
    const trail = await store.run("audit", "list", "--json", "--action", "migration.reverted");
    expect(trail.stdout).toContain('"migration":"0004-document-keys"');
  });

  it("shows samples with names in full, and values by kind and length: nothing of a person", async () => {
    const store = storeOf(home, "composite");
    await store.look((aws) => putWebsiteData(aws, "composite"));
    const { stdout } = await store.run("migrate", "plan");
    expect(stdout).toContain('documents[0].status: absent -> "READY"');
    expect(stdout).toContain("documents[0].sha256: absent -> text of length 64");
    expect(stdout).toContain("users/{userId}/documents/certificate/{time}-{name}");
    expect(stdout).toContain("(document) documents: list of 2 -> absent");
    expect(stdout).toContain("given up:");
    expect(stdout).not.toMatch(/Müller|Lebenslauf|1\.2345678/);
    const json = await store.run("migrate", "plan", "--json");
    const { plans } = JSON.parse(json.stdout) as { plans: { samples: unknown[]; changes: number }[] };
    expect(plans.map(({ samples, changes }) => [samples.length, changes])).toEqual([
      [3, 3],
      [0, 0],
      [2, 2],
      [1, 1],
    ]);
    expect(json.stdout).not.toMatch(/Müller|Lebenslauf [^"]*doc|1\.2345678/);
  });

  it("reports applied code that has changed, and goes on only when told to", async () => {
    const store = storeOf(home, "simple");
    await store.look(asBeforeThisTool);
    await store.json("migrate", "up", "--to", "0002");
    await store.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { id: { S: "0001-document-fields" }, entry: { S: "state" } },
          UpdateExpression: "SET checksum = :other",
          ExpressionAttributeValues: { ":other": { S: "0".repeat(64) } },
        }),
      );
    });
    const status = await store.run("migrate", "status");
    expect([status.exitCode, status.stdout.includes("applied, code changed")]).toEqual([4, true]);
    expect(status.stderr).toContain("the code of 0001-document-fields is not the one that was applied");
    const refused = await store.run("migrate", "up", "--yes");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("--accept-changed");
    expect((await statuses(store)).rows[2]).toMatchObject({ status: "pending" });
    await store.json("migrate", "up", "--accept-changed");
    expect((await store.run("migrate", "status", "--exit-code")).exitCode).toBe(0);
    const trail = await store.run("audit", "list", "--action", "migration.applied", "--json");
    expect(trail.stdout).toContain('"migration":"0001-document-fields","method":"accept-changed"');
  });

  it("stops where a newer version of the tool was at work", async () => {
    const store = storeOf(home, "simple");
    await store.look(asBeforeThisTool);
    await store.json("migrate", "up");
    const item = (entry: string, more: object) => ({ id: { S: entry }, ...more });
    await store.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      const state = {
        status: { S: "applied" },
        checksum: { S: "x" },
        counts: { M: {} },
        startedAt: { S: "2027-01-01T00:00:00Z" },
      };
      await dynamodb.send(
        new PutItemCommand({
          TableName: table,
          Item: item("0099-later", { entry: { S: "state" }, ...state }),
        }),
      );
      await dynamodb.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { id: { S: "migrations" }, entry: { S: "begun" } },
          UpdateExpression: "SET ids.#id = :yes",
          ExpressionAttributeNames: { "#id": "0099-later" },
          ExpressionAttributeValues: { ":yes": { BOOL: true } },
        }),
      );
    });
    expect((await store.run("migrate", "status")).exitCode).toBe(4);
    for (const verb of ["up", "down"]) {
      const { exitCode, stderr } = await store.run("migrate", verb, "--yes");
      expect([exitCode, stderr.includes("a newer version of mawps has run 0099-later here")]).toEqual([
        1,
        true,
      ]);
    }
  });

  it("knows no other migration than those there are", async () => {
    const store = storeOf(home, "simple");
    for (const verb of ["plan", "up", "down"]) {
      const { exitCode, stderr } = await store.run("migrate", verb, "--to", "0042");
      expect([exitCode, stderr.includes('there is no migration "0042"')]).toEqual([2, true]);
    }
    expect((await store.run("migrate", "up", "--batch", "0")).exitCode).toBe(2);
  });

  it("run by two at the same time is done once, and the other is told", async () => {
    const store = storeOf(home, "simple");
    await store.look((aws) => putWebsiteData(aws, "simple"));
    const served = await serveHome(home, { env: store.env });
    const both = await Promise.all([
      store.run("migrate", "up", "--yes"),
      store.run("migrate", "up", "--yes"),
    ]);
    await served.stop();
    const failed = both.filter(({ exitCode }) => exitCode !== 0);
    expect(failed.length).toBeLessThanOrEqual(1);
    // The tests' clock runs on with each look at it, so that a lease may end in between.
    const told = /migrations are being run by|took the lock|another run took over/;
    for (const { stderr } of failed) expect(stderr).toMatch(told);
    expect((await store.run("migrate", "status", "--exit-code")).exitCode).toBe(0);
    const entries = await store.look((aws) => readEntries(aws, "user-1", "simple"));
    expect(entries.map(({ status }) => status)).toEqual(["READY", "READY", undefined, undefined]);
  });
});

describe("migrate up on AWS", () => {
  it("wants point-in-time recovery, or a backup of the last day, or to be told to go without", async () => {
    const store = storeOf(home, "simple");
    await store.look(asBeforeThisTool);
    await store.look(async (aws) => {
      const key = "public/documents/user-1/cv/1734384121711-cv.pdf";
      await putObjectOf(aws, key, "%PDF-1", "application/pdf");
      const Item = { userId: { S: "user-1" }, documents: { L: [websiteEntry("doc-1", key)] } };
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(new PutItemCommand({ TableName: profileTable, Item }));
      await dynamodb.send(
        new UpdateContinuousBackupsCommand({
          TableName: profileTable,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
        }),
      );
    });
    const served = await serveHome(home, { env: store.env });
    const env = { ...store.env, ...asAws(served) };
    const up = (...more: string[]) => home.run(["migrate", "up", "--yes", ...more], { env });
    const none = await up();
    expect([none.exitCode, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain(`${profileTable} has no point-in-time recovery, and no repository`);
    const empty = await up("--repo", "backups");
    expect(empty.stderr).toContain("there is no backup repository at");
    expect((await up("--to", "0001", "--no-backup-check")).exitCode).toBe(0);
    const planned = await home.run(["migrate", "up", "--to", "0002", "--native-backup", "--dry-run"], {
      env,
    });
    expect([planned.exitCode, planned.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^DynamoDB backs up ${profileTable} first, as mawps-\\S+\n\n0002`)),
    ]);
    expect((await home.run(["backup", "native", "list", "--json"], { env })).stdout).toBe("");
    const asking = { env, answers: [false] };
    expect((await home.run(["migrate", "up", "--to", "0002", "--native-backup"], asking)).exitCode).toBe(1);
    expect(home.asked.at(-1)).toMatch(/^Let DynamoDB back up the table, then apply 1 migration/);
    expect((await home.run(["backup", "native", "list", "--json"], { env })).stdout).toBe("");
    const backed = await up("--to", "0002", "--native-backup");
    expect([backed.exitCode, backed.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^DynamoDB backed up ${profileTable}, as mawps-\\S+\n0002`)),
    ]);
    const kept = await home.run(["backup", "native", "list", "--json"], { env });
    expect(
      kept.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([expect.objectContaining({ table: profileTable, status: "AVAILABLE" })]);
    expect((await home.run(["backup", "pitr", "enable", "--yes"], { env })).exitCode).toBe(0);
    expect((await up()).exitCode).toBe(0);
    await served.stop();
  });
});
