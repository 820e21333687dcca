import type { AnyCommand, Begin } from "../command.ts";
import { migrateDown } from "./down.ts";
import { migratePlan } from "./plan.ts";
import { migrateStatus } from "./status.ts";
import { migrateUp } from "./up.ts";

/** `mawps migrate …`: versioned changes of what is stored. */
export function migrate(noun: AnyCommand, begin: Begin): void {
  for (const verb of [migrateStatus, migratePlan, migrateUp, migrateDown]) noun.addCommand(verb(begin));
}
