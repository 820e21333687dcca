import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { getItem } from "../src/aws/dynamodb/items.ts";
import { listObjects } from "../src/aws/s3/listing.ts";
import type { Aws } from "../src/aws/clients.ts";
import { resolve } from "../src/config/config.ts";
import { connectTarget } from "../src/target.ts";
import { makeHome, type TestHome } from "./support/world.ts";

let home: TestHome;
let temporary: string;

beforeEach(async () => {
  home = await makeHome();
  temporary = join(home.folder, "temporary");
  await mkdir(temporary);
  vi.stubEnv("TMPDIR", temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await home.remove();
});

/** Reads a local store that is not there, and answers what the empty one in its place has been given meanwhile. */
async function read(what: (aws: Aws) => Promise<unknown>): Promise<{ services: string[]; seen: unknown }> {
  const { config } = resolve({}, { MAWPS_HOME: join(home.folder, "nowhere") }, undefined);
  const world = {
    cwd: home.folder,
    env: {},
    now: () => new Date("2026-03-01T12:00:00Z"),
    signal: new AbortController().signal,
  };
  const connection = await connectTarget(config, "reads", world);
  try {
    const seen = await what(connection.aws);
    const [folder = ""] = await readdir(temporary);
    const services = (await readdir(join(temporary, folder))).filter((name) => /^(s3|dynamodb)$/.test(name));
    return { services: services.sort(), seen };
  } finally {
    await connection.close();
  }
}

async function tableNames(aws: Aws): Promise<readonly string[]> {
  const { ListTablesCommand } = await import("@aws-sdk/client-dynamodb");
  return (await (await aws.dynamodb()).send(new ListTablesCommand({}))).TableNames ?? [];
}

describe("a read on a local store that is not there", () => {
  it("sees an empty table, for which no bucket is made, and is told nothing by the SDK", async () => {
    using warn = vi.spyOn(console, "warn");
    const key = { userId: { S: "owner" } };
    const { services, seen } = await read((aws) => getItem(aws, { table: "mawps-user-profiles", key }));
    expect({ services, seen }).toEqual({ services: ["dynamodb"], seen: undefined });
    expect(warn).not.toHaveBeenCalled();
  });

  it("sees an empty bucket, for which no table is made", async () => {
    const { services, seen } = await read((aws) =>
      listObjects(aws, { bucket: "manuel-weiss-public-media" }).next(),
    );
    expect(services).toEqual(["s3"]);
    expect(seen).toMatchObject({ value: { objects: [] } });
  });

  it("is answered without a word of the SDK's own", async () => {
    using warn = vi.spyOn(console, "warn");
    await read((aws) => getItem(aws, { table: "mawps-user-profiles", key: { userId: { S: "owner" } } }));
    expect(warn).not.toHaveBeenCalled();
  });

  it("sees all tables in a list of them", async () => {
    const { seen } = await read(tableNames);
    expect(seen).toEqual([
      "mawps-audit-log",
      "mawps-digital-twin",
      "mawps-migrations",
      "mawps-user-profiles",
    ]);
  });

  it("leaves nothing behind", async () => {
    await read(tableNames);
    expect(await readdir(temporary)).toEqual([]);
    expect(await readdir(home.folder)).toEqual(["temporary"]);
  });
});

it("setup makes a local store, and says so; with --dry-run it makes none", async () => {
  const store = join(home.folder, "new");
  const told = async (...flags: string[]) => {
    const { exitCode, stdout } = await home.run(["setup", "--yes", ...flags], {
      env: { MAWPS_HOME: store },
    });
    return [exitCode, stdout.split("\n")[0], existsSync(store)];
  };
  expect(await told("--dry-run")).toEqual([
    0,
    "the local store would be made, with all of it (dry run)",
    false,
  ]);
  expect(await told()).toEqual([0, "made the local store, with all of it", true]);
  expect(await told()).toEqual([0, "nothing to do", true]);
});
