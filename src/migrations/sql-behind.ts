import type { Compared } from "../setup/database.ts";
import type { Step } from "../setup/step.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import { sqlMigrations } from "./sql-files.ts";
import { changingIds } from "./sql-rows.ts";
import { placeAmong } from "./sql-standing.ts";
import { loadVersions, narrowed } from "./sql-versions.ts";

/**
 * A database at an older version of its migrations, or between two, is theirs to bring on: what `setup` would make of the newest one
 * would leave it at none. One step says so in place of all that would be added.
 */
export async function atOlderVersion(compared: Compared): Promise<Compared> {
  const { database, steps, wanted, found } = compared;
  const isMade = [...wanted.keys()].some((fact) => fact.startsWith("table ") && found.has(fact));
  const differs = steps.some(({ kind }) => kind === "add" || kind === "problem");
  if (database.migrations === undefined || !isMade || !differs) return compared;
  const registered = sqlMigrations(await database.migrations(), database.engine);
  const versions = await loadVersions(database, registered, { proves: false });
  const { catalogues } = versions;
  const live = narrowed(found, versions.known);
  const ids = registered.map(({ migration: { id } }) => id);
  const place = placeAmong(catalogues, live, {
    ids,
    states: new Map(),
    journals: [],
    changing: changingIds(registered, database.engine),
  });
  const at = "at" in place ? place.at : undefined;
  if (at === 0 || at === ids.length || (at === undefined && !hasTraces(catalogues, live))) return compared;
  const told: Step = {
    resource: "database",
    name: database.name,
    aspect: "migrations",
    kind: "problem",
    to:
      at === undefined
        ? "is between two versions of its migrations"
        : `is at ${ids[at - 1] ?? ""}; pending: ${ids.slice(at).join(", ")}`,
    remedy:
      at === undefined
        ? "`mawps migrate status` tells which, and what to do"
        : "`mawps migrate up` applies them; setup makes nothing of them",
  };
  // At a version all that differs from the newest one is what is pending.
  const kept = steps.filter(({ kind }) => kind !== "add" && (at === undefined || kind !== "problem"));
  return { ...compared, steps: [...kept, told] };
}

/** Whether something is as an older version has it, and not the newest: what a broken off `setup` has made is not. */
function hasTraces(catalogues: readonly Catalogue[], live: Catalogue): boolean {
  const newest = catalogues.at(-1);
  return [...live].some(
    ([fact, text]) =>
      newest?.get(fact) !== text && catalogues.slice(0, -1).some((each) => each.get(fact) === text),
  );
}
