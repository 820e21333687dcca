import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { pitrEnable } from "./enable.ts";
import { pitrRestore } from "./restore.ts";
import { pitrStatus } from "./status.ts";

/** `mawps backup pitr …`: DynamoDB's own point-in-time recovery. */
export function backupPitr(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("pitr").description("DynamoDB's own point-in-time recovery");
  noun.addCommand(pitrStatus(begin), { isDefault: true });
  for (const verb of [pitrEnable, pitrRestore]) noun.addCommand(verb(begin));
  return noun;
}
