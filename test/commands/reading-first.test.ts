import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { putNew } from "../../src/aws/dynamodb/records.ts";
import { startRun, type Run } from "../../src/commands/run.ts";
import { resolve } from "../../src/config/config.ts";
import { realWorld } from "../../src/real-world.ts";
import { connectTarget } from "../../src/target.ts";
import type { Access } from "../../src/world.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const table = "mawps-user-profiles";
const key = { userId: { S: "owner" } };

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

/** A run on the home's store, which may not be there yet, and what its store was opened for. */
async function work(what: (run: Run) => Promise<void>): Promise<Access[]> {
  const opened: Access[] = [];
  const { signal } = new AbortController();
  const at = { cwd: home.folder, home: home.folder, env: { MAWPS_HOME: `${home.folder}/store` } };
  const world = {
    ...realWorld(signal),
    ...at,
    connect: (...[config, access]: Parameters<ReturnType<typeof realWorld>["connect"]>) => {
      opened.push(access);
      return connectTarget(config, access, { ...at, signal, now: () => new Date("2026-03-01T12:00:00Z") });
    },
  };
  const run = startRun(world, resolve({ quiet: true }, at.env, undefined));
  try {
    await what(run);
  } finally {
    await run.close();
  }
  return opened;
}

const write = async (run: Run) =>
  putNew((await run.context("writes")).aws, { table, partition: "userId", records: [{ userId: "owner" }] });

const kept = () => home.look((aws) => getItem(aws, { table, key }));

describe("a command that reads a local store first, and then writes", () => {
  const readThenWrite = async (run: Run) => {
    const { aws } = await run.context("reads");
    expect(await getItem(aws, { table, key })).toBeUndefined();
    await write(run);
    expect(await getItem((await run.context("reads")).aws, { table, key })).toEqual(key);
  };

  it("has a store made that was not there, and what it writes is kept", async () => {
    expect(await work(readThenWrite)).toEqual(["reads", "writes"]);
    expect(await kept()).toEqual(key);
  });

  it("opens once one that is there", async () => {
    await home.look(async () => {});
    expect(await work(readThenWrite)).toEqual(["reads"]);
    expect(await kept()).toEqual(key);
  });

  it("opens once where it writes first", async () => {
    const opened = await work(async (run) => {
      await write(run);
      expect(await getItem((await run.context("reads")).aws, { table, key })).toEqual(key);
    });
    expect(opened).toEqual(["writes"]);
    expect(await kept()).toEqual(key);
  });

  it("has no store made by reading alone", async () => {
    expect(await work(async (run) => void (await run.context("reads")))).toEqual(["reads"]);
    expect(await readdir(home.folder)).toEqual([]);
  });

  it("has none made by a report, which takes nobody's progress out", async () => {
    expect(await home.run(["report", "--output", "monday.html"])).toMatchObject({ exitCode: 0 });
    expect(await readdir(home.folder)).not.toContain("store");
  });

  it.each([
    ["doc", "get", "nobody", "--all", "--output", "got"],
    ["doc", "get", "nobody@example.com", "--all", "--output", "got"],
    ["user", "export", "nobody@example.com"],
    ["twin", "export"],
    ["progress", "export", "nobody@example.com"],
  ])("says of %s %s that there is nothing, and makes no store for an entry of that", async (...argv) => {
    const { exitCode, stderr } = await home.run(argv);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/nobody|no digital twin/)]);
    expect(await readdir(home.folder)).toEqual([]);
  });
});
