import { InvalidArgumentError } from "@commander-js/extra-typings";
import { readNamedFile } from "../../text-file.ts";
import { join, resolve } from "node:path";
import { isDenied } from "../../aws/setting.ts";
import { isRepository } from "../../backup/configuration.ts";
import { assertRecipient } from "../../backup/encryption.ts";
import { folderStore } from "../../backup/folder-store.ts";
import {
  ensureRepository,
  openAllowed,
  openRepository,
  type Making,
  type Repository,
  type Unlock,
} from "../../backup/repository.ts";
import { keyText, passphraseIn } from "../../backup/secret-text.ts";
import type { Manifest } from "../../backup/snapshot.ts";
import { findSnapshot, readManifest, type SnapshotEntry } from "../../backup/snapshots.ts";
import { s3Store } from "../../backup/s3-store.ts";
import type { Store } from "../../backup/store.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { explainSystem } from "../../explain-system.ts";
import { configuredSite, besideServices, storeFolder } from "../../target.ts";
import { modelHash } from "../../model/hash.ts";
import { visible } from "../../output/text.ts";
import type { Run } from "../run.ts";

/** `--repo <place>` of every verb that works with backups. */
export const repoFlag = [
  "--repo <place>",
  "a folder, or s3://bucket/prefix (default: backup.repository)",
] as const;

/** The repository that is meant; nothing is made. */
export async function openBackups(run: Run, repo: string | undefined): Promise<Repository> {
  const store = await storeOf(run, repo, "reads");
  const unlock = await unlockOf(run);
  const askPassphrase = run.interactive ? () => askedPassphrase(run, store) : undefined;
  return openRepository(store, { ...unlock, askPassphrase }, run.world.signal);
}

type Wanted = Pick<Making, "encryptTo" | "beforeOpen">;

/** The repository that is meant, made where there is none yet. */
export async function ensureBackups(run: Run, repo: string | undefined, wanted: Wanted): Promise<Repository> {
  const { store, unlock, making } = await makingOf(run, { repo, access: "writes" }, wanted);
  return ensureRepository(store, unlock, making);
}

/** What `ensureBackups` looks at before it makes or opens a repository. */
export async function foreseeBackups(run: Run, repo: string | undefined, wanted: Wanted): Promise<void> {
  const { store, unlock, making } = await makingOf(run, { repo, access: "reads" }, wanted);
  await openAllowed(store, unlock, making);
}

async function makingOf(
  run: Run,
  { repo, access }: { readonly repo: string | undefined; readonly access: "reads" | "writes" },
  { encryptTo = [], beforeOpen }: Wanted,
): Promise<{ readonly store: Store; readonly unlock: Unlock; readonly making: Making }> {
  if (run.world.env["MAWPS_BACKUP_PASSPHRASE"] === "") {
    // CI gives an empty text for a secret that is not there, and what should be encrypted would lie open.
    throw new CliError("MAWPS_BACKUP_PASSPHRASE is set, and empty", {
      hint: "look whether the secret that it comes from is there; unset the variable to do without a passphrase",
    });
  }
  const store = await storeOf(run, repo, access);
  const configured = run.config.backup.encryptTo;
  const recipients = encryptTo.length > 0 || configured === undefined ? encryptTo : [configured];
  for (const recipient of recipients) assertRecipient(recipient);
  const { world } = run;
  const { passphraseWork, signal } = world;
  const making = { now: world.now(), encryptTo: recipients, beforeOpen, passphraseWork, signal };
  return { store, unlock: await unlockOf(run), making };
}

/** Undefined for an empty answer: the repository is then looked at without its key. */
async function askedPassphrase({ world }: Run, { where }: Store): Promise<string | undefined> {
  const answer = await world.prompts.password(`Passphrase of the backups in ${where} (empty: without):`);
  return answer === "" ? undefined : passphraseIn(answer, "the answer");
}

