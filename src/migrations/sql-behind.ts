import type { Compared } from "../setup/database.ts";
import type { Step } from "../setup/step.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import { sqlMigrations, type RegisteredSql } from "./sql-files.ts";
import { sqlStates, type ReadLedger } from "./sql-ledger.ts";
import { changingIds } from "./sql-rows.ts";
import { placeAmong } from "./sql-standing.ts";
import { loadVersions, narrowed } from "./sql-versions.ts";

/**
 * A database at an older version of its migrations, or between two, is theirs to bring on: what `setup` would make of the newest one
 * would leave it at none. So is one from which all were taken back, as the ledger tells: it would count them as applied. One step says
 * so in place of all that would be added.
 */
export async function atOlderVersion(
  compared: Compared,
  ledger: Omit<ReadLedger, "database">,
): Promise<Compared> {
  const { database, steps, wanted, found } = compared;
  const differs = steps.some(({ kind }) => kind === "add" || kind === "problem");
  if (database.migrations === undefined || !database.isThere || !differs) return compared;
  const registered = sqlMigrations(await database.migrations(), database.engine);
  const ids = registered.map(({ migration: { id } }) => id);
  const isMade = [...wanted.keys()].some((fact) => fact.startsWith("table ") && found.has(fact));
  const place = isMade ? await placeOf(compared, registered) : ({ at: 0 } as const);
  const at = "at" in place ? place.at : undefined;
  const isNone = "hasTraces" in place && !place.hasTraces;
  if (isNone || at === ids.length) return compared;
  if (at === 0) {
    const states = await sqlStates({ ...ledger, database: database.name }, ids);
    if (!ids.some((id) => states.get(id)?.status === "reverted")) return compared;
  }
  const told: Step = {
    resource: "database",
    name: database.name,
    aspect: "migrations",
    kind: "problem",
    to: whereIs(ids, at),
    remedy:
      at === undefined
        ? "`mawps migrate status` tells which, and what to do"
        : "`mawps migrate up` applies them; setup makes nothing of them",
  };
  // At a version all that differs from the newest one is what is pending.
  const kept = steps.filter(({ kind }) => kind !== "add" && (at === undefined || kind !== "problem"));
  return { ...compared, steps: [...kept, told] };
}

function whereIs(ids: readonly string[], at: number | undefined): string {
  if (at === undefined) return "is between two versions of its migrations";
  const pending = `pending: ${ids.slice(at).join(", ")}`;
  return at === 0
    ? `has all of its migrations taken back; ${pending}`
    : `is at ${ids[at - 1] ?? ""}; ${pending}`;
}

/** Where the live schema of a database stands, whatever the ledger says; `hasTraces` of one that is at no version. */
async function placeOf(
  { database, found }: Compared,
  registered: readonly RegisteredSql[],
): Promise<{ readonly at: number } | { readonly hasTraces: boolean }> {
  const versions = await loadVersions(database, registered, { proves: false });
  const { catalogues } = versions;
  const live = narrowed(found, versions.known);
  const place = placeAmong(catalogues, live, {
    ids: registered.map(({ migration: { id } }) => id),
    states: new Map(),
    journals: [],
    changing: changingIds(registered, database.engine),
  });
  return "at" in place ? place : { hasTraces: hasTraces(catalogues, live) };
}

/** Whether something is as an older version has it, and not the newest: what a broken off `setup` has made is not. */
function hasTraces(catalogues: readonly Catalogue[], live: Catalogue): boolean {
  const newest = catalogues.at(-1);
  return [...live].some(
    ([fact, text]) =>
      newest?.get(fact) !== text && catalogues.slice(0, -1).some((each) => each.get(fact) === text),
  );
}
