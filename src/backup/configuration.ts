import { CliError } from "../errors.ts";
import { isRecord } from "../model/json.ts";
import { DamagedError } from "./damage.ts";
import { identitiesIn, newIdentity, recipientOf, unlockIdentity, type Keys } from "./encryption.ts";
import type { Store, StoredFile } from "./store.ts";

const configName = "mawps-repository.json";
const identityName = "keys/identity.age";

/** What a repository is, in `mawps-repository.json`; the same from its first day on. */
export interface Configuration {
  readonly format: 1;
  readonly id: string;
  readonly createdAt: string;
  readonly encryption: "none" | "age";
  readonly recipients: readonly string[];
  readonly nameSalt: string;
  readonly erasureSalt: string;
}

interface New {
  readonly now: Date;
  readonly encryptTo?: readonly string[];
  readonly passphraseWork?: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes the configuration of a new repository, and before it the repository's own key where there is a passphrase. What
 * is there already stays.
 */
export async function createConfiguration(
  store: Store,
  { passphrase, randomHex }: Pick<Keys, "passphrase"> & { randomHex(this: void, bytes: number): string },
  { now, encryptTo = [], passphraseWork, signal }: New,
): Promise<void> {
  const recipients = [...encryptTo];
  if (passphrase !== undefined)
    recipients.push(await ownRecipient(store, passphrase, { passphraseWork, signal }));
  const made: Configuration = {
    format: 1,
    id: randomHex(16),
    createdAt: now.toISOString(),
    encryption: recipients.length > 0 ? "age" : "none",
    recipients,
    nameSalt: randomHex(16),
    erasureSalt: randomHex(16),
  };
  await store.create(configName, Buffer.from(`${JSON.stringify(made, undefined, 2)}\n`), signal);
}

/** Makes the repository's own key. One that is there already was left by a command that died before the configuration. */
async function ownRecipient(
  store: Store,
  passphrase: string,
  { passphraseWork, signal }: Pick<New, "passphraseWork" | "signal">,
): Promise<string> {
  const { recipient, sealed } = await newIdentity(passphrase, passphraseWork);
  if ((await store.create(identityName, sealed, signal)) === "created") return recipient;
  const left = await store.readBytes(identityName, signal);
  if (left === undefined) return ownRecipient(store, passphrase, { passphraseWork, signal });
  return recipientOf(await unlockIdentity(left, passphrase));
}

/**
 * Undefined when there is none.
 * @throws DamagedError when it is none; CliError for another format.
 */
export async function readConfiguration(
  store: Store,
  signal?: AbortSignal,
): Promise<Configuration | undefined> {
  const bytes = await store.readBytes(configName, signal);
  if (bytes === undefined) return undefined;
  const found = parsed(bytes);
  if (!isConfiguration(found)) {
    throw new DamagedError(`${configName} at ${store.where} is no description of a repository`);
  }
  if (found.format !== 1) {
    throw new CliError(`the repository at ${store.where} has format ${String(found.format)}`, {
      hint: "this version of mawps knows format 1; a newer one may know it",
    });
  }
  return found;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function isConfiguration(value: unknown): value is Configuration {
  return (
    isRecord(value) &&
    typeof value["format"] === "number" &&
    typeof value["id"] === "string" &&
    (value["encryption"] === "none" || value["encryption"] === "age") &&
    Array.isArray(value["recipients"]) &&
    typeof value["nameSalt"] === "string" &&
    typeof value["erasureSalt"] === "string"
  );
}

/**
 * The identities that open a repository with these recipients; none without keys.
 * @throws CliError when the keys are not its keys.
 */
export async function unlockedIdentities(
  store: Store,
  recipients: readonly string[],
  { identity, passphrase, askPassphrase, signal }: Keys & { readonly signal?: AbortSignal },
): Promise<string[]> {
  if (identity !== undefined) return identitiesIn(identity, recipients);
  if (passphrase === undefined && askPassphrase === undefined) return [];
  const sealed = await store.readBytes(identityName, signal);
  if (passphrase === undefined) {
    const told = sealed === undefined ? undefined : await askPassphrase?.();
    return told === undefined ? [] : unlockedIdentities(store, recipients, { passphrase: told, signal });
  }
  if (sealed === undefined) {
    throw new CliError(`no passphrase opens the repository at ${store.where}`, {
      hint: `it is encrypted to ${recipients.join(", ")}; backup.identityFile names the file with the identity`,
    });
  }
  return identitiesIn(await unlockIdentity(sealed, passphrase), recipients);
}

/** Whether a repository was made there. */
export async function isRepository(store: Store, signal?: AbortSignal): Promise<boolean> {
  return (await store.stat(configName, signal)) !== undefined;
}

/** Folders of a repository, as its files are named. A folder that is one may have other files, too. */
const repositoryFolders = [
  "keys/",
  "data/",
  "snapshots/",
  "checks/",
  "pending/",
  "damaged/",
  "erasures/",
  "locks/",
] as const;

/** The files of a repository that was made there, in bounded memory. */
export async function* repositoryFiles(store: Store, signal?: AbortSignal): AsyncGenerator<StoredFile> {
  const made = await store.stat(configName, signal);
  if (made === undefined) return;
  yield made;
  for (const folder of repositoryFolders) yield* store.list(folder, signal);
}
