import type { ListedVersion } from "../aws/s3/listing.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import { fieldsFor } from "../documents/row-model.ts";
import { legalHold } from "../model/documents.ts";
import { tableRole } from "../model/database.ts";
import { filesNamedBy, groupedBy, referencesOf } from "../model/graph.ts";
import { own, type JsonObject } from "../model/json.ts";
import { fileFields, fileOf, isOwnFile, type FilePlace } from "../model/row-files.ts";
import type { Link } from "../model/schema.ts";
import type { Stored } from "../stores/store.ts";
import type { Noticed } from "./find-documents.ts";
import { decide, entityOf } from "./decide-row.ts";
import { findPartitions, rowsOfPartitions, tablesLeftBehind } from "./find-partitions.ts";
import type { PartitionDue, RowDue } from "./plan-entry.ts";
import { day, agesOf, endMs, isPast, purgedBehind, type RowVerdict } from "./rules.ts";
import { ownersWhereHeld } from "../stores/row-owners.ts";
import type { RetentionSite, RowsOfTable } from "./site.ts";
import { bytesOf, newestBytesMs, placeText, plannedVersion, versionsOf } from "./stored-versions.ts";

/** A row for which a rule has decided. */
export interface DecidedRow {
  readonly stored: Stored;
  readonly verdict: RowVerdict;
}

/** Folders of files that are looked up at once. */
const sideBySide = 8;

/**
 * The rows of all tables that are due by the rules of their entities, and those kept from it. The tables are read once; a second time
 * where rows go with the files that they name, to see which of these others name as well. In memory are the rows that go with
 * files, and those of rules that keep the newest.
 */
export async function* findRows(
  site: RetentionSite,
  noticed: Noticed,
): AsyncGenerator<RowDue | PartitionDue> {
  const withFiles: DecidedRow[] = [];
  const keys = new Set<string>();
  const parts = new Map<string, readonly string[]>();
  for (const role of [...site.tables.keys(), ...(await tablesLeftBehind(site))]) {
    const { due, left, waiting } = await findPartitions(site, role);
    noticed.there += waiting;
    for (const each of due) noticed.there += each.action === "keep" ? 0 : each.rows;
    yield* due;
    if (left !== undefined) parts.set(role, left);
  }
  for await (const { stored, verdict, isHeld } of readRows(site, () => true, parts)) {
    noticed.there += 1;
    const place = placeOf(site, stored);
    if (verdict?.action === "purge" && place !== undefined) {
      withFiles.push({ stored, verdict });
      keys.add(place.text);
      continue;
    }
    for (const { text, expires } of namedBy(site, stored)) {
      if (isHeld) noticed.held.add(text);
      if (expires) noticed.named.add(text);
    }
    if (verdict !== undefined) yield rowDue(site, { stored, verdict }, {});
  }
  if (withFiles.length === 0) return;
  const references = await findReferences(site, keys);
  const groups = [...groupedBy(withFiles, ({ stored }) => folderOf(site, stored)).values()];
  for (let start = 0; start < groups.length; start += sideBySide) {
    const some = groups.slice(start, start + sideBySide);
    const judged = await inParallel(some, sideBySide, (rows) => dueWithFiles(site, rows, { references }));
    for (const due of judged.flat()) {
      const into = due.action === "purge" ? noticed.purgedWhole : noticed.named;
      if (due.bucket !== undefined && due.key !== undefined) into.add(placeText(due.bucket, due.key));
      yield due;
    }
  }
}

/** Where a row stands. */
export type RowAt = Pick<Stored, "entity" | "table" | "key">;

/** What rows say of files. */
export interface References {
  /** Of the files asked for those that a row names which stays. */
  readonly living: ReadonlySet<string>;
  /** Of the files asked for the rows that are about to go and name them. */
  readonly others: ReadonlyMap<string, readonly RowAt[]>;
  /** Files of rows under a legal hold. */
  readonly held: ReadonlySet<string>;
  /** Names of the rows that stay because they are among the newest. */
  readonly newest: ReadonlySet<string>;
}

