import { noAudit } from "../../src/audit/audit.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { createBackup, planBackup } from "../../src/backup/create.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { parseObjectLine } from "../../src/backup/object-line.ts";
import { partLines } from "../../src/backup/parts.ts";
import { beginPending } from "../../src/backup/pending.ts";
import { prune } from "../../src/backup/prune.ts";
import { waitForPrune } from "../../src/backup/prune-lock.ts";
import type { Repository } from "../../src/backup/repository.ts";
import { listSnapshots, readManifest } from "../../src/backup/snapshots.ts";
import type { Store } from "../../src/backup/store.ts";
import type { Config } from "../../src/config/config.ts";
import { configuredSite } from "../../src/target.ts";
import { documentBucket, putProfile } from "../support/documents.ts";
import { mortalStore } from "../support/mortal-store.ts";
import { quietly } from "../support/signal.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import {
  aged,
  hereAs,
  hex,
  makeSnapshot,
  namesIn,
  onEveryStore,
  openKept,
  type Kept,
} from "./prune-world.ts";

/** Behind every backup of these tests. */
const look = { now: new Date("2027-01-01T00:00:00Z") };

const moments: readonly (readonly [string, boolean])[] = [
  ["before it", false],
  ["right behind it", true],
];

/** Reads every part and asks for every object of every backup. */
async function assertAllWhole(repository: Repository): Promise<string[]> {
  const ids: string[] = [];
  for (const { id } of (await listSnapshots(repository, look)).snapshots) {
    ids.push(id);
    const { tables, buckets, userPool } = await readManifest(repository, id);
    for (const part of [...tables.flatMap(({ parts }) => parts), ...(userPool?.parts ?? [])])
      for await (const lines of partLines(repository, part)) expect(lines.length).toBeGreaterThan(0);
    for (const part of buckets.flatMap(({ parts }) => parts))
      for await (const lines of partLines(repository, part))
        for (const line of lines)
          expect(await repository.hasContent(parseObjectLine(line).content)).toBe(true);
  }
  return ids;
}

function pruneAll(repository: Repository, pid: number, ids: readonly string[]) {
  const site = {
    repository,
    here: hereAs(pid),
    audit: noAudit,
    onProgress: () => undefined,
  };
  return prune(site, { policy: { last: 1 }, doomed: new Set(ids) });
}

onEveryStore("a prune that dies at any write", (keep) => {
  let kept: Kept;
  beforeEach(async () => {
    const plain = await keep();
    kept = { ...plain, store: aged(plain.store) };
  });
  afterEach(() => kept.close());

  test.each(moments)("%s leaves only whole backups, and the next one ends it", async (_, behind) => {
    const repository = await openKept(kept);
    let deaths = 0;
    for (let at = 1; deaths === at - 1; at += 1) {
      const ids: string[] = [];
      for (const [night, text] of ["one", "two", "three"].entries()) {
        const time = `2026-03-0${night + 1}T03:00:00Z`;
        const { id } = await makeSnapshot(repository, time, {
          items: [text],
          objects: { same: "same", text },
        });
        ids.push(id);
      }
      const dying = { ...repository, store: mortalStore(kept.store, { at, behind }) };
      await pruneAll(dying, 1, ids).catch(() => (deaths += 1));
      expect(await assertAllWhole(repository)).toContain(ids[2]);
      await pruneAll(repository, 2, ids);
      expect(await assertAllWhole(repository)).toEqual([ids[2]]);
      const names = await namesIn(kept.store);
      // One backup, the repository itself, and nothing of what is gone.
      expect(names.filter((name) => !name.startsWith("data/"))).toEqual([
        "mawps-repository.json",
        `snapshots/${ids[2]}/RECOVERY.md`,
        `snapshots/${ids[2]}/manifest.json`,
      ]);
      expect(names.filter((name) => name.startsWith("data/"))).toHaveLength(4);
      await kept.store.remove(names.filter((name) => name !== "mawps-repository.json"));
    }
    expect(deaths).toBeGreaterThan(6);
  });
});

let home: TestHome;
let folder: string;
beforeEach(async () => {
  home = await makeHome();
  folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
});
afterEach(async () => {
  await home.remove();
  await rm(folder, { recursive: true });
});

async function create(repository: Repository, { aws, config }: { aws: Aws; config: Config }) {
  const signal = quietly();
  const now = () => new Date();
  const pending = await beginPending(repository, {
    options: {},
    ...hereAs(1),
    keyFolder: join(folder, "keys"),
    randomHex: hex,
    signal,
  });
  try {
    await waitForPrune(repository, hereAs(1), () => undefined);
    const declaration = configuredSite(config);
    const plan = await planBackup({ aws, declaration, signal }, []);
    const site = {
      aws,
      declaration,
      repository,
      target: "local" as const,
      spool: join(folder, "spool"),
      signal,
    };
    return await createBackup(
      { ...site, audit: noAudit, now, randomHex: hex },
      {
        plan,
        pending,
        rate: undefined,
        tool: "mawps test",
        modelHash: "0",
        account: undefined,
        exportTo: undefined,
        onProgress: () => undefined,
      },
    );
  } finally {
    pending.stop();
  }
}

test.each(moments)(
  "a backup that dies at any write, %s, loses nothing to a prune, and goes on behind it",
  async (_, behind) => {
    const store: Store = aged(folderStore(join(folder, "repository")));
    const kept = { store, spool: join(folder, "spool"), close: async () => undefined };
    await home.look(async (aws, config) => {
      const repository = await openKept(kept);
      let deaths = 0;
      for (let at = 1; deaths === at - 1; at += 1) {
        await putProfile(aws, "user-1", { round: at });
        await putObject(aws, { bucket: documentBucket, key: `${at}.txt`, body: Buffer.from(`round ${at}`) });
        const before = (await listSnapshots(repository, look)).snapshots.map(({ id }) => id);
        const dying = { ...repository, store: mortalStore(store, { at, behind }) };
        await create(dying, { aws, config }).catch(() => (deaths += 1));
        await pruneAll(repository, 2, before);
        await assertAllWhole(repository);
        const { id } = await create(repository, { aws, config });
        expect(await assertAllWhole(repository)).toContain(id);
        expect(await namesIn(store, "pending/")).toEqual([]);
        await pruneAll(repository, 2, before);
        await assertAllWhole(repository);
      }
      expect(deaths).toBeGreaterThan(6);
    });
  },
);
