import type { TableCapacity } from "../model/declaration.ts";
import type { Asked } from "../aws/cloudwatch/requests.ts";
import type { UnusedIndex } from "../aws/cloudwatch/unused-indexes.ts";
import {
  lineIn,
  savingIn,
  type LineCode,
  type LineValues,
  type SavingCode,
  type SavingValues,
} from "./cost-words.ts";
import type { TableUse } from "./measure.ts";
import type { Price, PriceOf } from "./prices.ts";
import { nothing, type Group, type Piece } from "./sums.ts";

/** Days after which something is given up, or is likely not read any more. */
export interface Terms {
  readonly unfinished: number;
  readonly noncurrent: number;
  /** From when Intelligent-Tiering takes what was not read for the cheaper tier: AWS's own number. */
  readonly objects: 30;
  /** The site's own rules bring objects of every bucket there. */
  readonly isTiered: boolean;
}

/** What costs something, as it was measured. */
export interface Stored {
  /** By `costGroupOf`. */
  readonly files: readonly Group[];
  /** The same of backups that lie in a bucket of their own. */
  readonly backupFiles?: readonly Group[] | undefined;
  readonly tables: readonly TableUse[];
  /** Tables whose units the model lets AWS scale, by name. */
  readonly scaled: ReadonlyMap<string, TableCapacity>;
  /** Names of the tables with point-in-time recovery. */
  readonly recovering: ReadonlySet<string>;
  /** Backups that DynamoDB keeps. */
  readonly nativeBackupBytes: number;
  readonly accounts: number | undefined;
  /** Feature plan of the user pool. */
  readonly plan: string;
  /** Those that the model does not name and from which nobody has read for so long. */
  readonly unusedIndexes: readonly (UnusedIndex & { readonly table: string })[];
  /** How often tables and buckets were asked in 30 days; undefined where nobody knows. */
  readonly asked?: Asked | undefined;
  /** Names of all buckets of the site. */
  readonly buckets?: readonly string[];
  /** What is due by each rule of retention; undefined where nobody looked. */
  readonly due?: readonly Due[] | undefined;
}

/** What a run of retention would delete by one rule. */
export interface Due {
  readonly rule: string;
  readonly count: number;
  readonly bytes: number;
}

/** Those of the totals of a plan whose files would go: uploads in parts and replaced versions are told by the lifecycle's lines. Pure. */
export function dueIn(rules: readonly (Due & { readonly action: string })[]): Due[] {
  return rules.filter(({ action, bytes }) => action === "purge" && bytes > 0);
}

/** One thing that costs, or what would be saved; with the code of its words, which stays, and their values. */
export interface CostLine {
  readonly code: LineCode;
  readonly values: unknown;
  readonly what: string;
  readonly quantity: number;
  readonly unit: string;
  /** A month; null where no price is known. */
  readonly usd: number | null;
  readonly price: Price | null;
  /** What the figure takes for granted. */
  readonly assumption: string;
}

export interface Saving {
  readonly code: SavingCode;
  readonly values: unknown;
  readonly what: string;
  /** A month; below zero where it would cost more. Null where no price is known. */
  readonly usd: number | null;
  readonly prices: readonly Price[];
  readonly assumption: string;
  /** What brings it about. */
  readonly remedy: string;
}

export interface Cost {
  readonly lines: readonly CostLine[];
  /** Of the lines whose price is known. */
  readonly usd: number;
  readonly savings: readonly Saving[];
  /** Prices of what no listing tells the number of. */
  readonly uncounted: readonly Price[];
  /** Prices used that are older than a year. */
  readonly old: readonly Price[];
}

/** AWS bills by GB of 2^30 bytes. */
const gigabyte = 1024 ** 3;
/** Objects below stay in the frequent tier and are not monitored. */
const tieredFromBytes = 128 * 1024;
const dayMs = 86_400_000;

/** Groups pieces by what decides on their price: storage class, whether large enough for tiering, whether past their term. */
export function costGroupOf(now: Date, terms: Terms): (piece: Piece) => string | null {
  return ({ part, bytes, at, storageClass = "STANDARD" }) => {
    if (part === "markers") return null;
    const isPast = at !== undefined && now.getTime() - at.getTime() > terms[part] * dayMs;
    return [storageClass, bytes >= tieredFromBytes ? "large" : "small", isPast ? "past" : "young"].join(" ");
  };
}

type Part = "objects" | "noncurrent" | "unfinished";

