import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../../aws/dynamodb/expressions.ts";
import { assertItemFits } from "../../aws/dynamodb/item-size.ts";
import { getItem, tableShape, type AttributeValue, type Item } from "../../aws/dynamodb/items.ts";
import type { TransactStep } from "../../aws/dynamodb/transact.ts";
import type { Commit, Told } from "../../audit/commit.ts";
import { backOff } from "../../retry.ts";
import { NothingChanged } from "../../errors.ts";
import type { HeroRole } from "../../model/keys.ts";
import { heroAttributes, heroItemType } from "../../model/mawps.ts";
import type { TableShape } from "../../model/table-shape.ts";
import { ownerId } from "../../model/user-id.ts";
import type { Context } from "../../context.ts";
import { liveIn, pointers, type HeroPointer, type HeroVariant } from "./live.ts";
import { advanced, withTimeline, type HeroPast, type Timeline } from "./timeline.ts";

/** The pointer with the item that it was read from: a change is conditional on that state. */
export interface ReadPointer {
  readonly pointer: HeroPointer;
  /** What the item tells of earlier pictures; empty where the website has replaced the item since. */
  readonly past: HeroPast;
  readonly shape: TableShape;
  readonly item: Item | undefined;
}

const { variants: variantsName, history: historyName } = heroAttributes;

/** Reads what is live. An item that is missing, or lacks the attributes, means that nothing is set. */
export async function readPointer(context: Context): Promise<ReadPointer> {
  const { shape, item } = await readOwnerItem(context);
  const variants = variantsIn(item?.[variantsName]);
  return {
    shape,
    item,
    past: pastIn(item?.[historyName]),
    pointer: {
      profileImageDefault: text(item?.[pointers.default]),
      profileImageHover: text(item?.[pointers.hover]),
      profileImageVariants: variants,
      updatedAt: text(item?.["updatedAt"]),
    },
  };
}

/**
 * Reads the item as it is keyed on the live table. An answer proves the table's shape, since DynamoDB refuses a key that
 * is not exactly the table's; only when it refuses is the shape asked for, which takes a call more.
 */
