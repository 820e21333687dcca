import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { diffSnapshots, type Difference, type DiffSite } from "../../src/backup/diff.ts";
import { partWriter } from "../../src/backup/parts.ts";
import type { Repository } from "../../src/backup/repository.ts";
import type { Manifest, Part } from "../../src/backup/snapshot.ts";
import { makeSnapshot, namesIn, onEveryStore, openKept, type Kept } from "./prune-world.ts";

const night = "2026-03-01T03:00:00Z";

/** Parts as they are given, however small. */
async function partsOf(repository: Repository, parts: readonly (readonly unknown[])[]): Promise<Part[]> {
  const writer = partWriter(repository);
  for (const lines of parts) {
    for (const line of lines) await writer.add(Buffer.from(`${JSON.stringify(line)}\n`));
    await writer.flush();
  }
  return (await writer.finish()).map(({ sha256, bytes, lines }) => ({ sha256, bytes, lines }));
}

async function withItems(
  repository: Repository,
  parts: readonly (readonly Record<string, unknown>[])[],
): Promise<Manifest> {
  const manifest = await makeSnapshot(repository, night);
  const lines = parts.map((items) => items.map((Item) => ({ Item })));
  const tables = manifest.tables.map((table) => ({
    ...table,
    description: {
      ...table.description,
      keys: {
        partition: { name: "userId", type: "S" as const },
        sort: { name: "type", type: "S" as const },
      },
    },
  }));
  const [table] = tables;
  if (table === undefined) throw new Error("there is a table");
  return { ...manifest, tables: [{ ...table, parts: await partsOf(repository, lines) }] };
}

async function all(differences: AsyncIterable<Difference>): Promise<string[]> {
  const found: string[] = [];
  for await (const { change, what, in: where, key } of differences)
    found.push(`${change} ${what} ${where} ${typeof key === "string" ? key : JSON.stringify(key)}`);
  return found.sort();
}

const item = (userId: string, more: Record<string, unknown> = {}) => ({
  type: { S: "p" },
  userId: { S: userId },
  ...more,
});
const keyOf = (userId: string) => JSON.stringify({ userId: { S: userId }, type: { S: "p" } });

