import { resolve } from "node:path";
import type { Context, Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { modelHash } from "../model/hash.ts";
import { readNamedFile } from "../text-file.ts";
import { isRepository } from "./configuration.ts";
import { assertRecipient } from "./encryption.ts";
import { folderStore } from "./folder-store.ts";
import { namedPlace, placeOf } from "./place.ts";
import {
  ensureRepository,
  openAllowed,
  openRepository,
  type Making,
  type Repository,
  type Unlock,
} from "./repository.ts";
import { s3Store } from "./s3-store.ts";
import { keyText, passphraseIn } from "./secret-text.ts";
import type { Manifest } from "./snapshot.ts";
import { findSnapshot, readManifest, type SnapshotEntry } from "./snapshots.ts";
import type { Store } from "./store.ts";

/** The repository that is meant; nothing is made. */
export async function openBackups(context: Unconnected, repo: string | undefined): Promise<Repository> {
  const store = await storeOf(context, repo);
  const unlock = await unlockOf(context);
  const ask = context.backups.askPassphrase;
  const askPassphrase = ask && (() => askedPassphrase(ask, store));
  return openRepository(store, { ...unlock, askPassphrase }, context.signal);
}

type Wanted = Pick<Making, "beforeOpen"> & { readonly encryptTo?: readonly string[] | undefined };

/** The repository that is meant, made where there is none yet. */
export async function ensureBackups(
  context: Context,
  repo: string | undefined,
  wanted: Wanted,
): Promise<Repository> {
  const { store, unlock, making } = await makingOf(context, repo, wanted);
  return ensureRepository(store, unlock, making);
}

/** What `ensureBackups` looks at before it makes or opens a repository. */
export async function foreseeBackups(
  context: Context,
  repo: string | undefined,
  wanted: Wanted,
): Promise<void> {
  const { store, unlock, making } = await makingOf(context, repo, wanted);
  await openAllowed(store, unlock, making);
}

async function makingOf(
  context: Context,
  repo: string | undefined,
  { encryptTo = [], beforeOpen }: Wanted,
): Promise<{ readonly store: Store; readonly unlock: Unlock; readonly making: Making }> {
  const { backups, signal } = context;
  const { passphraseWork, encryptTo: configured } = backups;
  if (backups.passphrase === "") {
    // CI gives an empty text for a secret that is not there, and what should be encrypted would lie open.
    throw new CliError("MAWPS_BACKUP_PASSPHRASE is set, and empty", {
      hint: "look whether the secret that it comes from is there; unset the variable to do without a passphrase",
    });
  }
  const store = await storeOf(context, repo);
  const recipients = encryptTo.length > 0 || configured === undefined ? encryptTo : [configured];
  for (const recipient of recipients) await assertRecipient(recipient);
  const making = { now: context.now(), encryptTo: recipients, beforeOpen, passphraseWork, signal };
  return { store, unlock: await unlockOf(context), making };
}

/** Undefined for an empty answer: the repository is then looked at without its key. */
async function askedPassphrase(
  ask: (question: string) => Promise<string>,
  { where }: Store,
): Promise<string | undefined> {
  const answer = await ask(`Passphrase of the backups in ${where} (empty: without):`);
  return answer === "" ? undefined : passphraseIn(answer, "the answer");
}

/** Of a bucket alone the target is asked. */
export async function storeOf(context: Unconnected, repo: string | undefined): Promise<Store> {
  const place = placeOf(context, repo);
  return "folder" in place ? folderStore(place.folder) : s3Store(await context.connect(), place);
}

/** Where backups lie without being named by a flag; undefined where none were ever made. */
export async function madeStore(context: Unconnected): Promise<Store | undefined> {
  if (namedPlace(context) === undefined) return undefined;
  const store = await storeOf(context, undefined);
  return (await isRepository(store, context.signal)) ? store : undefined;
}

async function unlockOf(context: Pick<Unconnected, "backups" | "randomHex">): Promise<Unlock> {
  const { backups } = context;
  const { identityFile, passphraseFile, passphrase: inEnvironment, spool } = backups;
  const fromFile =
    passphraseFile === undefined
      ? undefined
      : passphraseIn(await textOf(backups, passphraseFile, "backup.passphraseFile"), passphraseFile);
  const passphrase =
    inEnvironment === "" || inEnvironment === undefined
      ? fromFile
      : passphraseIn(inEnvironment, "MAWPS_BACKUP_PASSPHRASE");
  return {
    spool,
    randomHex: (bytes) => context.randomHex(bytes),
    ...(identityFile === undefined
      ? {}
      : { identity: await textOf(backups, identityFile, "backup.identityFile") }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** Many identities, each with its comments. */
const mostKeyBytes = 1_000_000;

async function textOf({ cwd }: Unconnected["backups"], path: string, setting: string): Promise<string> {
  const hint = `${setting} names it`;
  const named = { what: "a file with a key", mostBytes: mostKeyBytes, takesPipes: true, hint };
  const read = await readNamedFile(resolve(cwd, path), named);
  if (read === undefined) throw new CliError(`${path} does not exist`, { exitCode: exitCodes.usage, hint });
  return keyText(read, path);
}

/** Of backups that count for nothing, where there are some. */
export function tellAhead(context: Pick<Unconnected, "warn">, ahead: readonly string[]): void {
  if (ahead.length === 0) return;
  context.warn(
    `dated in the future, and counted for nothing: ${firstOf(ahead)}; somebody else made them, or this clock is wrong`,
  );
}

/** Of backups that take no other's place, where there are some. */
export function tellLate(context: Pick<Unconnected, "warn">, late: readonly string[]): void {
  if (late.length === 0) return;
  context.warn(
    `written long after their own date, and in no other's place: ${firstOf(late)}; copied here, or made by somebody else`,
  );
}

function firstOf([first = "", ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The backup that is meant, and its manifest. */
export async function chosenSnapshot(
  context: Pick<Unconnected, "signal" | "now">,
  repository: Repository,
  wanted: string,
): Promise<{ readonly entry: SnapshotEntry; readonly manifest: Manifest }> {
  const { signal } = context;
  const entry = await findSnapshot(repository, wanted, { now: context.now(), signal });
  return { entry, manifest: await readManifest(repository, entry.id, signal) };
}

/** What another site keeps has other kinds of things, whatever its tables are called. */
export function refuseOtherModel(
  context: Pick<Unconnected, "model" | "note">,
  { id, model, modelHash: hash }: Manifest,
): void {
  const here = context.model;
  if (model !== here.name) {
    throw new CliError(
      `the backup ${id} is of ${model}, and the model here is that of ${here.name}; nothing was changed`,
      {
        hint: 'the setting "model" chooses another; --repo another repository',
      },
    );
  }
  if (hash !== undefined && hash !== modelHash(here))
    context.note(`the model of ${here.name} has changed since the backup ${id} was made`);
}
