import { CliError } from "../../errors.ts";
import type { ReadTwin, TwinState } from "../../site/twin/store.ts";

/** @throws CliError when nothing is stored yet. */
export function currentTwin({ current, place }: ReadTwin): TwinState {
  if (current !== undefined) return current;
  throw new CliError(`there is no digital twin in ${place.table} yet`, {
    hint: "`mawps twin migrate <source>` brings it there",
  });
}
