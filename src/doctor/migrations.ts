import { told, type DoctorFinding } from "./finding.ts";

/** How far the migrations of the site's items are, in their order. */
export interface MigrationFacts {
  /** Where that is written down. */
  readonly table: string;
  readonly standings: readonly { readonly id: string; readonly status: string }[];
}

/**
 * | migrations                              | finding                                     |
 * |-----------------------------------------|---------------------------------------------|
 * | some are begun or half taken back       | warning                                     |
 * | some are not applied, or taken back     | warning: the site works as it did before    |
 * | all are applied, as in a store that was | ok                                          |
 * | new when `setup` made it                |                                             |
 */
export function migrationFindings({ table, standings }: MigrationFacts): DoctorFinding[] {
  const about = { check: "migrations", subject: table } as const;
  const idsOf = (...wanted: string[]) =>
    standings.flatMap(({ id, status }) => (wanted.includes(status) ? [id] : []));
  const [unfinished, pending] = [idsOf("applying", "reverting"), idsOf("pending", "reverted")];
  if (unfinished.length > 0)
    return [{ ...about, ...told("warning", "migrations-unfinished", { ids: unfinished }) }];
  if (pending.length > 0) return [{ ...about, ...told("warning", "migrations-pending", { ids: pending }) }];
  return [{ ...about, status: "ok", message: `all applied (${standings.length})` }];
}