/** Folder for what is on its way: contents too large for the memory, whole files of an export. */
export function spoolFolder({ world }: Run): string {
  return join(world.home, ".cache", "mawps", "spool");
}

/** Of age keys that tell what a broken-off backup in an encrypted repository has done. */
export function keyFolder({ world }: Run): string {
  return join(world.home, ".cache", "mawps", "backups");
}

/** A folder, or a prefix of a bucket. */
export type RepositoryPlace =
  | { readonly folder: string }
  | { readonly bucket: string; readonly prefix: string };

/**
 * Where the repository lies: flag, setting, or for the local store a folder in it.
 * @throws CliError (usage) for what is no place for backups.
 */
export function placeOf({ config, world }: Run, repo: string | undefined): RepositoryPlace {
  const place = repo ?? config.backup.repository;
  if (place === undefined) {
    if (config.target === "local")
      return { folder: join(storeFolder(config, world), besideServices.backups) };
    throw new CliError("no repository for backups is named", {
      exitCode: exitCodes.usage,
      hint: "pass --repo, or set backup.repository (MAWPS_BACKUP_REPOSITORY): a folder or s3://bucket/prefix",
    });
  }
  if (place.trim() === "") {
    throw new CliError("--repo is empty", {
      exitCode: exitCodes.usage,
      hint: "look at the variable that it comes from; . is the current folder",
    });
  }
  // A mistyped or unknown kind of address would be taken for a folder here, and thrown away with the machine of a CI.
  if (!place.startsWith("s3:") && /^[a-z][a-z\d+.-]+:\//i.test(place)) {
    throw new CliError(`${place} is neither a folder nor s3://bucket/prefix`, { exitCode: exitCodes.usage });
  }
  if (!place.startsWith("s3:")) return { folder: resolve(world.cwd, place) };
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(place) ?? [];
  if (bucket === undefined)
    throw new CliError(`${place} is no s3://bucket/prefix`, { exitCode: exitCodes.usage });
  if (prefix === "" || /(^|\/)\.{0,2}(\/|$)/.test(prefix.replace(/\/$/, ""))) {
    throw new CliError(`${place} names no prefix of its own for the backups`, {
      exitCode: exitCodes.usage,
      hint: `for example s3://${bucket}/backups`,
    });
  }
  if (configuredSite(config).buckets.some(({ name, access }) => name === bucket && access === "public")) {
    throw new CliError(`bucket ${bucket} is public: anybody could read the backups`, {
      exitCode: exitCodes.usage,
      hint: "name a private bucket, best in another account",
    });
  }
  return { bucket, prefix };
}

/** @throws CliError (usage) for a bucket that is backed up itself: each backup would hold all those before it. */
export function assertOutside(place: RepositoryPlace, buckets: readonly { readonly name: string }[]): void {
  if ("folder" in place || !buckets.some(({ name }) => name === place.bucket)) return;
  throw new CliError(
    `bucket ${place.bucket} is to be backed up: backups in it would hold the backups before`,
    {
      exitCode: exitCodes.usage,
      hint: "name another bucket, best in another account; or leave this one out with --only",
    },
  );
}

export async function storeOf(
  run: Run,
  repo: string | undefined,
  access: "reads" | "writes",
): Promise<Store> {
  const place = placeOf(run, repo);
  return "folder" in place ? folderStore(place.folder) : s3Store(await run.aws(access), place);
}

/** Where backups lie without being named by a flag; undefined where none were ever made. */
export async function madeStore(run: Run, access: "reads" | "writes"): Promise<Store | undefined> {
  const { config, world } = run;
  if (config.backup.repository === undefined && config.target !== "local") return undefined;
  const store = await storeOf(run, undefined, access);
  return (await isRepository(store, world.signal)) ? store : undefined;
}

