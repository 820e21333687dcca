import type { AnyCommand, Begin } from "../program.ts";
import { backupCreate } from "./backup-create.ts";
import { backupDiff } from "./backup-diff.ts";
import { backupDrill } from "./backup-drill.ts";
import { backupList } from "./backup-list.ts";
import { backupNative } from "./backup-native.ts";
import { backupPitr } from "./backup-pitr.ts";
import { backupPrune } from "./backup-prune.ts";
import { backupRestore } from "./backup-restore.ts";
import { backupShow } from "./backup-show.ts";
import { backupVerify } from "./backup-verify.ts";

/** `mawps backup …`: backups, and what AWS keeps by itself. */
export function backup(noun: AnyCommand, begin: Begin): void {
  const verbs = [
    backupCreate,
    backupList,
    backupShow,
    backupVerify,
    backupDiff,
    backupDrill,
    backupRestore,
    backupPrune,
    backupPitr,
    backupNative,
  ];
  for (const verb of verbs) noun.addCommand(verb(begin));
}
