import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { beginFile } from "../atomic-file.ts";
import { CliError } from "../errors.ts";
import { canonicalJson, isDeeperThan, own } from "../model/json.ts";
import { newTally, type Totals } from "./plan.ts";
import { planEntrySchema, type PlanEntry } from "./plan-entry.ts";

/** What a plan was made for: names and values that must be the same when it is carried out. */
export type Environment = Readonly<Record<string, string | number>>;

const headSchema = z.object({
  mawpsRetentionPlan: z.literal(1),
  created: z.iso.datetime(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  entries: z.array(z.never()),
});
const unknownSchema = z.object({ bucket: z.string(), prefix: z.string(), count: z.int().min(1) });
const tailSchema = z.object({
  totals: z.object({
    there: z.int().min(0),
    entries: z.int().min(0),
    unknownPictures: z.array(unknownSchema).optional(),
  }),
});

export interface PlanHead {
  /** ISO 8601, by the earlier of the local clock and S3's. */
  readonly created: string;
  readonly environment: Environment;
}

/** An entry has a handful. */
const maxLevels = 20;

/** Where a plan is written, and whether in place of a file that is there. */
export interface PlanTarget {
  readonly path: string;
  readonly replaces: boolean;
}

/** What helps where the name of a plan is taken. */
export const taken = { hint: "pass --overwrite to replace it, or choose another name" };

/**
 * Writes a plan while it is made and hands each entry on. The file is JSON, one entry a line, readable by its owner
 * only, and appears under its name when it is whole.
 */
export async function* writePlan(
  { path, replaces }: PlanTarget,
  head: PlanHead,
  entries: AsyncGenerator<PlanEntry, Totals>,
): AsyncGenerator<PlanEntry, Totals> {
  const file = await beginFile(path, { replaces, ...taken });
  try {
    const { entries: _none, ...start } = { mawpsRetentionPlan: 1, ...head, entries: [] };
    await file.append(`${JSON.stringify(start).slice(0, -1)},"entries":[`);
    let count = 0;
    let next = await entries.next();
    while (next.done !== true) {
      await file.append(`${count === 0 ? "" : ","}\n${JSON.stringify(next.value)}`);
      count += 1;
      yield next.value;
      next = await entries.next();
    }
    const { there, unknownPictures } = next.value;
    const totals = { there, entries: count, unknownPictures };
    await file.append(`\n],"totals":${JSON.stringify(totals)}}\n`);
    await file.finish();
    return next.value;
  } finally {
    await file.close();
  }
}

/** A plan that was read to its end: whole, and each of its entries is one. */
export interface PlanOnDisk extends PlanHead {
  readonly path: string;
  readonly totals: Totals;
}

/**
 * Reads a plan through, so that one that is cut off or damaged is refused before anything is done by it.
 * @throws CliError when it is no whole plan.
 */
export async function checkPlan(path: string): Promise<PlanOnDisk> {
  const tally = newTally();
  let head: PlanHead | undefined;
  let count = 0;
  for await (const part of parts(path)) {
    if ("head" in part) head = part.head;
    else if ("entry" in part) {
      tally.add(part.entry);
      count += 1;
    } else if (head !== undefined && part.totals.entries === count) {
      const { there, unknownPictures } = part.totals;
      return { ...head, path, totals: { rules: tally.totals(), there, unknownPictures } };
    }
  }
  throw damaged(path, "it is cut off, or entries are missing");
}

/**
 * Makes a plan in a passing file of its own and hands it to `use`: a run that was not given one is so no other than one
 * that was, and memory stays flat.
 */
export async function withPassingPlan<T>(
  head: PlanHead,
  entries: AsyncGenerator<PlanEntry, Totals>,
  use: (plan: PlanOnDisk) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-retention-"));
  try {
    const path = join(folder, "plan.json");
    const writing = writePlan({ path, replaces: true }, head, entries);
    let next = await writing.next();
    while (next.done !== true) next = await writing.next();
    return await use({ ...head, path, totals: next.value });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The entries of a plan that `checkPlan` has read, one after the other. */
export async function* plannedEntries({ path }: PlanOnDisk): AsyncGenerator<PlanEntry> {
  for await (const part of parts(path)) if ("entry" in part) yield part.entry;
}

type Part = { readonly head: PlanHead } | { readonly entry: PlanEntry } | z.infer<typeof tailSchema>;

async function* parts(path: string): AsyncGenerator<Part> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (number === 1) yield { head: parse(headSchema, `${line}]}`, { path, number }) };
      else if (line.startsWith("]")) {
        yield parse(tailSchema, `{${line.replace(/^\],?/, "")}`, { path, number });
        return;
      } else yield { entry: parse(planEntrySchema, line.replace(/,$/, ""), { path, number }) };
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof CliError || typeof code !== "string") throw error;
    throw new CliError(`cannot read ${path}: ${code === "ENOENT" ? "there is no such file" : code}`, {
      hint: "`mawps retention plan --output <file>` makes a plan, and `retention run --hand-over <folder>` a folder with one",
      cause: error,
    });
  }
}

function parse<T>(schema: z.ZodType<T>, text: string, at: { path: string; number: number }): T {
  try {
    const value: unknown = JSON.parse(text);
    if (isDeeperThan(value, maxLevels)) throw damaged(at.path, `line ${at.number} is nested too deep`);
    return schema.parse(value);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error;
    throw damaged(at.path, `line ${at.number} is not as it was written`, error);
  }
}

function damaged(path: string, why: string, cause?: unknown): CliError {
  return new CliError(`${path} is no whole retention plan: ${why}`, {
    hint: "make it anew with `mawps retention plan --output <file>`",
    cause,
  });
}

/** Of a model with its hash, `prework@8b96857853bb`. */
function nameOf(model: string | number | undefined): string | undefined {
  return String(model).split("@")[0];
}

/** Refuses a plan that was made for another environment or by other rules. @throws CliError naming what differs. */
export function assertSameEnvironment(plan: PlanOnDisk, environment: Environment): void {
  const names = new Set([...Object.keys(plan.environment), ...Object.keys(environment)]);
  const differing = [...names].filter(
    (name) => canonicalJson(own(plan.environment, name)) !== canonicalJson(own(environment, name)),
  );
  if (differing.length === 0) return;
  // Another site's has other names throughout.
  const isOfOther = nameOf(plan.environment["model"]) !== nameOf(environment["model"]);
  const shown = (isOfOther ? ["model"] : differing).map(
    (name) => `${name} ${own(plan.environment, name) ?? "none"}, here ${own(environment, name) ?? "none"}`,
  );
  throw new CliError(`${plan.path} was made for another environment: ${shown.join("; ")}`, {
    hint: "make a plan here with `mawps retention plan --output <file>`; nothing was deleted",
  });
}