/** Reads the rows that may name files for what they say of these (`placeText`), and those of which the newest are kept. */
export async function findReferences(site: RetentionSite, wanted: ReadonlySet<string>): Promise<References> {
  const [living, held, newest] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const others = new Map<string, RowAt[]>();
  const telling = ({ namesFiles, keepsNewest }: RowsOfTable) => namesFiles || keepsNewest;
  for await (const { stored, verdict, isAmongNewest, isHeld } of readRows(site, telling)) {
    if (isAmongNewest) newest.add(nameOfRow(stored));
    for (const { text } of namedBy(site, stored)) {
      if (isHeld) held.add(text);
      if (!wanted.has(text)) continue;
      const { entity, table, key } = stored;
      if (verdict?.action === "purge")
        others.set(text, [...(others.get(text) ?? []), { entity, table, key }]);
      else living.add(text);
    }
  }
  return { living, others, held, newest };
}

interface ReadRow {
  readonly stored: Stored;
  readonly verdict: RowVerdict | undefined;
  readonly isAmongNewest: boolean;
  /** Whether nothing of it may be deleted, nor the files that it names. */
  readonly isHeld: boolean;
}

/**
 * All rows of these tables with what the rules say of them.
 * @param parts the partitions that are read of a table, by its role: all where it is not among them.
 */
async function* readRows(
  site: RetentionSite,
  wants: (rows: RowsOfTable) => boolean,
  parts: ReadonlyMap<string, readonly string[]> = new Map(),
): AsyncGenerator<ReadRow> {
  for (const [role, table] of site.tables) {
    if (!wants(table)) continue;
    const { namesFiles } = table;
    const counted: (DecidedRow & { readonly isHeld: boolean })[] = [];
    const some = parts.get(role);
    const pages = some === undefined ? site.store.stream(role) : rowsOfPartitions(site, role, some);
    // Without the rows that name files none may go; without those of other tables nothing of theirs is due.
    for await (const page of namesFiles ? pages : pagesWhereThere(pages)) {
      const owners = await ownersWhereHeld(site, page);
      const judged = page.map((stored) => ({ stored, verdict: decide(site, stored, owners.get(stored)) }));
      const going = judged.flatMap(({ stored, verdict }) => (verdict?.rule.unreferred ? [stored] : []));
      const referred = await site.store.referred(going);
      for (const { stored, verdict: found } of judged) {
        const verdict = referred.has(stored) ? undefined : found;
        const isHeld =
          legalHold(stored.fields) !== undefined || site.holding.of(owners.get(stored) ?? []).length > 0;
        const isCounted = verdict?.rule.keepNewest !== undefined && verdict.action === "purge";
        if (isCounted) counted.push({ stored, verdict, isHeld });
        else yield { stored, verdict, isAmongNewest: false, isHeld };
      }
    }
    const groups = groupedBy(counted, ({ stored, verdict: { rule } }) =>
      JSON.stringify([stored.entity, rule.id, ownerOf(site, stored)]),
    );
    for (const group of groups.values()) {
      const newestFirst = group.toSorted(
        (one, other) =>
          other.verdict.sinceMs - one.verdict.sinceMs ||
          (nameOfRow(one.stored) < nameOfRow(other.stored) ? 1 : -1),
      );
      for (const [at, { stored, verdict, isHeld }] of newestFirst.entries()) {
        const isDue =
          at >= (verdict.rule.keepNewest ?? 0) && isPast(verdict.rule, verdict.sinceMs, site.rules);
        yield { stored, verdict: isDue ? verdict : undefined, isAmongNewest: !isDue, isHeld };
      }
    }
  }
}

/** By what the model calls the table of a row. */
export function roleOf(site: RetentionSite, { entity }: RowAt): string {
  return tableRole(entityOf(site, entity).from) ?? "";
}

/**
 * Every file that a row names, in whichever field, and also where it is of a kind that the field may not name: none of
 * them may go while the row stays. `expires`: objects of its kind go by a rule of their own.
 */
function namedBy(
  site: RetentionSite,
  stored: Stored,
): { readonly text: string; readonly expires: boolean }[] {
  return filesNamedBy(entityOf(site, stored.entity), stored.fields).flatMap((key) =>
    site.files.map(({ bucket, kinds }) => {
      const kind = kinds.valueOf(key);
      const { expires = [] } = kind === undefined ? {} : entityOf(site, kind);
      return { text: placeText(bucket, key), expires: expires.some(({ by }) => by === "run") };
    }),
  );
}

/** The file that goes with a row. */
function placeOf(site: RetentionSite, stored: Stored): FoundPlace | undefined {
  const place = fileOf(site, stored);
  return place === undefined ? undefined : { ...place, text: placeText(place.bucket, place.key) };
}

