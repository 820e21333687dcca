import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { markDamage } from "../../src/backup/damage.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import {
  abandonedMs,
  beginPending,
  heartbeatMs,
  listPending,
  removePending,
  type BeginPending,
  type Pending,
} from "../../src/backup/pending.ts";
import { ensureRepository, type Repository } from "../../src/backup/repository.ts";
import { commitSnapshot, listSnapshots } from "../../src/backup/snapshots.ts";
import { makeSnapshot, hex, namesIn, onEveryStore, openKept, type Kept } from "./prune-world.ts";

/** Behind every backup of these tests. */
const look = { now: new Date("2027-01-01T00:00:00Z") };

let folder: string;
let time: number;
let alive: Set<number>;
let running: Pending[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-pending-"));
  time = Date.parse("2026-11-21T03:15:00Z");
  alive = new Set();
  running = [];
});

afterEach(async () => {
  for (const pending of running) pending.stop();
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const second = 1000;
const minute = 60 * second;

function commandOf(pid: number, more: Partial<BeginPending> = {}): BeginPending {
  return {
    options: { only: [] },
    host: "here",
    pid,
    isAlive: (other) => alive.has(other),
    keyFolder: join(folder, "keys"),
    now: () => new Date(time),
    randomHex: hex,
    signal: new AbortController().signal,
    ...more,
  };
}

/** A command at work; `stop` alone would end its heartbeat, as its death does. */
async function begun(
  repository: Repository,
  pid: number,
  more: Partial<BeginPending> = {},
): Promise<Pending> {
  alive.add(pid);
  const pending = await beginPending(repository, commandOf(pid, more));
  running.push(pending);
  return pending;
}

function dies(pending: Pending, pid: number): void {
  pending.stop();
  alive.delete(pid);
}

onEveryStore("a backup on its way", (keep) => {
  let kept: Kept;
  let repository: Repository;

  beforeEach(async () => {
    kept = await keep();
    repository = await openKept(kept);
  });
  afterEach(() => kept.close());

  test("is taken up by the next command with what was done, once the first is dead", async () => {
    const first = await begun(repository, 11);
    expect(first).toMatchObject({ resumed: false, committed: [] });
    await first.step("table-a", { parts: [1] });
    await first.step("table-a", { parts: [1, 2] });
    await first.step("bucket-b", "ä");
    dies(first, 11);
    const second = await begun(repository, 12);
    expect(second).toMatchObject({ id: first.id, startedAt: first.startedAt, resumed: true });
    expect(Object.fromEntries(second.steps)).toEqual({ "table-a": { parts: [1, 2] }, "bucket-b": "ä" });
    await second.end();
    expect(await namesIn(kept.store, "pending/")).toEqual([]);
  });

  test("is another one when it was begun with other options", async () => {
    const first = await begun(repository, 11, { options: { only: ["tables"], rate: 1 } });
    dies(first, 11);
    const other = await begun(repository, 12, { options: { only: ["files"], rate: 1 } });
    expect(other).toMatchObject({ resumed: false });
    expect(other.id).not.toBe(first.id);
    // The order of the options' names is none of theirs.
    const same = await begun(repository, 13, { options: { rate: 1, only: ["tables"] } });
    expect(same).toMatchObject({ resumed: true, id: first.id });
  });

  test("is not gone on with when a content has been found damaged since: its steps may rely on that", async () => {
    const name = repository.contentName((await repository.putContent(Buffer.from("one"))).sha256);
    await kept.store.remove([name]);
    const first = await begun(repository, 11);
    await first.step("table-a", { parts: [1] });
    dies(first, 11);
    await markDamage(repository, [name]);
    // Of two the newer one is taken up.
    time += second;
    const other = await begun(repository, 12);
    expect(other).toMatchObject({ resumed: false, damaged: [name] });
    expect(Object.fromEntries(other.steps)).toEqual({});
    // This one knew of it, whether it has written it again or could not.
    await other.step("table-a", { parts: [2] });
    dies(other, 12);
    const third = await begun(repository, 13);
    expect(third).toMatchObject({ resumed: true, id: other.id, damaged: [name] });
    expect(third.steps.get("table-a")).toEqual({ parts: [2] });
    dies(third, 13);
    await repository.putContent(Buffer.from("one"));
    await markDamage(repository, []);
    expect(await begun(repository, 14)).toMatchObject({ resumed: true, id: other.id, damaged: [] });
  });

  test("is not taken from a command that lives, which is named", async () => {
    const first = await begun(repository, 11);
    await expect(beginPending(repository, commandOf(12))).rejects.toThrow(
      "is being made already, since 2026-11-21T03:15:00.000Z by process 11 on here",
    );
    await first.assertOwner();
  });

  test("goes to one of many that take it up at once", async () => {
    dies(await begun(repository, 1), 1);
    const taken = await Promise.all(
      Array.from({ length: 8 }, async (_, n) =>
        // Each sees the others as dead: the worst case.
        begun(repository, 20 + n, { isAlive: () => false }),
      ),
    );
    const [{ id } = { id: "" }] = await listPending(repository);
    const owners: Pending[] = [];
    for (const each of taken.filter((each) => each.id === id)) {
      const isOwner = await each.assertOwner().then(
        () => true,
        () => false,
      );
      if (isOwner) owners.push(each);
    }
    expect(owners.length).toBe(1);
  });

  test("is not committed by a former owner that comes back", async () => {
    const first = await begun(repository, 11);
    await first.assertOwner();
    const second = await begun(repository, 12, { isAlive: () => false });
    expect(second.id).toBe(first.id);
    await expect(first.assertOwner()).rejects.toThrow("another command has taken over");
    await second.assertOwner();
  });

  test("is not committed once a prune has removed it", async () => {
    const first = await begun(repository, 11);
    await first.step("table-a", {});
    await removePending(repository, first.id);
    expect(await namesIn(kept.store, "pending/")).toEqual([]);
    await expect(first.assertOwner()).rejects.toThrow("a prune has removed");
  });

  test("is begun anew when the broken-off one is a day old", async () => {
    const first = await begun(repository, 11);
    dies(first, 11);
    time += abandonedMs + second;
    const next = await begun(repository, 12);
    expect(next).toMatchObject({ resumed: false });
    expect(next.id).not.toBe(first.id);
  });

  test("that had its last write is not made again, but told, to be recorded", async () => {
    const first = await begun(repository, 11);
    const manifest = { ...(await makeSnapshot(repository, "2026-11-20T03:15:00Z")), id: first.id };
    await commitSnapshot(repository, { manifest, recovery: { open: "" } });
    dies(first, 11);
    const next = await begun(repository, 12);
    expect(next).toMatchObject({ resumed: false, committed: [first.id] });
  });

  test("is no backup: nothing of it is listed", async () => {
    const pending = await begun(repository, 11);
    await pending.step("table-a", {});
    expect((await listSnapshots(repository, look)).snapshots).toEqual([]);
  });
});

describe("the life of a command", () => {
  let repository: Repository;

  beforeEach(async () => {
    repository = await ensureRepository(
      folderStore(join(folder, "repository")),
      { spool: join(folder, "spool"), randomHex: hex },
      { now: new Date(time) },
    );
  });

  const beatAt = async () => (await listPending(repository))[0]?.owner.beatAt;

  test("shows every half minute, until it ends", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const pending = await begun(repository, 11);
    expect(await beatAt()).toBe("2026-11-21T03:15:00.000Z");
    time += heartbeatMs;
    vi.advanceTimersByTime(heartbeatMs);
    await vi.waitFor(async () => expect(await beatAt()).toBe("2026-11-21T03:15:30.000Z"), {
      timeout: 60_000,
    });
    time += heartbeatMs;
    vi.advanceTimersByTime(heartbeatMs);
    await pending.end();
    vi.advanceTimersByTime(10 * heartbeatMs);
    expect(await listPending(repository)).toEqual([]);
  });

  test("that was removed does not come back with its next beat", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const pending = await begun(repository, 11);
    await removePending(repository, pending.id);
    vi.advanceTimersByTime(heartbeatMs);
    // Waits for the beat that is under way.
    await pending.end();
    expect(await listPending(repository)).toEqual([]);
  });

  test.each([
    { what: "on another machine, heard of lately", host: "there", isAlive: false, afterMs: minute, is: true },
    {
      what: "on another machine, silent for long",
      host: "there",
      isAlive: false,
      afterMs: 4 * minute,
      is: false,
    },
    { what: "on this machine, dead", host: "here", isAlive: false, afterMs: 0, is: false },
    {
      what: "on this machine, with a number that a new process has",
      host: "here",
      isAlive: true,
      afterMs: 4 * minute,
      is: false,
    },
  ])("$what: counts as alive: $is", async ({ host, isAlive, afterMs, is }) => {
    const first = await begun(repository, 11, { host });
    first.stop();
    time += afterMs;
    const taking = beginPending(repository, commandOf(12, { isAlive: () => isAlive }));
    const [taken] = await Promise.allSettled([taking]);
    if (taken.status === "fulfilled") running.push(taken.value);
    const outcome =
      taken.status === "rejected"
        ? String(taken.reason)
        : taken.value.id === first.id
          ? "taken up"
          : "begun anew";
    expect(outcome).toContain(is ? "is being made already" : "taken up");
  });
});

