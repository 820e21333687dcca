import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { writeNewFile } from "../atomic-file.ts";
import { CliError } from "../errors.ts";
import { canonicalJson, isRecord, type JsonObject } from "../model/json.ts";
import { readTextFile } from "../text-file.ts";
import type { BucketSnapshot, DatabaseSnapshot, Manifest, TableSnapshot } from "./snapshot.ts";

/** What of a snapshot is to be restored; without any limit all of it. */
export interface RestoreScope {
  /** `tables`, `files`, `users`, `databases`, or roles and names of single ones. */
  readonly only: readonly string[];
  /** What one person owns, of items, objects and rows. */
  readonly userId?: string;
  /** The same person, as rows name them. */
  readonly person?: PersonMeant;
  /** A single row. */
  readonly row?: RowMeant;
  /** What one person owns, of items alone; with a type the one item. */
  readonly item?: { readonly userId: string; readonly type?: string | undefined };
  /** What an earlier restore left. */
  readonly retry?: LeftKeys;
}

/** Somebody as rows name them. */
export interface PersonMeant {
  /** Of which of the model's people; undefined where they may be of each. */
  readonly subject?: string | undefined;
  /** The id first, then addresses that are nobody else's. */
  readonly ids: readonly string[];
}

/** Whether a value names them: ids letter by letter, addresses in whatever case. Pure. */
export function isPerson({ subject, ids }: PersonMeant, value: string, of: string): boolean {
  if (subject !== undefined && subject !== of) return false;
  return (
    ids.includes(value) ||
    (value.includes("@") && ids.some((each) => each.toLowerCase() === value.toLowerCase()))
  );
}

/** A row by its primary key. */
export interface RowMeant {
  /** The role of its database. */
  readonly database: string;
  readonly table: string;
  /** The values, in the order of the key's columns. */
  readonly key: readonly string[];
}

/** Keys that an earlier restore could not write, by the names of tables and buckets as they were written to. */
export interface LeftKeys {
  /** Canonical JSON of the keys. */
  readonly items: ReadonlyMap<string, ReadonlySet<string>>;
  readonly objects: ReadonlyMap<string, ReadonlySet<string>>;
}

/** One line of `failed.ndjson`: keys alone, nothing of what was stored. */
export type LeftKey =
  | { readonly table: string; readonly key: JsonObject }
  | { readonly bucket: string; readonly key: string };

/** @throws CliError for a word of `only` that nothing in the snapshot is called. */
export function assertKnown({ only }: RestoreScope, manifest: Manifest): void {
  const { tables, buckets, userPool, databases = [] } = manifest;
  const known = new Set([
    ...(tables.length === 0 ? [] : ["tables"]),
    ...(buckets.length === 0 ? [] : ["files"]),
    ...(userPool === undefined ? [] : ["users"]),
    ...(databases.length === 0 ? [] : ["databases"]),
    ...[...tables, ...buckets, ...databases].flatMap(({ role, name }) => [role, name]),
  ]);
  for (const word of only) {
    if (known.has(word)) continue;
    throw new CliError(`nothing in the backup ${manifest.id} is called ${JSON.stringify(word)}`, {
      hint: `--only takes: ${[...known].join(", ")}`,
    });
  }
}

export function wantsTable({ only, row, retry }: RestoreScope, { role, name }: TableSnapshot): boolean {
  if (row !== undefined) return false;
  if (retry !== undefined && retry.items.size === 0) return false;
  return only.length === 0 || [role, name, "tables"].some((word) => only.includes(word));
}

export function wantsBucket({ only, item, retry }: RestoreScope, { role, name }: BucketSnapshot): boolean {
  if (item !== undefined || (retry !== undefined && retry.objects.size === 0)) return false;
  return only.length === 0 || [role, name, "files"].some((word) => only.includes(word));
}

/** What an earlier restore left of rows the same command brings back. */
export function wantsDatabase(
  { only, item, row, retry }: RestoreScope,
  { role, name }: DatabaseSnapshot,
): boolean {
  if (item !== undefined || retry !== undefined) return false;
  if (row !== undefined && row.database !== role) return false;
  return only.length === 0 || [role, name, "databases"].some((word) => only.includes(word));
}

