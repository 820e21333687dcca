import { CliError, exitCodes } from "../../errors.ts";
import type { Usage } from "../../usage/measure.ts";
import type { Run } from "../run.ts";

/** Tells what inventories do not. */
export function tellOfInventories(run: Run, { inventories = [] }: Pick<Usage, "inventories">): void {
  for (const { bucket, id, isCurrentOnly, passedOver } of inventories) {
    if (passedOver.length > 0)
      run.note(`the inventory ${id} of ${bucket} of ${passedOver.join(", ")} is not complete yet`);
    if (isCurrentOnly)
      run.note(`the inventory ${id} of ${bucket} has no old versions and delete markers: not counted`);
  }
  if (inventories.length > 0)
    run.note("unfinished uploads are in no inventory: they are counted as they are now");
}

/**
 * Tells what a measuring did not count.
 * @throws CliError (partial) where something may not be looked at.
 */
export function tellWhatIsLeftOut(
  run: Run,
  { missing, failures }: Pick<Usage, "missing" | "failures">,
): void {
  if (missing.length > 0) run.note(`not there: ${missing.join(", ")}`);
  if (failures.length === 0) return;
  throw new CliError("not all could be looked at:", {
    exitCode: exitCodes.partial,
    details: failures.map(({ what, why }) => `${what}: ${why}`),
    hint: "docs/storage.md has the permissions that are needed, how inventories are ordered, and where servers are named",
  });
}
