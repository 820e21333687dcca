import { CliError } from "../errors.ts";
import type { OwnersOfItem } from "../model/links.ts";
import { newOnlyBehind } from "../migrations/new-store.ts";
import { countedInSnapshot } from "./erased-counts.ts";
import { erasedInSnapshot } from "./erased-through.ts";
import { planPart } from "./database-part.ts";
import { planRows, type DatabasePlan } from "./database-restore.ts";
import { partLines } from "./parts.ts";
import type { CountedOff } from "./restore-items.ts";
import type { Planning } from "./restore-compare.ts";
import { countStaying, type Staying } from "./remap-staying.ts";
import { ledgerGrowth } from "./restore-audit.ts";
import { type BucketPlan, planBucket } from "./restore-object-plan.ts";
import {
  assertKnown,
  isNarrow,
  meantBy,
  wantsBucket,
  wantsDatabase,
  wantsTable,
  wantsUsers,
} from "./restore-scope.ts";
import { ownersIn, type RestoreSite } from "./restore-site.ts";
import { planTable, type TablePlan } from "./restore-table-plan.ts";
import { withoutFile } from "./returning-rows.ts";
import { parseUserLine, type UserLine } from "./user-line.ts";
import { planUsers, type UsersPlan } from "./users-plan.ts";
import { toolRoles } from "../model/tool-tables.ts";
import { documentPlaces } from "../model/feature-places.ts";

/** What a restore is about to do; the very same is carried out. */
export interface RestorePlan {
  readonly tables: readonly TablePlan[];
  readonly buckets: readonly BucketPlan[];
  readonly users: UsersPlan | undefined;
  readonly databases: readonly DatabasePlan[];
  /** Whom an erasure takes an item of the snapshot from. */
  readonly erasedOf: OwnersOfItem;
  readonly countedOff: CountedOff;
  /** People whose data or account is left out because they were erased. */
  readonly suppressed: number;
  /** Entries that the erasure ledger of an audit table gets. */
  readonly erasures: number;
  /** Migrations that had nothing to do in this store, as it was new, and have for what is brought back. */
  readonly dueAgain: readonly string[];
  /** With `--remap`: what there is under the ids that accounts had before. */
  readonly staying?: Staying;
  /** What does not come back, in sentences. */
  readonly lost: readonly string[];
}

/**
 * Decides what is to be done, in counts, reading all of the snapshot that is meant and what is there in its place. Writes
 * nothing.
 * @throws DamagedError when anything of the snapshot is not what was stored; CliError when it cannot be restored there.
 */
