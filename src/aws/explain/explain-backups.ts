import type { Explanation, Facts } from "./facts.ts";

/**
 * What DynamoDB says about its own backups, recovery and exports. Its words for a missing table differ there from those
 * for items.
 */
export function explainBackups({ name, message, origin }: Facts): Explanation | undefined {
  if (origin?.service !== "dynamodb") return undefined;
  switch (name) {
    case "TableNotFoundException":
      return [
        `${origin.table === undefined ? "the table" : `table ${origin.table}`} does not exist`,
        "Check its name, the region and the profile; a deleted table comes back from a backup: `mawps backup native list`.",
      ];
    case "BackupNotFoundException":
      return ["DynamoDB has no such backup", "mawps backup native list shows those it has."];
    case "ExportNotFoundException":
      return ["DynamoDB knows no such export", "It forgets them after 90 days; the files in S3 stay."];
    case "PointInTimeRecoveryUnavailableException":
      return [
        "point-in-time recovery of the table is off",
        "Switch it on: `mawps backup pitr enable`. It reaches back to that moment, not before.",
      ];
    case "ContinuousBackupsUnavailableException":
      return ["the table is too new: DynamoDB is not ready to back it up", "Try again in a minute."];
    case "InvalidRestoreTimeException":
    case "InvalidExportTimeException":
      return [
        `DynamoDB does not have that moment: ${message}`,
        "mawps backup pitr status shows from when to when it reaches.",
      ];
    case "TableAlreadyExistsException":
      return [
        "a table of that name already exists; nothing was changed",
        "Name a table that does not exist: what is there is never overwritten.",
      ];
    case "TableInUseException":
    case "BackupInUseException":
      return ["DynamoDB is busy with this table or backup", "Try again in some minutes."];
    case "ExportConflictException":
      return [
        "another export was begun with the same token",
        "Try again in some hours, or with another place.",
      ];
    default:
      return undefined;
  }
}
