import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scanItems } from "../../../src/aws/dynamodb/items.ts";
import { readSettings } from "../../../src/aws/dynamodb/restore-settings.ts";
import { readTable } from "../../../src/aws/dynamodb/table-settings.ts";
import { putProfile } from "../../support/documents.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

let home: TestHome;
const profiles = "mawps-user-profiles";

beforeEach(async () => {
  home = await makeHome();
  await home.look((aws) => putProfile(aws, "user-1", { name: "Änne" }));
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

describe("mawps backup pitr", () => {
  it("alone tells from when to when each table can be restored", async () => {
    const { exitCode, stdout } = await home.run(["backup", "pitr", "--json"]);
    expect(exitCode).toBe(0);
    const found = rows({ exitCode, stdout, stderr: "" });
    expect(found.map(({ role, state, days }) => [role, state, days])).toEqual([
      ["userProfiles", "on", 35],
      ["digitalTwin", "on", 35],
      ["auditLog", "on", 35],
      ["migrations", "on", 35],
    ]);
    expect(Date.parse(String(found[0]?.["earliest"]))).toBeLessThan(Date.parse(String(found[0]?.["latest"])));
  });

  it("takes a word that is no verb as wrong usage", async () => {
    const { exitCode, stdout } = await home.run(["backup", "pitr", "rewind"]);
    expect([exitCode, stdout]).toEqual([2, ""]);
  });

  it("enable says that there is nothing to do, and asks nothing", async () => {
    const { exitCode, stdout } = await home.run(["backup", "pitr", "enable"]);
    expect([exitCode, stdout]).toEqual([0, "recovery is on for every table, as far back as it should be\n"]);
  });

  it("restore makes a new table of the present and gives its settings back", async () => {
    const argv = ["backup", "pitr", "restore", "--at", "latest", "--into", "profiles-now"];
    const declined = await home.run(argv, { answers: [false] });
    expect(declined.exitCode).toBe(1);
    expect(await home.look((aws) => readTable(aws, "profiles-now"))).toBeUndefined();
    const { exitCode, stderr, stdout } = await home.run([...argv, "--yes"]);
    expect([exitCode, stderr.includes("error")]).toEqual([0, false]);
    expect(stderr).toContain("the local store keeps no past");
    expect(stdout).toContain(`table profiles-now has the items of ${profiles}`);
    expect(stdout).toContain("given back: recovery of 35 days, deletion protection");
    expect(await users("profiles-now")).toEqual(["user-1"]);
    expect(await home.look((aws) => readSettings(aws, "profiles-now"))).toEqual(
      await home.look((aws) => readSettings(aws, profiles)),
    );
    expect(await actions()).toEqual(["table.restored", "table.restored"]);
  });

  it.each([
    ["2h ago", "cannot be restored to 2026-03-01T10:0"],
    [
      "2026-02-01T00:00:00Z",
      "cannot be restored to 2026-02-01T00:00:00.000Z: its recovery reaches from 2026-",
    ],
  ])("restore --at '%s' is refused where recovery does not reach, with the window", async (at, message) => {
    const { exitCode, stderr } = await home.run([
      "backup",
      "pitr",
      "restore",
      "--at",
      at,
      "--into",
      "before",
      "--yes",
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
    expect(await home.look((aws) => readTable(aws, "before"))).toBeUndefined();
  });

  it("restore never goes into a table that is there", async () => {
    const argv = ["backup", "pitr", "restore", "--at", "latest", "--into", "mawps-audit-log", "--yes"];
    const { exitCode, stderr } = await home.run(argv);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("table mawps-audit-log already exists; nothing was changed");
  });

  it.each([
    ["a moment that is none", ["--at", "yesterday-ish", "--into", "before"]],
    ["a table name that is none", ["--at", "latest", "--into", "a b"]],
    ["a table that the model has not", ["--at", "latest", "--into", "before", "--table", "nobody"]],
    ["a repository for a table", ["--at", "latest", "--into", "before", "--repo", "elsewhere"]],
  ])("restore refuses %s as wrong usage", async (_name, argv) => {
    expect((await home.run(["backup", "pitr", "restore", ...argv, "--yes"])).exitCode).toBe(2);
  });

  it.each([
    ["all that is missing at once", [], "missing: --at <time>, --into <name>"],
    [
      "which table, where the site has none",
      ["--into", "now", "--at", "latest"],
      "--table: auditLog, migrations",
    ],
    [
      "of a table of a database how its rows come back",
      ["--into", "now", "--at", "latest", "--table", "customers"],
      "mawps backup restore --item customers:<key>",
    ],
    [
      "that PostgreSQL has no way back to a moment",
      ["--into", "now", "--at", "latest", "--database", "crm"],
      "mawps backup restore <backup> --only databases",
    ],
  ])("restore tells %s", async (_what, argv, told) => {
    const env = { MAWPS_MODEL: "fc024", MAWPS_HOME: `${home.folder}/fc024` };
    const { exitCode, stdout, stderr } = await home.run(["backup", "pitr", "restore", ...argv, "--yes"], {
      env,
    });
    expect([exitCode, stdout, stderr]).toEqual([2, "", expect.stringContaining(told)]);
    expect(await home.look((aws) => readTable(aws, "now"), env)).toBeUndefined();
  });

  it("status fits a terminal of 80 columns", async () => {
    const env = { MAWPS_MODEL: "fc024", MAWPS_HOME: `${home.folder}/narrow` };
    expect((await home.run(["setup", "--yes"], { env })).exitCode).toBe(0);
    const { exitCode, stdout } = await home.run(["backup", "pitr", "status"], { env, columns: 80 });
    expect([exitCode, stdout.split("\n").filter((line) => line.length > 80)]).toEqual([0, []]);
    expect(stdout).toMatch(/^fc024-mawps-migrations +on .* \S+ \S+ *\ncrm +- *\ncrm: PostgreSQL comes back/m);
  });
});
