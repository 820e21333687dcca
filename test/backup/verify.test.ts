import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, afterEach, describe, expect, test } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { deleteObject, getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { exportTables } from "../../src/backup/native-export.ts";
import type { Repository } from "../../src/backup/repository.ts";
import type { Manifest } from "../../src/backup/snapshot.ts";
import { commitSnapshot, readManifest } from "../../src/backup/snapshots.ts";
import type { Store } from "../../src/backup/store.ts";
import { stoppable } from "../../src/concurrency.ts";
import { verifySnapshot, type VerifyOptions, type Verification } from "../../src/backup/verify.ts";
import { exportsBucket, makeNativeWorld, profiles, putUser } from "./native-world.ts";
import { makeSnapshot, namesIn, onEveryStore, openKept, sha256, type Kept } from "./prune-world.ts";

const night = "2026-11-21T03:15:00.000Z";
const holding = {
  items: ["anna", "berta"],
  objects: { "a.pdf": "one", "b.pdf": "two", "c.pdf": "three", "d.pdf": "one" },
  users: ["anna"],
};

function verified(
  repository: Repository,
  id: string,
  more: Partial<VerifyOptions> = {},
): Promise<Verification> {
  const { signal } = stoppable(undefined);
  return verifySnapshot(repository, id, {
    share: 0,
    seed: "seed",
    aws: () => Promise.reject<Aws>(new Error("nothing here lies outside of the repository")),
    spool: "/nowhere",
    signal,
    onProgress: () => undefined,
    ...more,
  });
}

/** One bit of the byte is another. */
function flipped(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
  return damaged;
}

onEveryStore("verifying", (keep) => {
  let kept: Kept;
  let repository: Repository;
  let manifest: Manifest;
  let store: Store;

  beforeEach(async () => {
    kept = await keep();
    repository = await openKept(kept);
    manifest = await makeSnapshot(repository, night, holding);
    ({ store } = kept);
  });
  afterEach(() => kept.close());

  const verify = (share = 0) => verified(repository, manifest.id, { share });
  const bytesOf = async (name: string) => (await store.readBytes(name)) ?? Buffer.alloc(0);
  const contentOf = (text: string) => repository.contentName(sha256(text));

  test("finds nothing at a whole one, and tells how much of it was read", async () => {
    const held = { items: 2, objects: 4, users: 1, bytes: 14 };
    const counts = { snapshot: manifest.id, isReadable: true, ...held, faults: [], damaged: [] };
    expect(await verify(0)).toEqual({ ...counts, contents: 4, read: 0, bytesRead: 0 });
    expect(await verify(1)).toEqual({ ...counts, contents: 4, read: 4, bytesRead: 14 });
  });

  test("says what each missing file costs, and goes on behind it", async () => {
    const [table, bucket, pool] = [manifest.tables[0], manifest.buckets[0], manifest.userPool];
    const nameOf = (of: typeof pool | typeof table) => repository.contentName(of?.parts[0]?.sha256 ?? "");
    await store.remove([
      nameOf(table),
      contentOf("one"),
      nameOf(pool),
      `snapshots/${manifest.id}/RECOVERY.md`,
    ]);
    const { faults, damaged } = await verify();
    expect(damaged).toEqual([nameOf(table), contentOf("one"), nameOf(pool)]);
    expect(faults).toEqual([
      `${nameOf(table)} is missing: 2 items of table mawps-user-profiles cannot be restored from this backup`,
      `${contentOf("one")} is missing: object a.pdf of bucket mawps-user-files cannot be restored from this backup`,
      `${contentOf("one")} is missing: object d.pdf of bucket mawps-user-files cannot be restored from this backup`,
      `${nameOf(pool)} is missing: 1 accounts of user pool eu-central-1_test cannot be restored from this backup`,
      `snapshots/${manifest.id}/RECOVERY.md is missing: mawps can restore this backup, but nothing tells how without mawps`,
    ]);
    await store.remove([nameOf(bucket as typeof table & typeof bucket)]);
    expect((await verify()).faults[1]).toContain("4 objects of bucket mawps-user-files cannot be restored");
    await store.remove([`snapshots/${manifest.id}/manifest.json`]);
    expect((await verify()).faults).toEqual([
      `the manifest of ${manifest.id} is missing: nothing of this backup can be restored`,
    ]);
  });

  test("finds an object of another length at once, and one of other bytes when it is read", async () => {
    await store.replace(contentOf("two"), Buffer.from("longer"));
    expect((await verify()).faults).toEqual([expect.stringContaining("has 6 B, for 3 B: object b.pdf")]);
    await store.replace(contentOf("two"), await bytesOf(contentOf("one")));
    expect((await verify()).faults).toEqual([]);
    expect((await verify(1)).faults).toEqual([
      expect.stringContaining("is not what was stored: object b.pdf"),
    ]);
  });

  test("reads another share each time, about as large as was said", async () => {
    const objects = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`${n}.pdf`, `${n % 7}`]));
    const { id } = await makeSnapshot(repository, night, { objects });
    const read = async (seed: string) => (await verified(repository, id, { share: 0.25, seed })).read;
    for (const seed of ["a", "b"]) {
      expect(await read(seed)).toBeGreaterThan(50);
      expect(await read(seed)).toBeLessThan(150);
      expect(await read(seed)).toBe(await read(seed));
    }
    // What one share does not see another does.
    await store.replace(contentOf("3"), Buffer.from("x"));
    const faults = async (seed: string) => (await verified(repository, id, { share: 0.25, seed })).faults;
    expect(await faults("a")).not.toEqual(await faults("b"));
  });

  test.each([
    ["of objects", 0, { done: 4, total: 4, of: "objects" }],
    ["of bytes where all are read", 1, { done: 14, total: 14 }],
  ])("tells how far it is, %s", async (_what, share, whole) => {
    const told: unknown[] = [];
    const onProgress = (_text: string, amount: unknown) => void told.push(amount);
    await verified(repository, manifest.id, { share, onProgress });
    expect(told.at(-1)).toEqual(whole);
  });

  test("finds numbers in the manifest that do not fit its parts", async () => {
    const [table] = manifest.tables;
    const [bucket] = manifest.buckets;
    const other = {
      ...manifest,
      id: "20261122T031500Z-000000",
      tables: [{ ...(table as NonNullable<typeof table>), items: 3 }],
      buckets: [{ ...(bucket as NonNullable<typeof bucket>), bytes: 15 }],
    };
    await commitSnapshot(repository, { manifest: other, recovery: { open: "" } });
    expect((await verified(repository, other.id)).faults).toEqual([
      expect.stringContaining("counts 3 for table mawps-user-profiles and 2 in its parts"),
      expect.stringContaining("counts 15 B for bucket mawps-user-files, its objects have 14 B"),
    ]);
  });

  test("takes a repository that cannot be reached for no damage", async () => {
    const broken: Repository = {
      ...repository,
      store: { ...store, stat: () => Promise.reject(new Error("the network is down")) },
    };
    await expect(verified(broken, manifest.id)).rejects.toThrow("the network is down");
  });
});

