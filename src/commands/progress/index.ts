import type { AnyCommand, Begin } from "../command.ts";
import { progressExport } from "./export.ts";
import { progressImport } from "./import.ts";
import { progressRecompute } from "./recompute.ts";
import { progressShow } from "./show.ts";
import { progressStats } from "./stats.ts";

/** `mawps progress …`: how the users get on. */
export function progress(noun: AnyCommand, begin: Begin): void {
  for (const verb of [progressShow, progressStats, progressExport, progressImport, progressRecompute]) {
    noun.addCommand(verb(begin));
  }
}
