import type { Aws } from "../aws/clients.ts";
import { readUserPool } from "../aws/cognito/user-pool.ts";
import { measureTable, type MeasuredTable } from "../aws/dynamodb/table-measure.ts";
import { errorName, isDenied } from "../aws/setting.ts";
import { inParallel, sideBySide } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import type { Declaration } from "../model/declaration.ts";
import { objectTemplates, ownerField } from "../model/objects.ts";
import type { Model } from "../model/schema.ts";
import { literalStart } from "../model/template.ts";
import { placeText, type RepositoryPlace } from "../backup/place.ts";
import type { DatabaseUse } from "./databases.ts";
import type { CountedInventory } from "./inventory.ts";
import { walkVersions, type Walk } from "./listing.ts";
import {
  bytesOf,
  grouperOf,
  largestFirst,
  nothing,
  ownerOf,
  plus,
  tally,
  type Group,
  type Grouping,
  type Piece,
  type Sums,
  type Tally,
} from "./sums.ts";
import { walkUnfinished } from "./unfinished.ts";

/** A listing now, or the newest list that S3 itself made. */
export type Engine = "listing" | "inventory";

export interface UsageQuery {
  readonly model: Model;
  /** The same site with its names as configured. */
  readonly declaration: Declaration;
  /** By what the files are summed up. */
  readonly by: Grouping | ((piece: Piece) => string | null);
  /** By what else, in the same look at them. */
  readonly also?: ((piece: Piece) => string | null) | undefined;
  /** By what it is known what lies in a bucket. */
  readonly engine: Engine;
  /** Only the objects of this person: by the id that stands in the keys. */
  readonly user?: string | undefined;
  /** Measures a database of the model by its role, as `measureDatabase`; without it they are left out. */
  readonly database?: (role: string) => Promise<DatabaseUse | { readonly missing: string }>;
  /** Where the backups lie; without it they are left out. */
  readonly repository?: RepositoryPlace | undefined;
  readonly now: Date;
  readonly signal: AbortSignal;
  onProgress(looked: number): void;
}

export interface TableUse extends MeasuredTable {
  readonly table: string;
  /** What the model says that lies in it. */
  readonly entities: readonly string[];
}

export interface BackupsUse extends Sums {
  readonly where: string;
  /** They lie in a bucket of the site, and are counted with its files, too. */
  readonly isAmongFiles: boolean;
}

export interface Usage {
  /** All that lies in the buckets; null where none of them could be looked at. */
  readonly files: Sums | null;
  /** Names of buckets that could not be looked at: what lies in them is in no sum. */
  readonly uncountedBuckets: readonly string[];
  /** The same by groups, the largest first. */
  readonly groups: readonly Group[];
  /** And by those of `also`. */
  readonly alsoGroups?: readonly Group[];
  /** Not of one person alone. */
  readonly tables: readonly TableUse[];
  /** Absent where nobody asked. */
  readonly databases?: readonly DatabaseUse[];
  /** Absent where nobody asked, of one person alone, and of a folder without any. */
  readonly backups?: BackupsUse;
  /** Of backups in a bucket that is none of the site's, by the groups of `also`. */
  readonly backupGroups?: readonly Group[];
  /** As Cognito estimates it. */
  readonly accounts?: number;
  /** Its feature plan, which decides on the price of an account. */
  readonly accountPlan?: string | undefined;
  /** What the files are told by, bucket by bucket, where that is an inventory. */
  readonly inventories?: readonly CountedInventory[];
  /** Buckets, tables and databases that the model has and that are not there. */
  readonly missing: readonly string[];
  /** What could not be looked at, for want of a permission, of an inventory or of a server. */
  readonly failures: readonly { readonly what: string; readonly why: string }[];
}

/** Of descriptions DynamoDB gives far more in a second. */
const tablesAtOnce = 32;

/**
 * Measures what a site stores: every version and unfinished upload of its buckets as listings or inventories tell of them, its tables and
 * accounts as AWS itself counts them. Only reads; keeps sums alone, however much lies there. What may not be looked at is among the
 * failures, and the rest is measured all the same.
 */
