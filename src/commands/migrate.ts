import type { AnyCommand, Begin } from "../program.ts";
import { migrateDown } from "./migrate-down.ts";
import { migratePlan } from "./migrate-plan.ts";
import { migrateStatus } from "./migrate-status.ts";
import { migrateUp } from "./migrate-up.ts";

/** `mawps migrate …`: versioned changes of what is stored. */
export function migrate(noun: AnyCommand, begin: Begin): void {
  for (const verb of [migrateStatus, migratePlan, migrateUp, migrateDown]) noun.addCommand(verb(begin));
}
