import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DamagedError } from "../../src/backup/damage.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { ensureRepository, openRepository, type Unlock } from "../../src/backup/repository.ts";
import type { Store } from "../../src/backup/store.ts";
import { Died, mortalStore } from "../support/mortal-store.ts";
import { hex, namesIn } from "./prune-world.ts";

const name = "mawps-repository.json";
let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-configuration-"));
  store = folderStore(join(folder, "repository"));
});
afterEach(() => rm(folder, { recursive: true }));

const unlock = (passphrase?: string): Unlock => ({
  spool: join(folder, "spool"),
  randomHex: hex,
  passphrase,
});
const now = new Date("2026-11-21T03:15:00Z");
/** A passphrase keeps itself from being guessed by two seconds of the processor for each use. */
const making = { now, passphraseWork: 10 };

async function recipient(): Promise<string> {
  return identityToRecipient(await generateX25519Identity());
}

async function change(more: Record<string, unknown>): Promise<void> {
  const found = JSON.parse(String(await store.readBytes(name))) as object;
  await store.replace(name, Buffer.from(JSON.stringify({ ...found, ...more })));
}

test("is that of one of many commands that make the same repository at once", async () => {
  const made = await Promise.all(
    Array.from({ length: 3 }, () => ensureRepository(store, unlock("correct horse"), making)),
  );
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(made.every(({ canRead }) => canRead)).toBe(true);
  expect(await namesIn(store)).toEqual(["keys/identity.age", name]);
});

test.each([
  { at: 1, behind: false },
  { at: 1, behind: true },
  { at: 2, behind: false },
  { at: 2, behind: true },
])("is finished by the next command when the first died at write $at ($behind)", async (death) => {
  const mortal = mortalStore(store, death);
  await expect(ensureRepository(mortal, unlock("one"), making)).rejects.toBeInstanceOf(Died);
  const made = await ensureRepository(store, unlock("one"), making);
  const stored = await made.putContent(Buffer.from("text"));
  const opened = await openRepository(store, unlock("one"));
  const pieces: Uint8Array[] = [];
  for await (const piece of opened.openContent(stored)) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe("text");
});

test("with a recipient that somebody added is not written to by who names the recipients", async () => {
  const [mine, theirs] = [await recipient(), await recipient()];
  await ensureRepository(store, unlock(), { now, encryptTo: [mine] });
  await change({ recipients: [mine, theirs] });
  const named = ensureRepository(store, unlock(), { now, encryptTo: [mine] });
  await expect(named).rejects.toThrow(theirs);
  await ensureRepository(store, unlock(), { now, encryptTo: [mine, theirs] });
});

test("that names another's recipient in the place of the own one does not open with the passphrase", async () => {
  await ensureRepository(store, unlock("one"), making);
  await change({ recipients: [await recipient()] });
  await expect(ensureRepository(store, unlock("one"), making)).rejects.toThrow("another repository");
});

test.each([
  ["of a later format", { format: 2 }, "has format 2"],
  ["without a salt", { nameSalt: undefined }, "no description of a repository"],
  ["of an unknown encryption", { encryption: "rot13" }, "no description of a repository"],
])("%s is refused", async (_, more, message) => {
  await ensureRepository(store, unlock(), making);
  await change(more);
  await expect(openRepository(store, unlock())).rejects.toThrow(message);
});

test("that is cut off is damage, and no reason to make a new one", async () => {
  await ensureRepository(store, unlock(), making);
  const bytes = (await store.readBytes(name)) ?? Buffer.alloc(0);
  await store.replace(name, bytes.subarray(0, -10));
  await expect(ensureRepository(store, unlock(), making)).rejects.toBeInstanceOf(DamagedError);
});
