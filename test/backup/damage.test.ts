import { generateIdentity, identityToRecipient } from "age-encryption";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { damageMarks, markDamage } from "../../src/backup/damage.ts";
import { ensureRepository, openRepository, type Repository } from "../../src/backup/repository.ts";
import type { Store } from "../../src/backup/store.ts";
import { mortalStore } from "../support/mortal-store.ts";
import { hex, namesIn, onEveryStore, openKept, sha256, type Kept } from "./prune-world.ts";

async function* whole(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1024 ** 2) yield bytes.subarray(at, at + 1024 ** 2);
}

async function textOf(repository: Repository, text: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  const content = { sha256: sha256(text), bytes: Buffer.byteLength(text) };
  for await (const piece of repository.openContent(content)) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

const marked = async (store: Store) => (await damageMarks(store)).map(({ name }) => name).toSorted();

onEveryStore("damage", (keep) => {
  let kept: Kept;

  beforeEach(async () => {
    kept = await keep();
  });
  afterEach(() => kept.close());

  /** A repository as the next command finds it. */
  async function next(of: Kept = kept): Promise<Repository> {
    const repository = await openKept(of);
    for (const { name } of await damageMarks(of.store)) repository.distrusted.add(name);
    return repository;
  }

  test("marks what is missing, cut, changed or another's, and nothing that is whole", async () => {
    const repository = await openKept(kept);
    const names: string[] = [];
    for (const text of ["gone", "cut", "other", "whole"])
      names.push(repository.contentName((await repository.putContent(Buffer.from(text))).sha256));
    const [gone = "", cut = "", other = ""] = names;
    await kept.store.remove([gone]);
    await kept.store.replace(cut, Buffer.from("cu"));
    await kept.store.replace(other, Buffer.from("whole"));
    await markDamage(repository, names);
    expect(await marked(kept.store)).toEqual([gone, cut, other].toSorted());
    // Once more changes nothing, and neither does a file that is no mark.
    const before = await damageMarks(kept.store);
    await kept.store.create("damaged/notes.txt", Buffer.from("mine"));
    await markDamage(repository, names);
    expect(await damageMarks(kept.store)).toEqual(before);
  });

  test("the mark of what is whole again goes, whoever mended it", async () => {
    const repository = await openKept(kept);
    const { sha256: content } = await repository.putContent(Buffer.from("one"));
    const name = repository.contentName(content);
    await kept.store.replace(name, Buffer.from("two"));
    await markDamage(repository, [name]);
    expect(await marked(kept.store)).toEqual([name]);
    await kept.store.replace(name, Buffer.from("one"));
    await markDamage(repository, []);
    expect(await namesIn(kept.store, "damaged/")).toEqual([]);
  });

  test("a marked content is absent until it is put again, in the place of what is there", async () => {
    const repository = await openKept(kept);
    const { sha256: content } = await repository.putContent(Buffer.from("one"));
    const name = repository.contentName(content);
    await kept.store.replace(name, Buffer.from("eno"));
    await markDamage(repository, [name]);
    const later = await next();
    expect(await later.hasContent(content)).toBe(false);
    expect(await later.putContent(Buffer.from("one"))).toMatchObject({ isNew: true, storedBytes: 3 });
    expect(String(await kept.store.readBytes(name))).toBe("one");
    expect(await namesIn(kept.store, "damaged/")).toEqual([]);
    expect([...later.distrusted]).toEqual([]);
    expect(await later.putContent(Buffer.from("one"))).toMatchObject({ isNew: false, storedBytes: 0 });
  });

  test("so is one too large for the memory", async () => {
    const bytes = randomBytes(9 * 1024 ** 2);
    const repository = await openKept(kept);
    const { sha256: content } = await repository.putContentFrom(whole(bytes));
    const name = repository.contentName(content);
    await kept.store.replace(name, bytes.subarray(1));
    await markDamage(repository, [name]);
    const later = await next();
    const put = await later.putContentFrom(whole(bytes));
    expect(put).toMatchObject({ sha256: content, isNew: true, storedBytes: bytes.length });
    expect((await kept.store.readBytes(name))?.equals(bytes)).toBe(true);
    expect(await namesIn(kept.store, "damaged/")).toEqual([]);
    expect(await later.putContentFrom(whole(bytes))).toMatchObject({ isNew: false, storedBytes: 0 });
  });

  test.each([1, 2])("a command that dies at write %d leaves it to the next one", async (at) => {
    const repository = await openKept(kept);
    const name = repository.contentName((await repository.putContent(Buffer.from("one"))).sha256);
    for (const behind of [false, true]) {
      await kept.store.replace(name, Buffer.from("eno"));
      await markDamage(repository, [name]);
      const dying = await next({ ...kept, store: mortalStore(kept.store, { at, behind }) });
      await expect(dying.putContent(Buffer.from("one"))).rejects.toThrow("died");
      const isMended = at === 2 || behind;
      expect(String(await kept.store.readBytes(name))).toBe(isMended ? "one" : "eno");
      await (await next()).putContent(Buffer.from("one"));
      expect(String(await kept.store.readBytes(name))).toBe("one");
      expect(await namesIn(kept.store, "damaged/")).toEqual([]);
    }
  });

  test("two commands that mend the same leave it whole", async () => {
    const repository = await openKept(kept);
    const name = repository.contentName((await repository.putContent(Buffer.from("one"))).sha256);
    await kept.store.replace(name, Buffer.from("eno"));
    await markDamage(repository, [name]);
    const both = [await next(), await next()];
    await Promise.all(both.map((each) => each.putContent(Buffer.from("one"))));
    expect(String(await kept.store.readBytes(name))).toBe("one");
    expect(await namesIn(kept.store, "damaged/")).toEqual([]);
  });

  test("in an encrypted repository who holds the public key alone mends what the owner's key found", async () => {
    const identity = await generateIdentity();
    const encryptTo = [await identityToRecipient(identity)];
    const unlock = { spool: kept.spool, randomHex: hex };
    const blind = () => ensureRepository(kept.store, unlock, { now: new Date(), encryptTo });
    const writer = await blind();
    const names: string[] = [];
    for (const text of ["one", "two", "three"])
      names.push(writer.contentName((await writer.putContent(Buffer.from(text))).sha256));
    const [one = "", two = "", three = ""] = names;
    const sealed = (await kept.store.readBytes(one)) ?? Buffer.alloc(0);
    // Sealed rightly, and another's.
    await kept.store.replace(two, sealed);
    await kept.store.replace(three, Buffer.concat([sealed.subarray(0, -1), Buffer.from([0])]));
    const owner = await openRepository(kept.store, { ...unlock, identity });
    await markDamage(owner, names);
    expect(await marked(kept.store)).toEqual([two, three].toSorted());
    const later = await blind();
    for (const { name } of await damageMarks(kept.store)) later.distrusted.add(name);
    for (const text of ["one", "two", "three"]) await later.putContent(Buffer.from(text));
    expect(await namesIn(kept.store, "damaged/")).toEqual([]);
    expect(await kept.store.readBytes(one)).toEqual(sealed);
    for (const text of ["one", "two", "three"]) expect(await textOf(owner, text)).toBe(text);
  });
});
