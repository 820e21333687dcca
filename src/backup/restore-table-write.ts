import { keysPerGet } from "../aws/raw/get-raw-items.ts";
import { bytesPerCall, type ConditionalPut, type PutOutcome, putRawItems } from "../aws/raw/put-raw-items.ts";
import { errorName } from "../aws/setting.ts";
import { writeRawItems } from "../aws/raw/write-raw-items.ts";
import { chunked, inParallel } from "../concurrency.ts";
import type { JsonObject } from "../model/json.ts";
import { backOff } from "../retry.ts";
import { parseItemLine } from "./item-line.ts";
import { compare, type Planning } from "./restore-compare.ts";
import { type Candidate, isAllTaken, keyOf, lookInto, regrouped, sourcesOf } from "./restore-items.ts";
import { type Failure, fates, type RestoreSite } from "./restore-site.ts";
import { callsAtOnce, linesAtOnce, type TablePlan } from "./restore-table-plan.ts";

export interface Writing {
  readonly planning: Planning;
  readonly onWritten: (items: number) => void;
  readonly onFailed: (failure: Failure) => void;
}

/**
 * Writes what the plan says, and only where the place is still as it was seen: into a table that this run has just made
 * without looking, into any other under conditions. What could not be written is told.
 */
export async function writeTable(site: RestoreSite, plan: TablePlan, writing: Writing): Promise<void> {
  if (plan.fates === undefined) return writeNew(site, plan, writing);
  for (const [at, source] of sourcesOf(site, plan.snapshot).entries()) {
    const found = plan.fates[at] ?? new Uint8Array();
    if (!found.some(isWritten)) continue;
    let line = 0;
    for await (const lines of regrouped(source.open(), linesAtOnce)) {
      const due = lines.filter(() => isWritten(found[line++]));
      await inParallel(chunked(due, keysPerGet), callsAtOnce, (chunk) =>
        writeChunk(site, plan, { ...writing, lines: chunk }),
      );
    }
  }
}

function isWritten(fate: number | undefined): boolean {
  const name = fates[fate ?? 0];
  return name === "create" || name === "overwrite";
}

async function writeNew(site: RestoreSite, plan: TablePlan, writing: Writing): Promise<void> {
  const { planning, onWritten, onFailed } = writing;
  const takeAll = isAllTaken(site, planning.isLedgerEmpty);
  const items = async function* () {
    for (const source of sourcesOf(site, plan.snapshot)) {
      for await (const batch of source.open()) {
        if (takeAll) {
          yield batch.map((line) => parseItemLine(line, plan));
          continue;
        }
        const looks = batch.map((line) => lookInto(site, { table: plan, ...planning }, line));
        yield looks.flatMap((look) => (look.fate === undefined ? [look.candidate.item] : []));
      }
    }
  };
  await writeRawItems(site.aws, {
    table: plan.name,
    items: items(),
    onWritten,
    onLeft: ({ item, why }) => onFailed({ left: { table: plan.name, key: keyOf(item, plan.keys) }, why }),
    signal: site.signal,
  });
}

/** Looks at what moved meanwhile before it is given up. */
const mostLooks = 5;

interface Due extends ConditionalPut {
  readonly candidate: Candidate;
}

async function writeChunk(
  site: RestoreSite,
  plan: TablePlan,
  { lines, ...writing }: Writing & { readonly lines: readonly Buffer[] },
): Promise<void> {
  const fail = ({ item }: Candidate, why: string) =>
    writing.onFailed({ left: { table: plan.name, key: keyOf(item, plan.keys) }, why });
  let pending = lines;
  const tries = backOff({ attempts: mostLooks - 1, signal: site.signal });
  let mayMove = true;
  while (pending.length > 0) {
    const compared = await compare(site, { table: plan, planning: writing.planning, lines: pending });
    const due: Due[] = [];
    for (const { fate, candidate, over } of compared) {
      if (candidate === undefined) continue;
      if (fate === "conflict") fail(candidate, "was changed by somebody else meanwhile");
      if (fate === "create" || fate === "overwrite") due.push({ candidate, item: candidate.item, over });
    }
    const again: Buffer[] = [];
    for (const group of groupsOf(due)) {
      const outcome = await putGroup(site, plan, group);
      if (outcome === "written") writing.onWritten(group.length);
      else if (outcome === "moved" && mayMove) again.push(...group.map(({ candidate }) => candidate.stored));
      else {
        // Together they may be refused for one of them.
        for (const one of group) {
          const alone = group.length === 1 ? outcome : await putGroup(site, plan, [one]);
          if (alone === "written") writing.onWritten(1);
          else fail(one.candidate, sayingOf(alone));
        }
      }
    }
    pending = again;
    // The last look is told what it finds.
    mayMove = pending.length > 0 && (await tries.again());
  }
}

/** As many as go into one call. */
function groupsOf(due: readonly Due[]): Due[][] {
  const groups: Due[][] = [];
  let bytes = Infinity;
  for (const one of due) {
    const size = sizeOf(one.item) + (one.over === undefined ? 0 : sizeOf(one.over)) + 500;
    if (bytes + size > bytesPerCall) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(one);
    bytes += size;
  }
  return groups;
}

function sizeOf(item: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(item));
}

type Outcome = PutOutcome | { readonly refused: string };

async function putGroup(site: RestoreSite, plan: TablePlan, puts: readonly Due[]): Promise<Outcome> {
  const { aws, signal } = site;
  const [partition = ""] = plan.keys;
  try {
    return await putRawItems(aws, { table: plan.name, partition, puts, signal });
  } catch (error) {
    // One item that the table does not take refuses them all.
    const isAboutItem =
      errorName(error) === "ValidationException" || errorName(error) === "TransactionCanceledException";
    if (!isAboutItem || !(error instanceof Error)) throw error;
    return { refused: error.message };
  }
}

function sayingOf(outcome: Outcome): string {
  if (typeof outcome === "object") return outcome.refused;
  return outcome === "busy" ? "DynamoDB is too busy" : "is being changed by others again and again";
}
