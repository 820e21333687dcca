import type { Item } from "../aws/dynamodb/items.ts";
import { scanLines } from "../aws/raw/scan-lines.ts";
import type { TableKeys } from "../model/declaration.ts";
import { sideBySide } from "../concurrency.ts";
import { partWriter, type WrittenPart } from "./parts.ts";
import type { Pending } from "./pending.ts";
import { pacing, type ReadRate } from "./rate.ts";
import { withSignal, type BackupSite } from "./site.ts";
import type { TableDescription, TableSnapshot } from "./snapshot.ts";

/** Larger tables are read in four segments side by side; always in the same, so that parts stay what they were. */
export const largeBytes = 64 * 1024 ** 2;
const segmentsOfLarge = 4;

export interface TableToRead {
  readonly role: string;
  readonly name: string;
  readonly description: TableDescription;
  /** As DynamoDB last counted. */
  readonly bytes: number;
  readonly rate: ReadRate | undefined;
}

/** What reading has come to, besides what the snapshot says. */
export interface Cost {
  /** Written to the repository: what it did not have yet. */
  storedBytes: number;
}

export interface Reading {
  readonly pending: Pending;
  readonly cost: Cost;
  /** Items, objects or users more, and the bytes of these objects. */
  readonly onRead: (count: number, bytes?: number) => void;
}

interface SegmentState {
  readonly parts: readonly WrittenPart[];
  /** Key of the last item in `parts`; absent before the first part. */
  readonly behind?: Item;
  readonly done: boolean;
}

interface TableState {
  readonly from: string;
  readonly segments: number;
}

/** Reads a table into parts; goes on behind the last part that a broken-off run has stored. */
export async function readTable(
  site: BackupSite,
  table: TableToRead,
  reading: Reading,
): Promise<TableSnapshot> {
  const { pending } = reading;
  const step = `table-${table.role}`;
  const begun = pending.steps.get(step) as TableState | undefined;
  const state = begun ?? {
    from: site.now().toISOString(),
    segments: table.bytes > largeBytes ? segmentsOfLarge : 1,
  };
  if (begun === undefined) await pending.step(step, state);
  const { segments } = state;
  const read = Array.from(
    { length: segments },
    (_, segment) => (signal: AbortSignal) =>
      readSegment(withSignal(site, signal), table, {
        reading,
        segment,
        segments,
        step: `${step}-${segment}`,
      }),
  );
  const all = (await sideBySide<(readonly WrittenPart[])[]>(site.signal, read)).flat();
  return {
    role: table.role,
    name: table.name,
    description: table.description,
    from: state.from,
    to: site.now().toISOString(),
    items: all.reduce((sum, { lines }) => sum + lines, 0),
    parts: all.map(({ sha256, bytes, lines }) => ({ sha256, bytes, lines })),
  };
}

async function readSegment(
  site: BackupSite,
  table: TableToRead,
  { reading, segment, segments, step }: { reading: Reading; segment: number; segments: number; step: string },
): Promise<readonly WrittenPart[]> {
  const { pending, cost, onRead } = reading;
  const begun = pending.steps.get(step) as SegmentState | undefined;
  const before = begun?.parts ?? [];
  for (const { lines, storedBytes } of before) {
    onRead(lines);
    cost.storedBytes += storedBytes;
  }
  if (begun?.done === true) return before;
  const parts = [...before];
  let saved = parts.length;
  const writer = partWriter(site.repository, {
    signal: site.signal,
    async onPart(part, lastLine) {
      parts.push(part);
      cost.storedBytes += part.storedBytes;
      // What is saved names all parts so far: saved with each of them it would grow with their square.
      if (parts.length - saved < Math.max(8, parts.length / 8)) return;
      saved = parts.length;
      await pending.step(step, { parts, behind: keyOf(lastLine, table.description.keys), done: false });
    },
  });
  const pages = scanLines(site.aws, {
    table: table.name,
    segment,
    segments,
    start: begun?.behind,
    signal: site.signal,
    ...pacing(table.rate),
  });
  for await (const { lines, count } of pages) {
    await writer.add(lines);
    onRead(count);
  }
  await writer.finish();
  await pending.step(step, { parts, done: true });
  return parts;
}

/** The key of the item in a line, typed: a scan goes on behind it. */
function keyOf(line: Buffer, { partition, sort }: TableKeys): Item {
  const { Item: item } = JSON.parse(line.toString("utf8")) as { Item: Item };
  const names = sort === undefined ? [partition.name] : [partition.name, sort.name];
  return Object.fromEntries(
    names.map((name) => {
      const value = item[name];
      if (value === undefined) throw new Error(`an item has no ${name}, which is a key of its table`);
      return [name, value];
    }),
  );
}