describe.each([
  { what: "an open backup", passphrase: undefined, step: 3 },
  { what: "an encrypted one", passphrase: "correct horse", step: 17 },
])("$what", ({ passphrase, step }) => {
  test("has no byte that could change without being found", async () => {
    let tested = 0;
    await withFolder(passphrase, async (repository, manifest, store) => {
      const config = new Set(["mawps-repository.json", "keys/identity.age"]);
      const plain = `snapshots/${manifest.id}/RECOVERY.md`;
      for (const name of await namesIn(store)) {
        if (config.has(name) || name === plain) continue;
        const bytes = (await store.readBytes(name)) ?? Buffer.alloc(0);
        for (let at = 0; at < bytes.length; at += step) {
          await store.replace(name, flipped(bytes, at));
          const { faults } = await verified(repository, manifest.id, { share: 1 });
          expect([name, at, faults.length > 0]).toEqual([name, at, true]);
          tested += 1;
        }
        // Of a manifest the last one is a line's end, which says nothing.
        await store.replace(name, bytes.subarray(0, -2));
        expect((await verified(repository, manifest.id, { share: 1 })).faults.length).toBeGreaterThan(0);
        await store.replace(name, bytes);
      }
      expect((await verified(repository, manifest.id, { share: 1 })).faults).toEqual([]);
    });
    expect(tested).toBeGreaterThan(100);
  });
});

