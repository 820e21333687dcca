import { getRawItems } from "../aws/raw/get-raw-items.ts";
import { newStoreKey } from "../migrations/state.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { migrationLockId } from "../model/tool-tables.ts";
import { erasureChain } from "./erasures.ts";
import {
  type Candidate,
  type CountedOff,
  type Erasing,
  keyOf,
  type LineTable,
  lookInto,
} from "./restore-items.ts";
import { type Fate, fateOfDifferent, type RestoreSite } from "./restore-site.ts";
import { canonicalItem, changedAt, sameItem } from "./same-item.ts";
import { toolRoles } from "../model/tool-tables.ts";

/** What looking into lines needs, besides the site. */
export interface Planning extends Erasing {
  readonly countedOff: CountedOff;
  readonly isLedgerEmpty: boolean;
  readonly onSuppressed: (userId: string) => void;
  /** Files that rows name which are meant (`fileName`). */
  readonly named: ReadonlySet<string>;
}

/** One line, and what is to become of it. */
export interface Compared {
  readonly fate: Fate;
  readonly candidate?: Candidate;
  /** What stands there. */
  readonly over?: JsonObject;
}

/** Compares at most 100 lines with what is there now. A key that comes twice counts where it comes last. */
export async function compare(
  site: RestoreSite,
  { table, planning, lines }: { table: LineTable; planning: Planning; lines: readonly Buffer[] },
): Promise<Compared[]> {
  const looks = lines.map((line) => lookInto(site, { table, ...planning }, line));
  const candidates = new Map<string, Candidate>();
  for (const look of looks)
    if (look.fate === undefined) candidates.set(look.candidate.keyText, look.candidate);
  const known = looks.flatMap((look) => (look.fate === undefined && !look.isNew ? [look.candidate] : []));
  const keys = [...new Map(known.map(({ key, keyText }) => [keyText, key])).values()];
  const found = new Map<string, JsonObject>();
  const { aws, signal } = site;
  for (const item of keys.length === 0 ? [] : await getRawItems(aws, { table: table.name, keys, signal }))
    found.set(canonicalItem(keyOf(item, table.keys)), item);
  return looks.map((look) => {
    if (look.fate !== undefined) return look;
    const { candidate } = look;
    if (table.role === toolRoles.audit && isOfLedger(candidate)) return { fate: "left out" };
    if (candidates.get(candidate.keyText) !== candidate) return { fate: "left out" };
    const over = found.get(candidate.keyText);
    if (over !== undefined && isOfItsStore(table, candidate)) return { fate: "left out" };
    return { fate: fateOf(site, { table, candidate, over }), candidate, over };
  });
}

/** The ledger grows by itself: see restore-audit.ts. */
function isOfLedger({ item }: Candidate): boolean {
  const { chain } = item;
  return isRecord(chain) && chain["S"] === erasureChain;
}

/**
 * Whoever holds the lock now must not lose it to an older one, whose count of runners would let late writes through. And for
 * which migrations a store was new is its own to say: see `migrationsDueAgain`.
 */
function isOfItsStore({ role }: LineTable, { item: { id, entry } }: Candidate): boolean {
  if (role !== toolRoles.migrations || !isRecord(id)) return false;
  const isNew = isRecord(entry) && id["S"] === newStoreKey["id"]?.S && entry["S"] === newStoreKey["entry"]?.S;
  return isNew || id["S"] === migrationLockId;
}

function fateOf(
  { onConflict }: RestoreSite,
  { table, candidate, over }: { table: LineTable; candidate: Candidate; over: JsonObject | undefined },
): Fate {
  if (over === undefined) return "create";
  if (sameItem(candidate.item, over)) return "same";
  // Nobody rewrites history, whatever the policy: see guardTrail.
  if (table.role === toolRoles.audit) return "conflict";
  return fateOfDifferent(onConflict, () => {
    const mine = changedAt(candidate.item);
    const theirs = changedAt(over);
    return mine !== undefined && theirs !== undefined && mine > theirs;
  });
}
