import type { Condition } from "../../aws/dynamodb/expressions.ts";
import { assertItemFits, itemSizeBytes } from "../../aws/dynamodb/item-size.ts";
import { getItem, queryItems, tableShape, type AttributeValue, type Item } from "../../aws/dynamodb/items.ts";
import { plain, typed } from "../../aws/dynamodb/plain.ts";
import { transact } from "../../aws/dynamodb/transact.ts";
import { errorName } from "../../aws/setting.ts";
import { updateAttributes } from "../../aws/dynamodb/update-item.ts";
import type { Context } from "../../context.ts";
import { CliError, NothingChanged } from "../../errors.ts";
import type { AuditAction } from "../../model/audit.ts";
import { isRecord, sameJson } from "../../model/json.ts";
import { twinHistoryType, twinHistoryVersion, twinType, type Twin } from "../../model/twin.ts";
import { ownerId } from "../../model/user-id.ts";

/**
 * The twin lies in an attribute of its own: a field that somebody trains can never meet `userId`, `type` or whatever
 * else is on the item.
 */
const attribute = "digitalTwin";
const historyPrefix = `${twinType}#v`;

/** The table for the twin, by the shape of the profile table. */
export interface TwinPlace {
  readonly table: string;
  /** False when the twin's own table has still to be made. */
  readonly exists: boolean;
}

/** A state of the twin. */
export interface TwinState {
  readonly value: Twin;
  /** From 1. */
  readonly version: number;
  /** When this state was stored. */
  readonly updatedAt: string | undefined;
  /** When it was replaced; undefined for the current one. */
  readonly replacedAt: string | undefined;
  /** Of its item in DynamoDB. */
  readonly bytes: number;
}

/** What was read, for a change that is conditional on it. */
export interface ReadTwin {
  readonly place: TwinPlace;
  /** Undefined when there is no twin yet. */
  readonly current: TwinState | undefined;
  readonly item: Item | undefined;
  /** Greatest number in the history, 0 when there is none. */
  readonly newestKept: number;
}

/** What is to become the current state, and how the audit trail tells of it. */
export interface TwinWrite {
  readonly action: Extract<AuditAction, "twin.migrated" | "twin.rolled-back">;
  /** `newer`, `merge`, `force`, or the version that is brought back. */
  readonly method: string;
  /** Fields that differ. */
  readonly changes: readonly unknown[];
  readonly value: Twin;
  /** At least; greater where the history has used the number. */
  readonly version: number;
}

/**
 * Finds the twin's table. Beside a profile table of simple keys it is never the owner item: the website replaces that
 * item as a whole.
 * @throws CliError for a table whose keys are not understood.
 */
export async function findTwinPlace(context: Context): Promise<TwinPlace> {
  const { aws, tables, signal } = context;
  const { userProfiles: profileTable, digitalTwin: twinTable } = tables;
  const own = tableShape(aws, twinTable, signal).catch((error: unknown) => {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  });
  // Whether it may be read at all matters only where it is the one.
  own.catch(() => undefined);
  if ((await tableShape(aws, profileTable, signal)).kind === "composite") {
    return { table: profileTable, exists: true };
  }
  const shape = await own;
  if (shape?.kind === "simple") {
    throw new CliError(`table ${twinTable} has no sort key "type": it cannot hold the twin and its history`, {
      hint: "name another table for the twin (tables.digitalTwin): keys cannot be changed",
    });
  }
  return { table: twinTable, exists: shape !== undefined };
}

/** Reads the current state, and how far the history goes: from the twin's own table beside the question whether it lies there. */
export async function readTwin(context: Context): Promise<ReadTwin> {
  const own = readAt(context, { table: context.tables.digitalTwin, exists: true });
  own.catch(() => undefined);
  const place = await findTwinPlace(context);
  if (place.exists && place.table === context.tables.digitalTwin) return own;
  await own.catch(() => undefined);
  if (!place.exists) return { place, current: undefined, item: undefined, newestKept: 0 };
  return readAt(context, place);
}

async function readAt(context: Context, place: TwinPlace): Promise<ReadTwin> {
  const [item, newest] = await Promise.all([
    getItem(context.aws, { table: place.table, key: twinKeyOf(twinType), signal: context.signal }),
    newestHistory(context, place),
  ]);
  const current = stateIn(item);
  const newestKept = newest?.version ?? 0;
  if (current === undefined) return { place, current, item, newestKept };
  // A run that was killed has kept the state already. Otherwise the number is one that the history has not: another
  // tool may have replaced the item, and its number with it.
  const isKept = newestKept >= current.version && sameJson(newest?.value, current.value);
  const version = isKept ? newestKept : Math.max(current.version, newestKept + 1);
  return { place, current: { ...current, version }, item, newestKept };
}

/** The states before the current one, newest first. */
export async function* twinHistory(context: Context, read: ReadTwin): AsyncGenerator<TwinState> {
  if (!read.place.exists) return;
  for await (const state of kept(context, read.place)) {
    // A run that was killed between history and update has kept the current state already.
    if (state.version !== read.current?.version) yield state;
  }
}

/**
 * The state of one version: the current one, or one of the history.
 * @throws CliError when there is none of that number.
 */
