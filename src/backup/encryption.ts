import { CliError, exitCodes } from "../errors.ts";
import { DamagedError } from "./damage.ts";

/** Loaded where something is encrypted: most repositories are not, and it is a tenth of what a command on a backup runs. */
const age = () => import("age-encryption");

/** What opens an encrypted repository. */
export interface Keys {
  /** Text of an age identity file. */
  readonly identity?: string;
  readonly passphrase?: string;
  /** Asks for the passphrase, where neither is given and one opens the repository. Undefined: it is not told. */
  readonly askPassphrase?: (() => Promise<string | undefined>) | undefined;
}

/** Encrypts to the recipients of a repository as age does: https://age-encryption.org/v1 */
export interface Cipher {
  /** Whether an identity is at hand. Without one a backup can be written, and nothing read. */
  readonly canRead: boolean;
  seal(plain: Uint8Array): Promise<Buffer>;
  sealStream(plain: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
  /** Rejects when a byte of it was changed, or it ends too early. */
  open(sealed: Uint8Array): Promise<Buffer>;
  openStream(sealed: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
}

export async function ageCipher(
  recipients: readonly string[],
  identities: readonly string[],
): Promise<Cipher> {
  const { Decrypter, Encrypter } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const decrypter = () => {
    if (identities.length === 0) {
      throw new CliError("the repository is encrypted and there is nothing to open it with", {
        hint: "set backup.identityFile, backup.passphraseFile or MAWPS_BACKUP_PASSPHRASE",
      });
    }
    const made = new Decrypter();
    for (const identity of identities) made.addIdentity(identity);
    return made;
  };
  return {
    canRead: identities.length > 0,
    seal: async (plain) => asBuffer(await encrypter.encrypt(plain)),
    sealStream: async (plain) => encrypter.encrypt(ReadableStream.from(plain)),
    async open(sealed) {
      const made = decrypter();
      assertHeader(sealed, sealed.byteLength);
      return asBuffer(await made.decrypt(sealed));
    },
    openStream: async (sealed) => decrypter().decrypt(ReadableStream.from(withHeader(sealed))),
  };
}

/** Room for some 500 recipients. Every one that a header names is tried, which takes its time. */
const mostHeaderBytes = 64 * 1024;

/** Passes a stream on once its header has come to an end. @throws DamagedError when it does not, within bounds. */
async function* withHeader(sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of sealed) {
    if (beginning === undefined) {
      yield chunk;
      continue;
    }
    beginning = Buffer.concat([beginning, chunk]);
    if (beginning.length < mostHeaderBytes && !beginning.includes(endOfHeader)) continue;
    assertHeader(beginning, beginning.length);
    yield beginning;
    beginning = undefined;
  }
  if (beginning !== undefined) yield beginning;
}

/** The line with the header's MAC: https://age-encryption.org/v1 */
const endOfHeader = "\n--- ";

function assertHeader(sealed: Uint8Array, bytes: number): void {
  const beginning = Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(bytes, mostHeaderBytes));
  if (bytes < mostHeaderBytes || beginning.includes(endOfHeader)) return;
  throw new DamagedError(`the header of an encrypted file is longer than ${mostHeaderBytes / 1024} KiB`);
}

/**
 * A repository's own identity, and the same encrypted with a passphrase, as `age --passphrase` does.
 * @param work base-2 logarithm of what one guess of the passphrase costs; default age's own, 18: two seconds.
 */
export async function newIdentity(
  passphrase: string,
  work?: number,
): Promise<{ identity: string; recipient: string; sealed: Buffer }> {
  const { Encrypter, generateX25519Identity, identityToRecipient } = await age();
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  if (work !== undefined) encrypter.setScryptWorkFactor(work);
  encrypter.setPassphrase(passphrase);
  const sealed = asBuffer(await encrypter.encrypt(`${identity}\n`));
  return { identity, recipient: await identityToRecipient(identity), sealed };
}

/** Opens what `newIdentity` sealed. */
export async function unlockIdentity(sealed: Uint8Array, passphrase: string): Promise<string> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return (await decrypter.decrypt(sealed, "text")).trim();
  } catch (cause) {
    throw new CliError("the passphrase does not open the repository", { cause });
  }
}

/**
 * The identities in a file as `age-keygen` writes it, for a repository with these recipients.
 * @throws CliError when the file holds none, or none of the repository's.
 */
export async function identitiesIn(text: string, recipients: readonly string[]): Promise<string[]> {
  const found = text.split(/\r?\n/).filter((line) => /^AGE-SECRET-KEY-1/i.test(line.trim()));
  if (found.length === 0) {
    throw new CliError("the identity file holds no age identity", {
      hint: "a line that begins with AGE-SECRET-KEY-1, as age-keygen writes it",
    });
  }
  const identities = found.map((line) => line.trim());
  const own = await Promise.all(
    identities.map(async (identity) => recipients.includes(await recipientOf(identity))),
  );
  const fitting = identities.filter((_, at) => own[at]);
  if (fitting.length > 0) return fitting;
  throw new CliError("the identity file opens another repository than this one", {
    hint: `this one is encrypted to ${recipients.join(", ")}`,
  });
}

/** @throws CliError unless the text is an age recipient for X25519. */
export async function assertRecipient(text: string): Promise<void> {
  const { Encrypter } = await age();
  try {
    new Encrypter().addRecipient(text);
  } catch (cause) {
    throw new CliError(`${JSON.stringify(text)} is no age recipient`, {
      exitCode: exitCodes.usage,
      hint: "age1..., as `age-keygen -y identity.txt` prints it",
      cause,
    });
  }
}

/** @throws CliError when it is none. */
export async function recipientOf(identity: string): Promise<string> {
  const { identityToRecipient } = await age();
  try {
    return await identityToRecipient(identity);
  } catch (cause) {
    throw new CliError("an identity in the identity file is misspelt", { cause });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