export async function planRestore(
  site: RestoreSite,
  { poolId, isLedgerEmpty }: { readonly poolId: string | undefined; readonly isLedgerEmpty: boolean },
): Promise<RestorePlan> {
  const { manifest, scope } = site;
  assertKnown(scope, manifest);
  const chosen = manifest.tables.filter((table) => wantsTable(scope, table));
  if (site.intoTable !== undefined && chosen.length !== 1) {
    throw new CliError(`--into-table takes one table, not ${chosen.length}`, {
      hint: `pass --only with one of: ${manifest.tables.map(({ role }) => role).join(", ")}`,
    });
  }
  refuseUndeclared(site, chosen);
  const people = new Set<string>();
  const { erasedOf, unknown } = await erasedInSnapshot(site, isLedgerEmpty);
  const onSuppressed = (userId: string) => people.add(userId);
  const lost: string[] = [];
  // First, as a row tells which files are meant.
  const databases = await planDatabases(site, { isLedgerEmpty, onSuppressed });
  const named = namedFiles(databases);
  const countedOff = await countedInSnapshot(site, { owners: ownersIn(site), erasedOf, isLedgerEmpty });
  const planning = planningOf(site, { isLedgerEmpty, erasedOf, countedOff, named }, onSuppressed);
  const users = await planAccounts(site, { poolId, lost, people });
  const tables: TablePlan[] = [];
  // One person's data needs no table or bucket that holds nothing of it.
  const isMeant = ({ counts }: TablePlan | BucketPlan) =>
    !isNarrow(scope) || Object.values(counts).some((count) => count > 0);
  for (const table of chosen) {
    const planned = await planTable(site, table, planning);
    if (isMeant(planned)) tables.push(planned);
  }
  const buckets: BucketPlan[] = [];
  for (const bucket of site.intoTable === undefined ? manifest.buckets : []) {
    if (!wantsBucket(scope, bucket)) continue;
    const planned = await planBucket(site, bucket, planning);
    if (isMeant(planned)) buckets.push(planned);
  }
  if (isNarrow(scope) && [...tables, ...buckets, ...databases].length === 0) {
    throw new CliError(`nothing in the backup ${manifest.id} is ${meantBy(scope)}; nothing was changed`, {
      hint: hintOf(site),
    });
  }
  lost.push(...lostRows(site, databases), ...(await lostFiles(site, databases, buckets)));
  for (const { role, name, state } of buckets) {
    const declared = site.declaration.buckets.find((bucket) => bucket.role === role);
    if (state === "missing" && declared?.keptBy === "site")
      lost.push(`what the website had opened of ${name} to the public: it is made closed`);
  }
  for (const { name, changed } of manifest.buckets)
    if (changed.length > 0)
      lost.push(
        `${changed.length} objects of ${name} that changed while they were backed up, or could not be read`,
      );
  if (manifest.left !== undefined && manifest.left.length > 0)
    lost.push(`what the backup left out: ${manifest.left.join(", ")}`);
  for (const { role, what } of unknown)
    if (chosen.some((table) => table.role === role))
      lost.push(`what tells whose ${what} are: erased people are not left out of them`);
  let erasures = 0;
  for (const { role, name, state } of tables)
    if (role === toolRoles.audit && state !== "missing") erasures += (await ledgerGrowth(site, name)).length;
  const dueAgain = await migrationsDueAgain(site, tables);
  const staying = await countStaying(site);
  return {
    erasedOf,
    countedOff,
    tables,
    buckets,
    users,
    databases,
    suppressed: people.size,
    erasures,
    dueAgain,
    staying,
    lost,
  };
}

async function planDatabases(
  site: RestoreSite,
  planning: Pick<Planning, "isLedgerEmpty" | "onSuppressed">,
): Promise<DatabasePlan[]> {
  const { manifest, scope, intoTable } = site;
  const plans: DatabasePlan[] = [];
  for (const database of intoTable === undefined ? (manifest.databases ?? []) : []) {
    if (!wantsDatabase(scope, database)) continue;
    if (!isNarrow(scope)) plans.push(await planRows(site, database, planning));
    else {
      const planned = await planPart(site, database, planning);
      if (planned.tables.length + (planned.part?.left ?? []).length > 0) plans.push(planned);
    }
  }
  return plans;
}

/** The files that rows name which are meant. */
export function namedFiles(databases: readonly DatabasePlan[]): ReadonlySet<string> {
  return new Set(databases.flatMap(({ part }) => [...(part?.files ?? [])]));
}

function hintOf({ manifest, scope }: RestoreSite): string {
  if (scope.retry !== undefined)
    return "pass the same --into-prefix, --into-table and --remap as the restore that left it";
  if (scope.row !== undefined) return "values stand in the key as `mawps backup diff` shows them";
  const rows =
    scope.item === undefined || (manifest.databases ?? []).length === 0
      ? ""
      : "; a row is <table>:<key>, by the name of the table";
  return `it takes a user id as items and keys have it, or a name or e-mail address of an account in the backup${rows}`;
}

/** What does not come back of databases of which a part is restored. */
function lostRows(
  { manifest: { databases: stored = [] }, scope: { retry } }: RestoreSite,
  databases: readonly DatabasePlan[],
): string[] {
  const naming = databases.flatMap(({ part }) =>
    (part?.naming ?? []).map(([table, rows]) => `${table}: ${rows}`),
  );
  return [
    ...(retry === undefined || stored.length === 0
      ? []
      : [
          `rows of ${stored.map(({ name }) => name).join(", ")}: the command without --resume-from does them`,
        ]),
    ...(naming.length === 0
      ? []
      : [`rows that only name the person (${naming.join(", ")}): --item brings back each of them`]),
  ];
}

const mostTold = 5;

