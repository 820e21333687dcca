import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Aws } from "../aws/clients.ts";
import type { Context } from "../context.ts";
import type { TableKeys } from "../model/declaration.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";
import { parseItemLine } from "./item-line.ts";
import { parseObjectLine } from "./object-line.ts";
import { chosenSnapshot, openBackups } from "./open.ts";
import { partLines } from "./parts.ts";
import type { Repository } from "./repository.ts";
import { keyOf, sourcesOf, type LineSource } from "./restore-items.ts";
import { canonicalItem } from "./same-item.ts";
import { parseRowLine } from "./row-line.ts";
import { refuseForeignSchemas } from "./schema-part.ts";
import {
  snapshotTables,
  type DatabaseSnapshot,
  type Manifest,
  type Part,
  type TableSnapshot,
} from "./snapshot.ts";
import { parseUserLine } from "./user-line.ts";

export interface DiffSite {
  readonly aws: Aws;
  readonly repository: Repository;
  readonly spool: string;
  readonly signal: AbortSignal;
}

export type Change = "added" | "removed" | "changed";

export interface Difference {
  readonly change: Change;
  readonly what: "item" | "object" | "row" | "user" | "group";
  /** Name of the table, bucket or user pool, `database.table` of a row, as in the newer backup that has it. */
  readonly in: string;
  /** The key of an item in DynamoDB's typed JSON; of an object, its key; of an account or group, its name; of a row, its primary key. */
  readonly key: JsonObject | string;
}

/** What a line is about, and whether two of them say the same. */
interface Entry {
  readonly key: JsonObject | string;
  readonly keyText: string;
  /** The same text for the same state; what the service writes of its own accord is not in it. */
  readonly state: string;
}

interface Side {
  readonly name: string;
  /** By what parts can be told to be the same; undefined for what has to be read. */
  readonly sources: readonly (LineSource & { readonly sha256?: string })[];
  readonly read: (line: Buffer) => Entry;
  /** The key of a `keyText`. */
  readonly keyIn: (keyText: string) => Difference["key"];
}

/**
 * Lines of the older side that are kept in memory at a time, some 200 bytes each: their key and 16 bytes of hash. Where more
 * lines lie in parts that differ, both sides are read several times, each time for another share of the keys.
 */
const mostKept = 500_000;

/** The ends of a difference as they are named. */
export interface Named {
  readonly from: string;
  readonly to: string;
  readonly repo: string | undefined;
}

export interface Ends {
  readonly from: Manifest;
  readonly to: Manifest;
}

/** Finds both backups, before anything is compared. */
export async function diffBackups(
  context: Context,
  { from, to, repo }: Named,
): Promise<{ readonly ends: Ends; readonly differences: AsyncGenerator<Difference> }> {
  const { aws, backups, signal } = context;
  const repository = await openBackups(context, repo);
  const manifestOf = async (wanted: string) => (await chosenSnapshot(context, repository, wanted)).manifest;
  const ends = { from: await manifestOf(from), to: await manifestOf(to) };
  return { ends, differences: diffSnapshots({ aws, repository, spool: backups.spool, signal }, ends) };
}

/**
 * What was added, removed or changed from one backup to another, in no particular order. Parts that both have are not
 * read: a line stands only once in a backup, so what they hold is the same.
 * @throws DamagedError when a part that has to be read is not what was stored, or a schema is none.
 */
export async function* diffSnapshots(
  site: DiffSite,
  { from, to, kept = mostKept }: Ends & { readonly kept?: number },
): AsyncGenerator<Difference> {
  await refuseForeignSchemas(site, from);
  await refuseForeignSchemas(site, to);
  for (const [old, now] of pairs(from.tables, to.tables))
    yield* differences(site, { what: "item", old: tableSide(site, old), now: tableSide(site, now), kept });
  for (const [old, now] of pairs(from.buckets, to.buckets))
    yield* differences(site, {
      what: "object",
      old: partSide(site, old, objectEntry),
      now: partSide(site, now, objectEntry),
      kept,
    });
  for (const [old, now] of pairs(from.databases ?? [], to.databases ?? [])) {
    const names = new Set([...(old?.tables ?? []), ...(now?.tables ?? [])].map(({ name }) => name));
    for (const name of names) {
      yield* differences(site, {
        what: "row",
        old: rowSide(site, old, name),
        now: rowSide(site, now, name),
        kept,
      });
    }
  }
  const [old, now] = [from.userPool, to.userPool];
  if (old === undefined && now === undefined) return;
  const named = (pool: Manifest["userPool"]) => (pool === undefined ? undefined : { ...pool, name: pool.id });
  yield* differences(site, {
    what: "user",
    old: partSide(site, named(old), userEntry),
    now: partSide(site, named(now), userEntry),
    kept,
  });
  yield* groupDifferences(old, now);
}

/** By role: names are configuration. */
function pairs<T extends { readonly role: string }>(
  old: readonly T[],
  now: readonly T[],
): (readonly [T | undefined, T | undefined])[] {
  const roles = new Set([...old, ...now].map(({ role }) => role));
  const of = (all: readonly T[], role: string) => all.find((one) => one.role === role);
  return [...roles].map((role) => [of(old, role), of(now, role)]);
}

