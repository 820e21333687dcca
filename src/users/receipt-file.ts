import { replaceFile } from "../atomic-file.ts";
import { erasedUsers, type ErasureEntry } from "../backup/erasures.ts";
import { CliError, exitCodes } from "../errors.ts";
import { isRecord } from "../model/json.ts";
import { readTextFile } from "../text-file.ts";
import { parseReceipt, type Receipt } from "./receipt.ts";

/** A receipt names as many backups as there are; none is near this. */
const mostBytes = 16 * 1024 ** 2;

/** @throws CliError (usage) where there is none, or what is there is no receipt. */
export async function readReceipt(file: string): Promise<Receipt> {
  const text = await readTextFile(file, { what: "a receipt", mostBytes });
  if (text === undefined) throw new CliError(`there is no file ${file}`, { exitCode: exitCodes.usage });
  return parseReceipt(text, file);
}

/** What is there under the name of a receipt may only be that of a run that left something of the same person. */
export async function assertReceiptOf(file: string, ids: readonly string[]): Promise<void> {
  const text = await readTextFile(file, { what: "a receipt", mostBytes });
  if (text === undefined) return;
  let known: Receipt | undefined;
  try {
    known = parseReceipt(text, file);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
  }
  if (known === undefined || known.isComplete || !ids.some(erasedUsers(known.person))) throw taken(file);
}

/**
 * Writes the receipt of an erasure that is about to begin: that it can be written is proved by that, and what a run that is broken off
 * leaves tells whom it was about.
 */
export async function writeBegunReceipt(
  file: string,
  person: readonly ErasureEntry[],
  now: Date,
): Promise<void> {
  const begun: Receipt = {
    format: 1,
    erasedAt: now.toISOString(),
    person: [...person],
    isComplete: false,
    audit: { sequence: 0, hash: "" },
  };
  await written(file, begun).catch((error: unknown) => {
    const { message } = error instanceof Error ? error : new Error(String(error));
    throw new CliError(`${message}; nothing was changed`, {
      hint: "--receipt names another place",
      cause: error,
    });
  });
}

/** Writes the receipt in the place of the one that was begun. */
export async function writeReceipt(file: string, receipt: Receipt): Promise<void> {
  await written(file, receipt).catch((error: unknown) => {
    throw new CliError(`all was done, but the receipt could not be written into ${file}`, {
      exitCode: exitCodes.partial,
      hint: "the same command searches again and writes it",
      cause: error,
    });
  });
}

/** Writes a plan; one of the same person is written anew, and nothing else that is there. */
export async function writePlan(
  file: string,
  plan: Readonly<Record<string, unknown>> & { readonly userId: string },
): Promise<void> {
  const text = await readTextFile(file, { what: "a plan", mostBytes });
  if (text !== undefined) {
    let found: unknown;
    try {
      found = JSON.parse(text);
    } catch {
      found = undefined;
    }
    if (!isRecord(found) || found["userId"] !== plan.userId || !("copies" in found)) throw taken(file);
  }
  await written(file, plan);
}

async function written(file: string, value: unknown): Promise<void> {
  await replaceFile(file, [JSON.stringify(value, undefined, 2), "\n"]);
}

function taken(file: string): CliError {
  return new CliError(`${file} already exists; nothing was changed`, { hint: "choose another name" });
}
