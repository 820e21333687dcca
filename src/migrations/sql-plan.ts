import { changedCode, isMeant, noSuchMigration, pending, revertible } from "./choose.ts";
import { lossesOf, type Loss } from "./sql-losses.ts";
import { assertAtVersion, course, standNow, type SqlSite } from "./sql-site.ts";
import { plannedPutBacks, plannedRows, type PlannedRows } from "./sql-rows.ts";
import type { Direction } from "./sql-statement.ts";

/** What a migration of a database would do. */
export interface SqlPlan {
  readonly database: string;
  readonly migration: string;
  readonly description: string;
  readonly direction: Direction;
  readonly statements: number;
  /** A run was broken off in it. */
  readonly isBegun: boolean;
  readonly losses: readonly Loss[];
  /** Rows that statements change, or that come back from their journals. */
  readonly rows: readonly PlannedRows[];
}

interface Wanted {
  readonly direction: Direction;
  readonly to: string | undefined;
  readonly acceptChanged: boolean;
}

/**
 * What `up` or `down` would do, and on which of the databases: with `to` on those that have such a migration. Only reads.
 * @throws CliError as `pending`, `revertible` and `assertAtVersion` do.
 */
export async function planSql(all: readonly SqlSite[], { direction, to, acceptChanged }: Wanted) {
  const sites = all.filter(({ registered }) => to === undefined || to === "none" || hasIt(registered, to));
  if (sites.length === 0) {
    throw noSuchMigration(
      to ?? "",
      all.flatMap(({ registered }) => registered.map(({ migration: { id } }) => id)),
    );
  }
  const plans: SqlPlan[] = [];
  const changed: string[] = [];
  for (const site of sites) {
    const { database, registered } = site;
    const stand = await standNow(site);
    assertAtVersion(site, stand, direction);
    const chosen =
      direction === "up"
        ? pending(registered, stand.states, { to, acceptChanged })
        : revertible(registered, stand.states, to);
    changed.push(...changedCode(registered, stand.states).map(({ migration: { id } }) => id));
    for (const one of chosen) {
      const { from, to: wanted } = course(site, one, direction);
      const { id, description } = one.migration;
      const status = stand.states.get(id)?.status;
      plans.push({
        database: database.name,
        migration: id,
        description,
        direction,
        statements: one.migration[direction].length,
        isBegun: status === "applying" || status === "reverting",
        losses: await lossesOf(database.sql, {
          from,
          to: wanted,
          live: stand.found,
          statements: one.migration[direction],
        }),
        rows:
          direction === "up"
            ? await plannedRows(database, one.migration)
            : await plannedPutBacks(database, one.migration),
      });
    }
  }
  return { sites, plans, changed };
}

function hasIt(registered: SqlSite["registered"], to: string): boolean {
  return registered.some(({ migration: { id } }) => isMeant(id, to));
}
