import { differences, type Catalogue, type Difference } from "../sql/catalogue.ts";
import type { RegisteredSql } from "./sql-files.ts";
import { isJournalOf } from "./sql-rows.ts";
import { fingerprint } from "./sql-versions.ts";
import { noCounts, type MigrationState } from "./state.ts";

type States = ReadonlyMap<string, MigrationState>;

/** Where a live schema stands among the versions. */
export type Place =
  /** So many migrations are applied. */
  | { readonly at: number }
  /** In the middle of that one, as the ledger says too. */
  | { readonly within: string }
  /** At none; how it differs from the version that the ledger tells of, or else from the nearest. */
  | { readonly nearest: number; readonly different: readonly Difference[] };

/**
 * Finds the place of a live schema: what it is decides, whatever the ledger says. Where versions are the same (a migration that only
 * puts rows in, or changes some) the ledger says which; a database without one is at the newest, but for rows of which nothing says that
 * they were changed. One that was begun and has changed rows by its journals, or has still to bring them back, is under way whatever the
 * schema is. Pure.
 * @param found what concerns migrations of the live schema.
 * @param of `changing`: the migrations that change rows.
 */
export function placeAmong(
  catalogues: readonly Catalogue[],
  found: Catalogue,
  {
    ids,
    states,
    journals,
    changing,
  }: {
    readonly ids: readonly string[];
    readonly states: States;
    readonly journals: readonly string[];
    readonly changing: ReadonlySet<string>;
  },
): Place {
  const changed = ids.find(
    (id) => isBegun(states.get(id)) && journals.some((journal) => isJournalOf(id, journal)),
  );
  if (changed !== undefined) return { within: changed };
  const is = fingerprint(found);
  const same = catalogues.flatMap((each, at) => (fingerprint(each) === is ? [at] : []));
  const told = ids.findLastIndex((id) => states.get(id)?.status === "applied") + 1;
  const [first = 0] = same;
  const isUnchanged = (id: string) => changing.has(id) && states.get(id)?.status !== "applied";
  const likely = same.findLast((at) => !ids.slice(first, at).some(isUnchanged));
  if (likely !== undefined) return { at: same.includes(told) ? told : likely };
  const begun = ids.find((id) => isBegun(states.get(id)));
  if (begun !== undefined) return { within: begun };
  const from = catalogues.map((each, nearest) => ({ nearest, different: differences(each, found) }));
  const [next, ...others] = told > 0 ? from.slice(told, told + 1) : from;
  const nearest = others.reduce(
    (best, each) => (each.different.length < (best?.different.length ?? 0) ? each : best),
    next,
  );
  return nearest ?? { nearest: 0, different: [] };
}

function isBegun(state: MigrationState | undefined): boolean {
  return state?.status === "applying" || state?.status === "reverting";
}

/**
 * The states of the ledger as the schema corrects them. Pure.
 *
 * | the schema        | the ledger           | state                                              |
 * |-------------------|----------------------|----------------------------------------------------|
 * | has it            | nothing, or reverted | applied: `setup` has made it                       |
 * | has it            | applying, reverting  | as the ledger says: `up` or `down` puts it in order |
 * | has it not        | applied              | reverted: another database, or an older one is back |
 * | in the middle     | applying, reverting  | as the ledger says; those before it as above       |
 * | is at no version  |                      | as the ledger says                                 |
 */
export function correctedStates(registered: readonly RegisteredSql[], states: States, place: Place): States {
  if ("nearest" in place) return states;
  const within = "within" in place;
  const applied = within ? registered.findIndex(({ migration: { id } }) => id === place.within) : place.at;
  const corrected = new Map(states);
  for (const [at, { migration, checksum }] of registered.entries()) {
    const { id } = migration;
    const known = states.get(id);
    const isThere = at < applied;
    if (isThere && (known === undefined || known.status === "reverted"))
      corrected.set(id, { ...madeBySetup, id, checksum });
    if (!within && !isThere && known?.status === "applied")
      corrected.set(id, { ...known, status: "reverted" });
  }
  return corrected;
}

/** Nobody noted when that was. */
const madeBySetup = {
  status: "applied",
  startedAt: "",
  by: "setup",
  tool: "",
  counts: noCounts,
  batch: 0,
} as const;
