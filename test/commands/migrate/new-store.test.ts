import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTable } from "../../../src/aws/dynamodb/table-settings.ts";
import { migrations } from "../../../src/migrations/registry.ts";
import { schemaVersion } from "../../../src/migrations/state.ts";
import { putWebsiteData } from "../../migrations/stored.ts";
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

const ids = migrations.map(({ migration: { id } }) => id);
const table = "mawps-migrations";

async function standings(env: Record<string, string> = {}) {
  const { stdout, exitCode } = await home.run(["migrate", "status", "--exit-code", "--json"], { env });
  const rows = stdout.trim().split("\n");
  const told = rows.map((row) => JSON.parse(row) as { migration: string; status: string; by: string | null });
  return { exitCode, rows: told.map(({ migration, status, by }) => `${migration} ${status} ${by}`) };
}

const allBySetup = ids.map((id) => `${id} applied setup`);
const allPending = ids.map((id) => `${id} pending null`);

describe("a new store is at the newest migration", () => {
  it("before it is there, once a command has made it, and once somebody works on it", async () => {
    expect(await standings()).toEqual({ exitCode: 0, rows: allBySetup });
    await home.run(["setup"]);
    expect(await standings()).toEqual({ exitCode: 0, rows: allBySetup });
    expect(await home.look((aws) => schemaVersion(aws, table))).toBe(ids.at(-1));
    const up = await home.run(["migrate", "up", "--yes", "--json"]);
    expect([up.exitCode, up.stdout]).toEqual([0, '{"applied":[]}\n']);
  });

  it("can be taken back like any other, and is applied again then", async () => {
    expect((await home.run(["migrate", "down", "--yes"])).exitCode).toBe(0);
    const last = ids.at(-1);
    const rows = [...allBySetup.slice(0, -1), `${last} reverted local:tester`];
    expect(await standings()).toMatchObject({ exitCode: 5, rows });
    expect((await home.run(["migrate", "up", "--yes"])).exitCode).toBe(0);
    expect(await standings()).toMatchObject({ exitCode: 0 });
  });
});

describe("what setup makes", () => {
  const named = {
    MAWPS_USER_PROFILES_TABLE: "other-profiles",
    MAWPS_MIGRATIONS_TABLE: "other-migrations",
    MAWPS_YES: "1",
  };

  it.each([
    ["is at the newest migration where it made the table of profiles", false, allBySetup],
    ["has all pending where that table was there, without a record", true, allPending],
  ])("%s", async (_name, isThere, rows) => {
    await home.look(async (aws) => {
      const partition = { name: "userId", type: "S" as const };
      if (isThere) await createTable(aws, { name: "other-profiles", keys: { partition }, indexes: [] });
    });
    const served = await serveHome(home);
    try {
      const env = { ...named, ...asAws(served) };
      expect((await home.run(["setup"], { env })).exitCode).toBe(0);
      expect(await standings(env)).toEqual({ exitCode: isThere ? 5 : 0, rows });
    } finally {
      await served.stop();
    }
  });
});

describe("a restore into a new store", () => {
  const repo = ["--repo", "backups"];

  // The clock of the home that makes the backup goes on with each look at it: what it makes is of the past here in any case.
  beforeEach(() => {
    home.laterMs = 3_600_000;
  });

  async function backedUp(upTo: string | undefined): Promise<void> {
    const old = await makeHome();
    try {
      await old.look((aws) => putWebsiteData(aws, "simple"));
      if (upTo !== undefined) await old.run(["migrate", "up", "--to", upTo, "--yes"]);
      const made = await old.run(["backup", "create", "--repo", `${home.folder}/backups`]);
      expect(made.exitCode).toBe(0);
    } finally {
      await old.remove();
    }
  }

  it.each([
    ["nothing", undefined, allPending],
    ["two", "0002", [...ids.slice(0, 2).map((id) => `${id} applied local:tester`), ...allPending.slice(2)]],
  ])("of data with %s applied makes the others due, and says so before", async (_name, upTo, rows) => {
    await backedUp(upTo);
    await home.run(["setup"]);
    const again = ids.slice(upTo === undefined ? 0 : 2);
    const planned = await home.run(["backup", "restore", ...repo, "--dry-run", "--json", "--from-elsewhere"]);
    expect(JSON.parse(planned.stdout)).toMatchObject({ dueAgain: again });
    expect((await standings()).rows).toEqual(allBySetup);
    const restored = await home.run(["backup", "restore", ...repo, "--yes", "--from-elsewhere"]);
    expect(restored.exitCode).toBe(0);
    expect(restored.stdout).toContain(`from before ${again.join(", ")}`);
    expect(await standings()).toEqual({ exitCode: 5, rows });
  });

  it("of data of a new store leaves it at the newest", async () => {
    const other = await makeHome();
    await other.run(["progress", "import", "max@example.com", "--create-profile", "-"], {
      stdin: Buffer.from('{"pages":{"a":{"visitCount":1,"firstVisit":"2026-02-20T10:00:00.000Z"}}}'),
    });
    await other.run(["backup", "create", "--repo", `${home.folder}/backups`]);
    await other.remove();
    const restored = await home.run(["backup", "restore", ...repo, "--yes", "--from-elsewhere", "--json"]);
    expect(restored.exitCode).toBe(0);
    expect(JSON.parse(restored.stdout)).toMatchObject({ dueAgain: [] });
    expect(await standings()).toEqual({ exitCode: 0, rows: allBySetup });
  });
});