interface Wanted {
  readonly part: Part;
  readonly storageClass?: string;
  readonly size?: "large";
  readonly age?: "past";
}

function amountOf(files: readonly Group[], { part, storageClass, size, age }: Wanted) {
  let [count, bytes] = [0, 0];
  for (const { group, [part]: amount } of files) {
    const [isClass, isSize, isAge] = (group ?? "").split(" ");
    if ((storageClass ?? isClass) !== isClass || (size ?? isSize) !== isSize || (age ?? isAge) !== isAge)
      continue;
    count += amount.count;
    bytes += amount.bytes;
  }
  return { count, gigabytes: bytes / gigabyte };
}

/** What a month costs as things stand, and what could be saved. Pure: the same give the same. */
export function costOf(stored: Stored, priceOf: PriceOf, { now, terms }: { now: Date; terms: Terms }): Cost {
  const used = new Map<string, Price>();
  const usedPriceOf = (id: string) => {
    const found = priceOf(id);
    if (found !== undefined) used.set(id, found);
    return found;
  };
  const requests = requestLines(stored, usedPriceOf);
  const lines = [
    ...fileLines(stored, usedPriceOf),
    ...backupLines(stored, usedPriceOf),
    ...tableLines(stored, usedPriceOf),
    ...accountLines(stored, usedPriceOf),
    ...requests.flatMap(({ lines: counted }) => counted),
  ];
  const savings = savingsOf(stored, usedPriceOf, terms);
  const uncounted = requests.flatMap(({ id, isWhole }) => (isWhole ? [] : (usedPriceOf(id) ?? [])));
  return {
    lines,
    usd: lines.reduce((sum, { usd }) => sum + (usd ?? 0), 0),
    savings,
    uncounted,
    old: [...used.values()].filter(({ date }) => now.getTime() - Date.parse(date) > 365 * dayMs),
  };
}

interface Counted<C extends LineCode> {
  readonly code: C;
  readonly values: LineValues<C>;
  readonly quantity: number;
}

function priced<C extends LineCode>(
  { quantity, code, values }: Counted<C>,
  price: Price | undefined,
): CostLine {
  const paid = Math.max(0, quantity - (price?.free ?? 0));
  const worded = { code, values, price: price ?? null };
  return { ...worded, ...lineIn("en", worded), quantity, usd: price === undefined ? null : paid * price.usd };
}

function saving<C extends SavingCode>(
  code: C,
  values: SavingValues<C>,
  money: Pick<Saving, "usd" | "prices">,
): Saving {
  return { code, values, ...savingIn("en", { code, values }), ...money };
}

function fileLines({ files }: Pick<Stored, "files">, priceOf: PriceOf): CostLine[] {
  const lines = classesOf(files).flatMap((storageClass) =>
    (["objects", "noncurrent", "unfinished"] as const).flatMap((part) => {
      const { count, gigabytes } = amountOf(files, { part, storageClass });
      if (count === 0) return [];
      const isRounded = storageClass.includes("IA") || storageClass.startsWith("GLACIER");
      const counted = { values: { part, storageClass, isRounded }, quantity: gigabytes };
      return [priced({ ...counted, code: "files" }, priceOf(`s3.storage.${storageClass}`))];
    }),
  );
  const monitored = (["objects", "noncurrent"] as const).reduce(
    (sum, part) => sum + amountOf(files, { part, storageClass: tiering, size: "large" }).count,
    0,
  );
  if (monitored === 0) return lines;
  const counted = { values: { storageClass: tiering }, quantity: monitored / 1000 };
  return [...lines, priced({ ...counted, code: "monitoring" }, priceOf("s3.tiering.monitoring"))];
}

function backupLines({ backupFiles = [] }: Stored, priceOf: PriceOf): CostLine[] {
  return classesOf(backupFiles).map((storageClass) => {
    const quantity = (["objects", "noncurrent", "unfinished"] as const).reduce(
      (sum, part) => sum + amountOf(backupFiles, { part, storageClass }).gigabytes,
      0,
    );
    const counted = { values: { storageClass }, quantity };
    return priced({ ...counted, code: "backups" }, priceOf(`s3.storage.${storageClass}`));
  });
}

const tiering = "INTELLIGENT_TIERING";

function classesOf(files: readonly Group[]): string[] {
  return [...new Set(files.flatMap(({ group }) => group?.split(" ")[0] ?? []))].sort();
}