export async function twinVersion(context: Context, read: ReadTwin, version: number): Promise<TwinState> {
  if (read.current?.version === version) return read.current;
  const key = twinKeyOf(twinHistoryType(version));
  const item = read.place.exists
    ? await getItem(context.aws, { table: read.place.table, key, signal: context.signal })
    : undefined;
  const state = stateIn(item);
  if (state === undefined) {
    throw new CliError(`there is no version ${version} of the digital twin`, {
      hint: "`mawps twin history` lists what is kept",
    });
  }
  return state;
}

/**
 * Makes `write` the current state: keeps the state that was read in the history, then replaces it on condition that it
 * still is that one, and looks at what is stored then. Killed in between, the same run again comes to the same end.
 * @throws CliError when somebody else stored a state meanwhile, which then stays; or when it would not fit.
 */
export async function writeTwin(context: Context, read: ReadTwin, write: TwinWrite): Promise<TwinState> {
  const { place, current, item } = read;
  const now = context.now();
  const version = Math.max(write.version, read.newestKept + 1);
  const set: Item = {
    [attribute]: typed(write.value),
    version: { N: String(version) },
    updatedAt: { S: now.toISOString() },
  };
  assertItemFits({ ...item, ...twinKeyOf(twinType), ...set }, "the item of the digital twin");
  const conditions = [attribute, "version"].map((path): Condition => {
    const value = item?.[path];
    return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
  });
  const replace = async () => {
    if (current !== undefined) await keep(context, place, { current, now });
    const outcome = await updateAttributes(context.aws, {
      table: place.table,
      key: twinKeyOf(twinType),
      set: Object.entries(set).map(([path, value]) => ({ path, value })),
      conditions,
      signal: context.signal,
    });
    if (!outcome.applied) throw conflict();
    return verified(stateIn(outcome.item), { version, value: write.value });
  };
  const { action, method, changes } = write;
  const details = { table: place.table, itemType: twinType, method, items: changes.length };
  return context.audit.change({ action, userId: ownerId, details }, replace, (stored) => ({
    version: String(stored.version),
    bytes: stored.bytes,
  }));
}

/** Keeps a state under its number. An entry that is there already must be the same state. */
async function keep(
  context: Context,
  { table }: TwinPlace,
  { current, now }: { readonly current: TwinState; readonly now: Date },
): Promise<void> {
  const key = twinKeyOf(twinHistoryType(current.version));
  const entry: Item = {
    ...key,
    [attribute]: typed(current.value),
    version: { N: String(current.version) },
    ...(current.updatedAt === undefined ? {} : { updatedAt: { S: current.updatedAt } }),
    savedAt: { S: now.toISOString() },
  };
  assertItemFits(entry, `version ${current.version} of the digital twin in the history`);
  const absent = [{ path: "userId", is: "absent" }] as const;
  const refusal = await transact(
    context.aws,
    [{ kind: "put", table, item: entry, conditions: absent }],
    context.signal,
  );
  if (refusal === undefined) return;
  const there = stateIn(await getItem(context.aws, { table, key, signal: context.signal }));
  if (there === undefined || !sameJson(there.value, current.value)) throw conflict();
}

/** What DynamoDB holds after the update, as it answers that. */
function verified(stored: TwinState | undefined, written: Pick<TwinWrite, "version" | "value">): TwinState {
  if (stored?.version === written.version && sameJson(stored.value, written.value)) return stored;
  throw new CliError(`version ${written.version} is stored otherwise than it was written`, {
    hint: "`mawps twin rollback` brings the state before back",
  });
}

function conflict(): NothingChanged {
  return new NothingChanged(
    "somebody else stored another state of the digital twin meanwhile; theirs stays",
    {
      hint: "look at `mawps twin show`, then run the command again",
    },
  );
}

async function newestHistory(context: Context, place: TwinPlace): Promise<TwinState | undefined> {
  for await (const state of kept(context, place, 1)) return state;
  return undefined;
}

async function* kept(context: Context, { table }: TwinPlace, pageSize?: number): AsyncGenerator<TwinState> {
  const pages = queryItems(context.aws, {
    table,
    partition: { attribute: "userId", value: { S: ownerId } },
    sort: { attribute: "type", beginsWith: { S: historyPrefix } },
    descending: true,
    consistent: true,
    pageSize,
    signal: context.signal,
  });
  for await (const page of pages) {
    for (const item of page) {
      const version = twinHistoryVersion(item["type"]?.S ?? "");
      const state = stateIn(item);
      if (version !== undefined && state !== undefined) yield { ...state, version };
    }
  }
}

function stateIn(item: Item | undefined): TwinState | undefined {
  const stored = item?.[attribute];
  if (item === undefined || stored === undefined) return undefined;
  const value = plain({ [attribute]: stored })[attribute];
  if (!isRecord(value)) {
    throw new CliError(`attribute ${attribute} of item (${ownerId}, ${twinType}) is not a map`, {
      hint: "another tool wrote it; nothing of it was changed",
    });
  }
  const version = Number(item["version"]?.N);
  return {
    value,
    version: Number.isSafeInteger(version) && version > 0 ? version : 0,
    updatedAt: text(item["updatedAt"]),
    replacedAt: text(item["savedAt"]),
    bytes: itemSizeBytes(item),
  };
}

function text(value: AttributeValue | undefined): string | undefined {
  return value?.S === undefined || value.S === "" ? undefined : value.S;
}

function twinKeyOf(type: string): Item {
  return { userId: { S: ownerId }, type: { S: type } };
}
