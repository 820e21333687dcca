import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../program.ts";
import { nativeCreate } from "./backup-native-create.ts";
import { nativeExport } from "./backup-native-export.ts";
import { nativeList } from "./backup-native-list.ts";
import { nativeRestore } from "./backup-native-restore.ts";
import { nativeRm } from "./backup-native-rm.ts";

/** `mawps backup native …`: backups that DynamoDB makes and keeps itself. */
export function backupNative(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("native").description("DynamoDB's own backups, and its export to S3");
  for (const verb of [nativeCreate, nativeList, nativeRestore, nativeExport, nativeRm])
    noun.addCommand(verb(begin));
  return noun;
}
