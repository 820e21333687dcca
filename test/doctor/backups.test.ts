import { describe, expect, it } from "vitest";
import { backupFindings, noBackupFinding, type BackupFacts } from "../../src/doctor/backups.ts";
import { makeHome } from "../support/world.ts";

const now = new Date("2026-03-10T12:00:00Z");
const facts: BackupFacts = {
  where: "/backups",
  snapshots: [],
  ahead: [],
  maxAgeHours: 26,
  maxDrillAgeDays: 8,
};

function snapshot(startedAt: string, drilledAt?: string) {
  return {
    id: startedAt,
    startedAt: new Date(startedAt),
    ...(drilledAt === undefined ? {} : { drilledAt: new Date(drilledAt) }),
  };
}

describe("what doctor says of backups", () => {
  it("is where no place for them is configured that none is known of", () => {
    expect(noBackupFinding()).toMatchObject({
      status: "warning",
      message: expect.stringContaining("no backup and no drill"),
      remedy: expect.stringContaining("MAWPS_BACKUP_REPOSITORY"),
    });
  });

  it.each([
    ["none", [], ["warning backup: there is none"]],
    [
      "a fresh one and a drill of an older one in time",
      [snapshot("2026-03-10T03:00:00Z"), snapshot("2026-03-03T03:00:00Z", "2026-03-03T04:00:00Z")],
      [
        "ok backup: the last is of 2026-03-10T03:00:00.000Z",
        "ok backup drill: the last is of 2026-03-03T04:00:00.000Z",
      ],
    ],
    [
      "no drill",
      [snapshot("2026-03-10T03:00:00Z")],
      ["ok backup: the last is of 2026-03-10T03:00:00.000Z", "warning backup drill: there was none"],
    ],
    [
      "one that is just old enough to be allowed, and a drill that is not",
      [snapshot("2026-03-09T10:00:00Z", "2026-03-02T11:59:59Z")],
      [
        "ok backup: the last is of 2026-03-09T10:00:00.000Z",
        "warning backup drill: the last is of 2026-03-02T11:59:59.000Z, 8 days ago; 8 days are allowed",
      ],
    ],
    [
      "old ones",
      [snapshot("2026-03-09T09:00:00Z", "2026-03-01T00:00:00Z")],
      [
        "warning backup: the last is of 2026-03-09T09:00:00.000Z, 27 h ago; 26 h are allowed",
        "warning backup drill: the last is of 2026-03-01T00:00:00.000Z, 9 days ago; 8 days are allowed",
      ],
    ],
  ])("where there is %s", (_, snapshots, expected) => {
    const findings = backupFindings({ ...facts, snapshots }, now);
    expect(findings.map(({ status, check, message }) => `${status} ${check}: ${message}`)).toEqual(expected);
    for (const { status, remedy } of findings) expect(remedy === undefined).toBe(status === "ok");
  });
});

describe("doctor", () => {
  const about = (stdout: string) =>
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { check: string; status: string; message: string })
      .filter(({ check }) => check.startsWith("backup"))
      .map(({ check, status }) => `${check}: ${status}`);

  it("says nothing of backups on a local store for which none are configured", async () => {
    const home = await makeHome();
    await home.run(["setup", "--yes"]);
    await home.run(["backup", "create"]);
    expect(about((await home.run(["doctor", "--json"])).stdout)).toEqual([]);
    await home.remove();
  });

  it("misses a first backup, then a drill, then a newer backup", async () => {
    const home = await makeHome();
    const env = { MAWPS_BACKUP_REPOSITORY: "nightly" };
    const found = async () => about((await home.run(["doctor", "--json"], { env })).stdout);
    expect(await found()).toEqual(["backup: warning"]);
    await home.run(["backup", "create"], { env });
    expect(await found()).toEqual(["backup: ok", "backup drill: warning"]);
    home.laterMs += 27 * 60 * 60_000;
    expect(await found()).toEqual(["backup: warning", "backup drill: warning"]);
    await home.remove();
  });
});
