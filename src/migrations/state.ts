import type { Aws } from "../aws/clients.ts";
import { getItem, type Item } from "../aws/dynamodb/items.ts";
import { plain, typed } from "../aws/dynamodb/plain.ts";
import { errorName } from "../aws/setting.ts";
import type { TransactStep } from "../aws/dynamodb/transact.ts";
import type { LedgerPlace } from "./migration.ts";

/**
 * | status    | means                                                                      | `up`        | `down`   |
 * |-----------|----------------------------------------------------------------------------|-------------|----------|
 * | applying  | begun; broken off, or somebody is at it now                                | goes on     | takes back what was done |
 * | applied   | done                                                                       | -           | reverts  |
 * | reverting | its taking back was broken off, or left conflicts                          | begins anew | goes on  |
 * | reverted  | taken back                                                                 | begins anew | -        |
 */
export type Status = "applying" | "applied" | "reverting" | "reverted";

/** How far a migration is, as it is stored. */
export interface MigrationState {
  readonly id: string;
  readonly status: Status;
  /** SHA-256 of the code that began it; none has run where the store was new. */
  readonly checksum?: string;
  /** ISO 8601, of this `up` or `down`. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Who ran it, as the audit trail names them. */
  readonly by: string;
  readonly tool: string;
  readonly counts: Counts;
  /** The last batch of the journal of which all is done. */
  readonly batch: number;
  /** Key of the last item that was looked at; absent at the beginning of a pass. */
  readonly cursor?: Item;
}

export interface Counts {
  /** Items that were looked at. */
  readonly looked: number;
  /** People whose items were changed. */
  readonly changed: number;
  readonly objects: number;
  /** What stays as it is, each with a reason. */
  readonly left: number;
  /** What could not be taken back, because somebody changed it since. */
  readonly conflicts: number;
}

export const noCounts: Counts = { looked: 0, changed: 0, objects: 0, left: 0, conflicts: 0 };

type Place = Pick<LedgerPlace, "aws" | "migrationsTable"> & { readonly signal?: AbortSignal };

/** The names of all migrations that were ever begun, by whatever version of the tool. */
const indexKey: Item = { id: { S: "migrations" }, entry: { S: "begun" } };

/** Which migrations had nothing to do because the store was new: see new-store.ts. */
export const newStoreKey: Item = { id: { S: "migrations" }, entry: { S: "new" } };

/** The migrations that one of these two items names. */
export function idsIn(item: Item | undefined): string[] {
  return Object.keys(item?.["ids"]?.M ?? {});
}

function newStates(item: Item | undefined): MigrationState[] {
  const at = item?.["at"]?.S ?? "";
  const tool = item?.["tool"]?.S ?? "";
  const applied = { status: "applied", startedAt: at, endedAt: at, by: "setup", tool } as const;
  return idsIn(item).map((id) => ({ id, ...applied, counts: noCounts, batch: 0 }));
}

/**
 * States by id, of these migrations, of all others that were ever begun, and of those for which the store was new. Empty where
 * the table is not there yet.
 */
export async function readStates(
  place: Place,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MigrationState>> {
  const { aws, migrationsTable: table, signal } = place;
  try {
    const [index, made] = await Promise.all(
      [indexKey, newStoreKey].map((key) => getItem(aws, { table, key, signal })),
    );
    const begun = idsIn(index);
    const unrun = newStates(made);
    const all = new Set([...ids, ...begun, ...unrun.map(({ id }) => id)]);
    const items = await Promise.all([...all].map((id) => getItem(aws, { table, key: stateKey(id), signal })));
    const states = items.flatMap((item) => (item === undefined ? [] : [stateOf(item)]));
    return new Map([...unrun, ...states].map((state) => [state.id, state]));
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return new Map();
    throw error;
  }
}

/**
 * The newest migration up to which everything is applied, for the manifest of a backup; null when none is. Also of
 * migrations that only a newer version of the tool knows.
 */
export async function schemaVersion(
  aws: Aws,
  migrationsTable: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const states = await readStates({ aws, migrationsTable, signal }, []);
  const applied = [...states.values()].filter(({ status }) => status === "applied").map(({ id }) => id);
  return applied.toSorted().at(-1) ?? null;
}

/** The steps that store a state, to be written by the lock's owner. */
export function stateSteps(
  site: Pick<LedgerPlace, "migrationsTable">,
  state: MigrationState,
): TransactStep[] {
  return [
    {
      kind: "put",
      table: site.migrationsTable,
      item: {
        ...typed({ ...state, cursor: undefined }).M,
        ...stateKey(state.id),
        ...(state.cursor === undefined ? {} : { cursor: { M: state.cursor } }),
      },
    },
  ];
}

/** The step that enters a migration among those that were begun. */
export async function beginSteps(site: Omit<LedgerPlace, "bucket">, id: string): Promise<TransactStep[]> {
  const table = site.migrationsTable;
  const index = await getItem(site.aws, { table, key: indexKey, signal: site.signal });
  const ids = index?.["ids"]?.M ?? {};
  if (ids[id] !== undefined) return [];
  const value = { M: { ...ids, [id]: { BOOL: true } } };
  return [{ kind: "update", table, key: indexKey, change: { set: [{ path: "ids", value }] } }];
}

function stateKey(id: string): Item {
  return { id: { S: id }, entry: { S: "state" } };
}

function stateOf({ cursor, ...item }: Item): MigrationState {
  const { entry: _key, ...state } = plain(item);
  return {
    ...(state as unknown as MigrationState),
    cursor: cursor?.M,
  };
}
