import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ageCipher } from "../../src/backup/encryption.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { partLines, partWriter, readPart } from "../../src/backup/parts.ts";
import type { Repository, StoredContent } from "../../src/backup/repository.ts";
import { openKept, sha256 } from "./prune-world.ts";

const mebibyte = 1024 ** 2;
let folder: string;
let repository: Repository;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-parts-"));
  const store = folderStore(join(folder, "repository"));
  repository = await openKept({ store, spool: folder, close: () => Promise.resolve() });
});
afterEach(() => rm(folder, { recursive: true }));

const line = (n: number, bytes: number) => `${String(n).padStart(bytes - 1, "x")}\n`;

/** Stores nothing, and keeps what it was given. */
function keeping(put: (bytes: Buffer) => Promise<void>): { repository: Repository; raw: Buffer[] } {
  const raw: Buffer[] = [];
  return {
    raw,
    repository: {
      ...repository,
      async putContent(bytes): Promise<StoredContent> {
        await put(bytes);
        raw.push(gunzipSync(bytes));
        const hash = sha256(bytes.toString("latin1"));
        return { sha256: hash, bytes: bytes.length, isNew: true, storedBytes: bytes.length };
      },
    },
  };
}

describe("parts", () => {
  test("have one to eight MiB, whatever their lines, but for the last one", async () => {
    const { repository: to, raw } = keeping(() => Promise.resolve());
    const writer = partWriter(to);
    const hundred = 100_000;
    // Few long lines: hardly one of them ends a part by its content.
    for (let n = 0; n < 200; n += 1) await writer.add(Buffer.from(line(n, hundred)));
    const parts = await writer.finish();
    expect(parts.reduce((sum, part) => sum + part.lines, 0)).toBe(200);
    for (const each of raw.slice(0, -1)) {
      expect(each.length).toBeGreaterThanOrEqual(mebibyte);
      expect(each.length).toBeLessThan(8 * mebibyte + hundred);
    }
  });

  test("are the same however the lines come in", async () => {
    const lines = Array.from({ length: 12_000 }, (_, n) => line(n, 400));
    const cutAt = async (size: number) => {
      const writer = partWriter(repository);
      for (let at = 0; at < lines.length; at += size)
        await writer.add(Buffer.from(lines.slice(at, at + size).join("")));
      return (await writer.finish()).map((part) => part.sha256);
    };
    const one = await cutAt(1);
    expect(one.length).toBeGreaterThan(1);
    expect(await cutAt(37)).toEqual(one);
    expect(await cutAt(12_000)).toEqual(one);
  });

  test("are told in order though later ones are stored first, at most three under way", async () => {
    let under = 0;
    let most = 0;
    let puts = 0;
    const { repository: to } = keeping(async () => {
      under += 1;
      most = Math.max(most, under);
      await sleep(puts++ % 2 === 0 ? 20 : 1);
      under -= 1;
    });
    const told: string[] = [];
    const writer = partWriter(to, { onPart: (_, last) => void told.push(String(last).trim()) });
    const ends: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      await writer.add(Buffer.from(line(n, 8 * mebibyte)));
      ends.push(line(n, 8 * mebibyte).trim());
    }
    await writer.finish();
    expect(told).toEqual(ends);
    expect(most).toBeLessThanOrEqual(3);
  });

  test("end where they are flushed, and nothing is made of nothing", async () => {
    const writer = partWriter(repository);
    await writer.flush();
    await writer.add(Buffer.from("a\nb\n"));
    await writer.flush();
    await writer.flush();
    await writer.add(Buffer.from("c\n"));
    expect((await writer.finish()).map((part) => part.lines)).toEqual([2, 1]);
    expect(await partWriter(repository).finish()).toEqual([]);
  });

  test("of a store that fails in the middle end the adding, and what is under way is heard", async () => {
    // By its content: parts are compressed side by side, and reach the store in any order.
    const { repository: to } = keeping(async (bytes) => {
      if (gunzipSync(bytes).toString("latin1").endsWith("x1\n")) throw new Error("the disk is full");
    });
    const told: number[] = [];
    const writer = partWriter(to, { onPart: (part) => void told.push(part.lines) });
    const adding = (async () => {
      for (let n = 0; n < 10; n += 1) await writer.add(Buffer.from(line(n, 8 * mebibyte)));
      return writer.finish();
    })();
    await expect(adding).rejects.toThrow("the disk is full");
    expect(told).toEqual([1]);
  });

  test("take whole lines only", async () => {
    await expect(partWriter(repository).add(Buffer.from("a\nb"))).rejects.toThrow("whole lines");
  });

  test("give back what they were given, whatever it is", async () => {
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((each) => each.replaceAll("\n", ""));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (lines) => {
        const writer = partWriter(repository);
        for (const each of lines) await writer.add(Buffer.from(`${each}\n`));
        const found: Buffer[] = [];
        for (const part of await writer.finish()) {
          expect((await readPart(repository, part)).toString().split("\n").length - 1).toBe(part.lines);
          for await (const batch of partLines(repository, part)) found.push(...batch);
        }
        expect(found.map((each) => each.toString())).toEqual(
          lines.map((each) => Buffer.from(each).toString()),
        );
      }),
      { numRuns: 30 },
    );
  });
});

test("a part that unpacks to more than a part can have is damaged, and not unpacked to its end", async () => {
  const packed = gzipSync(Buffer.alloc(64 * mebibyte, "x\n"));
  const content = await repository.putContent(packed);
  const part = { sha256: content.sha256, bytes: content.bytes, lines: 1 };
  await expect(readPart(repository, part)).rejects.toThrow(/is larger than the 12.6 MB/);
  await expect(readPart(repository, { ...part, bytes: 13 * mebibyte })).rejects.toThrow(/is larger than/);
});

test("a header of more recipients than anybody has is damaged, and none of them is tried", async () => {
  const identity = await generateX25519Identity();
  const cipher = await ageCipher([await identityToRecipient(identity)], [identity]);
  const [head = ""] = (await cipher.seal(Buffer.from("x"))).toString("latin1").split("\n", 1);
  const stanzas = `-> X25519 ${"A".repeat(43)}\n${"A".repeat(43)}\n`.repeat(20_000);
  const sealed = Buffer.from(`${head}\n${stanzas}--- ${"A".repeat(43)}\n${"x".repeat(100)}`);
  await expect(cipher.open(sealed)).rejects.toThrow("longer than 64 KiB");
  const read = async () => {
    const pieces = (async function* () {
      for (let at = 0; at < sealed.length; at += 1000) yield sealed.subarray(at, at + 1000);
    })();
    for await (const _piece of await cipher.openStream(pieces)) continue;
  };
  await expect(read()).rejects.toThrow("longer than 64 KiB");
});

test("what comes in the smallest pieces is opened as it was sealed", async () => {
  const identity = await generateX25519Identity();
  const cipher = await ageCipher([await identityToRecipient(identity)], [identity]);
  const sealed = await cipher.seal(Buffer.from("some text"));
  const pieces = (async function* () {
    for (const byte of sealed) yield Uint8Array.of(byte);
  })();
  const opened: Uint8Array[] = [];
  for await (const piece of await cipher.openStream(pieces)) opened.push(piece);
  expect(Buffer.concat(opened).toString()).toBe("some text");
});
