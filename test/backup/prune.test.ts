import { noAudit } from "../../src/audit/audit.ts";
import { listeningAudit } from "../support/audit.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { damageMarks, markDamage } from "../../src/backup/damage.ts";
import { beginPending, type BeginPending } from "../../src/backup/pending.ts";
import { planPrune, type PruneSite } from "../../src/backup/prune-plan.ts";
import { previewSweep, prune } from "../../src/backup/prune.ts";
import { takePruneLock, type Here } from "../../src/backup/prune-lock.ts";
import type { PrunePolicy } from "../../src/backup/prune-policy.ts";
import type { Repository } from "../../src/backup/repository.ts";
import type { Manifest } from "../../src/backup/snapshot.ts";
import { manifestBytes } from "../../src/backup/manifest.ts";
import {
  commitSnapshot,
  listSnapshots,
  readManifest,
  recordCheck,
  snapshotId,
} from "../../src/backup/snapshots.ts";
import { openRepository } from "../../src/backup/repository.ts";
import type { Store } from "../../src/backup/store.ts";
import type { AuditEvent } from "../../src/model/audit.ts";
import {
  aged,
  hereAs,
  hex,
  makeSnapshot,
  namesIn,
  onEveryStore,
  openKept,
  sha256,
  type Kept,
} from "./prune-world.ts";

/** Behind every backup of these tests. */
const look = { now: new Date("2027-01-01T00:00:00Z") };

