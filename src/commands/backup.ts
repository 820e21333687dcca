import type { AnyCommand, Begin } from "../program.ts";
import { backupCreate } from "./backup-create.ts";
import { backupDiff } from "./backup-diff.ts";
import { backupNative } from "./backup-native.ts";
import { backupPitr } from "./backup-pitr.ts";
import { backupPrune } from "./backup-prune.ts";
import { backupRestore } from "./backup-restore.ts";

/** `mawps backup …`: backups, and what AWS keeps by itself. */
export function backup(noun: AnyCommand, begin: Begin): void {
  for (const verb of [backupCreate, backupRestore, backupDiff, backupPrune, backupPitr, backupNative])
    noun.addCommand(verb(begin));
}
