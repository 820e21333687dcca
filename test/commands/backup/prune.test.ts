import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { putProfile } from "../../support/documents.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const day = 24 * 60 * 60_000;

/** A backup each night, of a profile that is another each time. Answers the ids, oldest first. */
async function nights(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let night = 0; night < count; night += 1) {
    await home.look((aws) => putProfile(aws, "user-1", { name: `night ${night}` }));
    const { exitCode, stdout, stderr } = await home.run(["backup", "create", "--json"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    ids.push((JSON.parse(stdout) as { id: string }).id);
    home.laterMs += day;
  }
  // What was written within the second in which a prune begins stays: here all is older.
  for (const name of await contents()) await utimes(join(data(), name), 1, 1);
  return ids;
}

const data = () => join(home.folder, "store", "backups", "data");

async function contents(): Promise<string[]> {
  const names = await readdir(data(), { recursive: true });
  return names.filter((name) => /[\da-f]{64}$/.test(name));
}

async function snapshots(): Promise<string[]> {
  return (await readdir(join(home.folder, "store", "backups", "snapshots"))).sort();
}

describe("backup prune", () => {
  it("removes what the policy gives up, tells why the rest stays, and records it", async () => {
    const ids = await nights(3);
    const before = await contents();
    const { exitCode, stdout } = await home.run(["backup", "prune", "--keep-daily", "2", "--yes"]);
    expect(exitCode).toBe(0);
    expect(await snapshots()).toEqual(ids.slice(1));
    expect(stdout).toMatch(new RegExp(`keep\\s+${ids[2]}\\s+newest, daily 2026-03-0\\d`));
    expect(stdout).toMatch(new RegExp(`remove\\s+${ids[0]}`));
    expect(stdout).toMatch(/removed 1 backup and \d+ contents? of/);
    expect((await contents()).length).toBeLessThan(before.length);
    const audit = await home.run(["audit", "list", "--json"]);
    const actions = audit.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { action: string; details: object })
      .filter(({ action }) => action === "backup.pruned");
    expect(actions.map(({ details }) => details)).toMatchObject([{ phase: "done" }, { phase: "begun" }]);
  });

  it("--dry-run removes nothing, and says the very same", async () => {
    const ids = await nights(3);
    const before = await contents();
    const dry = await home.run(["backup", "prune", "--keep-last", "1", "--dry-run", "--json"]);
    expect(await snapshots()).toEqual(ids);
    expect(await contents()).toEqual(before);
    const real = await home.run(["backup", "prune", "--keep-last", "1", "--yes", "--json"]);
    expect({ ...(JSON.parse(dry.stdout) as object), dryRun: false }).toEqual(JSON.parse(real.stdout));
    expect(JSON.parse(real.stdout)).toMatchObject({
      removed: [ids[1], ids[0]],
      backups: [
        { id: ids[2], kept: true, reasons: ["newest", "last"] },
        { id: ids[1], kept: false, reasons: [] },
        { id: ids[0], kept: false, reasons: [] },
      ],
    });
  });

  it.each([[[]], [["--keep-last", "0"]], [["--keep-within", "0d"]]])(
    "refuses a policy that keeps nothing: %o",
    async (policy) => {
      const ids = await nights(2);
      const { exitCode, stdout, stderr } = await home.run(["backup", "prune", ...policy, "--yes"]);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("nothing says what is to be kept");
      expect(await snapshots()).toEqual(ids);
    },
  );

  it.each([
    ["--keep-within", "14"],
    ["--keep-within", "2 days"],
    ["--keep-daily", "-1"],
    ["--keep-last", "many"],
  ])("refuses %s %s", async (flag, value) => {
    const { exitCode, stderr } = await home.run(["backup", "prune", flag, value]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("expected");
  });

  it("keeps what is within a time of the newest", async () => {
    const ids = await nights(4);
    const { exitCode } = await home.run(["backup", "prune", "--keep-within", "49h", "--yes"]);
    expect(exitCode).toBe(0);
    expect(await snapshots()).toEqual(ids.slice(1));
  });

  it("never removes a backup of everything for newer ones of the accounts alone", async () => {
    const ids = await nights(2);
    const some: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const { stdout } = await home.run(["backup", "create", "--only", "users", "--json"]);
      some.push((JSON.parse(stdout) as { id: string }).id);
    }
    const { exitCode, stdout } = await home.run(["backup", "prune", "--keep-last", "1", "--yes"]);
    expect(exitCode).toBe(0);
    expect(await snapshots()).toEqual([ids[1], some[1]]);
    expect(stdout).toContain(`${some[1] ?? ""}  newest (--only), last (--only)`);
    expect((await home.run(["backup", "verify", ids[1] ?? "", "--all"])).exitCode).toBe(0);
  });

  it("shows a person what would go before it asks", async () => {
    const ids = await nights(2);
    const { exitCode, stderr } = await home.run(["backup", "prune", "--keep-last", "1"], {
      answers: [false],
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`remove  ${ids[0]}`);
    expect(await snapshots()).toEqual(ids);
  });

  it("says that there is no repository where there is none", async () => {
    const { exitCode, stderr } = await home.run(["backup", "prune", "--keep-last", "1"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("there is no backup repository");
  });
});
