import { createHash } from "node:crypto";
import { placeOf, verifyTrail } from "../audit/verify.ts";
import { type Item, scanItems } from "../aws/dynamodb/items.ts";
import { readCors } from "../aws/s3/bucket-settings.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { getObject, headObject } from "../aws/s3/objects.ts";
import { entriesIn } from "../documents/entries.ts";
import { twoSizes } from "../model/bytes.ts";
import { sameJson } from "../model/json.ts";
import type { DocumentEntry } from "../model/documents.ts";
import type { Repository } from "./repository.ts";
import type { DatabasePlan } from "./database-restore.ts";
import { anchorPlace } from "./restore-audit.ts";
import { isAnchor, type BucketPlan } from "./restore-object-plan.ts";
import { type RestorePlan, usersOf } from "./restore-plan.ts";
import type { Database } from "../sql/database.ts";
import type { TablePlan } from "./restore-table-plan.ts";
import { planUsers } from "./users-plan.ts";
import type { Manifest } from "./snapshot.ts";
import type { Tell } from "../amount.ts";
import type { Aws } from "../aws/clients.ts";
import type { Declaration } from "../model/declaration.ts";
import type { Model } from "../model/schema.ts";
import { toolRoles } from "../model/tool-tables.ts";
import { documentPlaces, type DocumentPlaces } from "../model/feature-places.ts";
import { whyNoDocuments } from "../model/reach.ts";
import { documentRows } from "../documents/row-model.ts";
import { rowsOfAll } from "../documents/rows.ts";

/** Something that would be wrong after a restore. */
export interface Fault {
  /** What it is about: a table, a bucket, an entry. */
  readonly what: string;
  readonly why: string;
}

export interface Drill {
  /** The site that the backup is of: who was erased is known there, and what its links look like. */
  readonly live: Aws;
  readonly auditTable: string;
  /** Empty, without tables and buckets; what is restored is for nobody but this drill. */
  readonly into: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly repository: Repository;
  /** Databases that are not there yet, for nobody but this drill; missing where the backup has none. */
  readonly databases?: readonly Database[] | undefined;
  readonly manifest: Manifest;
  readonly spool: string;
  readonly signal: AbortSignal;
  now(): Date;
  readonly onProgress: Tell;
}

/**
 * Looks at what was restored, and yields what does not fit together:
 * - a table or bucket has another number of items or objects than the backup says, less those of erased people;
 * - an account is missing, or has other attributes or groups than in the backup;
 * - an item has not the attributes of its key;
 * - an entry of a document that is READY, or says nothing of it, has no object, or one of another size or hash;
 * - the audit trail does not verify.
 * Flat memory. Every object that an entry has a hash of is read.
 */
export async function* restoredFaults(site: Drill, plan: RestorePlan): AsyncGenerator<Fault> {
  for (const table of plan.tables) {
    site.onProgress(`looking at ${table.name}`);
    yield* tableFaults(site, plan, table);
  }
  for (const bucket of plan.buckets) {
    site.onProgress(`looking at ${bucket.name}`);
    yield* bucketFaults(site, bucket);
  }
  yield* rowDocumentFaults(site, plan.buckets);
  yield* accountFaults(site, plan);
  for (const database of plan.databases) yield* databaseFaults(site, database);
  yield* trailFaults(site, plan);
}

async function* databaseFaults({ databases }: Drill, plan: DatabasePlan): AsyncGenerator<Fault> {
  const sql = databases?.find(({ role }) => role === plan.role)?.sql;
  if (sql === undefined) return;
  for (const { name, rows: all } of plan.snapshot.tables) {
    const rows = all - (plan.tables.find(({ table }) => table.name === name)?.counts.suppressed ?? 0);
    const [counted] = await sql.rows(`SELECT COUNT(*) AS n FROM ${sql.quoted(name)}`);
    if (Number(counted?.["n"]) !== rows) {
      const why = `has ${counted?.["n"] ?? "?"} rows; the backup says ${rows}`;
      yield { what: `table ${name} of database ${plan.name}`, why };
    }
  }
}

async function* tableFaults(site: Drill, plan: RestorePlan, table: TablePlan): AsyncGenerator<Fault> {
  let items = 0;
  const places = documentPlaces(site.model);
  const isOfLists = places?.areLists === true && whyNoDocuments(site.model, "check") !== undefined;
  const lists = isOfLists && places.table === table.role ? places : undefined;
  for await (const page of scanItems(site.into, {
    table: table.name,
    consistent: true,
    signal: site.signal,
  })) {
    for (const item of page) {
      items += 1;
      const missing = table.keys.filter((name) => isEmpty(item[name]));
      if (missing.length > 0) yield { what: table.name, why: `an item has no ${missing.join(", ")}` };
      if (lists !== undefined) yield* documentFaults(site, plan.buckets, { lists, item });
    }
  }
  const { snapshot, counts } = table;
  const expected = snapshot.items - counts.suppressed;
  if (items !== expected)
    yield { what: `table ${table.name}`, why: `has ${items} items; the backup says ${expected}` };
}

function isEmpty(value: Item[string] | undefined): boolean {
  if (value === undefined) return true;
  return value.S === "" || (value.S === undefined && value.N === undefined && value.B === undefined);
}

