import { createHash } from "node:crypto";
import { getRawItems, keysPerGet } from "../../aws/raw/get-raw-items.ts";
import { plainIfDamaged } from "../../aws/dynamodb/plain.ts";
import type { Item } from "../../aws/dynamodb/items.ts";
import { safeFileName } from "../../documents/file-names.ts";
import { groupedBy } from "../../model/graph.ts";
import { partsIn, type ItemPart } from "../../model/item-parts.ts";
import { isAbout, personalParts, unreachedEntities } from "../../model/links.ts";
import { dataUrlIn } from "../../model/data-url.ts";
import { isRecord, own, type JsonObject } from "../../model/json.ts";
import { csvLine } from "../../output/csv.ts";
import type { People } from "../person.ts";
import type { OwnedItem, OwnedVersion } from "../traces.ts";
import type { Language } from "../../model/sentences.ts";
import { openedFiles } from "./files.ts";
import type { KeptFiles } from "./kept-files.ts";
import { exportPage, type PageEntity } from "./page.ts";
import { rowValues } from "./row-values.ts";
import { filesOf, type ExportPlan } from "./plan.ts";
import { cellOf, givenOut, LeavingOut, rulesOf, type LeftOut, type Missing, type Rules } from "./values.ts";

/** One file of an export, to be read once and before the next. */
export interface Part {
  readonly name: string;
  readonly modifiedAt: Date;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Whose bytes these are, where they are a file's: they are the same at any time. */
  readonly version?: OwnedVersion;
  /** The CRC32 of the bytes once they are read, where it is summed up anyway. */
  readonly crc32?: (() => number) | undefined;
}

/** What the manifest says of a part. */
export interface PartInfo {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly entity?: string | undefined;
  /** Where a file lay. */
  readonly from?: { readonly bucket: string; readonly key: string; readonly version: string } | undefined;
}

/** What came of an export, complete behind its last part. */
export interface Exported {
  readonly parts: PartInfo[];
  readonly missing: Missing[];
  readonly leftOut: LeftOut[];
}

export interface ExportOptions {
  readonly language: Language;
  readonly onFile?: ((done: number, total: number) => void) | undefined;
  /** What an interrupted export has left of the files. */
  readonly kept?: KeptFiles | undefined;
}

/** Of an item and its parts at most so many are shown on the page; all are in the other files. */
const mostShown = 200;

/**
 * The parts of an export, one behind the other: files first, which an interrupted export need not fetch again, then the account, a folder for
 * each kind of thing, the page, and last the manifest with the hash of each. Never more than a page of items and a piece of a file is in memory. What cannot be read is in `exported.missing`.
 */
