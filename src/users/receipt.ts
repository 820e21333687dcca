import * as z from "zod";
import { readHead, storedChain } from "../audit/entries.ts";
import { trailOf } from "../audit/place.ts";
import { erasedUsers, type ErasureEntry } from "../backup/erasures.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { attributeOf, listPoolUsers } from "../aws/cognito/users-list.ts";
import { listVersions } from "../aws/s3/listing.ts";
import { listUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { whereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import {
  personalBuckets,
  personalTables,
  unclaimedEntities,
  unreachedEntities,
  type FoundLink,
} from "../model/links.ts";
import { own } from "../model/json.ts";
import { accountColumns, accountKindAmong, rowLinks } from "../model/person-rows.ts";
import type { RowErasure } from "../stores/row-erasure.ts";
import { isComplete, type Erased } from "./erase.ts";
import type { ErasurePlan, ErasureSite } from "./erasure-plan.ts";
import { rowsLeft } from "./row-traces.ts";
import { nameOfBucket, nameOfTable, type Traces } from "./traces.ts";
import { count } from "../model/count.ts";

const hashed = z.object({
  salt: z.string(),
  hash: z.string(),
  at: z.iso.datetime(),
  subject: z.string().optional(),
});

const receiptSchema = z.looseObject({
  format: z.literal(1),
  erasedAt: z.iso.datetime(),
  person: z.array(hashed).min(1),
  isComplete: z.boolean(),
  audit: z.object({ sequence: z.number(), hash: z.string() }),
});

/** The proof of an erasure. It names nobody: the person is a keyed hash of each of their ids. */
export type Receipt = z.infer<typeof receiptSchema>;

/** All that a receipt says, as it is written. */
export type ErasureReceipt = Awaited<ReturnType<typeof receiptOf>>;

/** The receipt of an erasure, with the head of the audit trail as it is then. */
export async function receiptOf(site: ErasureSite, plan: ErasurePlan, erased: Erased) {
  const { sequence, hash } = await readHead(trailOf(site));
  const { found: traces, left, mentions, isAccountLeft, person, at, failures } = erased;
  const { copies, account, subject, links, tokenMinutes } = plan;
  const uploadLinks = links.filter(({ kind }) => kind === "upload");
  const done = doneOf(erased);
  const isOfAccount = (each: { readonly entity: string }) =>
    accountKindAmong(site.model, [each], subject) !== undefined;
  const accountRows = { done: done.rows.filter(isOfAccount), left: left.rows.filter(isOfAccount) };
  const isEmptied = accountRows.done.some(({ changes }) => changes.length > 0);
  return {
    format: 1 as const,
    erasedAt: at.toISOString(),
    person: [...person],
    isComplete: isComplete(erased),
    erased: {
      account:
        (account !== undefined && !isAccountLeft) ||
        rowsLeft(accountRows.done) > 0 ||
        done.items.some(isOfAccount),
      /** Of an account whose row stays: nothing in it but its id and what it points at. */
      ...(isEmptied ? { accountEmptied: true } : {}),
      ...numbersOf({ traces: done }),
      links: links.length - uploadLinks.length,
    },
    left: {
      items: left.items.length + left.rows.reduce((sum, { deletes }) => sum + deletes.length, 0),
      versions: left.versions.length,
      uploads: left.uploads.length,
      changes: left.changes.length + left.rows.reduce((sum, { changes }) => sum + changes.length, 0),
      account: isAccountLeft || rowsLeft(accountRows.left) > 0 || left.items.some(isOfAccount),
      refused: failures.length,
    },
    kept: left.kept,
    /** Texts in which the person is still named; null where these were not looked through. */
    mentions: mentions ?? null,
    /** Goes by itself. */
    expiring: left.expiring,
    notReached: {
      backups: copies.backups,
      recovery: copies.recovery,
      /** Take files until then. */
      uploadLinks: uploadLinks.map(({ expiresAt }) => expiresAt),
      tokensForMinutes: tokenMinutes ?? 0,
      others: [
        "browsers that have opened the site",
        "messages that were sent",
        "downloaded files",
        "on-demand backups of DynamoDB and of AWS Backup",
        "tables and buckets that the model of the site does not name",
        ...(site.rows === undefined
          ? []
          : [
              ...(mentions === undefined
                ? ["texts in rows of databases that the model does not link to people"]
                : []),
              "logs, dumps, replicas and point-in-time recovery of the database servers",
              "files whose keys name nobody, in backups from before: a restore brings them back",
            ]),
        ...(traces.changes.length === 0
          ? []
          : ["names in what stays, in backups from before: a restore brings them back"]),
        ...unclaimedEntities(site.model).map((what) => `${what}: the model does not know whose these are`),
        ...unreachedEntities(site.model, site.rows !== undefined).map(
          (name) => `${name}, which the model finds by something else`,
        ),
      ],
    },
    searched: {
      ...searchedOf(site),
      userPool: site.known?.poolId ?? null,
    },
    audit: { sequence, hash },
  };
}

/** Of what was found what is gone. Pure. */
function doneOf({ found, left, deleted, changed }: Erased): Traces {
  const versions = new Set(left.versions.map(nameOfVersion));
  const uploads = new Set(left.uploads.map(({ uploadId }) => uploadId));
  const rows = new Map(left.rows.map((each) => [each.entity, each]));
  return {
    ...found,
    items: deleted,
    changes: changed,
    versions: found.versions.filter((each) => !versions.has(nameOfVersion(each))),
    uploads: found.uploads.filter(({ uploadId }) => !uploads.has(uploadId)),
    // Which of them are left is told by their number: counted is all that they are.
    rows: found.rows.map((each) => ({
      ...each,
      deletes: each.deletes.slice(rows.get(each.entity)?.deletes.length ?? 0),
      changes: each.changes.slice(rows.get(each.entity)?.changes.length ?? 0),
    })),
  };
}

function nameOfVersion({ bucket, key, version }: Traces["versions"][number]): string {
  return JSON.stringify([bucket, key, version]);
}

/** Tables and buckets that have something of people by the model. */
function searchedOf(site: ErasureSite) {
  return {
    tables: [
      ...personalTables(site.model).map(({ role }) => nameOfTable(site, role)),
      ...(site.rows === undefined ? [] : new Set(rowLinks(site.model).map(({ table }) => table))),
    ],
    buckets: personalBuckets(site.model).map(({ role }) => nameOfBucket(site, role)),
  };
}

/** What must not name the person any more: not what there is a duty to keep, nor what expires. */
function isGone({ link: { erase } }: FoundLink): boolean {
  return typeof erase === "string" || "set" in erase;
}

/** What of a person there is, by kind. Pure. */
export function numbersOf({ traces }: Pick<ErasurePlan, "traces">) {
  const byKind = (
    all: readonly { readonly what: string }[],
    inRows: (rows: RowErasure) => number = () => 0,
  ) => {
    const counts = new Map<string, number>();
    const add = (what: string, number: number) => counts.set(what, (counts.get(what) ?? 0) + number);
    for (const { what } of all) add(what, 1);
    for (const rows of traces.rows) if (inRows(rows) > 0) add(rows.what, inRows(rows));
    return Object.fromEntries(counts);
  };
  return {
    items: byKind(traces.items, ({ deletes }) => deletes.length),
    versions: byKind(traces.versions.filter(({ isDeleteMarker }) => !isDeleteMarker)),
    deleteMarkers: traces.versions.filter(({ isDeleteMarker }) => isDeleteMarker).length,
    changes: byKind(traces.changes, ({ changes }) => changes.length),
    uploads: traces.uploads.length,
    bytes: traces.versions.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** @throws CliError for what is no receipt. */
export function parseReceipt(text: string, where: string): Receipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError(`${where} is no JSON`, { cause: error });
  }
  const { data, success } = receiptSchema.safeParse(value);
  if (!success) throw new CliError(`${where} is no receipt of an erasure`);
  return data;
}

/** What a receipt does not hold of the stores as they are now; nothing where it still holds. */
export interface Checked {
  readonly looked: { readonly items: number; readonly objects: number; readonly accounts: number };
  readonly findings: readonly string[];
}

/**
 * Searches everything again for the person of a receipt: each owner of an item or object, and each account, is compared by the keyed
 * hash. Also whether the audit trail still has the entry that the receipt names.
 */
export async function checkReceipt(site: ErasureSite, receipt: Receipt): Promise<Checked> {
  const isListed = erasedUsers(receipt.person satisfies readonly ErasureEntry[]);
  const kinds = new Set(receipt.person.map(({ subject }) => subject));
  const [kind] = kinds.size === 1 ? kinds : [];
  const findings: string[] = [];
  const looked = { items: 0, objects: 0, accounts: 0 };
  const { aws, signal, model } = site;
  for (const personal of personalTables(model, kind)) {
    const table = nameOfTable(site, personal.role);
    const keys = await site.keysOf(table);
    if (keys === undefined) continue;
    let items = 0;
    const names = [...new Set([...keys.primary, ...personal.attributes])];
    for await (const page of scanItems(aws, { table, attributes: names, consistent: true, signal })) {
      looked.items += page.length;
      for (const item of page)
        if (personal.ownersOf(item, keys, isGone).some((id) => isListed(id))) items += 1;
    }
    if (items > 0) findings.push(`${count(items, "item")} in table ${table}`);
  }
  for (const personal of personalBuckets(model, kind)) {
    const bucket = nameOfBucket(site, personal.role);
    const versions: string[] = [];
    const uploads: string[] = [];
    const isTheirs = (key: string) => personal.ownersIn(key).some(({ id }) => isListed(id));
    await whereThere(async () => {
      for await (const page of listVersions(aws, { bucket, signal })) {
        looked.objects += page.length;
        versions.push(...page.flatMap(({ key }) => (isTheirs(key) ? [key] : [])));
      }
      for await (const { key } of listUnfinishedUploads(aws, { bucket, signal }))
        if (isTheirs(key)) uploads.push(key);
    });
    // Files that rows name go with these, or stay with them.
    const named = await site.rows?.namedByOthers([], [...new Set([...versions, ...uploads])]);
    const left = (keys: readonly string[]) => keys.filter((key) => named?.has(key) !== true).length;
    if (left(uploads) > 0) findings.push(`${left(uploads)} open uploads in bucket ${bucket}`);
    if (left(versions) > 0)
      findings.push(`${count(left(versions), "version")} of objects in bucket ${bucket}`);
  }
  const inRows = new Map<string, number>();
  for await (const name of site.rows?.everyName() ?? []) {
    looked.items += 1;
    if (name.isErased && isListed(name.id, name.link.subject))
      inRows.set(name.table, (inRows.get(name.table) ?? 0) + 1);
  }
  for (const [table, rows] of inRows) findings.push(`${count(rows, "row")} in table ${table}`);
  let accounts = 0;
  for await (const { subject, value } of site.rows?.allAccounts() ?? []) {
    looked.accounts += 1;
    const address = own(value, accountColumns(model, subject).email ?? "");
    if (typeof address === "string" && isListed(address, subject.subject)) accounts += 1;
  }
  if (accounts > 0) findings.push(`${count(accounts, "account")} with an address of the person`);
  const { known } = site;
  for await (const page of known === undefined ? [] : listPoolUsers(aws, known.poolId, known)) {
    looked.accounts += page.length;
    const names = page.map((account) => [account.sub, account.username, attributeOf(account, "email")]);
    const found = names.filter((each) => each.some((id) => id !== undefined && isListed(id))).length;
    if (found > 0) findings.push(`${count(found, "account")} in the user pool ${known?.poolId ?? ""}`);
  }
  const { sequence, hash } = receipt.audit;
  if (sequence > 0 && (await hashAt(site, sequence)) !== hash)
    findings.push(`entry ${sequence} of the audit trail is not the one that the receipt names`);
  if (!receipt.isComplete) findings.push("the erasure itself was not complete");
  return { looked, findings };
}

async function hashAt(site: ErasureSite, sequence: number): Promise<unknown> {
  const place = { fromSequence: sequence, toSequence: sequence };
  for await (const { hash } of storedChain(trailOf(site), place)) return hash;
  return undefined;
}