export async function measureUsage(aws: Aws, query: UsageQuery): Promise<Usage> {
  const { by, declaration, user } = query;
  const walking = await walkBy(query.engine);
  const missing: string[] = [];
  const failures: Usage["failures"][number][] = [];
  const ifThere = async <T>(what: string, measure: () => Promise<T | undefined>) => {
    try {
      const measured = await measure();
      if (measured === undefined) missing.push(what);
      return measured;
    } catch (error) {
      if (errorName(error) === "NoSuchBucket") missing.push(what);
      else if (isDenied(error) || walking.isTelling(error))
        failures.push({ what, why: (error as Error).message });
      else throw error;
      return undefined;
    }
  };
  let looked = 0;
  const onLooked = (more: number) => query.onProgress((looked += more));
  const measureDatabase = query.database;
  const repository = user === undefined ? query.repository : undefined;
  const [buckets, tables, accounts, databases, backups] = await sideBySide(query.signal, [
    (signal) =>
      Promise.all(
        declaration.buckets.map(async ({ role, name }) => {
          const site = { ...query, signal };
          const found = await ifThere(`bucket ${name}`, () =>
            bucketGroups(aws, site, { role, name, onLooked, walk: walking.walk }),
          );
          const groups = (found?.groups ?? []).map((group) =>
            by === "entity" ? { ...group, bucket: name } : group,
          );
          const { also = [], inventory = [] } = found ?? {};
          return { name, isCounted: found !== undefined, groups, also, inventory };
        }),
      ),
    (signal) =>
      inParallel(user === undefined ? declaration.tables : [], tablesAtOnce, async ({ role, name }) => {
        const table = await ifThere(`table ${name}`, () => measureTable(aws, name, signal));
        return table === undefined
          ? []
          : [{ table: name, entities: entitiesOf(query.model, role), ...table }];
      }),
    (signal) =>
      user === undefined && declaration.userPool !== undefined
        ? ifThere("user pool", () => readUserPool(aws, declaration.userPool?.id ?? "", signal))
        : Promise.resolve(undefined),
    (signal) =>
      inParallel(Object.entries(query.model.databases ?? {}), 1, async ([role, { name }]) => {
        signal.throwIfAborted();
        if (measureDatabase === undefined || user !== undefined) return [];
        try {
          const measured = await measureDatabase(role);
          if (!("missing" in measured)) return [measured];
          missing.push(`database ${measured.missing}`);
        } catch (error) {
          if (!(error instanceof CliError)) throw error;
          const why = [error.message, error.hint].filter(Boolean).join("; ");
          failures.push({ what: `database ${name}`, why });
        }
        return [];
      }),
    (signal) =>
      repository === undefined
        ? Promise.resolve(undefined)
        : ifThere(`backups in ${placeText(repository)}`, async () =>
            backupsAt(aws, repository, { ...query, signal, onLooked }),
          ),
  ]);
  const groups = joined(buckets.flatMap((bucket) => bucket.groups));
  const uncountedBuckets = buckets.flatMap(({ name, isCounted }) =>
    isCounted || missing.includes(`bucket ${name}`) ? [] : [name],
  );
  const isKnown = uncountedBuckets.length === 0 || buckets.some(({ isCounted }) => isCounted);
  return {
    files: isKnown ? groups.reduce<Sums>(plus, nothing) : null,
    uncountedBuckets,
    groups: largestFirst(groups),
    ...(query.also === undefined ? {} : { alsoGroups: joined(buckets.flatMap(({ also }) => also)) }),
    tables: tables.flat(),
    ...(measureDatabase === undefined ? {} : { databases: databases.flat() }),
    ...backups,
    ...(query.engine === "listing" ? {} : { inventories: buckets.flatMap(({ inventory }) => inventory) }),
    ...(accounts?.users === undefined ? {} : { accounts: accounts.users, accountPlan: accounts.plan }),
    missing: missing.sort(),
    failures,
  };
}

/** They are listed, however the site's own buckets are looked at: no inventory is ordered of them. */
async function backupsAt(
  aws: Aws,
  place: RepositoryPlace,
  {
    also = () => null,
    declaration,
    signal,
    onLooked,
  }: UsageQuery & { readonly onLooked: (more: number) => void },
): Promise<Pick<Usage, "backups" | "backupGroups">> {
  const { measureRepository } = await import("./repository.ts");
  const measured = await measureRepository(aws, place, { groupOf: also, onLooked, signal });
  const groups = joined(measured.map(({ group, sums }) => ({ group, ...sums })));
  if ("folder" in place && groups.length === 0) return {};
  const isAmongFiles = "bucket" in place && declaration.buckets.some(({ name }) => name === place.bucket);
  return {
    backups: { where: placeText(place), isAmongFiles, ...groups.reduce<Sums>(plus, nothing) },
    ...("bucket" in place && !isAmongFiles && { backupGroups: groups }),
  };
}