interface FoundPlace extends FilePlace {
  readonly text: string;
}

/** What rows go together that share a listing: the first two folders of their files. */
function folderOf(site: RetentionSite, stored: Stored): string {
  const place = placeOf(site, stored);
  return place === undefined ? "" : placeText(place.bucket, place.key.split("/", 3).slice(0, 2).join("/"));
}

interface Going {
  readonly references: References;
  /** Names of the rows that go besides those that are judged together. */
  readonly goingBeside?: ReadonlySet<string>;
}

/**
 * Rows of one folder with the versions of their files: by S3's times of these, and by who else names them. A row goes with the file that
 * is its owner's; where it names somebody else's, or one younger than it says, it is kept, and told.
 */
export async function dueWithFiles(
  site: RetentionSite,
  rows: readonly DecidedRow[],
  { references, goingBeside }: Going,
): Promise<RowDue[]> {
  const files = rows.map((row) => ({ row, place: placeOf(site, row.stored) }));
  const purged = files.flatMap(({ row, place }) => (row.verdict.action === "purge" ? (place ?? []) : []));
  const stored = new Map<string, readonly ListedVersion[]>();
  for (const [bucket, places] of groupedBy(purged, (place) => place.bucket)) {
    const keys = places.map(({ key }) => key);
    for (const [key, versions] of await versionsOf(site, bucket, keys))
      stored.set(placeText(bucket, key), versions);
  }
  const judged = files.map(({ row, place }) => {
    const versions = place === undefined ? [] : (stored.get(place.text) ?? []);
    return { row, place, versions, kept: place && whyKept(site, row, { place, versions }) };
  });
  const going = new Set(goingBeside);
  for (const { row, kept } of judged)
    if (row.verdict.action === "purge" && kept === undefined) going.add(nameOfRow(row.stored));
  const taken = new Set<string>();
  return judged.map(({ row, place, versions, kept }): RowDue => {
    const { stored: as, verdict } = row;
    if (place === undefined || verdict.action !== "purge") return rowDue(site, row, {});
    if (kept !== undefined) return rowDue(site, { stored: as, verdict: { ...verdict, ...kept } }, { place });
    const isNamed =
      references.living.has(place.text) ||
      (references.others.get(place.text) ?? []).some((row) => !going.has(nameOfRow(row)));
    // Of several rows that go and name the same file, the first one takes it along.
    const isTaken = taken.has(place.text);
    taken.add(place.text);
    const ofFile = isNamed ? "another entry names its file, which stays" : undefined;
    const more = versions.length === 0 ? "its file is gone already, only the entry is left" : ofFile;
    const reason = [verdict.reason, ...(more === undefined ? [] : [more])].join("; ");
    const sinceMs = Math.max(verdict.sinceMs, newestBytesMs(versions) ?? verdict.sinceMs);
    return rowDue(
      site,
      { stored: as, verdict: { ...verdict, sinceMs, reason } },
      { place, versions: isNamed || isTaken ? [] : versions.map(plannedVersion) },
    );
  });
}

/** Why a row that is due stays all the same; undefined where it goes. */
function whyKept(
  site: RetentionSite,
  { stored, verdict }: DecidedRow,
  { place, versions }: { readonly place: FoundPlace; readonly versions: readonly ListedVersion[] },
): Pick<RowVerdict, "action" | "reason" | "sinceMs"> | undefined {
  if (verdict.action !== "purge") return undefined;
  const { sinceMs, reason } = verdict;
  if (!isOwnFile(site, stored, place))
    return { action: "keep", reason: `its file is somebody else's: ${place.key}`, sinceMs };
  const writtenMs = newestBytesMs(versions) ?? sinceMs;
  if (isPast(verdict.rule, writtenMs, site.rules)) return undefined;
  // Told, since the row alone would be due: a time that contradicts S3's is wrong, or invented.
  return {
    action: "keep",
    reason: `${reason}, but its file is in S3 only since ${day(writtenMs)}, which counts`,
    sinceMs: Math.max(sinceMs, writtenMs),
  };
}

/** Whether a link tells whose something is by another id than the first: plans and the audit trail name nobody by an address. */
function isByAddress(site: RetentionSite, { subject, by }: Pick<Link, "subject" | "by">): boolean {
  const [, ...others] = own(site.model.subjects, subject)?.ids ?? [];
  return typeof by === "string" && others.includes(by);
}

