import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLines } from "../../src/audit/export-file.ts";
import { exportAudit, listAudit, type AuditFilter } from "../../src/audit/list.ts";
import { entryHash } from "../../src/model/audit.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { event, openTrailSite, testNow, type TrailSite } from "./trail-site.ts";

let trail: TrailSite;

/** 40 entries a second apart, of which 11 to 20 are one group of the same moment; 31 to 33 are gone. */
beforeAll(async () => {
  trail = await openTrailSite();
  await trail.write(10);
  const group = await trail.open({ now: () => at(11) });
  await group.record(Array.from({ length: 10 }, (_, index) => event(11 + index)));
  await group.settle();
  let second = 21;
  await trail.write(20, { now: () => at(second++) });
  for (const gone of [31, 32, 33]) await trail.drop(gone);
  // Of another chain: not an entry of the tool, whoever put it there.
  const item = await trail.item(1);
  await trail.put({ ...item, chain: { S: "forged" } });
});
afterAll(() => trail.close());

function at(second: number): Date {
  return new Date(testNow.getTime() + (second - 1) * 1000);
}

async function listed(filter: AuditFilter): Promise<number[]> {
  const found: number[] = [];
  for await (const { sequence } of listAudit(trail.site, filter)) found.push(sequence);
  return found;
}

async function exported(period: Parameters<typeof exportAudit>[1]): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for await (const stored of exportAudit(trail.site, period)) found.push(stored);
  return found;
}

/** What there is, as the test knows it: its number, whose, which action, and when. */
const model = Array.from({ length: 40 }, (_, index) => index + 1)
  .filter((number) => number < 31 || number > 33)
  .map((number) => {
    const { userId, action } = event(number > 20 ? number - 20 : number);
    return { number, userId, action, time: at(number > 10 && number <= 20 ? 11 : number) };
  });

describe("the list", () => {
  it.each<{ name: string; filter: AuditFilter }>([
    { name: "everything", filter: {} },
    { name: "one user", filter: { userId: "user-1" } },
    { name: "nobody", filter: { userId: "user-7" } },
    { name: "one action", filter: { action: "document.deleted" } },
    { name: "one action of one user", filter: { userId: "user-2", action: "document.uploaded" } },
    { name: "from a moment on", filter: { since: at(11) } },
    { name: "up to a moment", filter: { until: at(11) } },
    { name: "one moment", filter: { since: at(11), until: at(11) } },
    { name: "a period of a user", filter: { userId: "user-0", since: at(5), until: at(25) } },
    { name: "a period of an action", filter: { action: "document.uploaded", since: at(5), until: at(35) } },
    { name: "a period that ended before it began", filter: { userId: "user-0", since: at(9), until: at(8) } },
    { name: "a time before all", filter: { until: at(0) } },
  ])("has $name, newest first", async ({ filter }) => {
    const expected = model
      .filter(
        ({ userId, action, time }) =>
          (filter.userId ?? userId) === userId &&
          (filter.action ?? action) === action &&
          time >= (filter.since ?? time) &&
          time <= (filter.until ?? time),
      )
      .map(({ number }) => number)
      .reverse();
    expect(await listed(filter)).toEqual(expected);
  });

  it("stops reading when nobody wants more", async () => {
    for await (const { sequence } of listAudit(trail.site, {})) {
      expect(sequence).toBe(40);
      break;
    }
  });

  it("shows an entry that somebody damaged, and everything behind it", async () => {
    const item = await trail.item(35);
    await trail.put({
      chain: { S: "main" },
      sequence: { N: "35" },
      timestamp: { S: "1 March" },
      details: { S: "" },
    });
    try {
      expect(await listed({ since: at(30) })).toEqual([40, 39, 38, 37, 36, 35, 34, 30]);
      expect(await listed({})).toHaveLength(37);
      expect((await exported({})).map(({ sequence }) => sequence)).toContain(35);
    } finally {
      if (item !== undefined) await trail.put(item);
    }
  });
});

describe("the export", () => {
  it("has every attribute as it is stored, oldest first, so that the hashes can be computed again", async () => {
    const all = await exported({});
    expect(all.map(({ sequence }) => sequence)).toEqual(model.map(({ number }) => number));
    for (const stored of all) expect(entryHash(stored)).toBe(stored["hash"]);
  });

  it.each([0, 1, 2, 10, 11, 12, 21, 30, 31, 32, 33, 34, 35, 40, 41])(
    "begins and ends at the moments asked for: %i",
    async (second) => {
      const numbers = (entries: readonly JsonObject[]) => entries.map(({ sequence }) => sequence);
      const of = (isIn: (time: Date) => boolean) =>
        model.filter(({ time }) => isIn(time)).map(({ number }) => number);
      expect(numbers(await exported({ since: at(second), until: undefined }))).toEqual(
        of((time) => time >= at(second)),
      );
      expect(numbers(await exported({ since: undefined, until: at(second) }))).toEqual(
        of((time) => time <= at(second)),
      );
    },
  );
});

describe("the file of an export", () => {
  async function inFolder(use: (cwd: string) => Promise<void>): Promise<void> {
    const cwd = await mkdtemp(join(tmpdir(), "mawps-export-"));
    try {
      await use(cwd);
    } finally {
      await rm(cwd, { recursive: true });
    }
  }

  async function* rows(count: number): AsyncGenerator<JsonObject> {
    for (let number = 1; number <= count; number += 1) yield { number, text: "ü".repeat(100) };
  }

  it("has a line for each row and is nobody else's to read", () =>
    inFolder(async (cwd) => {
      const written = await writeLines(rows(2000), { path: "a.ndjson", cwd, dryRun: false });
      expect(written).toEqual({ file: join(cwd, "a.ndjson"), entries: 2000 });
      const lines = (await readFile(written.file, "utf8")).trimEnd().split("\n");
      expect(lines.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual(
        Array.from({ length: 2000 }, (_, index) => index + 1),
      );
      expect((await stat(written.file)).mode & 0o777).toBe(0o600);
      expect(await readdir(cwd)).toEqual(["a.ndjson"]);
    }));

  it("never replaces another file, and leaves nothing behind when it fails", () =>
    inFolder(async (cwd) => {
      await writeFile(join(cwd, "a.ndjson"), "mine");
      await expect(writeLines(rows(1), { path: "a.ndjson", cwd, dryRun: false })).rejects.toThrow(
        "already exists",
      );
      const failing = (async function* (): AsyncGenerator<JsonObject> {
        yield {};
        throw new Error("no network");
      })();
      await expect(writeLines(failing, { path: "b.ndjson", cwd, dryRun: false })).rejects.toThrow(
        "no network",
      );
      await expect(writeLines(rows(1), { path: "no/b.ndjson", cwd, dryRun: false })).rejects.toThrow(
        "does not exist",
      );
      expect(await readdir(cwd)).toEqual(["a.ndjson"]);
      expect(await readFile(join(cwd, "a.ndjson"), "utf8")).toBe("mine");
    }));

  it("is not written by a dry run", () =>
    inFolder(async (cwd) => {
      const { entries } = await writeLines(rows(3), { path: "a.ndjson", cwd, dryRun: true });
      expect([entries, await readdir(cwd)]).toEqual([3, []]);
    }));
});
