import type { AnyCommand, Begin } from "../program.ts";
import { progressExport } from "./progress-export.ts";
import { progressImport } from "./progress-import.ts";
import { progressRecompute } from "./progress-recompute.ts";
import { progressShow } from "./progress-show.ts";
import { progressStats } from "./progress-stats.ts";

/** `mawps progress …`: how the users get on. */
export function progress(noun: AnyCommand, begin: Begin): void {
  for (const verb of [progressShow, progressStats, progressExport, progressImport, progressRecompute]) {
    noun.addCommand(verb(begin));
  }
}
