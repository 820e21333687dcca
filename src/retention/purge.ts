import { readVersioning } from "../aws/s3/bucket-settings.ts";
import { deleteItems } from "../aws/dynamodb/delete-items.ts";
import { deleteObjects, type Doomed } from "../aws/s3/deletion.ts";
import { removeUpload } from "../aws/s3/multipart.ts";
import { typed } from "../aws/dynamodb/plain.ts";
import type { Item } from "../aws/dynamodb/items.ts";
import { changeEntries, removeEntries } from "../documents/entry-changes.ts";
import type { ChangeOutcome, StoredEntry } from "../documents/entry.ts";
import { fieldsFor } from "../documents/row-model.ts";
import type { AuditTrail } from "../audit/trail.ts";
import type { AuditAction, AuditEvent } from "../model/audit.ts";
import { groupedBy } from "../model/graph.ts";
import { chunked, inParallel } from "../concurrency.ts";
import type { DueEntry, PlannedVersion, RowDue } from "./plan-entry.ts";
import { unchangedFields } from "./find-rows.ts";
import type { Ready } from "./recheck.ts";
import { deciding } from "./rules.ts";
import { hasProfiles, type ProfileSite, type RetentionSite } from "./site.ts";
import type { Deletion, Refused, Stored } from "../stores/store.ts";

/** What came of a group of entries. */
export interface Acted {
  readonly done: readonly DueEntry[];
  readonly failures: readonly { readonly due: DueEntry; readonly why: string }[];
}

/** Users or uploads that are changed at once. */
const sideBySide = 8;
/** Ids in the details of one entry of the trail. */
const idsPerEvent = 100;

/** The attributes that decided and that stand in every shape of an entry as they are. */
const unchanged = deciding.filter((name) => name !== "s3Key");

/**
 * Removes the objects of the entries in every planned version, then the entries of documents. A document whose object
 * was not removed whole keeps its entry, and so the next run finds it.
 */
export async function purgeObjects(
  site: RetentionSite,
  ready: readonly Ready[],
  audit: AuditTrail,
): Promise<Acted> {
  const [first] = ready;
  if (first === undefined) return { done: [], failures: [] };
  const bucket = "bucket" in first.due ? first.due.bucket : undefined;
  const dues = ready.map(({ due }) => due);
  return audit.irreversible(events(dues), () => purge(site, ready, bucket), outcomeEvents);
}

async function purge(
  site: RetentionSite,
  ready: readonly Ready[],
  bucket: string | undefined,
): Promise<Acted> {
  const rowsOf = (some: readonly Ready[]) =>
    some.flatMap(({ due, row }) =>
      row === undefined || due.kind !== "row"
        ? []
        : [{ due, stored: row, unchanged: unchangedFields(site, row) }],
    );
  const rows = new Map<DueEntry, Deletion>();
  const tell = (some: ReturnType<typeof rowsOf>, deletions: readonly Deletion[]) => {
    for (const [at, { due }] of some.entries()) rows.set(due, deletions[at] ?? "done");
  };
  // Before its file is gone: a row that cannot go keeps it.
  if (bucket !== undefined) tell(rowsOf(ready), await site.store.deletable(rowsOf(ready)));
  const staying = new Set(ready.filter(({ due }) => (rows.get(due) ?? "done") !== "done"));
  const going = ready.filter((each) => !staying.has(each));
  const keys = new Set([...staying].map(({ due }) => keyOf(due)));
  const withFile = going.filter(({ due }) => !keys.has(keyOf(due)));
  const failures = bucket === undefined ? [] : await purgeVersions(site, withFile, bucket);
  const refused = new Map(failures.map(({ key, code, message }) => [key, `${code}: ${message}`]));
  const isGone = ({ due }: Ready) => !refused.has(keyOf(due) ?? "");
  const withEntry = ready.filter((each) => each.stored !== undefined && isGone(each));
  const changed = hasProfiles(site)
    ? (
        await eachUser(withEntry, (stored) =>
          removeEntries(
            site.documents,
            stored.map((entry) => ({ entry, unchanged })),
          ),
        )
      ).refused
    : new Set<StoredEntry>();
  const withRow = rowsOf(going.filter(isGone));
  tell(withRow, await site.store.deleteAllIf(withRow));
  return outcomes(ready, (each) => {
    if (!isGone(each)) return refused.get(keyOf(each.due) ?? "");
    const deletion = rows.get(each.due);
    if (deletion === "referred")
      return keyOf(each.due) === undefined || staying.has(each)
        ? "something that stays refers to it"
        : "something refers to it by now; its object is gone";
    if (deletion === "gone" && staying.has(each)) return "its entry is gone, its file is not";
    const isChanged = (each.stored !== undefined && changed.has(each.stored)) || deletion === "changed";
    if (!isChanged) return undefined;
    return keyOf(each.due) !== undefined && !staying.has(each)
      ? "its entry was changed while its object was being removed"
      : "it was changed at the same time";
  });
}

