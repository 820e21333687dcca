import { noAudit } from "../../src/audit/audit.ts";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { BatchWriteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { scanLines } from "../../src/aws/raw/scan-lines.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { createBackup, planBackup, type CreateOptions, type Only } from "../../src/backup/create.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { parseObjectLine } from "../../src/backup/object-line.ts";
import { partLines } from "../../src/backup/parts.ts";
import { beginPending } from "../../src/backup/pending.ts";
import { ensureRepository, type Repository } from "../../src/backup/repository.ts";
import type { Part } from "../../src/backup/snapshot.ts";
import { listSnapshots, readManifest } from "../../src/backup/snapshots.ts";
import type { Store } from "../../src/backup/store.ts";
import { configuredSite } from "../../src/target.ts";
import type { Config } from "../../src/config/config.ts";
import { mortalStore } from "../support/mortal-store.ts";
import { quietly } from "../support/signal.ts";
import { itemsOfEveryType } from "../support/typed-items.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/** Behind every backup of these tests. */
const look = { now: new Date("2027-01-01T00:00:00Z") };

const profiles = "mawps-user-profiles";
const files = "mawps-user-files-1760106396";

let home: TestHome;
let folder: string;

beforeEach(async () => {
  home = await makeHome();
  folder = await mkdtemp(join(tmpdir(), "mawps-backup-"));
});

afterEach(async () => {
  await home.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Making {
  readonly store?: Store;
  readonly only?: Only;
  readonly change?: Partial<CreateOptions>;
  /** What DynamoDB says that each table has. */
  readonly tableBytes?: number;
}

/** A backup of the home's store, as the command makes it. */
async function back({ aws, config }: { aws: Aws; config: Config }, making: Making = {}) {
  const { store = folderStore(folder), only = [], change = {} } = making;
  const randomHex = (bytes: number) =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
  const now = () => new Date();
  const signal = quietly();
  const spool = join(home.folder, "spool");
  const repository = await ensureRepository(store, { spool, randomHex }, { now: now() });
  const pending = await beginPending(repository, {
    options: { only },
    host: "here",
    pid: 1,
    isAlive: () => false,
    keyFolder: join(home.folder, "keys"),
    now,
    randomHex,
    signal,
  });
  try {
    const declaration = configuredSite(config);
    const planned = await planBackup({ aws, declaration, signal }, only);
    const tables = planned.tables.map((table) => ({
      ...table,
      measure: { ...table.measure, bytes: making.tableBytes ?? table.measure.bytes },
    }));
    const plan = { ...planned, tables };
    const site = {
      aws,
      declaration,
      repository,
      target: "local" as const,
      spool,
      audit: noAudit,
      signal,
      now,
      randomHex,
    };
    return await createBackup(site, {
      plan,
      pending,
      rate: undefined,
      tool: "mawps test",
      modelHash: "0",
      account: undefined,
      exportTo: undefined,
      onProgress: () => undefined,
      ...change,
    });
  } finally {
    pending.stop();
  }
}

async function opened(): Promise<Repository> {
  const unlock = { spool: join(home.folder, "spool"), randomHex: () => "00" };
  return ensureRepository(folderStore(folder), unlock, { now: new Date() });
}

async function lines(repository: Repository, parts: readonly Part[]): Promise<string[]> {
  const found: string[] = [];
  for (const part of parts) {
    for await (const batch of partLines(repository, part)) found.push(...batch.map(String));
  }
  return found;
}

async function put(aws: Aws, items: readonly unknown[]): Promise<void> {
  const dynamodb = await aws.dynamodb();
  for (const item of items as Record<string, never>[]) {
    const requests = [{ PutRequest: { Item: fromTyped(item) } }];
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [profiles]: requests } }));
  }
}

/** The SDK wants binary as bytes. */
function fromTyped(value: unknown, type = ""): never {
  if (type === "B" && typeof value === "string") return Buffer.from(value, "base64") as never;
  if (type === "BS" && Array.isArray(value))
    return value.map((each) => Buffer.from(each as string, "base64")) as never;
  if (Array.isArray(value)) return value.map((each) => fromTyped(each)) as never;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, fromTyped(inner, name)]),
    ) as never;
  }
  return value as never;
}

/** What DynamoDB answers, text by text. */
async function stored(aws: Aws, table: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of scanLines(aws, { table, segment: 0, segments: 1 })) {
    found.push(...page.lines.toString().trimEnd().split("\n"));
  }
  return found;
}

async function filesIn(path: string): Promise<string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function emptied(path: string): Promise<void> {
  await rm(path, { recursive: true });
  await mkdir(path);
}