describe("in an encrypted repository", () => {
  let kept: Kept;
  let repository: Repository;

  beforeEach(async () => {
    kept = {
      store: folderStore(join(folder, "repository")),
      spool: join(folder, "spool"),
      close: () => Promise.resolve(),
    };
    repository = await openKept(kept, "correct horse");
  });

  async function broken(): Promise<Pending> {
    const first = await begun(repository, 11);
    await first.step("table-a", { behind: { userId: { S: "user-123" } } });
    dies(first, 11);
    return first;
  }

  test("steps show nothing, and their key is for this user of this machine alone", async () => {
    const first = await broken();
    for (const name of await namesIn(kept.store, "pending/")) {
      const bytes = await kept.store.readBytes(name);
      expect([name, bytes?.includes("user-123"), bytes?.includes("userId")]).toEqual([name, false, false]);
    }
    const key = join(folder, "keys", `${first.id}.key`);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const next = await begun(repository, 12);
    expect(next.steps.get("table-a")).toEqual({ behind: { userId: { S: "user-123" } } });
    await next.end();
    expect(await readdir(join(folder, "keys"))).toEqual([]);
  });

  test("two that are begun at the same moment and draw the same have an id and a key each", async () => {
    const draws = ["000abc", "000abc", "000def"];
    const randomHex = () => draws.shift() ?? "";
    const first = await begun(repository, 11, { options: { only: ["tables"] }, randomHex });
    await first.step("table-a", { parts: [1] });
    const other = await begun(repository, 12, { options: { only: ["files"] }, randomHex });
    expect([first.id, other.id]).toEqual(["20261121T031500Z-000abc", "20261121T031500Z-000def"]);
    dies(first, 11);
    const next = await begun(repository, 13, { options: { only: ["tables"] } });
    expect(next).toMatchObject({ id: first.id, resumed: true });
    expect(next.steps.get("table-a")).toEqual({ parts: [1] });
  });

  test("nothing is taken up without the key, with another, or from a step that was changed", async () => {
    const first = await broken();
    const key = join(folder, "keys", `${first.id}.key`);
    await writeFile(key, Buffer.alloc(32));
    const other = await begun(repository, 12);
    expect(other).toMatchObject({ resumed: false, steps: new Map() });
    await other.end();
    await rm(key);
    const without = await begun(repository, 13);
    expect(without).toMatchObject({ resumed: false, steps: new Map() });
    dies(without, 13);
    await without.step("table-a", {});
    const name = `pending/${without.id}/step-table-a.json`;
    const bytes = (await kept.store.readBytes(name)) ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await kept.store.replace(name, flipped);
      const next = await begun(repository, 14, { isAlive: () => false });
      expect([at, next.resumed]).toEqual([at, false]);
      await next.end();
    }
  });
});
