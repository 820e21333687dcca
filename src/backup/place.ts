import { resolve } from "node:path";
import type { Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";

/** A folder, or a prefix of a bucket. */
export type RepositoryPlace =
  | { readonly folder: string }
  | { readonly bucket: string; readonly prefix: string };

/**
 * Where the repository lies: flag, setting, or for the local store a folder in it.
 * @throws CliError (usage) for what is no place for backups.
 */
export function placeOf(
  { backups, declaration }: Pick<Unconnected, "backups" | "declaration">,
  repo: string | undefined,
): RepositoryPlace {
  const place = repo ?? backups.repository;
  if (place === undefined) {
    if (backups.besideStore !== undefined) return { folder: backups.besideStore };
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
  if (!place.startsWith("s3:")) return { folder: resolve(backups.cwd, place) };
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(place) ?? [];
  if (bucket === undefined)
    throw new CliError(`${place} is no s3://bucket/prefix`, { exitCode: exitCodes.usage });
  if (prefix === "" || /(^|\/)\.{0,2}(\/|$)/.test(prefix.replace(/\/$/, ""))) {
    throw new CliError(`${place} names no prefix of its own for the backups`, {
      exitCode: exitCodes.usage,
      hint: `for example s3://${bucket}/backups`,
    });
  }
  if (declaration.buckets.some(({ name, access }) => name === bucket && access === "public")) {
    throw new CliError(`bucket ${bucket} is public: anybody could read the backups`, {
      exitCode: exitCodes.usage,
      hint: "name a private bucket, best in another account",
    });
  }
  return { bucket, prefix };
}

/** The same without a flag; undefined where none is named. */
export function namedPlace(
  context: Pick<Unconnected, "backups" | "declaration">,
): RepositoryPlace | undefined {
  const { repository, besideStore } = context.backups;
  return repository === undefined && besideStore === undefined ? undefined : placeOf(context, undefined);
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

/** For messages: `s3://bucket/prefix/`, or the folder. */
export function placeText(place: RepositoryPlace): string {
  return "folder" in place ? place.folder : `s3://${place.bucket}/${prefixOf(place)}`;
}

/** With the `/` behind which the files are; empty for the whole bucket. */
export function prefixOf({ prefix }: { readonly prefix: string }): string {
  return prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`;
}
