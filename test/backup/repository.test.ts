import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DamagedError } from "../../src/backup/damage.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { manifestBytes, parseManifest } from "../../src/backup/manifest.ts";
import { partLines, partWriter, readPart } from "../../src/backup/parts.ts";
import { ensureRepository, openRepository, type Repository } from "../../src/backup/repository.ts";
import type { Manifest, Part } from "../../src/backup/snapshot.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-repository-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Keys {
  readonly identity?: string;
  readonly passphrase?: string;
}

const unlock = (keys: Keys = {}) => ({
  spool: join(folder, "spool"),
  randomHex: (bytes: number) => randomBytes(bytes).toString("hex"),
  ...keys,
});

const at = () => folderStore(join(folder, "repository"));

async function made(keys: Keys = {}, encryptTo: readonly string[] = []): Promise<Repository> {
  return ensureRepository(at(), unlock(keys), { now: new Date(), encryptTo, passphraseWork: 10 });
}

async function read(repository: Repository, content: { sha256: string; bytes: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of repository.openContent(content)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function everyFile(): Promise<{ path: string; bytes: Buffer }[]> {
  const found = await readdir(join(folder, "repository"), { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}

async function ageKeys() {
  const identity = await generateX25519Identity();
  return { identity: `# a comment\n${identity}\n`, recipient: await identityToRecipient(identity) };
}

describe.each([
  ["an open repository", async () => made()],
  [
    "an encrypted one",
    async () => {
      const { identity, recipient } = await ageKeys();
      return made({ identity }, [recipient]);
    },
  ],
  ["one behind a passphrase", async () => made({ passphrase: "correct horse" })],
])("%s", (_name, make) => {
  test("keeps a content once, whatever its size and way, and gives it back", async () => {
    const repository = await make();
    for (const size of [0, 1, 70_000, 9_000_000]) {
      const bytes = randomBytes(size);
      const first = await repository.putContentFrom(inPieces(bytes, 65_536));
      expect(first).toMatchObject({ bytes: size, isNew: true });
      expect(first.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      const again = await repository.putContent(bytes);
      expect(again).toEqual({ ...first, isNew: false, storedBytes: 0 });
      expect((await read(repository, first)).equals(bytes)).toBe(true);
      expect(await repository.hasContent(first.sha256)).toBe(true);
    }
    expect((await everyFile()).filter(({ path }) => path.includes("/data/")).length).toBe(4);
    expect(await readdir(join(folder, "spool"))).toEqual([]);
  });

  test("tells a flipped bit, a cut, an addition, a swap and a loss, before the last byte is given", async () => {
    const repository = await make();
    const one = await repository.putContent(randomBytes(300));
    const other = await repository.putContent(randomBytes(300));
    const path = join(folder, "repository", repository.contentName(one.sha256));
    const bytes = await readFile(path);
    const damaged = async (now: Buffer) => {
      await writeFile(path, now);
      await expect(read(repository, one)).rejects.toBeInstanceOf(DamagedError);
    };
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await damaged(flipped);
    }
    await damaged(bytes.subarray(0, -1));
    await damaged(Buffer.alloc(0));
    await damaged(Buffer.concat([bytes, Buffer.from("x")]));
    await damaged(await readFile(join(folder, "repository", repository.contentName(other.sha256))));
    await rm(path);
    await expect(read(repository, one)).rejects.toThrow("is missing");
  });
});

describe("an encrypted repository", () => {
  test("shows nothing of what is in it, neither in a file nor in a name", async () => {
    const { identity, recipient } = await ageKeys();
    const repository = await made({ identity }, [recipient]);
    const secret = "user-123/Lebenslauf.pdf";
    const { sha256 } = await repository.putContent(Buffer.from(secret.repeat(20)));
    await repository.createSealed("snapshots/x/manifest.json", Buffer.from(secret));
    const writer = partWriter(repository);
    await writer.add(Buffer.from(`{"Item":{"userId":{"S":"${secret}"}}}\n`));
    await writer.finish();
    for (const { path, bytes } of await everyFile()) {
      expect(path).not.toContain(sha256);
      expect([path, bytes.includes("user-123"), bytes.includes("Lebenslauf")]).toEqual([path, false, false]);
    }
  });

  test("is opened by its identity alone, and written to without it", async () => {
    const { identity, recipient } = await ageKeys();
    const other = await ageKeys();
    const writing = await made({}, [recipient]);
    expect(writing.canRead).toBe(false);
    const stored = await writing.putContent(Buffer.from("text"));
    expect(await writing.putContent(Buffer.from("text"))).toMatchObject({ isNew: false });
    await expect(read(writing, stored)).rejects.toThrow("nothing to open it with");
    const reading = await openRepository(at(), unlock({ identity }));
    expect(String(await read(reading, stored))).toBe("text");
    await expect(openRepository(at(), unlock({ identity: other.identity }))).rejects.toThrow(
      "another repository",
    );
    await expect(openRepository(at(), unlock({ identity: "nothing" }))).rejects.toThrow("no age identity");
    await expect(openRepository(at(), unlock({ passphrase: "x" }))).rejects.toThrow("no passphrase opens");
    await expect(made({}, [other.recipient])).rejects.toThrow("is encrypted to");
  });

  test("behind a passphrase is opened by it, and by no other", async () => {
    const stored = await (await made({ passphrase: "one" })).putContent(Buffer.from("text"));
    expect(String(await read(await openRepository(at(), unlock({ passphrase: "one" })), stored))).toBe(
      "text",
    );
    await expect(openRepository(at(), unlock({ passphrase: "two" }))).rejects.toThrow("does not open");
  });

  test("behind a passphrase is not written to once somebody has added a recipient to it", async () => {
    await made({ passphrase: "one" });
    const path = join(folder, "repository", "mawps-repository.json");
    const configuration = JSON.parse(await readFile(path, "utf8")) as { recipients: string[] };
    configuration.recipients.push((await ageKeys()).recipient);
    await writeFile(path, JSON.stringify(configuration));
    const before = await everyFile();
    await expect(made({ passphrase: "one" })).rejects.toThrow("is encrypted to");
    expect(await everyFile()).toEqual(before);
  });

  test("is neither made nor written to in the open where an identity is at hand", async () => {
    const { identity } = await ageKeys();
    await expect(made({ identity })).rejects.toThrow("makes none");
    expect(existsSync(join(folder, "repository"))).toBe(false);
    await made({});
    const before = await everyFile();
    await expect(made({ identity })).rejects.toThrow("is not encrypted");
    expect(await everyFile()).toEqual(before);
  });

  test("to a recipient and a passphrase is gone on with by whoever names both", async () => {
    const { recipient } = await ageKeys();
    await made({ passphrase: "one" }, [recipient]);
    await made({ passphrase: "one" }, [recipient]);
    await expect(made({ passphrase: "one" })).rejects.toThrow("is encrypted to");
  });

  test.skipIf(!existsSync("/usr/bin/age"))("is opened by the age of others", async () => {
    const { identity, recipient } = await ageKeys();
    const repository = await made({}, [recipient]);
    const bytes = randomBytes(200_000);
    const { sha256 } = await repository.putContent(bytes);
    const key = join(folder, "identity.txt");
    await writeFile(key, identity);
    const path = join(folder, "repository", repository.contentName(sha256));
    const options = { encoding: "buffer", maxBuffer: 1e7 } as const;
    const { stdout } = await promisify(execFile)("/usr/bin/age", ["-d", "-i", key, path], options);
    expect(stdout.equals(bytes)).toBe(true);
  });

  test("is not made of an open one", async () => {
    await made();
    await expect(made({ passphrase: "x" })).rejects.toThrow("is not encrypted");
    await expect(made({}, [(await ageKeys()).recipient])).rejects.toThrow("is not encrypted");
  });
});

test("a place without a repository is told, and nothing is made by looking", async () => {
  await expect(openRepository(at(), unlock())).rejects.toThrow("there is no backup repository");
  expect(existsSync(join(folder, "repository"))).toBe(false);
});

describe("parts", () => {
  const line = (n: number) =>
    `{"Item":{"userId":{"S":"user-${n}"},"text":{"S":"${String(n).repeat(150)}"}}}\n`;
  const lines = (numbers: readonly number[]) => Buffer.from(numbers.map(line).join(""));
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

  async function written(repository: Repository, numbers: readonly number[]): Promise<readonly Part[]> {
    const writer = partWriter(repository);
    for (let from = 0; from < numbers.length; from += 700)
      await writer.add(lines(numbers.slice(from, from + 700)));
    return writer.finish();
  }

  test("hold the lines in order, and change only where a line has come in or gone", async () => {
    const repository = await made();
    const all = upTo(20_000);
    const parts = await written(repository, all);
    expect(parts.length).toBeGreaterThan(4);
    const found: string[] = [];
    for (const part of parts)
      for await (const batch of partLines(repository, part)) found.push(...batch.map(String));
    expect(found).toEqual(all.map((n) => line(n).trimEnd()));
    const changed = await written(repository, [...all.slice(0, 9000), 999_999, ...all.slice(9001)]);
    const before = new Set(parts.map(({ sha256 }) => sha256));
    expect(changed.filter(({ sha256 }) => !before.has(sha256)).length).toBeLessThanOrEqual(2);
  });

  test("are told in order, each with its last line", async () => {
    const repository = await made();
    const told: [Part, string][] = [];
    const writer = partWriter(repository, { onPart: (part, last) => void told.push([part, String(last)]) });
    const all = upTo(20_000);
    await writer.add(lines(all));
    const parts = await writer.finish();
    expect(told.map(([part]) => part)).toEqual(parts);
    let behind = 0;
    const ends = parts.map((part) => line((behind += part.lines) - 1));
    expect(told.map(([, last]) => last)).toEqual(ends);
  });

  test("that have another number of lines than is said are damaged", async () => {
    const repository = await made();
    const [part] = await written(repository, upTo(10));
    await expect(readPart(repository, { ...(part as Part), lines: 9 })).rejects.toThrow(
      "has 10 lines, not 9",
    );
  });

  test("of a store that fails are told as failed, and are none", async () => {
    const repository = await made();
    const failing: Repository = {
      ...repository,
      putContent: () => Promise.reject(new Error("the disk is full")),
    };
    const writer = partWriter(failing);
    await writer.add(lines(upTo(10)));
    await expect(writer.finish()).rejects.toThrow("the disk is full");
  });
});

test("a manifest with any bit flipped is none", () => {
  const at = "2026-11-21T03:15:30.000Z";
  const manifest: Manifest = {
    format: 1,
    id: "20261121T031500Z-1f2e3d",
    tool: "mawps",
    model: "MAWPS",
    schemaVersion: null,
    target: "local",
    region: "eu-central-1",
    startedAt: "2026-11-21T03:15:00.000Z",
    endedAt: "2026-11-21T03:16:00.000Z",
    engine: "scan",
    tables: [],
    buckets: [{ role: "r", name: "n", from: at, to: at, objects: 0, bytes: 0, parts: [], changed: [] }],
  };
  const bytes = manifestBytes(manifest);
  expect(parseManifest(bytes, manifest.id)).toEqual(manifest);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => parseManifest(flipped, manifest.id), `bit ${bit}`).toThrow(DamagedError);
  }
  expect(() => parseManifest(bytes, "20261121T031500Z-000000")).toThrow("is that of");
});