/** The files of rows that come back without. */
async function lostFiles(
  site: RestoreSite,
  databases: readonly DatabasePlan[],
  buckets: readonly BucketPlan[],
): Promise<string[]> {
  const rows = databases.flatMap(({ part }) => part?.withFile ?? []);
  const lost = await withoutFile(site, rows, buckets);
  const more = lost.length - mostTold;
  return [
    ...lost.slice(0, mostTold).map(({ what, why }) => `the file of ${what}: ${why}`),
    ...(more > 0 ? [`the files of ${more} more rows`] : []),
  ];
}

/** Data from before a migration make it due again, where it only counts as applied because there were none. */
async function migrationsDueAgain(
  { aws, model, declaration, manifest, signal }: RestoreSite,
  tables: readonly TablePlan[],
): Promise<string[]> {
  const table = migrationsTable(declaration);
  const entries = documentPlaces(model)?.table;
  const migrated = tables.find(
    ({ role, name }) => role === entries && declaration.tables.some((each) => each.name === name),
  );
  const { create = 0, overwrite = 0 } = migrated?.counts ?? {};
  if (table === undefined || create + overwrite === 0) return [];
  return newOnlyBehind(aws, { table, version: manifest.schemaVersion, signal });
}

/** Name of the table in which it is noted what is migrated. */
export function migrationsTable({ tables }: RestoreSite["declaration"]): string | undefined {
  return tables.find(({ role }) => role === toolRoles.migrations)?.name;
}

/** Whoever can write to a repository could name any table or bucket: restored is only into what the model knows. */
function refuseUndeclared(
  { declaration, manifest, scope, intoTable }: RestoreSite,
  tables: readonly { readonly role: string; readonly name: string }[],
): void {
  const roles = (declared: readonly { readonly role: string }[]) => new Set(declared.map(({ role }) => role));
  const [tableRoles, bucketRoles] = [roles(declaration.tables), roles(declaration.buckets)];
  const buckets = intoTable === undefined ? manifest.buckets.filter((each) => wantsBucket(scope, each)) : [];
  // A role is one of a table or of a bucket: what bears one of the other kind is declared by nobody.
  const unknown = [
    ...tables.filter(({ role }) => !tableRoles.has(role)),
    ...buckets.filter(({ role }) => !bucketRoles.has(role)),
  ];
  if (unknown.length === 0) return;
  const names = unknown.map(({ role, name }) => `${name} (${role})`).join(", ");
  throw new CliError(`the model declares no ${names}; nothing was changed`, {
    hint: `--only restores the others: ${[...tableRoles, ...bucketRoles].join(", ")}`,
  });
}

export function planningOf(
  site: RestoreSite,
  erasures: Omit<Planning, "owners" | "onSuppressed">,
  onSuppressed: (userId: string) => void,
): Planning {
  return { ...erasures, owners: ownersIn(site), onSuppressed };
}

async function planAccounts(
  site: RestoreSite,
  { poolId, lost, people }: { poolId: string | undefined; lost: string[]; people: Set<string> },
): Promise<UsersPlan | undefined> {
  const { manifest, scope, aws, onConflict, signal } = site;
  const snapshot = manifest.userPool;
  if (snapshot === undefined || site.intoTable !== undefined || !wantsUsers(scope)) return undefined;
  if (site.prefix !== "") {
    lost.push("accounts: beside the site there is no user pool for them");
    return undefined;
  }
  if (poolId === undefined) {
    lost.push("accounts: no user pool is configured (userPoolId)");
    return undefined;
  }
  site.onProgress("comparing accounts");
  const plan = await planUsers({
    aws,
    poolId,
    users: usersOf(site),
    groups: snapshot.groups,
    onConflict,
    suppressed: (sub, username) => {
      const isOn = site.isErased(sub) || site.isErased(username);
      if (isOn) people.add(sub);
      return isOn;
    },
    signal,
    now: () => site.now(),
  });
  lost.push(...plan.lost);
  return plan;
}

/** The accounts of the snapshot. */
export async function* usersOf({
  manifest,
  repository,
  signal,
}: Pick<RestoreSite, "manifest" | "repository" | "signal">): AsyncGenerator<UserLine> {
  for (const part of manifest.userPool?.parts ?? [])
    for await (const lines of partLines(repository, part, signal))
      for (const line of lines) yield parseUserLine(line);
}
