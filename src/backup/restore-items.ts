import type { OwnersOfItem } from "../model/links.ts";
import type { Owners } from "../model/ownership.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";
import { canonicalItem } from "./same-item.ts";
import { exportedLines } from "./native-export.ts";
import { parseItemLine, type ItemTable } from "./item-line.ts";
import { partLines } from "./parts.ts";
import { mayHold, remapItem } from "./remap.ts";
import { isNarrow, wantsItem } from "./restore-scope.ts";
import type { Fate, RestoreSite } from "./restore-site.ts";
import type { TableSnapshot } from "./snapshot.ts";
import { toolRoles } from "../model/tool-tables.ts";

/** Where a table's lines come from: the parts of a snapshot, or an export as one. */
export interface LineSource {
  readonly lines: number;
  /** In an order that is always the same; checked before the first is given. */
  open(): AsyncGenerator<readonly Buffer[]>;
}

export function sourcesOf(
  site: Pick<RestoreSite, "aws" | "exportsAt" | "repository" | "spool" | "signal">,
  table: TableSnapshot,
): LineSource[] {
  const { export: exported } = table;
  const { exportsAt = site.aws, repository, spool, signal } = site;
  if (exported === undefined) {
    return table.parts.map((part) => ({
      lines: part.lines,
      open: () => partLines(repository, part, signal),
    }));
  }
  return [{ lines: table.items, open: () => exportedLines(exportsAt, exported, { spool, signal }) }];
}

/** An item of the snapshot as it would be written. */
export interface Candidate {
  /** The line as the snapshot has it. */
  readonly stored: Buffer;
  readonly item: JsonObject;
  readonly key: JsonObject;
  /** Canonical JSON of the key. */
  readonly keyText: string;
}

/** An item of a snapshot, without those of erased people in what it counts. @param keys names of its key attributes */
export type CountedOff = (role: string, item: JsonObject, keys: readonly string[]) => JsonObject;

/** By what an item is known as one that an erasure took away. */
export interface Erasing {
  readonly owners: Owners;
  readonly erasedOf: OwnersOfItem;
}

/** Whom of those that were erased an item was of; undefined where it comes back. */
export function erasedOwner(
  site: RestoreSite,
  { owners, erasedOf }: Erasing,
  {
    role,
    keys,
    item,
  }: { readonly role: string; readonly keys: readonly string[]; readonly item: JsonObject },
): string | undefined {
  const owner = owners.ofItem(role, item);
  const personal = owner?.erasure === "delete" ? [owner.userId] : [];
  return [...personal, ...erasedOf(role, item, keys)].find((id) => isErased(site, id));
}

/** What is known of a line without looking at the destination. */
export type Look =
  | { readonly fate: Extract<Fate, "left out" | "suppressed"> }
  | { readonly fate: undefined; readonly candidate: Candidate; readonly isNew: boolean };

export interface LineTable extends ItemTable {
  readonly role: string;
  /** In the destination. */
  readonly name: string;
  /** Names of its key attributes. */
  readonly keys: readonly string[];
}

/**
 * Looks into a line: whether it is meant, whether its owner was erased, and what it is with new ids. `isNew`: it is of
 * somebody whose account is still to be made, so that nothing can stand in its place.
 */
export function lookInto(
  site: RestoreSite,
  {
    table,
    owners,
    erasedOf,
    countedOff,
    onSuppressed,
  }: Erasing & {
    readonly table: LineTable;
    readonly countedOff: CountedOff;
    readonly onSuppressed: (userId: string) => void;
  },
  line: Buffer,
): Look {
  const item = parseItemLine(line, table);
  const owner = owners.ofItem(table.role, item);
  const personal = owner?.erasure === "delete" ? owner.userId : undefined;
  const mapped = remapped(site, table, { line, item: countedOff(table.role, item, table.keys) });
  const key = keyOf(mapped, table.keys);
  const keyText = canonicalItem(key);
  const asked = { item, key: canonicalJson(key), table: table.name, owner: personal };
  if (!wantsItem(site.scope, asked)) return { fate: "left out" };
  const erased = erasedOwner(site, { owners, erasedOf }, { ...table, item });
  if (erased !== undefined) {
    onSuppressed(erased);
    return { fate: "suppressed" };
  }
  const isNew = personal !== undefined && site.ids?.missing.has(personal) === true;
  return { fate: undefined, candidate: { stored: line, item: mapped, key, keyText }, isNew };
}

/** Erased under the id that the snapshot has, or under the one that the same account has now. */
export function isErased({ isErased, ids }: RestoreSite, userId: string, subject?: string): boolean {
  const now = ids?.newIds.get(userId);
  return isErased(userId, subject) || (now !== undefined && isErased(now, subject));
}

function remapped(
  { ids }: RestoreSite,
  { role }: LineTable,
  { line, item }: { line: Buffer; item: JsonObject },
): JsonObject {
  if (ids === undefined || role === toolRoles.audit || !mayHold(line.toString(), ids.newIds)) return item;
  return remapItem(item, ids.newIds);
}

export function keyOf(item: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, item[name]]));
}

/** Whether every item is taken, whosever it is. */
export function isAllTaken(site: RestoreSite, isLedgerEmpty: boolean): boolean {
  return isLedgerEmpty && !isNarrow(site.scope) && site.ids === undefined;
}

/** The same lines in groups of `size`, the last one smaller. */
export async function* regrouped<T>(batches: AsyncIterable<readonly T[]>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const batch of batches) {
    for (const each of batch) {
      group.push(each);
      if (group.length < size) continue;
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