test("an encrypted content that is cut short is found without being read, and a broken connection is no damage", async () => {
  await withFolder("correct horse", async (repository, manifest, store) => {
    const name = repository.contentName(sha256("three"));
    const bytes = (await store.readBytes(name)) ?? Buffer.alloc(0);
    await store.replace(name, bytes.subarray(0, 20));
    expect((await verified(repository, manifest.id)).faults).toEqual([
      expect.stringContaining("has 20 B, for 5 B: object c.pdf"),
    ]);
    await store.replace(name, bytes);
    const open = store.open.bind(store);
    Object.assign(store, {
      async open(asked: string) {
        if (asked !== name) return open(asked);
        return (async function* () {
          yield bytes.subarray(0, 100);
          throw new Error("the network is down");
        })();
      },
    });
    await expect(verified(repository, manifest.id, { share: 1 })).rejects.toThrow("the network is down");
  });
});

async function keepFolder(): Promise<Kept> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-verify-"));
  return {
    store: folderStore(join(folder, "repository")),
    spool: join(folder, "spool"),
    close: () => rm(folder, { recursive: true }),
  };
}

async function withFolder(
  passphrase: string | undefined,
  work: (repository: Repository, manifest: Manifest, store: Store) => Promise<void>,
): Promise<void> {
  const kept = await keepFolder();
  try {
    const repository = await openKept(kept, passphrase);
    const { id } = await makeSnapshot(repository, night, holding);
    await repository.createSealed(`snapshots/${id}/RECOVERY.md`, Buffer.from("in detail"));
    await work(repository, await readManifest(repository, id), kept.store);
  } finally {
    await kept.close();
  }
}

test("tables that DynamoDB exported are read where they lie", async () => {
  const world = await makeNativeWorld();
  const kept = await keepFolder();
  try {
    await putUser(world.aws, "anna");
    const [finished] = await exportTables(world.site, {
      tables: [profiles],
      place: { bucket: exportsBucket, prefix: "mawps" },
      token: "token",
      save: async () => undefined,
    });
    if (finished === undefined) throw new Error("nothing was exported");
    const repository = await openKept(kept);
    const manifest = await makeSnapshot(repository, night);
    const [table] = manifest.tables;
    const other: Manifest = {
      ...manifest,
      id: "20261122T031500Z-000000",
      tables: [
        {
          ...(table as NonNullable<typeof table>),
          items: finished.items,
          parts: [],
          export: finished.export,
        },
      ],
    };
    await commitSnapshot(repository, { manifest: other, recovery: { open: "" } });
    const look = () =>
      verified(repository, other.id, { aws: () => Promise.resolve(world.aws), spool: kept.spool });
    expect(await look()).toMatchObject({ items: finished.items, faults: [] });
    for (const { key, items } of finished.export.files.filter((file) => file.items > 0)) {
      const at = { bucket: exportsBucket, key };
      const { bytes } = await getObjectBytes(world.aws, at);
      await putObject(world.aws, { ...at, body: flipped(bytes, 12) });
      expect((await look()).faults).toEqual([expect.stringContaining("is damaged: its MD5")]);
      await deleteObject(world.aws, at);
      expect([items, (await look()).faults]).toEqual([
        items,
        [expect.stringContaining("not all can be restored")],
      ]);
      await putObject(world.aws, { ...at, body: bytes });
    }
  } finally {
    await world.close();
    await kept.close();
  }
});
