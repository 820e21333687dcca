import type { Context } from "../../context.ts";
import type { FieldChange } from "../../site/twin/difference.ts";
import type { MigrationPlan } from "../../site/twin/migration-plan.ts";
import type { ReadTwin, TwinWrite } from "../../site/twin/store.ts";
import type { Run } from "../run.ts";
import { changesText, toldChanges } from "./changes.ts";

type Write = Omit<Extract<MigrationPlan, { action: "write" }>, "action">;

/** How a change of the twin ended, or with `--dry-run` would end. */
export interface TwinOutcome {
  readonly changed: boolean;
  readonly table: string;
  /** Of the state that is current afterwards; null where there is none. */
  readonly version: number | null;
  /** Paths of the fields that differ. */
  readonly changes: readonly { readonly path: string; readonly kind: FieldChange["kind"] }[];
}

/** Shows the difference and writes the planned state. With `--dry-run` only the difference is shown. */
export async function carryOut(
  run: Run,
  { context, read }: { readonly context: Context; readonly read: ReadTwin },
  plan: Write & Pick<TwinWrite, "action" | "method">,
): Promise<TwinOutcome> {
  const { table } = read.place;
  const changes = plan.changes.map(({ path, kind }) => ({ path: path.join("."), kind }));
  if (context.dryRun) {
    if (!run.config.json) await run.print(toldChanges(run, plan.changes), changesText);
    return { changed: false, table, version: read.current?.version ?? null, changes };
  }
  await run.outline((layout) => changesText(toldChanges(run, plan.changes), layout));
  const [{ writeTwin }] = await Promise.all([import("../../site/twin/store.ts"), context.audit.open()]);
  const { version } = await writeTwin(context, read, plan);
  return { changed: true, table, version, changes };
}

/** The outcome when the twin is already as it should be. */
export function nothingToDo({ place, current }: ReadTwin): TwinOutcome {
  return { changed: false, table: place.table, version: current?.version ?? null, changes: [] };
}