function tableLines(stored: Stored, priceOf: PriceOf): CostLine[] {
  const { tables, recovering, nativeBackupBytes } = stored;
  const classes = (["STANDARD", "STANDARD_INFREQUENT_ACCESS"] as const).flatMap((tableClass) => {
    const some = tables.filter((table) => table.class === tableClass);
    if (some.length === 0) return [];
    const counted = { values: { tableClass }, quantity: gigabytesOf(some, true) };
    return [priced({ ...counted, code: "tables" }, priceOf(`dynamodb.storage.${tableClass}`))];
  });
  const kept = tables.filter(({ table }) => recovering.has(table));
  const recovery = priced(
    { code: "recovery", values: undefined, quantity: gigabytesOf(kept, false) },
    priceOf("dynamodb.recovery"),
  );
  const backups = priced(
    { code: "native-backups", values: undefined, quantity: nativeBackupBytes / gigabyte },
    priceOf("dynamodb.backup"),
  );
  return [
    ...classes,
    ...capacityLines(stored, priceOf),
    ...(kept.length === 0 ? [] : [recovery]),
    ...(nativeBackupBytes === 0 ? [] : [backups]),
  ];
}

function gigabytesOf(some: readonly TableUse[], isWithIndexes: boolean): number {
  const bytes = some.reduce(
    (sum, { bytes: own, indexes }) =>
      indexes.reduce((all, index) => all + (isWithIndexes ? index.bytes : 0), sum + own),
    0,
  );
  return bytes / gigabyte;
}

/** Of a month with 730 hours. */
const hoursAMonth = 730;

function capacityLines({ tables, scaled }: Stored, priceOf: PriceOf): CostLine[] {
  const provisioned = tables.flatMap(({ table, indexes, billing }) =>
    billing === "on-demand" ? [] : [{ billing, capacity: scaled.get(table), parts: 1 + indexes.length }],
  );
  return (["write", "read"] as const).flatMap((kind) => {
    const sum = (unitsOf: (each: (typeof provisioned)[number]) => number) =>
      provisioned.reduce((units, each) => units + unitsOf(each), 0);
    const units = sum(({ billing }) => billing[`${kind}Units`]);
    if (units === 0) return [];
    const bound = (end: "min" | "max") =>
      sum(({ billing, capacity, parts }) =>
        capacity === undefined ? billing[`${kind}Units`] : parts * capacity[kind][end],
      );
    const isScaled = provisioned.some(({ capacity }) => capacity !== undefined);
    const bounds = isScaled ? { min: bound("min"), max: bound("max") } : undefined;
    const counted = { values: { kind, units, bounds }, quantity: units * hoursAMonth };
    return [priced({ ...counted, code: "capacity" }, priceOf(`dynamodb.capacity.${kind}`))];
  });
}

function accountLines({ accounts, plan }: Stored, priceOf: PriceOf): CostLine[] {
  if (accounts === undefined) return [];
  const counted = { values: { plan, accounts }, quantity: accounts };
  return [priced({ ...counted, code: "accounts" }, priceOf(`cognito.${plan}`))];
}

/** By each price of requests what is known of them, and whether that is all. */
function requestLines(
  { asked, tables, buckets = [] }: Stored,
  priceOf: PriceOf,
): { readonly id: string; readonly lines: readonly CostLine[]; readonly isWhole: boolean }[] {
  const known = [...(asked?.buckets.values() ?? [])];
  const isOfAll = known.length > 0 && known.length === buckets.length;
  const some = { known: known.length, all: buckets.length };
  const ofBuckets = (["write", "read"] as const).map((kind) => {
    const id = `s3.requests.${kind}`;
    const number = known.reduce((sum, each) => sum + each[kind], 0);
    const counted = { values: { kind, ...some }, quantity: number / 1000 };
    const lines = number === 0 ? [] : [priced({ ...counted, code: "bucket-requests" }, priceOf(id))];
    return { id, lines, isWhole: isOfAll };
  });
  const downloaded = known.reduce((sum, { downloadedBytes }) => sum + downloadedBytes, 0) / gigabyte;
  const downloads = priced(
    { code: "downloads", values: some, quantity: downloaded },
    priceOf("transfer.out"),
  );
  // Where CloudWatch knows one table it knows all: of one that nobody asked it has nothing.
  const onDemand = tables.filter(({ billing }) => billing === "on-demand");
  const ofTables = (["write", "read"] as const).map((kind) => {
    const id = `dynamodb.${kind}`;
    const units = onDemand.reduce((sum, { table }) => sum + (asked?.tables.get(table)?.[kind] ?? 0), 0);
    const counted = { values: { kind }, quantity: units / 1_000_000 };
    const lines = units === 0 ? [] : [priced({ ...counted, code: "table-requests" }, priceOf(id))];
    return { id, lines, isWhole: (asked?.tables.size ?? 0) > 0 };
  });
  const outgoing = { id: "transfer.out", lines: downloaded === 0 ? [] : [downloads], isWhole: isOfAll };
  return [...ofBuckets, outgoing, ...ofTables];
}