async function fill(aws: Aws): Promise<void> {
  await put(aws, itemsOfEveryType());
  await putObject(aws, {
    bucket: files,
    key: "public/documents/u/cv/ä 1+2.pdf",
    body: Buffer.from("a document"),
    contentType: "application/pdf",
    cacheControl: "no-store",
    contentDisposition: 'inline; filename="x.pdf"',
    metadata: { "original-name": "L%C3%A4.pdf" },
    tags: { kind: "cv", "a b": "c+d=e", "mawps-retention": "due" },
  });
  await putObject(aws, { bucket: files, key: "public/empty", body: Buffer.alloc(0) });
}

test("every item is in it in DynamoDB's own text, and every object with its headers, metadata and tags", async () => {
  await home.look(async (aws, config) => {
    await fill(aws);
    const created = await back({ aws, config });
    const repository = await opened();
    const manifest = await readManifest(repository, created.id);
    const table = manifest.tables.find(({ role }) => role === "userProfiles");
    expect(await lines(repository, table?.parts ?? [])).toEqual(await stored(aws, profiles));
    expect(table?.items).toBe(itemsOfEveryType().length);
    const bucket = manifest.buckets.find(({ role }) => role === "userFiles");
    const objects = (await lines(repository, bucket?.parts ?? [])).map((line) =>
      parseObjectLine(Buffer.from(line)),
    );
    const document = objects.find(({ put: { Key } }) => Key.startsWith("public/documents/"));
    expect(document?.put).toEqual({
      Key: "public/documents/u/cv/ä 1+2.pdf",
      CacheControl: "no-store",
      ContentDisposition: 'inline; filename="x.pdf"',
      ContentType: "application/pdf",
      Metadata: { "original-name": "L%C3%A4.pdf" },
      Tagging: "kind=cv&a+b=c%2Bd%3De",
    });
    const bytes: Uint8Array[] = [];
    for await (const piece of repository.openContent({ sha256: document?.content ?? "", bytes: 10 }))
      bytes.push(piece);
    expect(Buffer.concat(bytes).toString()).toBe("a document");
    expect(objects.find(({ put: { Key } }) => Key === "public/empty")?.seen.size).toBe(0);
  });
});

test("a second one with nothing changed writes less than a hundredth of the first one's bytes", async () => {
  await home.look(async (aws, config) => {
    const item = (n: number) => ({ userId: { S: `user-${n}` }, text: { S: `${n}`.repeat(300) } });
    await put(
      aws,
      Array.from({ length: 100 }, (_, n) => item(n)),
    );
    for (let n = 0; n < 20; n++) {
      const body = Buffer.from(crypto.getRandomValues(new Uint8Array(50_000)));
      await putObject(aws, { bucket: files, key: `public/documents/u/cv/${n}.pdf`, body });
    }
    const first = await back({ aws, config });
    const before = await filesIn(join(folder, "data"));
    home.calls.length = 0;
    const second = await back({ aws, config });
    expect(second.storedBytes).toBeLessThan(first.storedBytes / 100);
    expect(await filesIn(join(folder, "data"))).toEqual(before);
    expect(home.calls.filter(({ command }) => command === "GetObjectCommand")).toEqual([]);
    const repository = await opened();
    const [newer, older] = (await listSnapshots(repository, look)).snapshots;
    expect([newer?.id, older?.id]).toEqual([second.id, first.id]);
    const parts = async (id: string) =>
      (await readManifest(repository, id)).buckets.flatMap((bucket) => bucket.parts);
    expect(await parts(second.id)).toEqual(await parts(first.id));
  });
});

test("what was changed, added and removed since is in the second one as it is now", async () => {
  await home.look(async (aws, config) => {
    await fill(aws);
    await back({ aws, config });
    await putObject(aws, { bucket: files, key: "public/empty", body: Buffer.from("no more") });
    await putObject(aws, { bucket: files, key: "public/z", body: Buffer.from("new") });
    const s3 = await aws.s3();
    await s3.send(new DeleteObjectCommand({ Bucket: files, Key: "public/documents/u/cv/ä 1+2.pdf" }));
    const { id } = await back({ aws, config });
    const repository = await opened();
    const bucket = (await readManifest(repository, id)).buckets.find(({ role }) => role === "userFiles");
    const objects = (await lines(repository, bucket?.parts ?? [])).map((line) =>
      parseObjectLine(Buffer.from(line)),
    );
    expect(objects.map(({ put: { Key }, seen: { size } }) => [Key, size])).toEqual([
      ["public/empty", 7],
      ["public/z", 3],
    ]);
  });
});