async function readOwnerItem(context: Context): Promise<{ shape: TableShape; item: Item | undefined }> {
  const { aws, signal } = context;
  const table = context.tables.userProfiles;
  const read = (shape: TableShape) => getItem(aws, { table, key: ownerKey(shape), signal });
  try {
    const shape = { kind: "simple" } as const;
    return { shape, item: await read(shape) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ValidationException") throw error;
    const shape = await tableShape(aws, table, signal);
    // Then it was not the key that was refused.
    if (shape.kind === "simple") throw error;
    return { shape, item: await read(shape) };
  }
}

/** What a role is to point at from now on; null takes the picture away. Roles that are left out stay. */
export type Repointing = Partial<Record<HeroRole, Target | null>>;

interface Target {
  readonly url: string;
  readonly variants: readonly HeroVariant[];
  /** The role's timeline from now on; by default the picture stands behind what was live. */
  readonly timeline?: Timeline;
}

export interface PointerUpdate {
  readonly set: Readonly<Record<string, AttributeValue>>;
  readonly remove: readonly string[];
  /** The item's `type` when it was neither missing nor the one that the website looks for. */
  readonly foreignType: string | undefined;
}

/**
 * The attributes to write, decided from what was read. Pure, so that it can be checked before anything is uploaded.
 * @throws CliError when the item would grow over DynamoDB's 400 KB.
 */
export function planPointer(read: ReadPointer, change: Repointing, now: Date): PointerUpdate {
  const { pointer, shape, item } = read;
  const set: Record<string, AttributeValue> = { updatedAt: { S: now.toISOString() } };
  const variants: Record<string, readonly HeroVariant[]> = { ...pointer.profileImageVariants };
  let { past } = read;
  for (const role of ["default", "hover"] as const) {
    const target = change[role];
    if (target === undefined) continue;
    set[pointers[role]] = target === null ? { NULL: true } : { S: target.url };
    delete variants[role];
    if (target !== null && target.variants.length > 0) variants[role] = target.variants;
    const live = liveIn(read.pointer, role);
    const timeline = target?.timeline ?? advanced(past[role], [live, target?.url ?? null]);
    past = withTimeline(past, role, { timeline, live });
  }
  set[historyName] = typedPast(past);
  // The website's backend reads both attributes: an item of ours has both from the start.
  for (const name of Object.values(pointers)) {
    if (item?.[name] === undefined) set[name] ??= { NULL: true };
  }
  const remove: string[] = [];
  if (Object.keys(variants).length > 0) set[variantsName] = typedVariants(variants);
  else if (item?.[variantsName] !== undefined) remove.push(variantsName);

  let foreignType: string | undefined;
  if (shape.kind === "simple" && item?.["type"]?.S !== heroItemType) {
    set["type"] = { S: heroItemType };
    if (item?.["type"] !== undefined) foreignType = item["type"].S ?? JSON.stringify(item["type"]);
  }
  assertItemFits({ ...item, ...ownerKey(shape), ...set }, "the owner item");
  return { set, remove, foreignType };
}

/**
 * Writes the planned attributes, and nothing else of the item, if the hero attributes still are what was read.
 */
function pointerStep(context: Context, read: ReadPointer, update: PointerUpdate): TransactStep {
  const decisive = [...Object.values(pointers), variantsName, historyName];
  const conditions = decisive.map((path): Condition => {
    const value = read.item?.[path];
    return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
  });
  const change = {
    set: Object.entries(update.set).map(([path, value]) => ({ path, value })),
    remove: update.remove,
  };
  return {
    kind: "update",
    table: context.tables.userProfiles,
    key: ownerKey(read.shape),
    change,
    conditions,
  };
}

/** How often a change is planned anew. Each lost race is somebody else's change that got through. */
const attempts = 24;

/** A change of the pointer: what it makes of any state, and whether it still means the same after somebody else's. */
export interface PointerChange {
  readonly plan: (read: ReadPointer) => PointerUpdate;
  readonly holds: (before: ReadPointer, now: ReadPointer) => boolean;
  /** What it is told as, made over this state. */
  readonly told: (over: ReadPointer) => Told;
}

/**
 * Writes a change and its entry in the trail; after a lost race it is planned on what is there then, for as long as it does not
 * depend on what the other changed. Resolves to the state over which it was written.
 * @throws CliError when it does depend, or too many others are at it; nothing was written then.
 */
export async function changePointer(
  context: Context,
  read: ReadPointer,
  { plan, holds, told, commit }: PointerChange & { readonly commit: Commit },
): Promise<{ readonly read: ReadPointer; readonly update: PointerUpdate }> {
  let before = read;
  const { aws, signal } = context;
  const tries = backOff({ attempts, firstDelayMs: 20, longestDelayMs: 160, signal });
  for (;;) {
    const update = plan(before);
    const steps = [pointerStep(context, before, update)];
    if (await commit(aws, { steps, told: told(before), signal })) return { read: before, update };
    const now = (await tries.again()) ? await readPointer(context) : undefined;
    if (now === undefined || !holds(before, now)) {
      throw new NothingChanged("somebody else changed the hero images meanwhile; theirs stay live", {
        hint: "look at `mawps hero show`, then run the command again",
      });
    }
    before = now;
  }
}

/** Whether the same is live in a role, after the same: all that a change of that role alone depends on. */
export function isUntouched(role: HeroRole): PointerChange["holds"] {
  return (before, now) =>
    liveIn(before.pointer, role) === liveIn(now.pointer, role) &&
    isDeepStrictEqual(before.past[role], now.past[role]);
}

function ownerKey(shape: TableShape): Item {
  return shape.kind === "simple"
    ? { userId: { S: ownerId } }
    : { userId: { S: ownerId }, type: { S: heroItemType } };
}

function text(value: AttributeValue | undefined): string | null {
  return value?.S === undefined || value.S === "" ? null : value.S;
}

/** Variants as stored; what does not look like one is foreign and left out here (and kept on the item). */
function variantsIn(value: AttributeValue | undefined): HeroPointer["profileImageVariants"] {
  if (value?.M === undefined) return undefined;
  const found: Partial<Record<HeroRole, readonly HeroVariant[]>> = {};
  for (const role of ["default", "hover"] as const) {
    const list = (value.M[role]?.L ?? []).flatMap(({ M: map }) => {
      const [url, type, width] = [map?.["url"]?.S, map?.["type"]?.S, Number(map?.["width"]?.N)];
      return url === undefined || type === undefined || !Number.isInteger(width)
        ? []
        : [{ url, type, width }];
    });
    if (list.length > 0) found[role] = list;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

function typedVariants(variants: Readonly<Record<string, readonly HeroVariant[]>>): AttributeValue {
  const typed = Object.entries(variants).map(([role, list]) => [
    role,
    {
      L: list.map(({ url, type, width }) => ({
        M: { url: { S: url }, type: { S: type }, width: { N: String(width) } },
      })),
    },
  ]);
  return { M: Object.fromEntries(typed) as Record<string, AttributeValue> };
}

/** The past as stored; what is no text in it is foreign and left out. */
function pastIn(value: AttributeValue | undefined): HeroPast {
  const lineOf = (name: keyof HeroPast) => (value?.M?.[name]?.L ?? []).flatMap(({ S: url }) => url ?? []);
  return { default: lineOf("default"), hover: lineOf("hover"), left: lineOf("left") };
}

function typedPast(past: HeroPast): AttributeValue {
  const typed = (line: Timeline) => ({ L: line.map((url) => ({ S: url })) });
  return { M: { default: typed(past.default), hover: typed(past.hover), left: typed(past.left) } };
}
