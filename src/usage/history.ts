import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { replaceFile } from "../atomic-file.ts";
import type { Context } from "../context.ts";
import { makeFolders } from "../make-folders.ts";
import { isRecord } from "../model/json.ts";
import { databaseBytes } from "./databases.ts";
import type { Usage } from "./measure.ts";
import { bytesOf, nothing } from "./sums.ts";

/** What is kept of a day: sums, no names of anybody. */
export interface Day {
  /** `2026-03-01`, UTC. */
  readonly day: string;
  readonly objects: number;
  readonly objectBytes: number;
  readonly noncurrentBytes: number;
  readonly unfinishedBytes: number;
  /** With their indexes. */
  readonly tableBytes: number;
  /** Of databases, with their indexes; absent where the site has none, or nobody asked. */
  readonly databaseBytes?: number;
  /** Of the backups, with old versions and unfinished uploads; absent where none are named, or nobody asked. */
  readonly backupBytes?: number;
  readonly accounts?: number;
  /** What a month costs as things stood, by list prices; absent where nobody asked. */
  readonly usd?: number;
}

/** Days that are kept of all sites together, the newest. */
const mostDays = 4000;

/** The sums of a day on which all could be looked at. */
export function dayOf({ files, tables, databases = [], backups, accounts }: Usage, now: Date): Day {
  const { objects, noncurrent, unfinished } = files ?? nothing;
  return {
    day: now.toISOString().slice(0, 10),
    objects: objects.count,
    objectBytes: objects.bytes,
    noncurrentBytes: noncurrent.bytes,
    unfinishedBytes: unfinished.bytes,
    tableBytes: tables.reduce(
      (sum, { bytes, indexes }) => indexes.reduce((all, index) => all + index.bytes, sum + bytes),
      0,
    ),
    ...(databases.length === 0 ? {} : { databaseBytes: databaseBytes(databases) }),
    ...(backups === undefined ? {} : { backupBytes: bytesOf(backups) }),
    ...(accounts === undefined ? {} : { accounts }),
  };
}

/** The days of a site before this one, oldest first. What cannot be read is no line. */
async function daysBefore(file: string, site: string, day: string): Promise<Day[]> {
  const days = (await linesOf(file)).flatMap((line) => dayIn(line, nameOf(site)));
  return days.filter((each) => each.day < day).sort((one, other) => (one.day < other.day ? -1 : 1));
}

/**
 * Keeps a day of a site, a line a day: the last look of a day counts, and what it did not ask for stays. `site` is any text that tells one site from others; of it only a
 * hash is kept.
 */
async function keepDay(file: string, site: string, day: Day): Promise<void> {
  const name = nameOf(site);
  const isOfDay = (line: string) => dayIn(line, name).filter((each) => each.day === day.day);
  const lines = await linesOf(file);
  const earlier = lines.flatMap(isOfDay).at(-1);
  const kept = lines.filter((line) => isOfDay(line).length === 0);
  const all = [...kept, JSON.stringify({ site: name, ...earlier, ...day })].slice(-mostDays);
  await makeFolders(dirname(file), 0o700);
  await replaceFile(file, [`${all.join("\n")}\n`], { isDurable: false });
}

function nameOf(site: string): string {
  return createHash("sha256").update(site).digest("hex").slice(0, 16);
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").filter((line) => line !== "");
}

const numbers = ["objects", "objectBytes", "noncurrentBytes", "unfinishedBytes", "tableBytes"] as const;

function dayIn(line: string, name: string): Day[] {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value) || value["site"] !== name || typeof value["day"] !== "string") return [];
    const { site: _site, ...day } = value;
    return numbers.every((key) => typeof day[key] === "number") ? [day as unknown as Day] : [];
  } catch {
    return [];
  }
}

interface Keeping {
  /** Whether today's sums are kept for the days to come. */
  readonly isKept: boolean;
  readonly usd?: number;
}

/**
 * What is kept of the days before this one, oldest first; today's sums are kept beside them. The days of inventories are theirs, and are
 * compared with one another alone.
 */
export async function keptDays(
  context: Context,
  usage: Usage,
  { isKept, usd }: Keeping,
): Promise<readonly Day[]> {
  const { aws, model, declaration, target, place, stateFolder } = context;
  const names = [...declaration.buckets, ...declaration.tables].map(({ name }) => name);
  const times = (usage.inventories ?? [])
    .map(({ asOf }) => asOf)
    .sort((one, other) => Number(one) - Number(other));
  const engine = usage.inventories === undefined ? [] : ["inventory"];
  const site = JSON.stringify([model.name, target, ...place, aws.region, names, ...engine]);
  const file = join(stateFolder, "mawps", "usage");
  const today = { ...dayOf(usage, times[0] ?? context.now()), ...(usd === undefined ? {} : { usd }) };
  try {
    const before = await daysBefore(file, site, today.day);
    if (isKept && !context.dryRun && usage.failures.length === 0) await keepDay(file, site, today);
    return before;
  } catch (error) {
    context.warn(`today's sums are not kept: ${(error as Error).message}`);
    return [];
  }
}