export async function* exportParts(
  site: People,
  plan: ExportPlan,
  { options, exported }: { readonly options: ExportOptions; readonly exported: Exported },
): AsyncGenerator<Part> {
  const at = site.now();
  const out = new LeavingOut();
  const rules = rulesOf(site.model, site.declaration.secrets, plan.ids);
  const summed = (name: string, bytes: AsyncIterable<Uint8Array>, about: Partial<PartInfo> = {}): Part => ({
    name,
    modifiedAt: at,
    bytes: summing(bytes, (sum) => exported.parts.push({ name, ...sum, ...about })),
  });
  const text = (name: string, texts: Iterable<string> | AsyncIterable<string>, entity?: string) =>
    summed(name, encoded(texts), { entity });
  const pages: PageEntity[] = [];

  const filePages = new Map<string, PageEntity & { count: number }>();
  const files = filesOf(plan.holdings);
  let done = 0;
  for await (const { version, body } of openedFiles(site, files, options.kept)) {
    done += 1;
    options.onFile?.(done, files.length);
    const { what, entity, bucket, key, version: id } = version;
    const page = filePages.get(entity) ?? { entity, what, count: 0, shown: [], files: [] };
    filePages.set(entity, page);
    page.count += 1;
    if (typeof body === "string") {
      exported.missing.push({ entity, name: key, why: body });
      continue;
    }
    const name = `${entity}/${version.isLatest ? "files" : "earlier"}/${numbered(page.count, lastOf(key))}`;
    page.files.push({ name, bytes: version.bytes });
    yield {
      ...summed(name, body.bytes, { entity, from: { bucket, key, version: id } }),
      modifiedAt: version.modifiedAt ?? at,
      version,
      crc32: body.crc32,
    };
  }

  const account = accountOf(plan);
  if (account !== undefined) {
    const value = givenOut({ entity: accountFolder, isKnown: true }, account, { rules, out });
    yield text(`${accountFolder}/account.json`, [JSON.stringify(value, undefined, 2), "\n"], accountFolder);
    yield text(`${accountFolder}/account.csv`, csvRows(Object.keys(value), [value]), accountFolder);
    pages.push({ entity: accountFolder, what: "account", count: 1, shown: [value], files: [] });
  }
  for (const entity of unreachedEntities(site.model, site.rows !== undefined))
    out.add(entity, "*", "unreached");
  for (const { bucket, key } of plan.holdings.uploads) out.add(bucket, key, "unfinished");
  if (plan.sharedAddresses.length > 0) out.add(accountFolder, "email", "shared");
  const reading = (kind: Kind, table: string) => ({ site, kind, table, rules, out: new LeavingOut() });
  const keys = new Set(plan.holdings.versions.map(({ key }) => key));
  for (const [table, items] of groupedBy(plan.holdings.items, (item) => item.table)) {
    const role = site.declaration.tables.find(({ name }) => name === table)?.role ?? table;
    const kinds: Kind[] = [...groupedBy(items, (item) => item.entity)].map(([entity, own]) => ({
      entity,
      what: own[0]?.what ?? entity,
      items: own,
      part: undefined,
    }));
    const about = items.filter(({ links }) => links.some(({ link }) => isAbout(link)));
    for (const part of personalParts(site.model, role)) {
      const kind = { entity: part.entity, what: part.what, items: about, part };
      // What nobody has is no folder.
      if (await hasAny(valuesOf(reading(kind, table)))) kinds.push(kind);
    }
    for (const kind of kinds) {
      const { entity, what, part } = kind;
      const page = { entity, what, count: 0, shown: [] as JsonObject[], files: [] as PageEntity["files"] };
      pages.push(page);
      const columns = new Set<string>();
      const missing = new Set(kind.items.map(({ key }) => keyText(key)));
      const rows = async function* () {
        for await (const { key, value } of valuesOf({ ...reading(kind, table), out })) {
          missing.delete(keyText(key));
          page.count += 1;
          if (page.shown.length < mostShown) page.shown.push(value);
          for (const column of Object.keys(value)) columns.add(column);
          noteElsewhere({ site, entity, value, keys, out });
          yield value;
        }
      };
      const again = async function* () {
        for await (const { value } of valuesOf(reading(kind, table))) yield value;
      };
      yield text(`${entity}/${entity}.json`, jsonList(rows()), entity);
      if (part === undefined)
        for (const name of missing) exported.missing.push({ entity, name, why: "vanished" });
      yield text(`${entity}/${entity}.csv`, csvRows([...columns], again()), entity);
      if (part?.isList !== true) continue;
      let inline = 0;
      for await (const value of again()) {
        const file = dataUrlIn(value);
        if (file === undefined) continue;
        inline += 1;
        const name = `${entity}/inline/${numbered(inline, `file.${extensionOf(file.mediaType)}`)}`;
        page.files.push({ name, bytes: file.sizeBytes });
        yield summed(name, once(file.bytes()), { entity });
      }
    }
  }
  const { rows: people } = site;
  for (const kind of plan.rows) {
    if (people === undefined) break;
    const { entity, what } = kind;
    const page = { entity, what, count: 0, shown: [] as JsonObject[], files: [] as PageEntity["files"] };
    pages.push(page);
    const columns = new Set<string>();
    const rows = async function* () {
      for await (const value of rowValues(people, kind, { rules, out })) {
        page.count += 1;
        if (page.shown.length < mostShown) page.shown.push(value);
        for (const column of Object.keys(value)) columns.add(column);
        noteElsewhere({ site, entity, value, keys, out });
        yield value;
      }
    };
    yield text(`${entity}/${entity}.json`, jsonList(rows()), entity);
    const vanished = kind.rows.length - page.count;
    if (vanished > 0) exported.missing.push({ entity, name: `${vanished} rows`, why: "vanished" });
    const again = rowValues(people, kind, { rules, out: new LeavingOut() });
    yield text(`${entity}/${entity}.csv`, csvRows([...columns], again), entity);
  }
  pages.push(...filePages.values());
  exported.leftOut.push(...out.all);
  const { missing, leftOut, parts } = exported;
  for (const language of [options.language, options.language === "de" ? "en" : "de"] as const) {
    const name = language === options.language ? "index.html" : `index.${language}.html`;
    const other =
      language === options.language ? `index.${language === "de" ? "en" : "de"}.html` : "index.html";
    const about = { language, other, site: site.declaration.name, at, person: plan.name };
    yield text(name, exportPage({ ...about, entities: pages, leftOut, missing }));
  }
  const { userId, name: address } = plan;
  const manifest = {
    format: 1,
    site: site.declaration.name,
    exportedAt: at.toISOString(),
    person: { userId, ...(address === userId ? {} : { address }) },
    leftOut,
    missing,
    parts,
  };
  yield {
    name: manifestName,
    modifiedAt: at,
    bytes: encoded([JSON.stringify(manifest, undefined, 1), "\n"]),
  };
}

export const manifestName = "manifest.json";

/** Not a name that a model may give an entity, whose folders lie beside it. */
const accountFolder = "user-account";

function accountOf({ account, groups }: ExportPlan): JsonObject | undefined {
  if (account === undefined) return undefined;
  const { attributes, username, sub, status, enabled, createdAt, modifiedAt, secondFactors } = account;
  const told = { userId: sub, username, status, enabled, groups, secondFactors };
  return {
    ...told,
    createdAt: createdAt.toISOString(),
    modifiedAt: modifiedAt.toISOString(),
    attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
  };
}