async function unlockOf(run: Run): Promise<Unlock> {
  const { config, world } = run;
  const identityFile = config.backup.identityFile;
  const passphraseFile = config.backup.passphraseFile;
  const inEnvironment = world.env["MAWPS_BACKUP_PASSPHRASE"];
  const fromFile =
    passphraseFile === undefined
      ? undefined
      : passphraseIn(await textOf(run, passphraseFile, "backup.passphraseFile"), passphraseFile);
  const passphrase =
    inEnvironment === "" || inEnvironment === undefined
      ? fromFile
      : passphraseIn(inEnvironment, "MAWPS_BACKUP_PASSPHRASE");
  return {
    spool: spoolFolder(run),
    randomHex: (bytes) => world.randomHex(bytes),
    ...(identityFile === undefined
      ? {}
      : { identity: await textOf(run, identityFile, "backup.identityFile") }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** Many identities, each with its comments. */
const mostKeyBytes = 1_000_000;

async function textOf({ world }: Run, path: string, setting: string): Promise<string> {
  const hint = `${setting} names it`;
  const named = { what: "a file with a key", mostBytes: mostKeyBytes, takesPipes: true, hint };
  const read = await readNamedFile(resolve(world.cwd, path), named);
  if (read === undefined) throw new CliError(`${path} does not exist`, { exitCode: exitCodes.usage, hint });
  return keyText(read, path);
}

/**
 * Keeps what a look at a backup has found, by `keep`. What was found counts as well where the repository can only be read:
 * then this is false, after a warning.
 */
export async function keepOutcome(run: Run, keep: () => Promise<void>): Promise<boolean> {
  try {
    await keep();
    return true;
  } catch (error) {
    const why = isDenied(error) ? "writing to it is denied" : explainSystem(error)?.message;
    if (why === undefined) throw error;
    run.warn(`the outcome cannot be kept in the repository, and is in no list: ${why}`);
    return false;
  }
}

/** The argument of every verb that works with one backup, and its explanation. */
export const snapshotArgument = [
  "[snapshot]",
  "latest, yesterday, a day such as 2026-11-28, or an id as `mawps backup list` shows it, or its beginning",
] as const;

/** `latest`, a day, a whole id of a snapshot or its beginning. */
export function snapshotName(text: string): string {
  if (/^(latest|today|yesterday|\d{4}-\d\d-\d\d|\d[\dTZ]*(-[\da-f]*)?)$/.test(text)) return text;
  throw new InvalidArgumentError(
    "expected latest, yesterday, a day such as 2026-11-28, or the id that `mawps backup list` shows.",
  );
}

/** Of backups that count for nothing, where there are some. */
export function tellAhead(run: Run, ahead: readonly string[]): void {
  if (ahead.length === 0) return;
  run.warn(
    `dated in the future, and counted for nothing: ${firstOf(ahead)}; somebody else made them, or this clock is wrong`,
  );
}

/** Of backups that take no other's place, where there are some. */
export function tellLate(run: Run, late: readonly string[]): void {
  if (late.length === 0) return;
  run.warn(
    `written long after their own date, and in no other's place: ${firstOf(late)}; copied here, or made by somebody else`,
  );
}

function firstOf([first = "", ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The backup that is meant, and its manifest. */
export async function chosenSnapshot(
  { world }: Run,
  repository: Repository,
  wanted: string,
): Promise<{ readonly entry: SnapshotEntry; readonly manifest: Manifest }> {
  const { signal } = world;
  const entry = await findSnapshot(repository, wanted, { now: world.now(), signal });
  return { entry, manifest: await readManifest(repository, entry.id, signal) };
}

/** What another site keeps has other kinds of things, whatever its tables are called. */
export function refuseOtherModel(run: Run, { id, model, modelHash: hash }: Manifest): void {
  const { site } = run.config;
  if (model !== site.name) {
    throw new CliError(
      visible(
        `the backup ${id} is of ${model}, and the model here is that of ${site.name}; nothing was changed`,
      ),
      {
        hint: 'the setting "model" chooses another; --repo another repository',
      },
    );
  }
  if (hash !== undefined && hash !== modelHash(site))
    run.note(`the model of ${site.name} has changed since the backup ${id} was made`);
}
