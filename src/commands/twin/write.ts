import type { AuditAction } from "../../model/audit.ts";
import { twinType } from "../../model/twin.ts";
import { ownerId } from "../../model/user-id.ts";
import type { FieldChange } from "../../site/twin/difference.ts";
import type { MigrationPlan } from "../../site/twin/migration-plan.ts";
import type { TwinSite } from "../../site/twin/site.ts";
import type { ReadTwin } from "../../site/twin/store.ts";
import type { Run } from "../run.ts";
import { changesText, toldChanges } from "./changes.ts";

type Write = Extract<MigrationPlan, { action: "write" }>;

/** How a change of the twin ended, or with `--dry-run` would end. */
export interface TwinOutcome {
  readonly changed: boolean;
  readonly table: string;
  /** Of the state that is current afterwards; null where there is none. */
  readonly version: number | null;
  /** Paths of the fields that differ. */
  readonly changes: readonly { readonly path: string; readonly kind: FieldChange["kind"] }[];
}

/** What a writing command was asked to do. */
export interface Intended {
  readonly action: Extract<AuditAction, "twin.migrated" | "twin.rolled-back">;
  /** `newer`, `merge`, `force`, or the version that is brought back. */
  readonly method: string;
}

/** Shows the difference, writes the planned state, records it. With `--dry-run` only the difference is shown. */
export async function carryOut(
  run: Run,
  { site, read }: { readonly site: TwinSite; readonly read: ReadTwin },
  { plan, action, method }: Intended & { readonly plan: Write },
): Promise<TwinOutcome> {
  const { table } = read.place;
  const changes = plan.changes.map(({ path, kind }) => ({ path: path.join("."), kind }));
  if (run.config.dryRun) {
    if (!run.config.json) await run.print(toldChanges(run, plan.changes), changesText);
    return { changed: false, table, version: read.current?.version ?? null, changes };
  }
  await run.outline((layout) => changesText(toldChanges(run, plan.changes), layout));
  const [{ writeTwin }] = await Promise.all([import("../../site/twin/store.ts"), run.audit.open()]);
  const details = { table, itemType: twinType, method, items: changes.length };
  const stored = await run.audit.change(
    { action, userId: ownerId, details },
    () => writeTwin(site, read, { write: plan, now: run.world.now() }),
    ({ version, bytes }) => ({ version: String(version), bytes }),
  );
  return { changed: true, table, version: stored.version, changes };
}

/** The outcome when the twin is already as it should be. */
export function nothingToDo({ place, current }: ReadTwin): TwinOutcome {
  return { changed: false, table: place.table, version: current?.version ?? null, changes: [] };
}
