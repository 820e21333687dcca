import type { AnyCommand, Begin } from "../command.ts";
import { backupCreate } from "./create.ts";
import { backupDiff } from "./diff.ts";
import { backupDrill } from "./drill.ts";
import { backupList } from "./list.ts";
import { backupNative } from "./native/index.ts";
import { backupPitr } from "./pitr/index.ts";
import { backupPrune } from "./prune.ts";
import { backupRestore } from "./restore.ts";
import { backupShow } from "./show.ts";
import { backupVerify } from "./verify.ts";

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
