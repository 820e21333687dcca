import { expect, it, describe } from "vitest";
import { exportForSnapshot, exportPlace } from "../../src/backup/native-engine.ts";
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