function keyOf(due: DueEntry): string | undefined {
  return "key" in due ? due.key : undefined;
}

async function purgeVersions(site: RetentionSite, ready: readonly Ready[], bucket: string) {
  const isVersioned = (await readVersioning(site.aws, bucket)) !== undefined;
  const { failures } = await deleteObjects(
    site.aws,
    bucket,
    ready.flatMap(({ due }) => doomed(due, isVersioned)),
    site.signal,
  );
  return failures;
}

/** Does something to the rows of entries, some at once. */
async function eachRow(
  ready: readonly Ready[],
  change: (row: Stored, due: RowDue) => Promise<Stored | "done" | Refused>,
): Promise<ReadonlyMap<DueEntry, Stored | "done" | Refused>> {
  const rows = ready.flatMap(({ due, row }) =>
    row === undefined || due.kind !== "row" ? [] : [{ due, row }],
  );
  return new Map(
    await inParallel(rows, sideBySide, async ({ due, row }) => [due, await change(row, due)] as const),
  );
}

/** Rows past their end are marked as deleted, in the site's own words: row and file stay for the period. */
export async function softDeleteRows(
  site: RetentionSite,
  ready: readonly Ready[],
  audit: AuditTrail,
): Promise<Acted> {
  const deletedAt = site.rules.at.toISOString();
  const { documents } = site.model.features ?? {};
  if (documents === undefined) throw new Error("what is no document cannot be marked as deleted");
  const deletion = { status: "DELETED", deletedAt, deletedBy: "retention" };
  const set = fieldsFor({ model: site.model, documents }, deletion);
  const told = (dues: readonly DueEntry[]) => events(dues, { action: "document.deleted", deletedAt });
  const mark = async () => {
    const rows = await eachRow(ready, (row, due) =>
      site.store.changeIf(row, { set, unchanged: Object.keys(due.was) }),
    );
    return outcomes(ready, ({ due }) => {
      const outcome = rows.get(due);
      if (outcome === "gone") return "its entry is gone";
      return outcome === "changed" ? "its entry was changed at the same time" : undefined;
    });
  };
  return audit.change(told(ready.map(({ due }) => due)), mark, ({ done }) => told(done));
}

/** Bytes for S3 to delete. Without versions an object goes only while it is the planned one; a version never changes. */
function doomed(due: DueEntry, isVersioned: boolean): Doomed[] {
  if (!("versions" in due) || due.key === undefined) return [];
  const { key } = due;
  return due.versions.map(({ version, etag }: PlannedVersion) =>
    isVersioned ? { key, version } : { key, ifMatch: etag },
  );
}

/** Documents past their `expiresAt` are deleted as `doc rm` does: entry and object stay for the period. */
export async function softDelete(
  site: ProfileSite,
  ready: readonly Ready[],
  audit: AuditTrail,
): Promise<Acted> {
  const deletedAt = site.rules.at.toISOString();
  const told = (dues: readonly DueEntry[]) => events(dues, { action: "document.deleted", deletedAt });
  const mark = async () => {
    const entries = await eachUser(ready, (stored) =>
      changeEntries(
        site.documents,
        stored.map((entry) => ({
          entry,
          set: { status: "DELETED", deletedAt, deletedBy: "retention" },
          unchanged,
        })),
      ),
    );
    return outcomes(ready, ({ stored }) =>
      stored !== undefined && entries.refused.has(stored)
        ? "its entry was changed at the same time"
        : stored !== undefined && entries.missing.has(stored)
          ? "its entry is gone"
          : undefined,
    );
  };
  return audit.change(told(ready.map(({ due }) => due)), mark, ({ done }) => told(done));
}

/** Aborts multipart uploads; their parts are gone then. One that was completed or aborted meanwhile is fine. */
export async function abortUploads(
  site: RetentionSite,
  ready: readonly Ready[],
  audit: AuditTrail,
): Promise<Acted> {
  const dues = ready.map(({ due }) => due);
  const abort = async () => {
    await inParallel(dues, sideBySide, async (due) => {
      site.signal.throwIfAborted();
      if (due.kind !== "upload") return;
      await removeUpload(site.aws, due);
    });
    return { done: dues, failures: [] };
  };
  return audit.irreversible(events(dues), abort, outcomeEvents);
}

/** Deletes earlier states of the digital twin. */
export async function purgeTwinVersions(
  site: RetentionSite,
  ready: readonly Ready[],
  audit: AuditTrail,
): Promise<Acted> {
  const [first] = ready;
  if (first?.due.kind !== "twin-version") return { done: [], failures: [] };
  const { table } = first.due;
  const purgeItems = async () => {
    const left = await deleteItems(site.aws, table, {
      keys: ready.map(({ due }) => itemKey(due)),
      signal: site.signal,
    });
    const types = new Set(left.map((key) => key["type"]?.S));
    return outcomes(ready, ({ due }) =>
      types.has(itemKey(due)["type"]?.S) ? "DynamoDB put it off again and again" : undefined,
    );
  };
  return audit.irreversible(events(ready.map(({ due }) => due)), purgeItems, outcomeEvents);
}

