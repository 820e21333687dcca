import { InvalidArgumentError } from "@commander-js/extra-typings";

/** `--repo <place>` of every verb that works with backups. */
export const repoFlag = [
  "--repo <place>",
  "a folder, or s3://bucket/prefix (default: backup.repository)",
] as const;

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
