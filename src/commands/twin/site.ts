import { CliError } from "../../errors.ts";
import type { TwinSite } from "../../site/twin/site.ts";
import type { ReadTwin, TwinState } from "../../site/twin/store.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";

/** Opens the target for the digital twin as configured. */
export async function twinSite(run: Run, access: Access): Promise<TwinSite> {
  return {
    aws: await run.aws(access),
    profileTable: run.config["tables.userProfiles"],
    twinTable: run.config["tables.digitalTwin"],
    signal: run.world.signal,
  };
}

/** @throws CliError when nothing is stored yet. */
export function currentTwin({ current, place }: ReadTwin): TwinState {
  if (current !== undefined) return current;
  throw new CliError(`there is no digital twin in ${place.table} yet`, {
    hint: "`mawps twin migrate <source>` brings it there",
  });
}