function itemKey(due: DueEntry): Item {
  if (!("item" in due)) return {};
  return Object.fromEntries(Object.entries(due.item).map(([name, value]) => [name, typed(value)]));
}

/** Changes the entries of each user in as few updates as can be, some users at once. */
async function eachUser(
  ready: readonly Ready[],
  change: (stored: readonly StoredEntry[]) => Promise<ChangeOutcome>,
): Promise<{ refused: ReadonlySet<StoredEntry>; missing: ReadonlySet<StoredEntry> }> {
  const stored = ready.flatMap((each) => each.stored ?? []);
  const changed = await inParallel(
    [...groupedBy(stored, ({ userId }) => userId).values()],
    sideBySide,
    change,
  );
  return {
    refused: new Set(changed.flatMap(({ refused }) => refused.map(({ entry }) => original(stored, entry)))),
    missing: new Set(changed.flatMap(({ missing }) => missing.map((entry) => original(stored, entry)))),
  };
}

/** An entry that moved within its list comes back with its new place. */
function original(stored: readonly StoredEntry[], { userId, place, document }: StoredEntry): StoredEntry {
  const found = stored.find(
    (each) =>
      each.userId === userId &&
      each.place === place &&
      each.document.id === document.id &&
      each.document.s3Key === document.s3Key,
  );
  if (found === undefined) throw new Error("an entry came back from a change that was not given to it");
  return found;
}

function outcomes(ready: readonly Ready[], whyNot: (each: Ready) => string | undefined): Acted {
  const judged = ready.map((each) => ({ due: each.due, why: whyNot(each) }));
  return {
    done: judged.flatMap(({ due, why }) => (why === undefined ? [due] : [])),
    failures: judged.flatMap(({ due, why }) => (why === undefined ? [] : [{ due, why }])),
  };
}

function outcomeEvents({ done, failures }: Acted): AuditEvent[] {
  const failed = [...groupedBy(failures, ({ why }) => why).values()].flatMap((group) =>
    events(
      group.map(({ due }) => due),
      { phase: "failed", error: group[0]?.why },
    ),
  );
  return [...events(done), ...failed];
}

interface Said {
  readonly action?: AuditAction;
  readonly phase?: "failed";
  readonly error?: string;
  readonly deletedAt?: string;
}

/** What is told to the trail: an entry for each user and rule, of at most 100 documents, or one for each picture or upload. */
function events(dues: readonly DueEntry[], { action, ...said }: Said = {}): AuditEvent[] {
  return [...groupedBy(dues, nameOfEvent).values()].flatMap((group) => {
    return chunked(group, idsPerEvent).map((part): AuditEvent => {
      const [first] = part;
      const keys = part.flatMap((due) => ("key" in due && due.key !== undefined ? [due.key] : []));
      return {
        action: action ?? actionOf(first),
        userId: first?.userId ?? undefined,
        details: {
          ...said,
          rule: first?.rule,
          ...(first !== undefined && "bucket" in first && first.bucket !== undefined
            ? { bucket: first.bucket }
            : { table: tableOf(first) }),
          ...(keys.length === 1 ? { key: keys[0] } : {}),
          ...(first !== undefined && "documentId" in first
            ? { documentIds: part.flatMap((due) => ("documentId" in due ? (due.documentId ?? []) : [])) }
            : {}),
          items: part.length,
          versions: part.reduce((sum, due) => sum + ("versions" in due ? due.versions.length : 0), 0),
          bytes: part.reduce((sum, due) => sum + due.bytes, 0),
        },
      };
    });
  });
}

function nameOfEvent(due: DueEntry): string {
  const own = due.kind === "image" ? due.picture : due.kind === "upload" ? due.uploadId : "";
  return [due.kind, due.rule, due.userId ?? "", own].join("\n");
}

function tableOf(due: DueEntry | undefined): string | undefined {
  return due !== undefined && "table" in due ? due.table : undefined;
}

function actionOf(due: DueEntry | undefined): AuditAction {
  switch (due?.kind) {
    case "document":
      return "document.purged";
    case "row":
      return due.documentId === undefined ? "item.purged" : "document.purged";
    case "partition":
      return "partition.dropped";
    case "object":
      return "object.purged";
    case "image":
      return "image.purged";
    case "version":
      return "version.purged";
    case "upload":
      return "upload.aborted";
    case "twin-version":
      return "twin.purged";
    case undefined:
      return "retention.run";
  }
}