describe("a process that dies at any write", () => {
  test.each([
    ["before it", false],
    ["right behind it", true],
  ])(
    "%s leaves nothing that looks like a backup, and the next one goes on to the same end",
    async (_name, behind) => {
      await home.look(async (aws, config) => {
        await fill(aws);
        const whole = await back({ aws, config });
        const expected = await readManifest(await opened(), whole.id);
        await emptied(folder);
        let taken = 0;
        let deaths = 0;
        for (let at = 1; deaths === at - 1; at++) {
          const dying = mortalStore(folderStore(folder), { at, behind });
          const first = await back({ aws, config }, { store: dying }).then(
            () => "lived",
            () => "died",
          );
          if (first === "lived") break;
          deaths += 1;
          const left = dying.writes;
          const visible = (await filesIn(folder)).filter((path) => path.endsWith("manifest.json"));
          const second = await back({ aws, config });
          if (second.resumed) taken += 1;
          const repository = await opened();
          const all = (await listSnapshots(repository, look)).snapshots;
          // It died behind its last writes: then its backup was whole already.
          expect(all.length).toBe(visible.length + 1);
          const manifest = await readManifest(repository, second.id);
          const content = ({ tables, buckets }: typeof manifest) => [
            tables.map(({ name, parts }) => [name, parts]),
            buckets.map(({ name, parts, bytes, changed }) => [name, parts, bytes, changed]),
          ];
          expect([left, content(manifest)]).toEqual([at, content(expected)]);
          expect((await filesIn(folder)).filter((path) => path.includes("/pending/"))).toEqual([]);
          await emptied(folder);
        }
        expect(deaths).toBeGreaterThan(15);
        expect(taken).toBeGreaterThan(5);
      });
    },
  );
});

test("--only takes kinds, roles and names, and says what it left out", async () => {
  await home.look(async (aws, config) => {
    await fill(aws);
    const { id } = await back({ aws, config }, { only: ["userProfiles", files] });
    const manifest = await readManifest(await opened(), id);
    expect(manifest.tables.map(({ name }) => name)).toEqual([profiles]);
    expect(manifest.buckets.map(({ name }) => name)).toEqual([files]);
    expect(manifest.left).toContain("bucket manuel-weiss-public-media");
    await expect(back({ aws, config }, { only: ["tabels"] })).rejects.toThrow("--only tabels");
  });
});

test("nothing but reading is asked of the site", async () => {
  await home.look(async (aws, config) => {
    await fill(aws);
    home.calls.length = 0;
    await back({ aws, config });
    const reads = /^(Scan|Describe|List|Get|Head|AdminList)/;
    expect(home.calls.map(({ command }) => command).filter((command) => !reads.test(command))).toEqual([]);
    const dynamodb = await aws.dynamodb();
    const { Count } = await dynamodb.send(new ScanCommand({ TableName: profiles }));
    expect(Count).toBe(itemsOfEveryType().length);
  });
});

test("a large table is read in segments, and every item is there once", async () => {
  await home.look(async (aws, config) => {
    await put(
      aws,
      Array.from({ length: 60 }, (_, n) => ({ userId: { S: `user-${n}` } })),
    );
    const { id } = await back({ aws, config }, { tableBytes: 10 ** 9 });
    const repository = await opened();
    const table = (await readManifest(repository, id)).tables.find(({ name }) => name === profiles);
    expect(table?.parts.length).toBe(4);
    const found = await lines(repository, table?.parts ?? []);
    expect(found.toSorted()).toEqual((await stored(aws, profiles)).toSorted());
    const again = await back({ aws, config }, { tableBytes: 10 ** 9 });
    const parts = (await readManifest(repository, again.id)).tables.find(
      ({ name }) => name === profiles,
    )?.parts;
    expect(parts).toEqual(table?.parts);
  });
});

test("an object that goes or changes while it is read is taken as it is then, or named", async () => {
  await home.look(async (aws, config) => {
    for (const name of ["changes", "goes", "stays"]) {
      await putObject(aws, { bucket: files, key: `public/${name}`, body: Buffer.from(name) });
    }
    const s3 = await aws.s3();
    s3.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName !== "ListObjectsV2Command") return answer;
        await s3.send(new DeleteObjectCommand({ Bucket: files, Key: "public/goes" }));
        await putObject(aws, { bucket: files, key: "public/changes", body: Buffer.from("changed") });
        return answer;
      },
      { step: "initialize", name: "somebodyElse" },
    );
    const { id, changed } = await back({ aws, config }, { only: [files] });
    s3.middlewareStack.remove("somebodyElse");
    const repository = await opened();
    const [bucket] = (await readManifest(repository, id)).buckets;
    const objects = (await lines(repository, bucket?.parts ?? [])).map((line) =>
      parseObjectLine(Buffer.from(line)),
    );
    expect(objects.map(({ put: { Key }, seen: { size } }) => [Key, size])).toEqual([
      ["public/changes", 7],
      ["public/stays", 5],
    ]);
    expect(changed).toBe(1);
    expect(bucket?.changed).toEqual([{ key: "public/goes", what: "deleted" }]);
  });
});