/** Accounts are restored as a whole: one person's data does not bring back the account. */
export function wantsUsers({ only, item, userId, row, retry }: RestoreScope): boolean {
  if (row !== undefined || item !== undefined || userId !== undefined || retry !== undefined) return false;
  return only.length === 0 || only.includes("users");
}

/** What a narrow scope asks for, as the predicate of a sentence. */
export function meantBy({ userId, item, row, retry }: RestoreScope): string {
  if (row !== undefined) return `the row ${row.key.join(" + ")} of table ${row.table}`;
  if (userId !== undefined) return `of the user ${JSON.stringify(userId)}`;
  if (item !== undefined)
    return `the item ${JSON.stringify(item.type === undefined ? item.userId : `${item.userId}/${item.type}`)}`;
  return retry === undefined ? "meant" : "what the file of --resume-from names";
}

/** Whether lines have to be looked into to know if they are wanted. */
export function isNarrow({ userId, item, row, retry }: RestoreScope): boolean {
  return userId !== undefined || item !== undefined || row !== undefined || retry !== undefined;
}

export interface AskedItem {
  readonly item: JsonObject;
  /** Canonical JSON. */
  readonly key: string;
  /** Name of the table that it goes to. */
  readonly table: string;
  /** Whose it is, where that is somebody's own data. */
  readonly owner: string | undefined;
}

/** Whether an item is meant. */
export function wantsItem(scope: RestoreScope, asked: AskedItem): boolean {
  if (scope.userId !== undefined && asked.owner !== scope.userId) return false;
  if (scope.item !== undefined) {
    const { userId, type } = scope.item;
    const found = asked.item["type"];
    if (asked.owner !== userId) return false;
    if (type !== undefined && !(isRecord(found) && found["S"] === type)) return false;
  }
  return scope.retry === undefined || scope.retry.items.get(asked.table)?.has(asked.key) === true;
}

/** A file that a row names, by the role of its bucket. Pure. */
export function fileName(bucket: string, key: string): string {
  return `${bucket} ${key}`;
}

export interface AskedObject {
  readonly key: string;
  readonly bucket: string;
  readonly owner: string | undefined;
  /** Of which of the model's people the owner is, where that is said. */
  readonly subject: string | undefined;
  /** Whether a row that is meant names it. */
  readonly isNamed: boolean;
}

/** Whether an object is meant. */
export function wantsObject(scope: RestoreScope, asked: AskedObject): boolean {
  if (scope.row !== undefined) return asked.isNamed;
  if (scope.userId !== undefined && !asked.isNamed) {
    const { subject = asked.subject } = scope.person ?? {};
    if (asked.owner !== scope.userId || (asked.subject ?? subject) !== subject) return false;
  }
  return scope.retry === undefined || scope.retry.objects.get(asked.bucket)?.has(asked.key) === true;
}

/** A few million keys. */
const mostListBytes = 400_000_000;

/** Reads what an earlier restore has left. @throws CliError when the file is missing or something else. */
export async function readLeftKeys(path: string): Promise<LeftKeys> {
  const hint = "a restore that left something names its file";
  const text = await readTextFile(path, { what: "a list of what was left", mostBytes: mostListBytes, hint });
  if (text === undefined) throw new CliError(`${path} does not exist`, { hint });
  const items = new Map<string, Set<string>>();
  const objects = new Map<string, Set<string>>();
  const add = (into: Map<string, Set<string>>, name: string, key: string) =>
    into.set(name, (into.get(name) ?? new Set()).add(key));
  for (const [at, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const { table, bucket, key } = recordIn(line);
    if (typeof table === "string" && isRecord(key)) add(items, table, canonicalJson(key));
    else if (typeof bucket === "string" && typeof key === "string") add(objects, bucket, key);
    else throw new CliError(`line ${at + 1} of ${path} names no item and no object`);
  }
  return { items, objects };
}

/**
 * Writes what a restore has left into a new file of a folder, `failed.ndjson`, or with a number where there is one already.
 * @returns its name.
 */
export async function writeLeftKeys(folder: string, left: readonly LeftKey[]): Promise<string> {
  let name = "failed.ndjson";
  for (let number = 2; existsSync(resolve(folder, name)); number += 1) name = `failed-${number}.ndjson`;
  await writeNewFile(
    resolve(folder, name),
    left.map((each) => `${JSON.stringify(each)}\n`),
  );
  return name;
}

function recordIn(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