async function* bucketFaults(site: Drill, { name, snapshot, counts }: BucketPlan): AsyncGenerator<Fault> {
  let objects = 0;
  const rules = snapshot.cors ?? [];
  if (rules.length > 0 && !sameJson(await readCors(site.into, name, site.signal), rules))
    yield { what: `bucket ${name}`, why: "has other CORS rules than the backup" };
  for await (const page of listObjects(site.into, { bucket: name, signal: site.signal }))
    // Anchors of the audit trail are made, not restored.
    objects += page.objects.filter(({ key }) => !isAnchor(key)).length;
  const lines = snapshot.parts.reduce((sum, part) => sum + part.lines, 0);
  if (lines !== snapshot.objects)
    yield { what: `bucket ${name}`, why: `the backup lists ${lines} objects and says ${snapshot.objects}` };
  if (objects !== counts.create)
    yield { what: `bucket ${name}`, why: `has ${objects} objects; the backup has ${counts.create}` };
}

async function* accountFaults(site: Drill, { users }: RestorePlan): AsyncGenerator<Fault> {
  const { userPool } = site.manifest;
  if (users === undefined || userPool === undefined) return;
  const again = await planUsers({
    aws: site.into,
    poolId: users.poolId,
    users: usersOf(site),
    groups: userPool.groups,
    onConflict: "fail",
    suppressed: () => false,
    signal: site.signal,
    now: () => site.now(),
  });
  const expected = userPool.users - users.counts.suppressed;
  if (again.counts.same !== expected)
    yield {
      what: "accounts",
      why: `${again.counts.same} came back as they were; the backup says ${expected}`,
    };
  for (const { username, differs } of again.differing)
    yield { what: `account ${username}`, why: `came back with another ${differs.join(", ")}` };
}

async function* trailFaults(site: Drill, plan: RestorePlan): AsyncGenerator<Fault> {
  const table = plan.tables.find(({ role }) => role === toolRoles.audit);
  if (table === undefined) return;
  const { into: aws, declaration, signal } = site;
  const trail = await anchorPlace({ aws, declaration, signal }, table.name);
  if (trail === undefined) return;
  site.onProgress("verifying the audit trail");
  for await (const found of verifyTrail(trail, site.now()))
    // What was under way when the backup was made is no fault of it.
    if ("fault" in found)
      yield { what: `audit trail, ${placeOf(found)}`, why: `${found.fault}: ${found.what}` };
}

/** Of entries whose object lies in a bucket of the backup. */
async function* documentFaults(
  site: Drill,
  buckets: readonly BucketPlan[],
  { lists, item }: { readonly lists: DocumentPlaces; readonly item: Item },
): AsyncGenerator<Fault> {
  const userId = item["userId"]?.S ?? "";
  // An address in an entry is of the site that the backup was made of.
  const own = buckets.find(({ role }) => role === lists.bucket)?.snapshot.name ?? "";
  const [beside] = lists.bucketsBeside;
  const uploadsBucket = site.declaration.buckets.find(({ role }) => role === beside)?.name ?? "";
  const where = { aws: site.live, bucket: own, uploadsBucket };
  for (const { document, bucket: lies } of entriesIn(where, { userId, place: "profile", item })) {
    const bucket = buckets.find(({ snapshot }) => snapshot.name === lies);
    if (document.status !== "READY" || document.inline !== undefined || bucket === undefined) continue;
    const why = await documentFault(site, bucket, document);
    if (why !== undefined) yield { what: `document ${document.id} of ${userId}`, why };
  }
}

/** The same where the model itself says how its documents are kept. */
async function* rowDocumentFaults(
  { into: aws, model, declaration, signal, ...site }: Drill,
  buckets: readonly BucketPlan[],
): AsyncGenerator<Fault> {
  const places = documentPlaces(model);
  const bucket = buckets.find(({ role }) => role === places?.bucket);
  if (places === undefined || bucket === undefined) return;
  if (whyNoDocuments(model, "check") !== undefined) return;
  site.onProgress("looking at documents");
  const rows = documentRows({ aws, model, declaration, databases: [], signal });
  for await (const { userId, document } of rowsOfAll(rows)) {
    if (document.status !== "READY") continue;
    const why = await documentFault({ into: aws, signal }, bucket, document);
    if (why !== undefined) yield { what: `document ${document.id} of ${userId}`, why };
  }
}

async function documentFault(
  { into, signal }: Pick<Drill, "into" | "signal">,
  bucket: BucketPlan,
  { s3Key: key, size, sha256 }: DocumentEntry,
): Promise<string | undefined> {
  if (key === "") return "names no object";
  const object = { bucket: bucket.name, key };
  const head = await headObject(into, object, signal);
  if (head === undefined) {
    const changed = bucket.snapshot.changed.find((one) => one.key === key);
    return changed === undefined
      ? "its object is missing"
      : `its object was ${changed.what} during the backup`;
  }
  if (size !== undefined && head.sizeBytes !== size) {
    const [has, said] = twoSizes(head.sizeBytes, size);
    return `its object has ${has}, the entry says ${said}`;
  }
  if (sha256 === undefined) return undefined;
  const hash = createHash("sha256");
  for await (const piece of (await getObject(into, { ...object, signal })).body) hash.update(piece);
  return hash.digest("hex") === sha256
    ? undefined
    : "its object is not the one that the entry has the hash of";
}
