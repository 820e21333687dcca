import type { Aws } from "../aws/clients.ts";
import { getItem } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { putNew } from "../aws/dynamodb/records.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { errorName } from "../aws/setting.ts";
import type { Declaration } from "../model/declaration.ts";
import type { Step } from "../setup/step.ts";
import { idsIn, newStoreKey, readStates } from "./state.ts";
import { documentPlaces } from "../model/feature-places.ts";
import { mawpsModel } from "../model/mawps.ts";
import { toolRoles } from "../model/tool-tables.ts";

/*
 * Where `setup` has made the table of profiles, there was nothing to migrate: all migrations that were known then count as applied.
 * One item says so. A state of a migration's own counts before it.
 */

export interface MadeStore {
  readonly declaration: Pick<Declaration, "tables">;
  /** What `setup` has carried out. */
  readonly done: readonly Step[];
  readonly now: Date;
  /** The tool and its version. */
  readonly tool: string;
}

/**
 * Notes that there is nothing to migrate, if the table of profiles is among what was made, and no migration was ever begun here.
 * To be called right after that, before anybody can have written there.
 */
export async function noteNewStore(aws: Aws, { declaration, done, now, tool }: MadeStore): Promise<void> {
  const [profiles, table] = [documentPlaces(mawpsModel)?.table, toolRoles.migrations].map(
    (wanted) => declaration.tables.find(({ role }) => role === wanted)?.name,
  );
  const isMade = done.some(
    ({ kind, resource, name }) => kind === "create" && resource === "table" && name === profiles,
  );
  if (table === undefined || !isMade) return;
  const { migrations } = await import("./registry.ts");
  const ids = migrations.map(({ migration: { id } }) => id);
  if ((await readStates({ aws, migrationsTable: table }, ids)).size > 0) return;
  const record = {
    ...plain(newStoreKey),
    ids: Object.fromEntries(ids.map((id) => [id, true])),
    at: now.toISOString(),
    tool,
  };
  try {
    await putNew(aws, { table, partition: "id", records: [record] });
  } catch (error) {
    // Without that table, which could not be made, nothing counts as applied.
    if (errorName(error) !== "ResourceNotFoundException") throw error;
  }
}

/**
 * The migrations that count as applied only because the store was new, and of which older data than that may be in need: all
 * behind this one; all there are where it is null.
 */
export async function newOnlyBehind(
  aws: Aws,
  { table, version, signal }: { table: string; version: string | null; signal?: AbortSignal },
): Promise<string[]> {
  try {
    const ids = idsIn(await getItem(aws, { table, key: newStoreKey, signal }));
    return ids.filter((id) => version === null || id > version);
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return [];
    throw error;
  }
}

/** Takes these migrations out of those that count as applied because the store was new. Safe to call twice, and at once. */
export async function forgetNew(
  aws: Aws,
  { table, ids, signal }: { table: string; ids: readonly string[]; signal?: AbortSignal },
): Promise<void> {
  await updateAttributes(aws, {
    table,
    key: newStoreKey,
    remove: ids.map((id) => ["ids", id]),
    conditions: [{ path: "ids", is: "present" }],
    returns: "none",
    signal,
  });
}