onEveryStore("a prune", (keep) => {
  let kept: Kept;
  let repository: Repository;
  let events: AuditEvent[];

  beforeEach(async () => {
    const plain = await keep();
    kept = { ...plain, store: aged(plain.store) };
    repository = await openKept(kept);
    events = [];
  });
  afterEach(() => kept.close());

  function siteOf(here: Here = hereAs(1), of: Repository = repository): PruneSite {
    return {
      repository: of,
      here,
      audit: listeningAudit((more) => events.push(...more)),
      onProgress: () => undefined,
    };
  }

  async function pruned(policy: PrunePolicy, site = siteOf()) {
    const { verdicts } = await planPrune(site, policy);
    const doomed = verdicts.filter(({ isKept }) => !isKept).map(({ id }) => id);
    return prune(site, { policy, doomed: new Set(doomed) });
  }

  /** Three nights: one object stays, one goes, one comes. */
  async function threeNights(of = repository): Promise<[Manifest, Manifest, Manifest]> {
    return [
      await makeSnapshot(of, "2026-03-01T03:00:00Z", {
        items: ["anna"],
        objects: { "a.pdf": "stays", "b.pdf": "goes" },
        users: ["anna"],
      }),
      await makeSnapshot(of, "2026-03-02T03:00:00Z", {
        items: ["anna", "berta"],
        objects: { "a.pdf": "stays" },
        users: ["anna"],
      }),
      await makeSnapshot(of, "2026-03-03T03:00:00Z", {
        items: ["anna", "berta"],
        objects: { "a.pdf": "stays", "c.pdf": "came" },
        users: ["anna"],
      }),
    ];
  }

  const holds = (text: string, of = repository) => of.hasContent(sha256(text));
  const ids = async (of = repository) => (await listSnapshots(of, look)).snapshots.map(({ id }) => id);

  /** Everything that a snapshot refers to is there and whole. */
  async function assertWhole(id: string, texts: readonly string[]): Promise<void> {
    const { tables, buckets, userPool } = await readManifest(repository, id);
    const parts = [...tables, ...buckets, ...(userPool === undefined ? [] : [userPool])].flatMap(
      (one) => one.parts,
    );
    for (const part of parts) expect(await repository.hasContent(part.sha256)).toBe(true);
    for (const text of texts) expect(await holds(text)).toBe(true);
  }

  test("removes what the policy gives up, and what only that held", async () => {
    const [first, second, third] = await threeNights();
    const before = await namesIn(kept.store, "data/");
    const outcome = await pruned({ last: 1 });
    expect(outcome.removed.toSorted()).toEqual([first.id, second.id]);
    expect(await ids()).toEqual([third.id]);
    expect(await holds("goes")).toBe(false);
    await assertWhole(third.id, ["stays", "came"]);
    const after = await namesIn(kept.store, "data/");
    expect(outcome.contents).toBe(before.length - after.length);
    expect(outcome.bytes).toBeGreaterThan("goes".length);
    // The table, its users, the objects' lines, and two objects.
    expect(after).toHaveLength(5);
    expect(await namesIn(kept.store, "locks/")).toEqual([]);
    expect(events.map(({ action, details }) => [action, details?.phase])).toEqual([
      ["backup.pruned", "begun"],
      ["backup.pruned", "done"],
    ]);
  });

  test("forgets the damage of contents that no backup refers to, and no other", async () => {
    await threeNights();
    const names = ["stays", "goes"].map((text) => repository.contentName(sha256(text)));
    for (const name of names) await kept.store.replace(name, Buffer.from("?"));
    await markDamage(repository, names);
    expect(await damageMarks(kept.store)).toHaveLength(2);
    await pruned({ last: 1 });
    expect((await damageMarks(kept.store)).map(({ name }) => name)).toEqual(names.slice(0, 1));
  });

  test("leaves nothing of a removed backup", async () => {
    const [first, second] = await threeNights();
    const at = "2026-03-04T00:00:00.000Z";
    await recordCheck(repository, {
      snapshot: first.id,
      kind: "verify",
      at,
      outcome: "failed",
      share: 1,
      faults: 1,
    });
    await pruned({ last: 1 });
    const names = await namesIn(kept.store);
    for (const { id } of [first, second]) expect(names.filter((name) => name.includes(id))).toEqual([]);
  });

  test("says beforehand what it would remove, and removes nothing then", async () => {
    await threeNights();
    const before = await namesIn(kept.store);
    const { verdicts } = await planPrune(siteOf(), { last: 1 });
    const preview = await previewSweep(siteOf(), verdicts);
    expect(await namesIn(kept.store)).toEqual(before);
    const { contents, bytes } = await pruned({ last: 1 });
    expect(preview).toEqual({ contents, bytes });
  });

  test("changes nothing when there is nothing to remove, and records nothing", async () => {
    await threeNights();
    const before = await namesIn(kept.store);
    expect(await pruned({ last: 3 })).toEqual({ removed: [], abandoned: [], contents: 0, bytes: 0 });
    expect(await namesIn(kept.store)).toEqual(before);
    expect(events).toEqual([]);
  });

  test("keeps what another prune took since it was asked", async () => {
    const [first, second, third] = await threeNights();
    // Asked to give up the second, while the other gives up the third's elders.
    await prune(siteOf(), { policy: { monthly: 1 }, doomed: new Set([first.id, second.id]) });
    const outcome = await prune(siteOf(), { policy: { last: 2 }, doomed: new Set([second.id, third.id]) });
    expect(outcome.removed).toEqual([]);
    expect(await ids()).toEqual([third.id]);
  });

  test("never removes the newest backup, nor the newest that was verified", async () => {
    const [first, second, third] = await threeNights();
    const check = {
      kind: "verify",
      at: "2026-03-04T00:00:00.000Z",
      outcome: "ok",
      share: 1,
      faults: 0,
    } as const;
    await recordCheck(repository, { ...check, snapshot: first.id });
    await pruned({ last: 1 });
    expect(await ids()).toEqual([third.id, first.id]);
    expect(await ids()).not.toContain(second.id);
    await assertWhole(first.id, ["stays", "goes"]);
  });

  const creating = (ageMs: number, pid = 7): BeginPending => ({
    options: { only: [] },
    host: "elsewhere",
    pid,
    isAlive: () => false,
    keyFolder: kept.spool,
    now: () => new Date(Date.now() - ageMs),
    randomHex: hex,
    signal: new AbortController().signal,
  });

  test("leaves all contents where a backup was killed less than a day ago, which then goes on", async () => {
    const [first, second, third] = await threeNights();
    const killed = await beginPending(repository, creating(23 * 60 * 60_000));
    killed.stop();
    const { sha256: orphan } = await repository.putContent(Buffer.from("written by the killed one"));
    await killed.step("files", { content: orphan });
    const outcome = await pruned({ last: 1 });
    expect(outcome).toEqual({
      removed: [second.id, first.id],
      abandoned: [],
      contents: 0,
      bytes: 0,
      left: { why: "pending", ids: [killed.id] },
    });
    expect(await ids()).toEqual([third.id]);
    expect(await holds("goes")).toBe(true);
    const next = await beginPending(repository, creating(0, 8));
    expect(next.resumed).toBe(true);
    expect(next.steps.get("files")).toEqual({ content: orphan });
    expect(await repository.hasContent(orphan)).toBe(true);
    next.stop();
  });

  test("keeps all of a backup that is done between two looks at the repository", async () => {
    await threeNights();
    const pending = await beginPending(repository, creating(0));
    await repository.putContent(Buffer.from("of this night"));
    let made: Manifest | undefined;
    const store: Store = {
      ...kept.store,
      async *list(prefix, signal) {
        yield* kept.store.list(prefix, signal);
        if (made !== undefined || !/^(pending|snapshots)\//.test(prefix)) return;
        made = await makeSnapshot(repository, "2026-03-04T03:00:00Z", {
          items: ["of this night alone"],
          objects: { "d.pdf": "of this night" },
        });
        await pending.end();
      },
    };
    const watched = await openKept({ ...kept, store });
    const site = siteOf(hereAs(1), watched);
    await prune(site, { policy: { last: 9 }, doomed: new Set() });
    expect(await ids()).toContain(made?.id);
    await assertWhole(made?.id ?? "", ["of this night"]);
  });

  test("removes a backup that was broken off more than a day ago, which can then not be committed", async () => {
    const [, , third] = await threeNights();
    const killed = await beginPending(repository, creating(25 * 60 * 60_000));
    killed.stop();
    await repository.putContent(Buffer.from("written by the killed one"));
    const outcome = await pruned({ last: 3 });
    expect(outcome.abandoned).toEqual([killed.id]);
    expect(outcome.contents).toBe(1);
    expect(await holds("written by the killed one")).toBe(false);
    expect(await namesIn(kept.store, "pending/")).toEqual([]);
    await expect(killed.assertOwner()).rejects.toThrow(/a prune has removed/);
    await assertWhole(third.id, ["stays", "came"]);
  });

  test("tells of an abandoned backup that was whole before it forgets it", async () => {
    const whole = await makeSnapshot(repository, "2026-03-01T03:00:00Z");
    const killed = await beginPending(repository, creating(25 * 60 * 60_000));
    killed.stop();
    await commitSnapshot(repository, { manifest: { ...whole, id: killed.id }, recovery: { open: "" } });
    await pruned({ last: 3 });
    expect(await ids()).toContain(killed.id);
    expect(await namesIn(kept.store, "pending/")).toEqual([]);
    expect(events[0]).toMatchObject({ action: "backup.created", details: { backupId: killed.id } });
    expect(events.map(({ action, details }) => [action, details?.phase])).toEqual([
      ["backup.created", undefined],
      ["backup.pruned", "begun"],
      ["backup.pruned", "done"],
    ]);
  });

  test.each(["contents", "remains"])("announces the removal of nothing but %s before it", async (what) => {
    await threeNights();
    const orphan = repository.contentName(sha256("nobody's"));
    const remain = "snapshots/20260301T030000Z-abcdef/RECOVERY.md";
    const name = what === "contents" ? orphan : remain;
    if (what === "contents") await repository.putContent(Buffer.from("nobody's"));
    else await kept.store.replace(remain, Buffer.from("left over"));
    const there: boolean[] = [];
    const audit = listeningAudit(async (more) => {
      events.push(...more);
      there.push((await namesIn(kept.store)).includes(name));
    });
    await pruned({ last: 3 }, { ...siteOf(), audit });
    expect(events.map(({ details }) => details?.phase)).toEqual(["begun", "done"]);
    expect(there).toEqual([true, false]);
  });

  test("never removes contents that came after it began", async () => {
    await threeNights();
    const text = "written by one that was taken for dead";
    await repository.putContent(Buffer.from(text));
    const young = aged(kept.store, new Set([repository.contentName(sha256(text))]));
    const outcome = await pruned({ last: 1 }, siteOf(hereAs(1), { ...repository, store: young }));
    expect(outcome.contents).toBeGreaterThan(0);
    expect(await holds(text)).toBe(true);
  });

  test("leaves files below data/ alone that are no contents of a repository", async () => {
    await threeNights();
    const others = ["data/2024/customers.csv", "data/ab/notes.txt", `data/ab/${"cd".repeat(32)}`];
    for (const name of others) await kept.store.create(name, Buffer.from("mine"));
    expect((await pruned({ last: 1 })).contents).toBeGreaterThan(0);
    expect(await namesIn(kept.store, "data/")).toEqual(expect.arrayContaining(others));
  });

  test("removes what a broken-off commit or removal left beside a manifest that is not there", async () => {
    const [first] = await threeNights();
    const dead = "20260228T030000Z-0a0b0c";
    await kept.store.create(`snapshots/${dead}/RECOVERY.md`, Buffer.from("half a backup"));
    await kept.store.create(`checks/${dead}/x-verify.json`, Buffer.from("{}"));
    await kept.store.remove([`snapshots/${first.id}/manifest.json`]);
    await pruned({ last: 5 });
    const names = await namesIn(kept.store);
    expect(names.filter((name) => name.includes(dead) || name.includes(first.id))).toEqual([]);
    expect(await holds("goes")).toBe(false);
  });

  test("takes a damaged manifest for none: it takes no other's place, and all contents stay", async () => {
    const [first, second, third] = await threeNights();
    await kept.store.replace(`snapshots/${third.id}/manifest.json`, Buffer.from("{}"));
    const { removed, contents, left } = await pruned({ last: 1 });
    expect({ removed, contents, left }).toEqual({
      removed: [first.id],
      contents: 0,
      left: { why: "damaged", ids: [third.id] },
    });
    expect(await ids()).toEqual([third.id, second.id]);
    expect(await holds("goes")).toBe(true);
  });

  /** As somebody may leave them who may add to the repository, and no more. */
  async function forge(id: string, bytes: Uint8Array): Promise<void> {
    await kept.store.create(`snapshots/${id}/manifest.json`, bytes);
    const check = { snapshot: id, kind: "verify", at: "9999-12-30T00:00:00.000Z", outcome: "ok", share: 1 };
    await kept.store.create(
      `checks/${id}/9-verify.json`,
      Buffer.from(JSON.stringify({ ...check, faults: 0 })),
    );
  }

  test("no manifest of the future, with forged checks, takes the place of a real one", async () => {
    const nights = await threeNights();
    const newest = nights[2];
    await recordCheck(repository, {
      snapshot: newest.id,
      kind: "verify",
      at: "2026-03-03T04:00:00.000Z",
      outcome: "ok",
      share: 1,
      faults: 0,
    });
    const real = (await kept.store.readBytes(`snapshots/${newest.id}/manifest.json`)) ?? Buffer.alloc(0);
    const forged: string[] = [];
    for (let day = 1; day <= 4; day += 1) {
      const at = new Date(Date.UTC(9999, day, day));
      const id = snapshotId(at, day.toString(16).padStart(6, "0"));
      const { sha256: _, ...manifest } = JSON.parse(real.toString()) as Manifest & { sha256: string };
      await forge(id, manifestBytes({ ...manifest, id }));
      forged.push(id);
    }
    const policy = { daily: 3, weekly: 1, monthly: 1 };
    const { ahead } = await planPrune(siteOf(), policy);
    expect(ahead.toSorted()).toEqual(forged.toSorted());
    expect((await pruned(policy)).removed).toEqual([]);
    expect(await ids()).toEqual(nights.map(({ id }) => id).toReversed());
    expect((await pruned({ last: 1 })).removed.toSorted()).toEqual(nights.slice(0, 2).map(({ id }) => id));
    expect(await ids()).toEqual([newest.id]);
    const [entry] = (await listSnapshots(repository, look)).snapshots;
    expect(entry?.verifiedAt).toEqual(new Date("2026-03-03T04:00:00.000Z"));
  });

  test("no manifest that came after its own date, with forged checks, takes the place of a real one", async () => {
    const nights = await threeNights();
    const [verified, , newest] = nights;
    const check = (snapshot: string, at: string) =>
      recordCheck(repository, { snapshot, kind: "verify", at, outcome: "ok", share: 1, faults: 0 });
    await check(verified.id, "2026-03-01T04:00:00.000Z");
    const { sha256: _, ...manifest } = JSON.parse(
      ((await kept.store.readBytes(`snapshots/${newest.id}/manifest.json`)) ?? Buffer.alloc(0)).toString(),
    ) as Manifest & { sha256: string };
    for (const day of [1, 2, 3, 4]) {
      const id = snapshotId(new Date(Date.UTC(2026, 2, day, 23)), day.toString(16).padStart(6, "0"));
      await kept.store.create(`snapshots/${id}/manifest.json`, manifestBytes({ ...manifest, id }));
      await check(id, "2026-03-05T04:00:00.000Z");
    }
    const real = new Set(nights.map(({ id }) => id));
    const site = siteOf(hereAs(1), {
      ...repository,
      store: {
        ...repository.store,
        async *list(prefix, signal) {
          for await (const file of repository.store.list(prefix, signal)) {
            const [, id = ""] = file.name.split("/");
            const day = `2026-03-0${id.slice(7, 8)}T05:00:00Z`;
            yield real.has(id) ? { ...file, modifiedAt: new Date(day) } : file;
          }
        },
      },
    });
    expect((await planPrune(site, { daily: 3 })).late).toHaveLength(4);
    expect((await pruned({ daily: 3, weekly: 1 }, site)).removed.filter((id) => real.has(id))).toEqual([]);
    await pruned({ last: 1 }, site);
    const left = await ids();
    expect(left.filter((id) => real.has(id))).toEqual([newest.id, verified.id]);
    expect(left.filter((id) => !real.has(id))).toHaveLength(1);
  });

  test("no manifest of another shape takes the place of a real one", async () => {
    const nights = await threeNights();
    const real = (await kept.store.readBytes(`snapshots/${nights[2].id}/manifest.json`)) ?? Buffer.alloc(0);
    const shapes: unknown[] = [
      {},
      { tables: {} },
      { buckets: [{}] },
      { tables: [{ role: "userProfiles", name: "x", parts: [{ sha256: "../../../etc/passwd" }] }] },
      { startedAt: 5 },
      { userPool: { groups: 7 } },
    ];
    for (const [day, change] of shapes.entries()) {
      const id = snapshotId(new Date(Date.UTC(2026, 2, 4 + day)), "abcdef");
      const { sha256: _, ...manifest } = JSON.parse(real.toString()) as Manifest & { sha256: string };
      const whole =
        Object.keys(change as object).length === 0 ? {} : { ...manifest, id, ...(change as object) };
      await forge(id, manifestBytes(whole as Manifest));
    }
    const deep = `{"sha256":"","deep":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    await forge(snapshotId(new Date(Date.UTC(2026, 2, 4 + shapes.length)), "abcdef"), Buffer.from(deep));
    await pruned({ last: 3, daily: 3 });
    expect((await ids()).filter((id) => nights.some((night) => night.id === id))).toHaveLength(3);
  });

  test("removes nothing at all when the list of a backup's objects is damaged or missing", async () => {
    const [, , third] = await threeNights();
    const [part] = third.buckets[0]?.parts ?? [];
    const name = repository.contentName(part?.sha256 ?? "");
    const bytes = (await kept.store.readBytes(name)) ?? Buffer.alloc(0);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await kept.store.replace(name, bytes);
    await expect(pruned({ last: 1 })).rejects.toMatchObject({ exitCode: 4 });
    await kept.store.remove([name]);
    await expect(pruned({ last: 1 })).rejects.toMatchObject({ exitCode: 4 });
    expect(await ids()).toHaveLength(3);
    expect(await holds("goes")).toBe(true);
  });

  test("a damaged backup that goes anyway hinders nothing", async () => {
    const [first, , third] = await threeNights();
    await kept.store.replace(`snapshots/${first.id}/manifest.json`, Buffer.from("{}"));
    await pruned({ last: 1 });
    expect(await ids()).toEqual([third.id]);
    expect(await holds("goes")).toBe(false);
  });

  test("a damaged archive stays, with all contents", async () => {
    const [first, second, third] = await threeNights();
    await kept.store.create(`snapshots/${first.id}/archive`, Buffer.from(""));
    await kept.store.replace(`snapshots/${first.id}/manifest.json`, Buffer.from("{}"));
    const { removed, contents, left } = await pruned({ last: 1 });
    expect({ removed, contents, left }).toEqual({
      removed: [second.id],
      contents: 0,
      left: { why: "damaged", ids: [first.id] },
    });
    expect(await ids()).toEqual([third.id, first.id]);
    expect(await holds("goes")).toBe(true);
  });

  test("goes on where it was broken off", async () => {
    const [, , third] = await threeNights();
    const interrupt = new AbortController();
    let removals = 0;
    const dying: Store = {
      ...kept.store,
      async remove(names, signal) {
        removals += 1;
        // In the midst of the first backup: its manifest is gone, the rest is there.
        if (removals === 2) interrupt.abort();
        signal?.throwIfAborted();
        await kept.store.remove(names, signal);
      },
    };
    const here = { ...hereAs(1), signal: interrupt.signal };
    await expect(pruned({ last: 1 }, siteOf(here, { ...repository, store: dying }))).rejects.toThrow(
      /abort/i,
    );
    expect(await namesIn(kept.store, "locks/")).toEqual([]);
    expect(await ids()).toHaveLength(2);
    await pruned({ last: 1 }, siteOf(hereAs(2)));
    expect(await ids()).toEqual([third.id]);
    expect(await namesIn(kept.store, "data/")).toHaveLength(5);
    await assertWhole(third.id, ["stays", "came"]);
  });

  test("takes over from one that was killed", async () => {
    const [, , third] = await threeNights();
    await takePruneLock(repository, hereAs(1));
    await pruned({ last: 1 }, siteOf(hereAs(2)));
    expect(await ids()).toEqual([third.id]);
    expect(await namesIn(kept.store, "locks/")).toEqual([]);
  });

  test("two at once: one works, the other is refused, and nothing is lost", async () => {
    const [, , third] = await threeNights();
    const both = await Promise.allSettled([
      pruned({ last: 1 }, siteOf(hereAs(1, [2]))),
      pruned({ last: 1 }, siteOf(hereAs(2, [1]))),
    ]);
    expect(both.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(await ids()).toEqual([third.id]);
    await assertWhole(third.id, ["stays", "came"]);
    expect(await namesIn(kept.store, "locks/")).toEqual([]);
  });

  test("stops as soon as another has taken it for dead", async () => {
    await threeNights();
    let usurped = false;
    const slow: Store = {
      ...kept.store,
      async remove(names, signal) {
        await kept.store.remove(names, signal);
        if (usurped) return;
        usurped = true;
        await takePruneLock(repository, hereAs(2));
      },
    };
    await expect(pruned({ last: 1 }, siteOf(hereAs(1), { ...repository, store: slow }))).rejects.toThrow(
      /at rest for too long/,
    );
    expect(await holds("goes")).toBe(true);
    expect(await namesIn(kept.store, "locks/")).toEqual(["locks/prune-2.json"]);
  });
});

onEveryStore("a prune of an encrypted repository", (keep) => {
  let kept: Kept;

  beforeEach(async () => {
    const plain = await keep();
    kept = { ...plain, store: aged(plain.store) };
  });
  afterEach(() => kept.close());

  const site = (repository: Repository): PruneSite => ({
    repository,
    here: hereAs(1),
    audit: noAudit,
    onProgress: () => undefined,
  });
  const doomedOf = async (repository: Repository) =>
    new Set(
      (await planPrune(site(repository), { last: 1 })).verdicts
        .filter(({ isKept }) => !isKept)
        .map(({ id }) => id),
    );

  test("with its key is pruned, without it nothing is removed", async () => {
    const repository = await openKept(kept, "correct horse");
    await makeSnapshot(repository, "2026-03-01T03:00:00Z", { objects: { a: "goes" } });
    const second = await makeSnapshot(repository, "2026-03-02T03:00:00Z", { objects: { a: "stays" } });
    const locked = await openRepository(kept.store, { spool: kept.spool, randomHex: hex });
    const doomed = await doomedOf(repository);
    await expect(prune(site(locked), { policy: { last: 1 }, doomed })).rejects.toThrow(/without its key/);
    expect((await listSnapshots(repository, look)).snapshots).toHaveLength(2);
    expect(await repository.hasContent(sha256("goes"))).toBe(true);
    const { contents } = await prune(site(repository), { policy: { last: 1 }, doomed });
    // The object, the line that names it, and no more: the rest is shared.
    expect(contents).toBe(2);
    expect(await repository.hasContent(sha256("goes"))).toBe(false);
    expect(await repository.hasContent(sha256("stays"))).toBe(true);
    expect((await listSnapshots(repository, look)).snapshots.map(({ id }) => id)).toEqual([second.id]);
  });
});
