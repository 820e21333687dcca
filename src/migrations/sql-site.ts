import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { journalsIn } from "../sql/row-journal.ts";
import { sqlMigrations, type RegisteredSql } from "./sql-files.ts";
import { sqlStates, type Ledger } from "./sql-ledger.ts";
import { correctedStates, placeAmong, type Place } from "./sql-standing.ts";
import { changingIds } from "./sql-rows.ts";
import type { Direction } from "./sql-statement.ts";
import { differenceTexts, loadVersions, narrowed, withoutUnseen, type Versions } from "./sql-versions.ts";
import type { MigrationState } from "./state.ts";

/** A database and its migrations. */
export interface SqlSite {
  readonly database: Database;
  readonly registered: readonly RegisteredSql[];
  readonly versions: Versions;
  readonly ledger: Ledger;
}

/** How far they are. */
export interface Standpoint {
  readonly place: Place;
  /** As the ledger has them, corrected by the schema. */
  readonly states: ReadonlyMap<string, MigrationState>;
  /** Applied by the ledger, and not in the schema. */
  readonly lost: readonly string[];
  readonly found: Catalogue;
}

/**
 * Opens the databases of the site that have migrations, and tries these in a scratch database each; with `proves` there and back.
 * @throws CliError as `sqlMigrations` and `loadVersions` do, and for a database that is not there.
 */
export async function openSqlMigrations(
  context: Context,
  { proves }: { readonly proves: boolean },
): Promise<readonly SqlSite[]> {
  const declared = context.model.databases ?? {};
  const databases = await context.databases(({ role }) => declared[role]?.migrations !== undefined);
  const { aws, tables, declaration, signal } = context;
  const sites: SqlSite[] = [];
  for (const database of databases) {
    context.progress(`trying the migrations of ${database.name} in a scratch database`);
    const registered = sqlMigrations((await database.migrations?.()) ?? {}, database.engine);
    const ledger = {
      aws,
      migrationsTable: tables.migrations,
      bucket: declaration.buckets[0]?.name,
      signal,
      now: () => context.now(),
      database: database.name,
    };
    const versions = await withoutUnseen(database, await loadVersions(database, registered, { proves }));
    sites.push({ database, registered, versions, ledger });
  }
  return sites;
}

/** Reads schema and ledger as they are now. */
export async function standNow({ database, registered, versions, ledger }: SqlSite): Promise<Standpoint> {
  const ids = registered.map(({ migration: { id } }) => id);
  const states = await sqlStates(ledger, ids);
  const whole = await readCatalogue(database.sql, database.place);
  const found = narrowed(whole, versions.known);
  const journals = (await journalsIn(database.sql, database.place)).flatMap(({ name, state }) =>
    state === "done" ? [name] : [],
  );
  const place = placeAmong(versions.catalogues, found, {
    ids,
    states,
    journals,
    changing: changingIds(registered, database.engine),
  });
  const isLost = (id: string, at: number) =>
    "at" in place && at >= place.at && states.get(id)?.status === "applied";
  return {
    place,
    states: correctedStates(registered, states, place),
    lost: ids.filter(isLost),
    found,
  };
}

/** The version from which a migration leads, and the one to which. */
export function course(
  { registered, versions }: Pick<SqlSite, "registered" | "versions">,
  migration: RegisteredSql,
  direction: Direction,
): { readonly from: Catalogue; readonly to: Catalogue } {
  const at = registered.indexOf(migration);
  const before = versions.catalogues[at] ?? new Map();
  const behind = versions.catalogues[at + 1] ?? new Map();
  return direction === "up" ? { from: before, to: behind } : { from: behind, to: before };
}

/** @throws CliError where the schema is at no version, or the other direction was broken off. */
export function assertAtVersion(site: SqlSite, { place, states }: Standpoint, direction: Direction): void {
  if ("nearest" in place) throw atNoVersion(site, place);
  if ("at" in place) return;
  const isUp = states.get(place.within)?.status === "applying";
  if (isUp === (direction === "up")) return;
  throw new CliError(
    isUp ? `${place.within} was begun and not finished` : `taking back ${place.within} was interrupted`,
    { hint: `\`mawps migrate ${isUp ? "up" : "down"}\` goes on with it; nothing was changed` },
  );
}

/** What is wrong with a schema at no version, with the differences one by one. */
export function atNoVersion(
  { database, registered }: Pick<SqlSite, "database" | "registered">,
  { nearest, different }: Extract<Place, { readonly nearest: number }>,
): CliError {
  const version = registered[nearest - 1]?.migration.id;
  const than = version === undefined ? "before its migrations" : `behind ${version}`;
  return new CliError(`the schema of ${database.name} is not the one ${than}, nor that of another version:`, {
    details: differenceTexts(different),
    hint: "nothing was changed; mend the differences by hand, or let `mawps setup` make what is missing of the newest version",
  });
}
