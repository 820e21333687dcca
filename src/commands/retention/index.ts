import type { AnyCommand, Begin } from "../command.ts";
import { retentionCheck } from "./check.ts";
import { retentionPlan } from "./plan.ts";
import { retentionRecheck } from "./recheck.ts";
import { retentionRun } from "./run.ts";

/** `mawps retention …`: what is due to be deleted. */
export function retention(noun: AnyCommand, begin: Begin): void {
  for (const verb of [retentionPlan, retentionRun, retentionRecheck, retentionCheck])
    noun.addCommand(verb(begin));
}