function savingsOf(stored: Stored, priceOf: PriceOf, terms: Terms): Saving[] {
  const { files, due = [] } = stored;
  return [
    ...due.map((each) => dueSaving(each, priceOf)),
    ...lifecycleSavings(files, priceOf, terms),
    ...(terms.isTiered ? [] : tieringSaving(files, priceOf)),
    ...indexSavings(stored, priceOf),
  ];
}

function dueSaving({ rule, count: number, bytes }: Due, priceOf: PriceOf): Saving {
  const price = priceOf("s3.storage.STANDARD");
  return saving(
    "due",
    { rule, count: number },
    {
      usd: price === undefined ? null : (bytes / gigabyte) * price.usd,
      prices: price === undefined ? [] : [price],
    },
  );
}

/** What an index takes beyond the storage that costs nothing, and what was written into it. */
function indexSavings({ tables, unusedIndexes }: Stored, priceOf: PriceOf): Saving[] {
  return unusedIndexes.flatMap(({ table: name, index, writeUnits }): Saving[] => {
    const table = tables.find((each) => each.table === name);
    if (table === undefined) return [];
    const same = tables.filter((each) => each.class === table.class);
    const bytes = table.indexes.find((each) => each.name === index)?.bytes ?? 0;
    const storage = priceOf(`dynamodb.storage.${table.class}`);
    const write = table.billing === "on-demand" ? priceOf("dynamodb.write") : undefined;
    const paid = Math.max(0, gigabytesOf(same, true) - (storage?.free ?? 0));
    const stored = storage && Math.min(bytes / gigabyte, paid) * storage.usd;
    const written = table.billing === "on-demand" ? write && (writeUnits / 1_000_000) * write.usd : 0;
    const values = {
      table: name,
      index,
      writeUnits: table.billing === "on-demand" ? Math.round(writeUnits) : undefined,
    };
    return [
      saving("index", values, {
        usd: stored === undefined || written === undefined ? null : stored + written,
        prices: [storage, write].flatMap((price) => price ?? []),
      }),
    ];
  });
}

function lifecycleSavings(files: Stored["files"], priceOf: PriceOf, terms: Terms): Saving[] {
  return (["unfinished", "noncurrent"] as const).flatMap((part): Saving[] => {
    // What would not be there would not be billed: the same lines, of what would go alone.
    const going = files.flatMap(({ group, [part]: amount }) =>
      group?.endsWith(" past") === true ? [{ ...nothing, bytes: 0, group, [part]: amount }] : [],
    );
    const lines = fileLines({ files: going }, priceOf);
    if (lines.length === 0) return [];
    const known = lines.flatMap(({ usd }) => usd ?? []);
    const unknown = known.length === 0 ? [] : lines.filter(({ usd }) => usd === null);
    return [
      saving(
        part,
        { days: terms[part], unknown },
        {
          usd: known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0),
          prices: lines.flatMap(({ price }) => price ?? []),
        },
      ),
    ];
  });
}

/** What is not read for 30 days costs less, and each object that is large enough a fee. */
function tieringSaving(files: readonly Group[], priceOf: PriceOf): Saving[] {
  const large = { part: "objects", storageClass: "STANDARD", size: "large" } as const;
  const monitored = amountOf(files, large);
  const old = amountOf(files, { ...large, age: "past" });
  if (monitored.count === 0) return [];
  const standard = priceOf("s3.storage.STANDARD");
  const ownTier = priceOf("s3.tiering.infrequent");
  const tier = ownTier ?? priceOf("s3.storage.STANDARD_IA");
  const fee = priceOf("s3.tiering.monitoring");
  const areKnown = standard !== undefined && tier !== undefined && fee !== undefined;
  const saved = areKnown
    ? old.gigabytes * (standard.usd - tier.usd) - (monitored.count / 1000) * fee.usd
    : null;
  return [
    saving(
      "tiering",
      { monitored: monitored.count, isByClass: ownTier === undefined },
      { usd: saved, prices: [standard, tier, fee].flatMap((price) => price ?? []) },
    ),
  ];
}
