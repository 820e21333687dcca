import type { Context } from "../context.ts";
import { assertDatabaseBackup } from "./safety-net.ts";
import { changedCode, isMeant, noSuchMigration, pending, revertible } from "./choose.ts";
import { lossesOf, lossText, type Loss } from "./sql-losses.ts";
import { assertAtVersion, course, openSqlMigrations, standNow, type SqlSite } from "./sql-site.ts";
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

export interface SqlWanted {
  readonly direction: Direction;
  /** The last that is applied, or the one behind which all are taken back. */
  readonly to: string | undefined;
  /** Applied migrations whose files have changed since count as applied as they are. */
  readonly acceptChanged: boolean;
  /** Where rows would go a backup has to be there, in this repository or as configured; undefined where none is asked for. */
  readonly backupIn: { readonly repo: string | undefined } | undefined;
}

export interface PlannedSql {
  readonly wanted: SqlWanted;
  /** The databases on which something may be done. */
  readonly sites: readonly SqlSite[];
  readonly plans: readonly SqlPlan[];
  /** Applied, of which the files are others now. */
  readonly changed: readonly string[];
}

/**
 * What `up` or `down` would do, and on which of the databases: with `to` on those that have such a migration. Only reads.
 * @throws CliError as `pending`, `revertible` and `assertAtVersion` do, and unless it is a dry run where rows would go for good.
 */
export async function planSql(context: Context, wanted: SqlWanted): Promise<PlannedSql> {
  const { backupIn, ...choice } = wanted;
  const { sites, plans, changed } = await planOn(await openSqlMigrations(context, { proves: true }), choice);
  const databases = context.dryRun || backupIn === undefined ? [] : plans.map(({ database }) => database);
  for (const database of new Set(databases)) {
    const would = plans.flatMap((plan) => (plan.database === database ? plan.losses.map(lossText) : []));
    await assertDatabaseBackup(context, backupIn?.repo, { database, would });
  }
  return { wanted, sites, plans, changed };
}

async function planOn(
  all: readonly SqlSite[],
  { direction, to, acceptChanged }: Omit<SqlWanted, "backupIn">,
): Promise<Omit<PlannedSql, "wanted">> {
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
      const { from, to: behind } = course(site, one, direction);
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
          to: behind,
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
