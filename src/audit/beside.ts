import { putNew, queryRecords } from "../aws/dynamodb/records.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { isSequence } from "../model/audit.ts";
import type { JsonObject } from "../model/json.ts";
import { backOff } from "../retry.ts";
import type { TrailPlace } from "./place.ts";

/*
 * Chains beside the trail's own in its table: what is kept there outlives the trail's entries, is in each backup of it, and is never
 * replaced.
 */

type Place = Pick<TrailPlace, "aws" | "table" | "signal">;

/** The records of a chain in their order, by consistent reads; none where there is no such table. */
export async function* recordsOf({ aws, table, signal }: Place, chain: string): AsyncGenerator<JsonObject> {
  const partition = { attribute: "chain", value: chain };
  const pages = queryRecords(aws, { table, partition, consistent: true, signal });
  for await (const page of pagesWhereThere(pages)) yield* page;
}

/** Races that may be lost before it is given up: each is another's record. */
const attempts = 60;

/** Puts a record behind the last of a chain. Resolves to its place there when it is durable; called again it puts another. */
export async function appendRecord(place: Place, chain: string, record: JsonObject): Promise<number> {
  const { aws, table, signal } = place;
  const tries = backOff({ attempts, firstDelayMs: 20, longestDelayMs: 500, signal });
  for (;;) {
    const sequence = (await lastSequence(place, chain)) + 1;
    const records = [{ ...record, chain, sequence }];
    if ((await putNew(aws, { table, partition: "chain", records })) === "written") return sequence;
    if (!(await tries.again()))
      throw new CliError(`the chain "${chain}" in ${table} is being written by others without end`);
  }
}

async function lastSequence({ aws, table, signal }: Place, chain: string): Promise<number> {
  const partition = { attribute: "chain", value: chain };
  const newest = { table, partition, descending: true, consistent: true, pageSize: 1, signal };
  // What is no whole number was put there by somebody else; behind it nothing could be written any more.
  for await (const [item] of queryRecords(aws, newest)) {
    const sequence = item?.["sequence"];
    if (isSequence(sequence)) return sequence;
  }
  return 0;
}
