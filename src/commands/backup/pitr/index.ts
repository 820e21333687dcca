import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { pitrEnable } from "./enable.ts";
import { pitrRestore } from "./restore.ts";
import { pitrStatus } from "./status.ts";

/** `mawps backup pitr …`: point-in-time recovery: DynamoDB's own, and by MySQL's binary log. */
export function backupPitr(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("pitr").description(
    "point-in-time recovery: DynamoDB's own, and by MySQL's binary log",
  );
  noun.addCommand(pitrStatus(begin), { isDefault: true });
  for (const verb of [pitrEnable, pitrRestore]) noun.addCommand(verb(begin));
  return noun;
}
