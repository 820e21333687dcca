import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { nativeCreate } from "./create.ts";
import { nativeExport } from "./export.ts";
import { nativeList } from "./list.ts";
import { nativeRestore } from "./restore.ts";
import { nativeRm } from "./rm.ts";

/** `mawps backup native …`: backups that DynamoDB makes and keeps itself. */
export function backupNative(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("native").description("DynamoDB's own backups, and its export to S3");
  for (const verb of [nativeCreate, nativeList, nativeRestore, nativeExport, nativeRm])
    noun.addCommand(verb(begin));
  return noun;
}
