import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRepository, type Repository } from "../../src/backup/repository.ts";
import {
  commitSnapshot,
  findSnapshot,
  isCommitted,
  listSnapshots,
  readManifest,
  recordCheck,
  removeSnapshot,
  snapshotId,
  type Check,
} from "../../src/backup/snapshots.ts";
import type { Store } from "../../src/backup/store.ts";
import { Died, mortalStore } from "../support/mortal-store.ts";
import { makeSnapshot, namesIn, onEveryStore, openKept, type Kept } from "./prune-world.ts";

/** Behind every backup of these tests. */
const look = { now: new Date("2027-01-01T00:00:00Z") };

const nights = ["2026-11-19T03:15:00Z", "2026-11-20T03:15:00Z", "2026-11-21T03:15:00Z"];

test("an id shows its time, and sorts by it within the same second, too", () => {
  expect(snapshotId(new Date("2026-11-21T03:15:00.007Z"), "1f2e3d")).toBe("20261121T031500Z-007e3d");
  const ids = [7, 8, 80, 999].map((ms) =>
    snapshotId(new Date(1_795_230_900_000 + ms), ms === 8 ? "000" : "fff"),
  );
  expect(ids).toEqual(ids.toSorted());
});

/** What a repository without encryption does with a store. */
function sealing(store: Store): Pick<Repository, "store" | "createSealed"> {
  return { store, createSealed: (name, bytes, signal) => store.create(name, bytes, signal) };
}