interface Walking {
  readonly walk: (aws: Aws, walk: Walk) => Promise<CountedInventory | void>;
  /** Whether an error tells why a bucket cannot be looked at in this way. */
  readonly isTelling: (error: unknown) => error is Error;
}

async function walkBy(engine: Engine): Promise<Walking> {
  if (engine === "listing") return { walk: walkVersions, isTelling: (_error): _error is Error => false };
  const { walkInventory, NoInventory } = await import("./inventory.ts");
  return { walk: walkInventory, isTelling: (error) => error instanceof NoInventory };
}

/** Of an inventory, what tells what a grouping goes by. */
function neededFields({ by, also }: Pick<UsageQuery, "by" | "also">): string[] {
  if (typeof by === "function" || also !== undefined) return ["StorageClass", "LastModifiedDate"];
  return by === "class" ? ["StorageClass"] : by === "age" ? ["LastModifiedDate"] : [];
}

interface Bucket {
  readonly role: string;
  readonly name: string;
  readonly walk: Walking["walk"];
  readonly onLooked: (more: number) => void;
}

type Summed = Omit<Group, "bytes">;

async function bucketGroups(
  aws: Aws,
  { model, by, also, user, now, signal }: UsageQuery,
  { role, name, walk, onLooked }: Bucket,
): Promise<{
  readonly groups: readonly Summed[];
  readonly also: readonly Summed[];
  readonly inventory: readonly CountedInventory[];
}> {
  const groupOf = typeof by === "function" ? by : grouperOf(by, { model, bucket: role, now });
  const owner = user === undefined ? undefined : ownerOf(model, role);
  const [sums, alsoSums] = [tally(), tally()];
  const add = (piece: Piece) => {
    if (owner !== undefined && owner(piece) !== user) return;
    sums.add(groupOf(piece), piece);
    if (also !== undefined) alsoSums.add(also(piece), piece);
  };
  const templates = Object.values(model.entities).flatMap((entity) =>
    objectTemplates(entity, role).map((template) => ({
      start: literalStart(template),
      owner: ownerField(entity),
      template,
    })),
  );
  const prefixes =
    user === undefined
      ? undefined
      : withoutCovered(
          templates.flatMap(({ start, owner, template }) => {
            if (owner === undefined || !template.fields.includes(owner)) return [];
            return [template.text.startsWith(`${start}{${owner}}/`) ? `${start}${user}/` : start];
          }),
        );
  const starts = templates.map(({ start }) => start);
  const [inventory] = await sideBySide(signal, [
    (signal) =>
      walk(aws, {
        bucket: name,
        prefixes,
        starts,
        needs: neededFields({ by, also }),
        signal,
        onPieces(pieces) {
          for (const piece of pieces) add(piece);
          onLooked(pieces.length);
        },
      }),
    (signal) =>
      walkUnfinished(
        aws,
        { bucket: name, signal },
        { isWanted: (upload) => owner === undefined || owner(upload) === user, onPiece: add },
      ),
  ]);
  const summed = (of: Tally): Summed[] => of.groups().map(({ group, sums: each }) => ({ group, ...each }));
  return {
    groups: summed(sums),
    also: summed(alsoSums),
    inventory: inventory === undefined ? [] : [inventory],
  };
}

/** Without those that begin with another of them. */
function withoutCovered(prefixes: readonly string[]): string[] {
  const all = [...new Set(prefixes)];
  return all.filter((prefix) => !all.some((other) => other !== prefix && prefix.startsWith(other)));
}

/** Groups of the same name in several buckets are one, unless they are told bucket by bucket. */
function joined(groups: readonly Summed[]): Group[] {
  const all = new Map<string, Summed>();
  for (const group of groups) {
    const id = JSON.stringify([group.bucket, group.group]);
    const known = all.get(id);
    all.set(id, known === undefined ? group : { ...known, ...plus(known, group) });
  }
  return [...all.values()].map((group) => ({ ...group, bytes: bytesOf(group) }));
}

function entitiesOf({ entities }: Model, role: string): string[] {
  return Object.entries(entities).flatMap(([name, { from, at }]) =>
    "table" in from && !("database" in from) && from.table === role && at === undefined ? [name] : [],
  );
}