function ownersLink(site: Pick<RetentionSite, "model">, { entity }: Stored): Link | undefined {
  const { links = [] } = entityOf(site, entity);
  return links.find(({ role }) => role === "subject") ?? links[0];
}

/** Whose a row is; null where it does not tell. */
function ownerOf(site: Pick<RetentionSite, "model">, stored: Stored): string | null {
  const link = ownersLink(site, stored);
  const id = typeof link?.by === "string" ? own(stored.fields, link.by) : undefined;
  return typeof id === "string" || typeof id === "number" ? String(id) : null;
}

/** What names a row within its site. */
export function nameOfRow({ table, key }: Pick<RowAt, "table" | "key">): string {
  return JSON.stringify([table, ...Object.values(key)]);
}

function rowDue(
  site: RetentionSite,
  { stored, verdict }: DecidedRow,
  { place, versions = [] }: { readonly place?: FoundPlace; readonly versions?: RowDue["versions"] },
): RowDue {
  const { rule, action } = verdict;
  const { entity: name, table, key, fields } = stored;
  const [file] = fileFields(site, stored);
  const isForeign = action === "purge" && file !== undefined && place === undefined;
  const { documents } = site.model.features ?? {};
  const id = documents?.entity === name ? own(fields, documents.fields.id ?? "") : undefined;
  const owner = ownersLink(site, stored);
  const next =
    site.isAhead && action === "soft-delete" ? decide(site, marked(site, stored, verdict)) : undefined;
  return {
    kind: "row",
    action: isForeign ? "keep" : action,
    rule: rule.id,
    by: rule.by,
    reason: isForeign
      ? `its file has the key of none that it may name: ${typeof file.value === "string" ? file.value : JSON.stringify(file.value)}`
      : `${verdict.reason}${purgedBehind(next)}`,
    userId: owner !== undefined && isByAddress(site, owner) ? null : ownerOf(site, stored),
    table,
    item: { ...key },
    entity: name,
    role: roleOf(site, stored),
    ...(typeof id === "string" ? { documentId: id } : {}),
    ...(place === undefined ? {} : { bucket: place.bucket, key: place.key }),
    bytes: stored.bytes + bytesOf(versions),
    ...agesOf({ ...verdict, action: isForeign ? "keep" : action }, site.rules),
    versions,
    was: deciders(site, stored),
  };
}

/** A row as it would stand once it is marked as deleted at its end. */
function marked({ model }: RetentionSite, stored: Stored, verdict: RowVerdict): Stored {
  const { documents } = model.features ?? {};
  if (documents === undefined) return stored;
  const deletion = { status: "DELETED", deletedAt: new Date(endMs(verdict)).toISOString() };
  const fields = { ...stored.fields, ...fieldsFor({ model, documents }, deletion) } as JsonObject;
  return { ...stored, fields };
}

/** The fields that must be as they were when a row goes: those that decided, and what says whose it is, also where that stands in no file. */
export function unchangedFields(site: RetentionSite, stored: Stored): string[] {
  const { links = [] } = entityOf(site, stored.entity);
  const owners = links.map(({ by }) => (typeof by === "string" ? by : by.via));
  return [...new Set([...Object.keys(deciders(site, stored)), ...owners])];
}

/** The fields that decided, as they can stand in a file. */
export function deciders(site: RetentionSite, { entity: name, fields }: Stored): RowDue["was"] {
  const entity = entityOf(site, name);
  const { documents } = site.model.features ?? {};
  const names = [
    "legalHold",
    ...(entity.expires ?? []).flatMap(({ since, when = {} }) => [
      ...(since === undefined ? [] : [since]),
      ...Object.keys(when),
    ]),
    ...(entity.links ?? []).flatMap((link) =>
      typeof link.by === "string" && link.role === "subject" && !isByAddress(site, link) ? [link.by] : [],
    ),
    ...referencesOf(name, entity).flatMap(({ field, parentField }) =>
      parentField === undefined ? [field] : [],
    ),
    ...(documents?.entity === name ? [documents.fields.status ?? []].flat() : []),
  ];
  const values = [...new Set(names)].map((field) => [field, own(fields, field) ?? null]);
  return JSON.parse(JSON.stringify(Object.fromEntries(values))) as RowDue["was"];
}
