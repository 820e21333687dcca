import { fingerprint } from "../aws/dynamodb/fingerprint.ts";
import { queryItems } from "../aws/dynamodb/items.ts";
import { listUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { itemOf } from "../documents/entry-changes.ts";
import { readDocuments } from "../documents/entries.ts";
import type { StoredEntry } from "../documents/entry.ts";
import { legalHold } from "../model/documents.ts";
import { sameJson } from "../model/json.ts";
import { groupedBy } from "../model/graph.ts";
import { parseKey } from "../model/keys.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { inParallel } from "../concurrency.ts";
import { judge } from "./find-documents.ts";
import { objectDue, replacedVersions } from "./find-objects.ts";
import { findPictures } from "./find-pictures.ts";
import { decide } from "./decide-row.ts";
import {
  deciders,
  dueWithFiles,
  nameOfRow,
  roleOf,
  unchangedFields,
  type References,
  type RowAt,
} from "./find-rows.ts";
import type {
  DocumentDue,
  DueEntry,
  ImageDue,
  ObjectDue,
  RowDue,
  TwinVersionDue,
  UploadDue,
  VersionDue,
} from "./plan-entry.ts";
import type { Stored } from "../stores/store.ts";
import { ownersWhereHeld } from "../stores/row-owners.ts";
import { hasProfiles, lifecycleRule, type ProfileSite, type RetentionSite } from "./site.ts";
import { keysWithVersions, placeText, unplanned, versionsOf, type KeyVersions } from "./stored-versions.ts";

/** An entry that may be carried out: every precondition holds at this moment. */
export interface Ready<T extends DueEntry = DueEntry> {
  readonly due: T;
  /** The same as the plan has it, with versions that may be gone by now, or stay. */
  readonly planned?: T;
  /** A document's entry as it stands now. */
  readonly stored?: StoredEntry;
  /** A row as it stands now, and whom it names. */
  readonly row?: Stored;
  readonly owners?: readonly string[];
}

export interface Skipped {
  readonly due: DueEntry;
  readonly why: string;
}

/** Entries in the plan's order, parted by whether they still may be carried out. `gone` were carried out before. */
export interface Rechecked<T extends DueEntry = DueEntry> {
  readonly ready: readonly Ready<T>[];
  readonly skipped: readonly Skipped[];
  readonly gone: readonly DueEntry[];
}

type Verdict<T extends DueEntry> = Ready<T> | Skipped | { readonly gone: T };

/** Owners, keys or uploads that are looked up at once. */
const sideBySide = 8;

/**
 * Looks at everything anew: the rules decide again on what is there now, and what the plan noted must still be so. A
 * plan, also one that somebody wrote by hand, can so only do what is due.
 */
export async function recheckDocuments(
  site: ProfileSite,
  entries: readonly DocumentDue[],
): Promise<Rechecked<DocumentDue>> {
  return perGroup(entries, ownerOf, async (planned): Promise<Verdict<DocumentDue>[]> => {
    const documents = await readDocuments(site.documents, planned[0]?.userId ?? "");
    const { entries: stored } = documents;
    const judged = await judge(site, documents);
    const left = await versionsOf(site, site.documents.bucket, keysWithoutEntry(site, planned, stored));
    return planned.map((due) => {
      const entry = find(site, stored, due);
      if (entry === undefined) {
        if (left.size === 0 || !left.has(due.key ?? "")) return { gone: due };
        return { due, why: "its entry is gone, its object is not: `mawps doc check` tells more" };
      }
      if (entry.document.s3Key !== (due.key ?? ""))
        return { due, why: "its object was moved to another key" };
      const now = judged.find((each) => each.entry === entry)?.due;
      if (now === undefined || now.action !== due.action || now.rule !== due.rule) {
        return {
          due,
          why: now?.action === "keep" ? now.reason : `nothing is due any more: ${changes(due, entry)}`,
        };
      }
      if (!sameJson(now.was, due.was)) return { due, why: `its entry changed: ${changes(due, entry)}` };
      if (now.bucket !== due.bucket || now.table !== due.table || !sameJson(now.item, due.item)) {
        return { due, why: "it lies elsewhere now" };
      }
      const why = unplannedVersions(due, now);
      // What goes is what is decided now: another entry may name the object meanwhile, and then it stays.
      return why === undefined
        ? { due: { ...due, versions: now.versions }, planned: due, stored: entry }
        : { due, why };
    });
  });
}

/** Of several entries with the same id the one that names the planned object; a removed one is known by its table. */
function find(site: ProfileSite, stored: readonly StoredEntry[], due: DocumentDue): StoredEntry | undefined {
  const same = stored.filter(
    (entry) => entry.document.id === due.documentId && itemOf(site.documents, entry).table === due.table,
  );
  return same.find(({ document }) => document.s3Key === (due.key ?? "")) ?? same[0];
}

function keysWithoutEntry(
  site: ProfileSite,
  planned: readonly DocumentDue[],
  stored: readonly StoredEntry[],
): string[] {
  return planned.flatMap((due) =>
    due.key !== undefined && find(site, stored, due) === undefined && due.versions.length > 0
      ? [due.key]
      : [],
  );
}

/** The versions that would go now must all be in the plan. */
function unplannedVersions(due: DocumentDue | RowDue, now: DocumentDue | RowDue): string | undefined {
  const listed = now.versions.map((version) => ({
    ...version,
    key: due.key ?? "",
    isLatest: false,
    isDeleteMarker: version.deleteMarker === true,
    sizeBytes: version.bytes,
    lastModified: new Date(version.lastModified),
  }));
  return unplanned(due.versions, listed);
}

/** Which of the attributes that decided are not as they were. */
function changes(due: DocumentDue, { document }: StoredEntry): string {
  const now = document.attributes;
  const differing = Object.keys(due.was).filter((name) => !sameJson(due.was[name], now[name] ?? null));
  return differing.length === 0
    ? "its object is younger, or the rules differ"
    : differing.map((name) => `${name} was ${text(due.was[name])}, is ${text(now[name])}`).join("; ");
}

function text(value: unknown): string {
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}

/** Pictures are decided anew with all others of their owner: what somebody brought back stays. */
export async function recheckImages(
  site: ProfileSite,
  entries: readonly ImageDue[],
  strangers: ReadonlySet<string>,
): Promise<Rechecked<ImageDue>> {
  return perGroup(entries, folderOf, async (planned): Promise<Verdict<ImageDue>[]> => {
    const [first] = planned;
    if (first === undefined) return [];
    const folder = folderOf(first);
    const keys: KeyVersions[] = [];
    for await (const stored of keysWithVersions(site, first.bucket, folder)) keys.push(stored);
    const { due: now } = await findPictures(site, { bucket: first.bucket, folder, keys, strangers });
    const going = new Set(now.map(({ key }) => key));
    return planned.map((due) => {
      const stored = keys.find(({ key }) => key === due.key);
      if (stored === undefined) return { gone: due };
      if (!going.has(due.key))
        return {
          due,
          why: "nothing is due any more: it is in use, among the newest, or nothing says what it is",
        };
      const why = unplanned(due.versions, stored.versions);
      return why === undefined ? { due } : { due, why };
    });
  });
}

function folderOf({ key }: ImageDue): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** What decides anew on rows and objects besides what they are: the rows that name files, read once a run. */
export interface Planned {
  /** Names of the rows that the plan purges (`nameOfRow`). */
  readonly rows: ReadonlySet<string>;
  readonly references: References;
}

/**
 * Rows are read anew, with the versions of their files, and with the other rows that were to go and name these: a file that a row names
 * which does not go stays.
 */
export async function recheckRows(
  site: RetentionSite,
  entries: readonly RowDue[],
  { rows, references }: Planned,
): Promise<Rechecked<RowDue>> {
  return perGroup(entries, folderOfFile, async (planned): Promise<Verdict<RowDue>[]> => {
    const now = new Map<RowDue, Stored | undefined>();
    for (const [role, dues] of groupedBy(planned, (due) => due.role)) {
      if (!site.tables.has(role)) continue;
      const stored = await site.store.getAll(
        role,
        dues.map(({ item }) => item),
      );
      for (const [at, due] of dues.entries()) now.set(due, stored[at]);
    }
    const there = planned.flatMap((due) => now.get(due) ?? []);
    const owners = await ownersWhereHeld(site, there);
    const whyChanged = (due: RowDue, stored: Stored) => {
      if (references.newest.has(nameOfRow(stored))) return "it is among the newest now";
      return sameJson(deciders(site, stored), due.was) ? undefined : `it changed: ${rowChanges(due, stored)}`;
    };
    const found = planned.map((due) => {
      const stored = now.get(due);
      const verdict = stored && decide(site, stored, owners.get(stored));
      return { due, stored, verdict, changed: stored && verdict && whyChanged(due, stored) };
    });
    // One that changed stays, and is none of those that go: a file that it names stays with it.
    const decided = found.flatMap(({ stored, verdict, changed }) =>
      stored === undefined || verdict === undefined || changed !== undefined ? [] : [{ stored, verdict }],
    );
    const known = new Set(found.flatMap(({ stored }) => (stored === undefined ? [] : [nameOfRow(stored)])));
    const others = planned.flatMap(({ bucket, key }) =>
      bucket === undefined || key === undefined ? [] : (references.others.get(placeText(bucket, key)) ?? []),
    );
    const beside = others.filter((row) => !known.has(nameOfRow(row)) && rows.has(nameOfRow(row)));
    const fresh = await dueWithFiles(site, decided, {
      references,
      goingBeside: await stillGoing(site, beside, references),
    });
    const left = await filesWithoutRow(
      site,
      found.flatMap(({ due, stored }) => (stored === undefined ? [due] : [])),
    );
    return found.map(({ due, stored, changed }): Verdict<RowDue> => {
      if (stored === undefined) {
        return left.has(due.key ?? "") && due.versions.length > 0
          ? { due, why: "its entry is gone, its file is not" }
          : { gone: due };
      }
      const at = decided.findIndex((each) => each.stored === stored);
      const again = fresh[at];
      if (changed !== undefined) return { due, why: changed };
      if (again === undefined || again.action !== due.action || again.rule !== due.rule) {
        const why =
          again?.action === "keep" ? again.reason : `nothing is due any more: ${rowChanges(due, stored)}`;
        return { due, why };
      }
      if (again.bucket !== due.bucket || again.key !== due.key || again.table !== due.table)
        return { due, why: "its file lies elsewhere now" };
      const why = unplannedVersions(due, again);
      const ready = {
        due: { ...due, versions: again.versions },
        planned: due,
        row: stored,
        owners: owners.get(stored) ?? [],
      };
      return why === undefined ? ready : { due, why };
    });
  });
}

/** Names of those of the rows that are gone, or that the rules still purge and nothing that stays refers to. */
async function stillGoing(
  site: RetentionSite,
  rows: readonly RowAt[],
  { newest }: Pick<References, "newest">,
): Promise<Set<string>> {
  const byName = new Map(rows.map((row) => [nameOfRow(row), row]));
  const going = new Set<string>();
  for (const [role, some] of groupedBy([...byName], ([, row]) => roleOf(site, row))) {
    const stored = await site.store.getAll(
      role,
      some.map(([, { key }]) => key),
    );
    const there = stored.flatMap((each) => each ?? []);
    const owners = await ownersWhereHeld(site, there);
    const due = some.flatMap(([name], at) => {
      const each = stored[at];
      if (each === undefined) going.add(name);
      const isDue =
        each !== undefined && !newest.has(name) && decide(site, each, owners.get(each))?.action === "purge";
      return isDue ? [{ name, stored: each, unchanged: unchangedFields(site, each) }] : [];
    });
    const deletions = await site.store.deletable(due);
    for (const [at, { name }] of due.entries()) if (deletions[at] === "done") going.add(name);
  }
  return going;
}

async function filesWithoutRow(site: RetentionSite, dues: readonly RowDue[]): Promise<Set<string>> {
  const keys = dues.flatMap(({ key }) => key ?? []);
  const bucket = dues.find((due) => due.bucket !== undefined)?.bucket;
  if (bucket === undefined || keys.length === 0) return new Set();
  return new Set((await versionsOf(site, bucket, keys)).keys());
}

function folderOfFile({ bucket = "", key = "" }: RowDue): string {
  return placeText(bucket, key.split("/", 3).slice(0, 2).join("/"));
}

function rowChanges({ was }: RowDue, { fields }: Stored): string {
  const differing = Object.keys(was).filter((name) => !sameJson(was[name], fields[name] ?? null));
  return differing.length === 0
    ? "its file is younger, or the rules differ"
    : differing.map((name) => `${name} was ${text(was[name])}, is ${text(fields[name])}`).join("; ");
}

/** Objects by the rules of their entities: as old as before, in the same versions, and named by no row that stays. */
export async function recheckObjects(
  site: RetentionSite,
  entries: readonly ObjectDue[],
  { references }: Planned,
): Promise<Rechecked<ObjectDue>> {
  return perGroup(
    entries,
    ({ bucket, key }) => placeText(bucket, key.split("/", 3).slice(0, 2).join("/")),
    async (planned): Promise<Verdict<ObjectDue>[]> => {
      const bucket = planned[0]?.bucket ?? "";
      const keys = planned.map(({ key }) => key);
      const stored = await versionsOf(site, bucket, keys);
      return planned.map((due) => {
        const versions = stored.get(due.key) ?? [];
        if (versions.length === 0) return { gone: due };
        const place = placeText(bucket, due.key);
        if (references.held.has(place)) return { due, why: "its entry is under a legal hold" };
        if (references.living.has(place) || references.others.has(place))
          return { due, why: "an entry names it" };
        const now = objectDue(site, bucket, { key: due.key, versions });
        if (now?.rule !== due.rule)
          return { due, why: "nothing is due any more: it is younger, or the rules differ" };
        const why = unplanned(due.versions, versions);
        return why === undefined ? { due } : { due, why };
      });
    },
  );
}

/** A version goes only while it is not the current one: deleting a marker brings back what is under it. */
export async function recheckVersions(
  site: RetentionSite,
  entries: readonly VersionDue[],
  held: ReadonlySet<string>,
): Promise<Rechecked<VersionDue>> {
  return perGroup(
    entries,
    ({ key }) => key,
    async (planned): Promise<Verdict<VersionDue>[]> => {
      const [first] = planned;
      if (first === undefined) return [];
      const { bucket, key } = first;
      const versions = (await versionsOf(site, bucket, [key])).get(key) ?? [];
      const rule = lifecycleRule(site, bucket, "purge");
      const replaced = rule === undefined ? [] : replacedVersions(site.rules, rule, { key, versions });
      const going = new Set(replaced.map(({ listed }) => listed.version));
      const isHeld = hasProfiles(site) ? await isUnderHold(site, key) : held.has(placeText(bucket, key));
      return planned.map((due) => {
        const [wanted] = due.versions;
        const now = versions.filter(({ version }) => version === wanted?.version);
        if (wanted === undefined || now.length === 0) return { gone: due };
        if (isHeld) return { due, why: "its document is under a legal hold" };
        if (!going.has(wanted.version)) return { due, why: "it is the current version again, or younger" };
        const why = unplanned(due.versions, now);
        return why === undefined ? { due } : { due, why };
      });
    },
  );
}

async function isUnderHold({ documents }: ProfileSite, key: string): Promise<boolean> {
  const parsed = parseKey(key);
  if (parsed?.layout !== "document" && parsed?.layout !== "old-document") return false;
  if (nobodyWith(parsed.userId) !== undefined) return false;
  const { entries } = await readDocuments(documents, parsed.userId);
  return entries.some(
    ({ document }) => document.s3Key === key && legalHold(document.attributes) !== undefined,
  );
}

/** An upload's id never means another one. */
export async function recheckUploads(
  site: RetentionSite,
  entries: readonly UploadDue[],
): Promise<Rechecked<UploadDue>> {
  return perGroup(
    entries,
    ({ key }) => key,
    async (planned): Promise<Verdict<UploadDue>[]> => {
      const { bucket, key } = planned[0] ?? { bucket: "", key: "" };
      const open = new Map<string, string | undefined>();
      const uploads = listUnfinishedUploads(site.aws, { bucket, prefix: key, signal: site.signal });
      for await (const upload of uploads) {
        if (upload.key === key) open.set(upload.uploadId, upload.begunAt?.toISOString());
      }
      return planned.map((due) => {
        if (!open.has(due.uploadId)) return { gone: due };
        return open.get(due.uploadId) === due.initiated
          ? { due }
          : { due, why: "it was begun at another time" };
      });
    },
  );
}

/** States of the twin: still beyond the newest, and the same bytes. */
export async function recheckTwin(
  site: RetentionSite,
  entries: readonly TwinVersionDue[],
): Promise<Rechecked<TwinVersionDue>> {
  const keep = site.rules.byId.get("twin-history")?.keepNewest ?? Number.POSITIVE_INFINITY;
  const [first] = entries;
  if (first === undefined) return { ready: [], skipped: [], gone: [] };
  const prints = new Map<string, string>();
  const order: string[] = [];
  const pages = queryItems(site.aws, {
    table: first.table,
    partition: { attribute: "userId", value: { S: String(first.item["userId"]) } },
    sort: { attribute: "type", beginsWith: { S: typePrefix(first) } },
    consistent: true,
    signal: site.signal,
  });
  for await (const page of pages) {
    for (const item of page) {
      const type = item["type"]?.S ?? "";
      order.push(type);
      prints.set(type, fingerprint(item));
    }
  }
  const beyond = new Set(order.slice(0, Math.max(0, order.length - keep)));
  return part(
    entries.map((due): Verdict<TwinVersionDue> => {
      const type = String(due.item["type"]);
      if (!prints.has(type)) return { gone: due };
      if (!beyond.has(type)) return { due, why: "it is among the newest now" };
      return prints.get(type) === due.sha256 ? { due } : { due, why: "the item changed" };
    }),
  );
}

/** `digital-twin#v` of `digital-twin#v00000007`. */
function typePrefix({ item }: TwinVersionDue): string {
  return String(item["type"]).replace(/\d+$/, "");
}

function ownerOf({ userId }: DocumentDue): string {
  return userId ?? "";
}

/** Groups entries, looks at some groups at once, and gives the verdicts in the entries' order. */
async function perGroup<T extends DueEntry>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
  look: (group: readonly T[]) => Promise<Verdict<T>[]>,
): Promise<Rechecked<T>> {
  return part((await inParallel([...groupedBy(entries, nameOf).values()], sideBySide, look)).flat());
}

function part<T extends DueEntry>(verdicts: readonly Verdict<T>[]): Rechecked<T> {
  return {
    ready: verdicts.flatMap((verdict) => ("due" in verdict && !("why" in verdict) ? [verdict] : [])),
    skipped: verdicts.flatMap((verdict) => ("why" in verdict ? [verdict] : [])),
    gone: verdicts.flatMap((verdict) => ("gone" in verdict ? [verdict.gone] : [])),
  };
}