/** Items of one kind, or what is at one place in items. */
interface Kind {
  readonly entity: string;
  readonly what: string;
  readonly items: readonly OwnedItem[];
  readonly part: ItemPart | undefined;
}

interface Reading {
  readonly site: People;
  readonly table: string;
  readonly kind: Kind;
  readonly rules: Rules;
  readonly out: LeavingOut;
}

/** The items of one kind as they are given out, a call for 100; or what they hold at the place of a part. */
async function* valuesOf({
  site,
  table,
  kind: { items, part },
  rules,
  out,
}: Reading): AsyncGenerator<{ readonly key: Item; readonly value: JsonObject }> {
  const { aws, signal } = site;
  for (let start = 0; start < items.length; start += keysPerGet) {
    const batch = items.slice(start, start + keysPerGet);
    const raw = await getRawItems(aws, { table, keys: batch.map(({ key }) => key), signal });
    const byKey = new Map(raw.map((item) => [keyText(keyIn(item, batch[0]?.key ?? {})), item]));
    for (const { key, entity, links } of batch) {
      const stored = byKey.get(keyText(key));
      if (stored === undefined) continue;
      const item = plainIfDamaged(stored as Item);
      if (part !== undefined) {
        for (const value of partsIn(item, part))
          yield { key, value: givenOut({ entity: part.entity, isKnown: true }, value, { rules, out }) };
        continue;
      }
      if (links.some(({ link }) => isAbout(link))) {
        const isKnown = links.some(({ isKnownKind }) => isKnownKind);
        yield { key, value: givenOut({ entity, isKnown }, item, { rules, out }) };
        continue;
      }
      // Of what is about somebody or something else no more than that it names the person.
      const named = new Set([...Object.keys(key), ...links.map(({ place: { attribute } }) => attribute)]);
      for (const name of Object.keys(item)) if (!named.has(name)) out.add(entity, name, "others");
      yield { key, value: Object.fromEntries(Object.entries(item).filter(([name]) => named.has(name))) };
    }
  }
}

/** Files that an item refers to and that have not come yet, or are in nobody's folder, or in another's: who wrote the item may have named any. */
function noteElsewhere({
  site,
  entity,
  value,
  keys,
  out,
}: {
  readonly site: People;
  readonly entity: string;
  readonly value: JsonObject;
  readonly keys: ReadonlySet<string>;
  readonly out: LeavingOut;
}): void {
  for (const [field, targets] of Object.entries(own(site.model.entities, entity)?.refs ?? {})) {
    const key = own(value, field);
    if (![targets].flat().some((target) => target.startsWith("object:")) || typeof key !== "string") continue;
    if (!keys.has(key)) out.add(entity, field, isUploading(site, entity, value) ? "unfinished" : "elsewhere");
  }
}

/** Whether it says of its file that it is still to come. */
function isUploading({ model: { features } }: People, entity: string, value: JsonObject): boolean {
  const { documents } = features ?? {};
  if (documents?.entity !== entity) return false;
  const { fields, statuses } = documents;
  return own(value, fields.status ?? "status") === (statuses?.UPLOADING ?? "UPLOADING");
}

function keyIn(item: JsonObject, like: Item): JsonObject {
  return Object.fromEntries(Object.keys(like).map((name) => [name, item[name]]));
}

function keyText(key: JsonObject): string {
  const values = Object.entries(key).map(([name, value]) => [
    name,
    isRecord(value) ? Object.values(value)[0] : value,
  ]);
  return JSON.stringify(values.toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)));
}

async function* jsonList(values: AsyncIterable<JsonObject>): AsyncGenerator<string> {
  let before = "[\n";
  for await (const value of values) {
    yield `${before}${JSON.stringify(value, undefined, 2)}`;
    before = ",\n";
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

async function* csvRows(
  columns: readonly string[],
  values: Iterable<JsonObject> | AsyncIterable<JsonObject>,
): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const value of values) yield csvLine(columns.map((name) => cellOf(own(value, name))));
}

async function hasAny(values: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _value of values) return true;
  return false;
}

async function* encoded(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* summing(
  bytes: AsyncIterable<Uint8Array>,
  tell: (sum: Pick<PartInfo, "bytes" | "sha256">) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
    yield chunk;
  }
  tell({ bytes: size, sha256: hash.digest("hex") });
}

function lastOf(key: string): string {
  return key.split("/").findLast((segment) => segment !== "") ?? "file";
}

function extensionOf(mediaType: string): string {
  return /^[\w.+-]+\/([a-z0-9]{1,8})\b/.exec(mediaType)?.[1] ?? "bin";
}

/** A name that every system can unpack, and that no other file of the folder has. */
function numbered(number: number, name: string): string {
  return `${String(number).padStart(4, "0")}-${safeFileName(name)}`;
}
