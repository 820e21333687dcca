import { createHash, createHmac, randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../errors.ts";
import { makeFolders } from "../make-folders.ts";
import { twoSizes } from "../model/bytes.ts";
import {
  createConfiguration,
  readConfiguration,
  unlockedIdentities,
  type Configuration,
} from "./configuration.ts";
import { DamagedError, markOf } from "./damage.ts";
import { ageCipher, type Cipher, type Keys } from "./encryption.ts";
import type { Store } from "./store.ts";

export interface StoredContent {
  /** Hex, of the bytes before any encryption. */
  readonly sha256: string;
  readonly bytes: number;
  /** Whether the repository did not have it yet. */
  readonly isNew: boolean;
  /** Written for it; 0 when it was there. */
  readonly storedBytes: number;
}

/** The contents of snapshots, each once, and the means to read and write the small files beside them. */
export interface Repository {
  readonly store: Store;
  readonly id: string;
  /** Hex. For hashes of user ids in the erasure ledger. */
  readonly erasureSalt: string;
  readonly encryption: "none" | "age";
  /** False for an encrypted one without identity: it can be written to, and nothing of it be read. */
  readonly canRead: boolean;
  readonly recipients: readonly string[];
  /**
   * Names of contents whose files are not to be trusted: `hasContent` takes them for absent, and putting one writes it in the
   * place of what is there, removes its mark, and takes it off here.
   */
  readonly distrusted: Set<string>;
  /** Where a content lies. Encrypted: by a keyed hash, which without the repository's salt says nothing of the content. */
  contentName(sha256: string): string;
  hasContent(sha256: string, signal?: AbortSignal): Promise<boolean>;
  putContent(bytes: Buffer, signal?: AbortSignal): Promise<StoredContent>;
  /** Of any size, in bounded memory: it is hashed on its way into a temporary file. */
  putContentFrom(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredContent>;
  /** Whether the file of this name holds the content that the name stands for. All of it is read. */
  isWhole(name: string, signal?: AbortSignal): Promise<boolean>;
  /** Fails with DamagedError, before its end, when the bytes are not those of the hash and length. */
  openContent(
    content: { readonly sha256: string; readonly bytes: number },
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array>;
  /** A small file of the repository under `name`; encrypted, it has `.age` behind it. */
  createSealed(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<"created" | "exists">;
  /** Undefined when there is none; DamagedError when it cannot be decrypted. */
  readSealed(name: string, signal?: AbortSignal): Promise<Buffer | undefined>;
}

export interface Unlock extends Keys {
  /** A folder for temporary files that only their owner can read. */
  readonly spool: string;
  randomHex(bytes: number): string;
}

export interface Making {
  readonly now: Date;
  /** age recipients of a repository that is made; what is written to it then cannot be read by who writes it. */
  readonly encryptTo?: readonly string[];
  /** See `newIdentity`: for tests. */
  readonly passphraseWork?: number;
  /** Called before a repository that is not encrypted is made or given: fails where what is to be stored must not lie open. */
  readonly beforeOpen?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal;
}

/** Held in memory; more goes by way of a file. */
const smallBytes = 8 * 1024 ** 2;

/** @throws CliError when there is none, its format is another, or the keys at hand are not its keys. */
export async function openRepository(
  store: Store,
  unlock: Unlock,
  signal?: AbortSignal,
): Promise<Repository> {
  const configuration = await readConfiguration(store, signal);
  if (configuration === undefined) {
    throw new CliError(`there is no backup repository at ${store.where}`, {
      hint: "`mawps backup create` makes one; --repo or backup.repository names another place",
    });
  }
  return opened(store, configuration, { ...unlock, signal });
}

/** Opens the repository, or makes it. Refuses to go on with another encryption than it was made with. */
export async function ensureRepository(store: Store, unlock: Unlock, making: Making): Promise<Repository> {
  const { encryptTo = [], signal } = making;
  const found = await openAllowed(store, unlock, making);
  const isWanted = isEncryptionWanted(unlock, making);
  if (found === undefined) {
    if (unlock.identity !== undefined && !isWanted) {
      throw new CliError("an identity opens an encrypted repository, and makes none", {
        hint: "name its recipient, too: --encrypt-to age1..., or backup.encryptTo",
      });
    }
    await createConfiguration(store, unlock, making);
    // Should another command have come first, its configuration is the one that counts.
    return ensureRepository(store, unlock, { ...making, beforeOpen: undefined });
  }
  if (isWanted && found.encryption === "none") throw notEncrypted(store);
  const unknown = encryptTo.filter((recipient) => !found.recipients.includes(recipient));
  // Whoever can write to the repository could add a recipient of their own. With a passphrase one is the repository's own.
  const unasked = found.recipients.filter((recipient) => !encryptTo.includes(recipient));
  const isOther = unasked.length > (unlock.passphrase === undefined ? 0 : 1);
  if (isWanted && (unknown.length > 0 || isOther)) {
    const asked = [...encryptTo, ...(unlock.passphrase === undefined ? [] : ["the passphrase"])];
    throw new CliError(`the repository at ${store.where} is encrypted to ${found.recipients.join(", ")}`, {
      hint: `and not to ${asked.join(", ")} alone; recipients are chosen when a repository is made: name all of them`,
    });
  }
  return opened(store, found, { ...unlock, signal });
}

/**
 * What a repository is, undefined where there is none yet; nothing is made.
 * @throws whatever `beforeOpen` does, where it is not encrypted, or would be made so.
 */
export async function openAllowed(
  store: Store,
  unlock: Pick<Unlock, "identity" | "passphrase">,
  making: Omit<Making, "now">,
): Promise<Configuration | undefined> {
  const found = await readConfiguration(store, making.signal);
  const isOpen =
    found === undefined
      ? !isEncryptionWanted(unlock, making) && unlock.identity === undefined
      : found.encryption === "none";
  if (isOpen) await making.beforeOpen?.();
  return found;
}

function isEncryptionWanted(
  { passphrase }: Pick<Unlock, "passphrase">,
  { encryptTo = [] }: Pick<Making, "encryptTo">,
): boolean {
  return encryptTo.length > 0 || passphrase !== undefined;
}

function notEncrypted({ where }: Store): CliError {
  return new CliError(`the repository at ${where} is not encrypted, and cannot become so`, {
    hint: "--repo names another place; for this one leave out the passphrase, identity and recipients",
  });
}

/** `Unlock` with the signal of the call. */
interface Opening extends Unlock {
  readonly signal: AbortSignal | undefined;
}

async function opened(store: Store, configuration: Configuration, unlock: Opening): Promise<Repository> {
  const { id, encryption, recipients, nameSalt, erasureSalt } = configuration;
  // Whoever has a key expects what only that key can have written: anybody can put a plain repository in its place.
  if (encryption === "none" && (unlock.passphrase !== undefined || unlock.identity !== undefined))
    throw notEncrypted(store);
  const cipher =
    encryption === "none"
      ? undefined
      : await ageCipher(recipients, await unlockedIdentities(store, recipients, unlock));
  const suffix = cipher === undefined ? "" : ".age";
  const nameOf = (sha256: string) => {
    const name =
      cipher === undefined
        ? sha256
        : createHmac("sha256", Buffer.from(nameSalt, "hex")).update(Buffer.from(sha256, "hex")).digest("hex");
    return `data/${name.slice(0, 2)}/${name}`;
  };

  const distrusted = new Set<string>();
  const has = async (name: string, signal?: AbortSignal) =>
    !distrusted.has(name) && (await store.stat(name, signal)) !== undefined;

  /** False when it is there. A mark goes behind the file: should it stay, the content is written once more. */
  async function isWritten(name: string, { create, replace, signal }: Writing): Promise<boolean> {
    if (!distrusted.has(name)) return (await create()) === "created";
    await replace();
    await store.remove([markOf(name)], signal);
    distrusted.delete(name);
    return true;
  }

  async function putContent(bytes: Buffer, signal?: AbortSignal): Promise<StoredContent> {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const there = { sha256, bytes: bytes.byteLength, isNew: false, storedBytes: 0 };
    const name = nameOf(sha256);
    if (await has(name, signal)) return there;
    const stored = cipher === undefined ? bytes : await cipher.seal(bytes);
    const isNew = await isWritten(name, {
      create: () => store.create(name, stored, signal),
      replace: () => store.replace(name, stored, signal),
      signal,
    });
    return isNew ? { ...there, isNew, storedBytes: stored.byteLength } : there;
  }

  return {
    store,
    id,
    erasureSalt,
    encryption,
    recipients,
    canRead: cipher?.canRead ?? true,
    distrusted,
    contentName: nameOf,
    hasContent: (sha256, signal) => has(nameOf(sha256), signal),
    putContent,
    async putContentFrom(source, signal) {
      return withBeginning(source, async (beginning, rest) => {
        if (rest === undefined) return putContent(beginning, signal);
        return putLarge(chained(beginning, rest), {
          cipher,
          spool: unlock.spool,
          signal,
          async put(sha256, path) {
            const name = nameOf(sha256);
            if (await has(name, signal)) return false;
            return isWritten(name, {
              create: () => store.createFromFile(name, path, signal),
              replace: () => store.replaceFromFile(name, path, signal),
              signal,
            });
          },
        });
      });
    },
    async isWhole(name, signal) {
      const stored = await store.open(name, signal);
      if (stored === undefined) return false;
      const hash = createHash("sha256");
      for await (const chunk of cipher === undefined ? stored : decrypted(cipher, stored, name))
        hash.update(chunk);
      return nameOf(hash.digest("hex")) === name;
    },
    async *openContent({ sha256, bytes }, signal) {
      const name = nameOf(sha256);
      const stored = await store.open(name, signal);
      if (stored === undefined) throw new DamagedError(`${name} is missing`);
      yield* verified(cipher === undefined ? stored : decrypted(cipher, stored, name), {
        name,
        sha256,
        bytes,
      });
    },
    async createSealed(name, bytes, signal) {
      return store.create(
        `${name}${suffix}`,
        cipher === undefined ? bytes : await cipher.seal(bytes),
        signal,
      );
    },
    async readSealed(name, signal) {
      const stored = await store.readBytes(`${name}${suffix}`, signal);
      if (stored === undefined || cipher === undefined) return stored;
      try {
        return await cipher.open(stored);
      } catch (cause) {
        if (cause instanceof CliError) throw cause;
        throw new DamagedError(`${name}${suffix} cannot be decrypted`, cause);
      }
    },
  };
}

/** Reads up to `smallBytes`; `rest` is there when there is more. */
async function withBeginning<T>(
  source: AsyncIterable<Uint8Array>,
  work: (beginning: Buffer, rest: AsyncIterator<Uint8Array> | undefined) => Promise<T>,
): Promise<T> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const read: Uint8Array[] = [];
    let bytes = 0;
    while (bytes <= smallBytes) {
      const next = await chunks.next();
      if (next.done === true) return await work(Buffer.concat(read), undefined);
      read.push(next.value);
      bytes += next.value.byteLength;
    }
    return await work(Buffer.concat(read), chunks);
  } finally {
    await chunks.return?.();
  }
}

async function* chained(beginning: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield beginning;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

interface Writing {
  readonly create: () => Promise<"created" | "exists">;
  readonly replace: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

interface Large {
  readonly cipher: Cipher | undefined;
  readonly spool: string;
  readonly signal: AbortSignal | undefined;
  /** Whether the file was written to the repository; false when it is there. */
  readonly put: (sha256: string, path: string) => Promise<boolean>;
}

/** By way of a file: the hash, which is the name, is known at the end only. What is encrypted lies in it encrypted. */
async function putLarge(
  source: AsyncIterable<Uint8Array>,
  { cipher, spool, signal, put }: Large,
): Promise<StoredContent> {
  await makeFolders(spool, 0o700);
  const path = join(spool, randomUUID());
  const hash = createHash("sha256");
  let bytes = 0;
  async function* hashed() {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  const file = await open(path, "wx", 0o600);
  try {
    let storedBytes = 0;
    for await (const chunk of cipher === undefined ? hashed() : await cipher.sealStream(hashed())) {
      await file.writeFile(chunk);
      storedBytes += chunk.byteLength;
    }
    const sha256 = hash.digest("hex");
    const isNew = await put(sha256, path);
    return { sha256, bytes, isNew, storedBytes: isNew ? storedBytes : 0 };
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function* decrypted(
  cipher: Cipher,
  stored: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  let unread: unknown;
  async function* read() {
    try {
      yield* stored;
    } catch (error) {
      unread = error;
      throw error;
    }
  }
  try {
    yield* await cipher.openStream(read());
  } catch (cause) {
    // A connection that broke says nothing of what is stored.
    if (unread !== undefined) throw unread;
    if (cause instanceof CliError) throw cause;
    throw new DamagedError(`${name} cannot be decrypted`, cause);
  }
}

/** Holds the last piece back until the whole is known to be right: who has read to the end has the right bytes. */
async function* verified(
  source: AsyncIterable<Uint8Array>,
  expected: { readonly name: string; readonly sha256: string; readonly bytes: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let read = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    hash.update(chunk);
    read += chunk.byteLength;
    if (read > expected.bytes) break;
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (read !== expected.bytes) {
    const [ended, whole] = twoSizes(read, expected.bytes);
    const how = read < expected.bytes ? `ends after ${ended} of ${whole}` : `has more than ${whole}`;
    throw new DamagedError(`${expected.name} ${how}`);
  }
  if (hash.digest("hex") !== expected.sha256)
    throw new DamagedError(`${expected.name} is not what was stored`);
  if (held !== undefined) yield held;
}
