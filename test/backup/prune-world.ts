import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { folderStore } from "../../src/backup/folder-store.ts";
import { partWriter } from "../../src/backup/parts.ts";
import type { Here } from "../../src/backup/prune-lock.ts";
import { ensureRepository, type Repository } from "../../src/backup/repository.ts";
import { s3Store } from "../../src/backup/s3-store.ts";
import type { Manifest, Part } from "../../src/backup/snapshot.ts";
import { commitSnapshot, snapshotId } from "../../src/backup/snapshots.ts";
import type { Store } from "../../src/backup/store.ts";
import { openLocalAws } from "../support/local-aws.ts";

export interface Kept {
  readonly store: Store;
  readonly spool: string;
  close(): Promise<void>;
}

/** The same tests for a repository in a folder and one in a bucket. */
export function onEveryStore(what: string, tests: (keep: () => Promise<Kept>) => void): void {
  describe.each([
    ["in a folder", inFolder],
    ["in a bucket", inBucket],
  ] as const)(`${what}, %s`, (_, keep) => {
    tests(keep);
  });
}

async function inFolder(): Promise<Kept> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  return {
    store: folderStore(join(folder, "repository")),
    spool: join(folder, "spool"),
    close: () => rm(folder, { recursive: true }),
  };
}

async function inBucket(): Promise<Kept> {
  const local = await openLocalAws();
  return {
    store: s3Store(local.aws, { bucket: "plain", prefix: "backups" }),
    spool: join(local.folder, "spool"),
    close: () => local.close(),
  };
}

/** Backups of the same moment sort as they were made. */
let made = 0;

export function hex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}

export function openKept({ store, spool }: Kept, passphrase?: string): Promise<Repository> {
  const unlock = { spool, randomHex: hex, passphrase };
  return ensureRepository(store, unlock, { now: new Date(), passphraseWork: 10 });
}

/** A command on this machine, whose processes live as `alive` says. */
export function hereAs(pid: number, alive: readonly number[] = []): Here {
  return { host: "here", pid, isAlive: (other) => alive.includes(other), now: () => new Date() };
}

export interface Holding {
  /** Texts of the `Item`s' attribute `userId`, each in a table of its own part. */
  readonly items?: readonly string[];
  /** Contents of objects by key. */
  readonly objects?: Readonly<Record<string, string>>;
  readonly users?: readonly string[];
}

/** A snapshot as `backup create` leaves it, begun at `at`. */
export async function makeSnapshot(
  repository: Repository,
  at: string,
  { items = [], objects = {}, users = [] }: Holding = {},
): Promise<Manifest> {
  const lines = (all: readonly unknown[]) => all.map((line) => `${JSON.stringify(line)}\n`);
  const itemLines = lines(items.map((userId) => ({ Item: { userId: { S: userId } } })));
  const userLines = lines(
    users.map((Username) => ({
      seen: {
        sub: `sub-${Username}`,
        status: "CONFIRMED",
        enabled: true,
        createdAt: at,
        modifiedAt: at,
        groups: [],
      },
      put: { Username, UserAttributes: [] },
    })),
  );
  const objectLines: string[] = [];
  for (const [Key, text] of Object.entries(objects)) {
    const { sha256, bytes } = await repository.putContent(Buffer.from(text));
    const seen = { etag: `"${sha256.slice(0, 8)}"`, size: bytes, lastModified: at };
    objectLines.push(...lines([{ content: sha256, seen, put: { Key } }]));
  }
  const between = { from: at, to: at };
  const manifest: Manifest = {
    format: 1,
    id: snapshotId(new Date(at), (made++).toString(16).padStart(3, "0")),
    tool: "mawps test",
    model: "mawps",
    schemaVersion: null,
    target: "local",
    region: "eu-central-1",
    startedAt: at,
    endedAt: at,
    engine: "scan",
    tables: [
      {
        ...between,
        role: "userProfiles",
        name: "mawps-user-profiles",
        description: {
          keys: { partition: { name: "userId", type: "S" } },
          indexes: [],
          localIndexes: [],
          billing: "on-demand",
          deletionProtection: false,
          tags: {},
        },
        items: items.length,
        parts: await partsOf(repository, itemLines),
      },
    ],
    buckets: [
      {
        ...between,
        role: "userFiles",
        name: "mawps-user-files",
        objects: objectLines.length,
        bytes: Object.values(objects).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
        parts: await partsOf(repository, objectLines),
        changed: [],
      },
    ],
    userPool: {
      ...between,
      id: "eu-central-1_test",
      users: users.length,
      parts: await partsOf(repository, userLines),
      groups: [],
    },
  };
  await commitSnapshot(repository, { manifest, recovery: { open: "how to get the data out\n" } });
  return manifest;
}

async function partsOf(repository: Repository, lines: readonly string[]): Promise<Part[]> {
  const writer = partWriter(repository);
  for (const line of lines) await writer.add(Buffer.from(line));
  const parts = await writer.finish();
  return parts.map(({ sha256, bytes, lines: count }) => ({ sha256, bytes, lines: count }));
}

/** Names of what lies under `prefix`. */
export async function namesIn(store: Store, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.list(prefix)) names.push(name);
  return names;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const day = 24 * 60 * 60_000;

/** The store a day later, but for contents in `young`, which are of the day after: what is written in a test is older than what follows. */
export function aged(store: Store, young: ReadonlySet<string> = new Set()): Store {
  return {
    ...store,
    async *list(prefix, signal) {
      for await (const file of store.list(prefix, signal)) {
        const byMs = young.has(file.name) ? -2 * day : day;
        yield { ...file, modifiedAt: new Date(file.modifiedAt.getTime() - byMs) };
      }
    },
  };
}