onEveryStore("the difference of two backups", (keep) => {
  let kept: Kept;
  let repository: Repository;
  let site: DiffSite;

  beforeEach(async () => {
    kept = await keep();
    repository = await openKept(kept);
    site = { aws: {} as Aws, repository, spool: kept.spool, signal: new AbortController().signal };
  });
  afterEach(() => kept.close());

  test("tells items, objects and accounts by their keys", async () => {
    const from = await makeSnapshot(repository, night, {
      items: ["anna", "berta"],
      objects: { "a.pdf": "same", "b.pdf": "before", "c.pdf": "gone" },
      users: ["anna", "berta"],
    });
    const to = await makeSnapshot(repository, night, {
      items: ["berta", "clara"],
      objects: { "a.pdf": "same", "b.pdf": "after", "d.pdf": "new" },
      users: ["anna"],
    });
    expect(await all(diffSnapshots(site, { from, to }))).toEqual([
      'added item mawps-user-profiles {"userId":{"S":"clara"}}',
      "added object mawps-user-files d.pdf",
      "changed object mawps-user-files b.pdf",
      'removed item mawps-user-profiles {"userId":{"S":"anna"}}',
      "removed object mawps-user-files c.pdf",
      "removed user eu-central-1_test berta",
    ]);
  });

  test("is nothing between a backup and itself, for which no part is read", async () => {
    const one = await makeSnapshot(repository, night, {
      items: ["anna"],
      objects: { a: "a" },
      users: ["anna"],
    });
    await kept.store.remove(await namesIn(kept.store, "data/"));
    expect(await all(diffSnapshots(site, { from: one, to: one }))).toEqual([]);
  });

  test("reads only parts that the other has not", async () => {
    const shared = [item("shared", { n: { N: "1" } })];
    const from = await withItems(repository, [[item("old")], shared]);
    const to = await withItems(repository, [shared, [item("new")]]);
    const [, part] = from.tables[0]?.parts ?? [];
    await kept.store.remove([repository.contentName(part?.sha256 ?? "")]);
    expect(await all(diffSnapshots(site, { from, to }))).toEqual([
      `added item mawps-user-profiles ${keyOf("new")}`,
      `removed item mawps-user-profiles ${keyOf("old")}`,
    ]);
  });

  test("refuses a part that is damaged", async () => {
    const from = await withItems(repository, [[item("old")]]);
    const to = await withItems(repository, [[item("new")]]);
    await kept.store.remove([repository.contentName(to.tables[0]?.parts[0]?.sha256 ?? "")]);
    await expect(all(diffSnapshots(site, { from, to }))).rejects.toMatchObject({ exitCode: 4 });
  });

  test("takes a table that only one has as added or removed with all its items", async () => {
    const one = await withItems(repository, [[item("anna")]]);
    const none = { ...one, tables: [], userPool: { ...(one.userPool as NonNullable<Manifest["userPool"]>) } };
    expect(await all(diffSnapshots(site, { from: none, to: one }))).toEqual([
      `added item mawps-user-profiles ${keyOf("anna")}`,
    ]);
    expect(await all(diffSnapshots(site, { from: one, to: none }))).toEqual([
      `removed item mawps-user-profiles ${keyOf("anna")}`,
    ]);
  });

  test("counts neither the order of a set nor the form of a number as a change", async () => {
    const from = await withItems(repository, [[item("anna", { s: { SS: ["a", "b"] }, n: { N: "1.0" } })]]);
    const to = await withItems(repository, [[item("anna", { n: { N: "1" }, s: { SS: ["b", "a"] } })]]);
    expect(await all(diffSnapshots(site, { from, to }))).toEqual([]);
  });

  test("tells groups of accounts", async () => {
    const made = await makeSnapshot(repository, night);
    const pool = made.userPool as NonNullable<Manifest["userPool"]>;
    const withGroups = (groups: (typeof pool)["groups"]) => ({ ...made, userPool: { ...pool, groups } });
    const from = withGroups([{ name: "readers" }, { name: "owners", precedence: 1 }]);
    const to = withGroups([{ name: "owners", precedence: 2 }, { name: "writers" }]);
    expect(await all(diffSnapshots(site, { from, to }))).toEqual([
      "added group eu-central-1_test writers",
      "changed group eu-central-1_test owners",
      "removed group eu-central-1_test readers",
    ]);
  });
});

describe("for any two states of a table, cut anyhow and read in shares", () => {
  const state = fc.dictionary(
    fc.stringMatching(/^[a-j]$/),
    fc.record({ value: fc.nat(2), part: fc.nat(2) }),
    { maxKeys: 10 },
  );
  type State = Record<string, { value: number; part: number }>;

  const expected = (from: State, to: State) =>
    [...new Set([...Object.keys(from), ...Object.keys(to)])]
      .flatMap((key) => {
        const [old, now] = [from[key]?.value, to[key]?.value];
        if (old === now) return [];
        const change = old === undefined ? "added" : now === undefined ? "removed" : "changed";
        return [`${change} item mawps-user-profiles ${keyOf(key)}`];
      })
      .sort();

  onEveryStore("the differences are those of the states", (keep) => {
    let kept: Kept;
    beforeEach(async () => void (kept = await keep()));
    afterEach(() => kept.close());

    test("each once", async () => {
      const repository = await openKept(kept);
      const site = {
        aws: {} as Aws,
        repository,
        spool: kept.spool,
        signal: new AbortController().signal,
      };
      const parts = (of: State) =>
        [0, 1, 2].map((number) =>
          Object.entries(of)
            .filter(([, { part }]) => part === number)
            .map(([key, { value }]) => item(key, { value: { N: String(value) } })),
        );
      await fc.assert(
        fc.asyncProperty(state, state, fc.integer({ min: 1, max: 5 }), async (from, to, most) => {
          const ends = {
            from: await withItems(repository, parts(from)),
            to: await withItems(repository, parts(to)),
          };
          expect(await all(diffSnapshots(site, { ...ends, kept: most }))).toEqual(expected(from, to));
        }),
        { numRuns: 25 },
      );
    });
  });
});