onEveryStore("the backups of a repository", (keep) => {
  let kept: Kept;
  let repository: Repository;

  beforeEach(async () => {
    kept = await keep();
    repository = await openKept(kept);
  });
  afterEach(() => kept.close());

  test("are listed from the newest on, each with the time of its beginning", async () => {
    const made = [];
    for (const night of [nights[1], nights[0], nights[2]])
      made.push(await makeSnapshot(repository, night ?? ""));
    // Neither belongs to one.
    await kept.store.create("snapshots/README.md", Buffer.from("x"));
    await kept.store.create("snapshots/20261122T031500Z-000000/RECOVERY.md", Buffer.from("x"));
    await kept.store.create("snapshots/tomorrow/manifest.json", Buffer.from("{}"));
    // As somebody puts it beside the real one: it is none of its own.
    for (const { id } of made)
      await kept.store.create(`snapshots/${id}/manifest.json.age`, Buffer.from("{}"));
    const listed = (await listSnapshots(repository, look)).snapshots;
    expect(listed).toEqual(
      [made[2], made[0], made[1]].map((manifest) => ({
        id: manifest?.id,
        startedAt: new Date(manifest?.startedAt ?? ""),
        isArchive: false,
        isLate: true,
      })),
    );
  });

  test("are found by id, its beginning or as the latest, and never guessed", async () => {
    await expect(findSnapshot(repository, "latest", look)).rejects.toThrow("there is no backup in");
    const [first, , last] = await Promise.all(nights.map((night) => makeSnapshot(repository, night)));
    const find = async (wanted: string) => (await findSnapshot(repository, wanted, look)).id;
    expect(await find("latest")).toBe(last?.id);
    expect(await find("20261119")).toBe(first?.id);
    expect(await find(first?.id ?? "")).toBe(first?.id);
    await expect(find("202611")).rejects.toThrow("3 backups in");
    await expect(find("20270101")).rejects.toThrow(/no backup in .* begins with "20270101"/);
    await expect(find("")).rejects.toThrow("3 backups in");
  });

  test("keep the outcomes of checks, and only a whole and good one counts as verified or drilled", async () => {
    const { id } = await makeSnapshot(repository, nights[0] ?? "");
    const check = (at: string, more: Partial<Check> = {}): Promise<void> =>
      recordCheck(repository, {
        snapshot: id,
        kind: "verify",
        at,
        outcome: "ok",
        share: 1,
        faults: 0,
        ...more,
      });
    const entry = async () => (await listSnapshots(repository, look)).snapshots[0];
    await check("2026-11-20T01:00:00.000Z", { share: 0.5 });
    expect(await entry()).toMatchObject({ verifiedAt: undefined });
    await check("2026-11-20T02:00:00.000Z");
    await check("2026-11-20T03:00:00.000Z", { outcome: "failed", faults: 2 });
    await check("2026-11-20T04:00:00.000Z", { kind: "drill" });
    // One that was cut off proves nothing.
    await kept.store.create(`checks/${id}/20261120T050000000Z-verify.json`, Buffer.from('{"kind":"ver'));
    expect(await entry()).toMatchObject({
      verifiedAt: new Date("2026-11-20T02:00:00.000Z"),
      drilledAt: new Date("2026-11-20T04:00:00.000Z"),
      lastCheck: { kind: "drill", at: "2026-11-20T04:00:00.000Z" },
    });
  });

  test("are there with the last write of all, and cut off before it not at all", async () => {
    const { id: _, ...rest } = await makeSnapshot(repository, nights[0] ?? "");
    const before = (await listSnapshots(repository, look)).snapshots;
    const manifest = { ...rest, id: "20261120T031500Z-000000" };
    const committed = (store: Store, open = "of a command that died") =>
      commitSnapshot({ ...repository, ...sealing(store) }, { manifest, recovery: { open } });
    for (const at of [1, 2]) {
      await expect(committed(mortalStore(kept.store, { at, behind: false }))).rejects.toBeInstanceOf(Died);
      expect(await isCommitted(repository, manifest.id)).toBe(false);
      expect((await listSnapshots(repository, look)).snapshots).toEqual(before);
    }
    const counting = mortalStore(kept.store, { at: 99, behind: false });
    await committed(counting, "of this one");
    // What was left goes first.
    expect(counting.writes).toBe(3);
    expect(String(await kept.store.readBytes(`snapshots/${manifest.id}/RECOVERY.md`))).toBe("of this one");
    expect(await readManifest(repository, manifest.id)).toEqual(manifest);
  });

  test("are never written over", async () => {
    const manifest = await makeSnapshot(repository, nights[0] ?? "");
    const again = commitSnapshot(repository, {
      manifest: { ...manifest, region: "eu-west-1" },
      recovery: { open: "other" },
    });
    await expect(again).rejects.toThrow("there is a backup");
    expect(await readManifest(repository, manifest.id)).toEqual(manifest);
  });

  test("are gone with the first write of their removal, and then with all that was theirs", async () => {
    const [manifest, other] = [
      await makeSnapshot(repository, nights[0] ?? ""),
      await makeSnapshot(repository, nights[1] ?? ""),
    ];
    const { id } = manifest;
    const at = "2026-11-20T02:00:00.000Z";
    await recordCheck(repository, { snapshot: id, kind: "verify", at, outcome: "ok", share: 1, faults: 0 });
    const mortal = mortalStore(kept.store, { at: 1, behind: true });
    const dying = removeSnapshot({ ...repository, store: mortal }, id);
    await expect(dying).rejects.toBeInstanceOf(Died);
    expect((await listSnapshots(repository, look)).snapshots.map((entry) => entry.id)).toEqual([other.id]);
    await removeSnapshot(repository, id);
    expect((await namesIn(kept.store)).filter((name) => name.includes(id))).toEqual([]);
  });
});

describe("an encrypted repository", () => {
  onEveryStore("lists its backups", (keep) => {
    test("to whom has no key too, and shows none of them", async () => {
      const kept = await keep();
      try {
        const { id } = await makeSnapshot(await openKept(kept, "correct horse"), nights[0] ?? "");
        const shut = await openRepository(kept.store, { spool: kept.spool, randomHex: () => "" });
        expect((await listSnapshots(shut, look)).snapshots.map((entry) => entry.id)).toEqual([id]);
        await expect(readManifest(shut, id)).rejects.toThrow("nothing to open it with");
      } finally {
        await kept.close();
      }
    });
  });
});