function tableSide(site: DiffSite, table: TableSnapshot | undefined): Side | undefined {
  if (table === undefined) return undefined;
  const keys = keyNames(table.description.keys);
  return {
    name: table.name,
    sources: sourcesOf(site, table).map((source, index) => withHash(source, table.parts[index])),
    read(line) {
      const item = parseItemLine(line, { name: table.name, described: table.description.keys });
      const key = keyOf(item, keys);
      return { key, keyText: canonicalItem(key), state: canonicalItem(item) };
    },
    keyIn: (keyText) => keyOf(JSON.parse(keyText) as JsonObject, keys),
  };
}

function keyNames({ partition, sort }: TableKeys): string[] {
  return [partition.name, ...(sort === undefined ? [] : [sort.name])];
}

function partSide(
  { repository, signal }: DiffSite,
  of: { readonly name: string; readonly parts: readonly Part[] } | undefined,
  read: (line: Buffer) => Entry,
): Side | undefined {
  if (of === undefined) return undefined;
  const sources = of.parts.map((part) =>
    withHash({ lines: part.lines, open: () => partLines(repository, part, signal) }, part),
  );
  return { name: of.name, sources, read, keyIn: (keyText) => keyText };
}

function withHash(source: LineSource, part: Part | undefined): Side["sources"][number] {
  return part === undefined ? source : { ...source, sha256: part.sha256 };
}

/** An object that was written anew with the same bytes and the same metadata is the same. */
function rowSide(site: DiffSite, of: DatabaseSnapshot | undefined, name: string): Side | undefined {
  const found = of?.tables.find((table) => table.name === name);
  if (of === undefined || found === undefined) return undefined;
  const table = snapshotTables(of).find((each) => each.name === name);
  const key = table?.key ?? [];
  const side = partSide(site, { name: `${of.name}.${name}`, parts: found.parts }, (line) => {
    const row = parseRowLine(line, name);
    const state = canonicalJson(row);
    const keyText = key.length === 0 ? state : JSON.stringify(key.map((column) => row[column] ?? ""));
    return { key: keyText, keyText, state };
  });
  if (side === undefined || key.length === 0) return side;
  return { ...side, keyIn: (keyText) => (JSON.parse(keyText) as string[]).join(" + ") };
}

function objectEntry(line: Buffer): Entry {
  const { content, put } = parseObjectLine(line);
  return { key: put.Key, keyText: put.Key, state: `${content} ${canonicalJson(put)}` };
}

/** The time at which Cognito last touched an account says nothing of what it is like. */
function userEntry(line: Buffer): Entry {
  const { seen, put } = parseUserLine(line);
  const { modifiedAt: _, ...lasting } = seen;
  return { key: put.Username, keyText: put.Username, state: canonicalJson({ seen: lasting, put }) };
}

interface Pair {
  readonly what: "item" | "object" | "row" | "user";
  readonly old: Side | undefined;
  readonly now: Side | undefined;
  readonly kept: number;
}

async function* differences(
  { signal }: DiffSite,
  { what, old, now, kept }: Pair,
): AsyncGenerator<Difference> {
  const name = now?.name ?? old?.name ?? "";
  const before = onlyIn(old, now);
  const after = onlyIn(now, old);
  const lines = before.reduce((sum, source) => sum + source.lines, 0);
  const passes = Math.max(1, Math.ceil(lines / kept));
  for (let pass = 0; pass < passes; pass += 1) {
    const isMeant = ({ keyText }: Entry) => passes === 1 || crc32(keyText) % passes === pass;
    const states = new Map<string, string>();
    for await (const entry of entriesOf(before, old))
      if (isMeant(entry)) states.set(entry.keyText, shortHash(entry.state));
    for await (const entry of entriesOf(after, now)) {
      signal.throwIfAborted();
      if (!isMeant(entry)) continue;
      const { key, keyText } = entry;
      const state = states.get(keyText);
      states.delete(keyText);
      if (state === undefined) yield { change: "added", what, in: name, key };
      else if (state !== shortHash(entry.state)) yield { change: "changed", what, in: name, key };
    }
    for (const keyText of states.keys())
      yield { change: "removed", what, in: name, key: old?.keyIn(keyText) ?? keyText };
  }
}

function onlyIn(one: Side | undefined, other: Side | undefined): Side["sources"] {
  const shared = new Set(other?.sources.map(({ sha256 }) => sha256));
  return (one?.sources ?? []).filter(({ sha256 }) => sha256 === undefined || !shared.has(sha256));
}

async function* entriesOf(sources: Side["sources"], side: Side | undefined): AsyncGenerator<Entry> {
  if (side === undefined) return;
  for (const source of sources)
    for await (const lines of source.open()) for (const line of lines) yield side.read(line);
}

/** Enough to tell states of one key apart: nobody chooses the one to match the other. */
function shortHash(state: string): string {
  return createHash("sha256").update(state).digest().toString("latin1", 0, 16);
}

function* groupDifferences(old: Manifest["userPool"], now: Manifest["userPool"]): Generator<Difference> {
  const name = now?.id ?? old?.id ?? "";
  const states = new Map((old?.groups ?? []).map((group) => [group.name, canonicalJson(group)]));
  for (const group of now?.groups ?? []) {
    const state = states.get(group.name);
    states.delete(group.name);
    const about = { what: "group", in: name, key: group.name } as const;
    if (state === undefined) yield { change: "added", ...about };
    else if (state !== canonicalJson(group)) yield { change: "changed", ...about };
  }
  for (const key of states.keys()) yield { change: "removed", what: "group", in: name, key };
}
