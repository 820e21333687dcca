import { CliError, exitCodes } from "../errors.ts";
import type { MigrationState, Status } from "./state.ts";

type States = ReadonlyMap<string, MigrationState>;

/** What is known of a migration, of items or of a database. */
interface Registered {
  readonly migration: { readonly id: string; readonly description: string };
  readonly checksum: string;
}

/** A migration as `status` tells it. */
export interface Standing {
  readonly id: string;
  /** `pending`: not applied, or taken back. `unknown`: a newer version of the tool began it. */
  readonly status: Status | "pending";
  readonly description: string | null;
  readonly isKnown: boolean;
  /** The code is not the one that was applied. */
  readonly isCodeChanged: boolean;
  readonly state: MigrationState | undefined;
}

/** All migrations, known and begun, in their order. */
export function standings(registered: readonly Registered[], states: States): Standing[] {
  const known = new Map(registered.map((each) => [each.migration.id, each]));
  return [...new Set([...known.keys(), ...states.keys()])].toSorted().map((id) => {
    const state = states.get(id);
    const own = known.get(id);
    return {
      id,
      status: state?.status ?? "pending",
      description: own?.migration.description ?? null,
      isKnown: own !== undefined,
      isCodeChanged: own !== undefined && changedCode([own], states).length > 0,
      state,
    };
  });
}

/**
 * What `up` is to do, in order: all that is not applied, up to and with `to`.
 * @throws CliError when there is no such migration, a newer version was at work, or applied code has changed.
 */
export function pending<T extends Registered>(
  registered: readonly T[],
  states: States,
  { to, acceptChanged }: { readonly to?: string | undefined; readonly acceptChanged: boolean },
): T[] {
  const all = standings(registered, states);
  refuseUnknown(all);
  const changed = changedCode(registered, states);
  if (changed.length > 0 && !acceptChanged) {
    throw new CliError(
      `the code of ${changed.map(({ migration: { id } }) => id).join(", ")} is not the one that was applied`,
      {
        hint: "see what it does now; --accept-changed takes it for applied as it is",
      },
    );
  }
  const last = to === undefined ? undefined : idOf(registered, to);
  return registered.filter(
    ({ migration: { id } }) => states.get(id)?.status !== "applied" && (last === undefined || id <= last),
  );
}

/** Applied migrations whose code is another now. */
export function changedCode<T extends Registered>(registered: readonly T[], states: States): T[] {
  return registered.filter(({ migration: { id }, checksum }) => {
    const state = states.get(id);
    return state?.status === "applied" && state.checksum !== undefined && state.checksum !== checksum;
  });
}

/**
 * What `down` is to take back, the newest first: the newest alone, or all behind `to`; the word `none` stands for the time
 * before the first.
 * @throws CliError as `pending`.
 */
export function revertible<T extends Registered>(registered: readonly T[], states: States, to?: string): T[] {
  refuseUnknown(standings(registered, states));
  const done = registered
    .filter(({ migration: { id } }) => (states.get(id)?.status ?? "reverted") !== "reverted")
    .toReversed();
  if (to === undefined) return done.slice(0, 1);
  const last = to === "none" ? "" : idOf(registered, to);
  return done.filter(({ migration: { id } }) => id > last);
}

/** A whole id, or its number. @throws CliError (usage) where there is none. */
function idOf(registered: readonly Registered[], given: string): string {
  const ids = registered.map(({ migration: { id } }) => id);
  const found = ids.find((id) => isMeant(id, given));
  if (found !== undefined) return found;
  throw noSuchMigration(given, ids);
}

/** Whether a migration is the one that was given, by its id or number. Pure. */
export function isMeant(id: string, given: string): boolean {
  return id === given || id.startsWith(`${given}-`);
}

/** What is wrong with a name that none of the migrations has. */
export function noSuchMigration(given: string, ids: readonly string[]): CliError {
  const down = given === "none" ? "; `mawps migrate down --to none` takes all of them back" : "";
  return new CliError(`there is no migration ${JSON.stringify(given)}`, {
    exitCode: exitCodes.usage,
    hint: ids.length === 0 ? "the site has none" : `there are: ${ids.join(", ")}${down}`,
  });
}

function refuseUnknown(all: readonly Standing[]): void {
  const unknown = all.filter(({ isKnown, status }) => !isKnown && status !== "reverted").map(({ id }) => id);
  if (unknown.length === 0) return;
  throw new CliError(`a newer version of mawps has run ${unknown.join(", ")} here`, {
    hint: "use that version, or a newer one",
  });
}
