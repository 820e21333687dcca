import { fileStamp } from "../model/file-stamp.ts";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { replaceFile, writeNewFile } from "../atomic-file.ts";
import { erasedUsers, type ErasureEntry } from "../backup/erasures.ts";
import { CliError, exitCodes } from "../errors.ts";
import { isRecord } from "../model/json.ts";
import { readTextFile } from "../text-file.ts";
import { parseReceipt, type ErasureReceipt, type Receipt } from "./receipt.ts";
import { receiptPage } from "./receipt-page.ts";

/** A receipt names as many backups as there are; none is near this. */
const mostBytes = 16 * 1024 ** 2;

/** @throws CliError (usage) where there is none, or what is there is no receipt. */
export async function readReceipt(file: string): Promise<Receipt> {
  const text = await readTextFile(file, { what: "a receipt", mostBytes });
  if (text === undefined) throw new CliError(`there is no file ${file}`, { exitCode: exitCodes.usage });
  return parseReceipt(text, file);
}

/** @throws CliError (usage) where the folder of a file that is to be written is not there. */
export async function assertFolderOf(file: string): Promise<void> {
  const folder = dirname(file);
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory() === true) return;
  throw new CliError(`there is no folder ${folder} for ${basename(file)}; nothing was changed`, {
    exitCode: exitCodes.usage,
    hint: "make it, or choose another name",
  });
}

/** Where somebody wants a receipt. */
interface ReceiptPlace {
  readonly cwd: string;
  readonly given: string | undefined;
  readonly now: Date;
  /** Of which of the model's people it is about, where the same id can be of several. */
  readonly subject?: string | undefined;
}

/** A file for a receipt, and whether one of the same person that is not done is there, which is replaced. */
interface ReceiptFile {
  readonly file: string;
  readonly isBegun: boolean;
}

/**
 * The file for the receipt of who has these ids: that of a run that left something of the same person, or a new one.
 * @throws CliError where the name that was given is something else's.
 */
export async function placeOfReceipt(place: ReceiptPlace, ids: readonly string[]): Promise<ReceiptFile> {
  const { cwd, given, now } = place;
  const begun = given === undefined ? await begunIn(place, ids) : undefined;
  if (begun !== undefined) return { file: begun, isBegun: true };
  const file = resolve(cwd, given ?? "receipt.json");
  if (await isBegunFor(file, ids, place)) return { file, isBegun: true };
  if (await isFree(file)) return { file, isBegun: false };
  if (given !== undefined) throw taken((await isThere(file)) ? file : pageBeside(file));
  const other = resolve(cwd, `receipt-${fileStamp(now)}.json`);
  if (await isFree(other)) return { file: other, isBegun: false };
  throw taken(other);
}

const ownName = /^receipt(-\d{8}T\d{6}Z)?\.json$/;

/** That of the names that are taken unasked which is not done yet, and about the same person. */
async function begunIn(place: ReceiptPlace, ids: readonly string[]): Promise<string | undefined> {
  const { cwd: folder } = place;
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isFile() && ownName.test(entry.name) ? [entry.name] : []));
  for (const name of names.toSorted()) {
    const file = resolve(folder, name);
    if (await isBegunFor(file, ids, place)) return file;
  }
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined)) !== undefined;
}

async function isFree(file: string): Promise<boolean> {
  return !(await isThere(file)) && !(await isThere(pageBeside(file)));
}

async function isBegunFor(
  file: string,
  ids: readonly string[],
  { subject }: Pick<ReceiptPlace, "subject">,
): Promise<boolean> {
  const text = await readTextFile(file, { what: "a receipt", mostBytes });
  if (text === undefined) return false;
  try {
    const { isComplete, person } = parseReceipt(text, file);
    const isListed = erasedUsers(person);
    return !isComplete && ids.some((id) => isListed(id, subject));
  } catch (error) {
    if (error instanceof CliError) return false;
    throw error;
  }
}

/**
 * Writes the receipt of an erasure that is about to begin: that it can be written is proved by that, and what a run that is broken off
 * leaves tells whom it was about. What has taken the name meanwhile stays, and another name is taken where none was given.
 * @returns the file.
 */
export async function writeBegunReceipt(
  place: ReceiptPlace,
  ids: readonly string[],
  person: readonly ErasureEntry[],
): Promise<string> {
  const begun: Receipt = {
    format: 1,
    erasedAt: place.now.toISOString(),
    person: [...person],
    isComplete: false,
    audit: { sequence: 0, hash: "" },
  };
  for (let isLast = false; ; isLast = true) {
    const { file, isBegun } = await placeOfReceipt(place, ids);
    try {
      await (isBegun ? replaceFile : writeNewFile)(file, textOf(begun));
      return file;
    } catch (error) {
      if (!isLast && !isBegun && (await isThere(file))) continue;
      const { message } = error instanceof Error ? error : new Error(String(error));
      throw new CliError(`${message}; nothing was changed`, {
        hint: "--receipt names another place",
        cause: error,
      });
    }
  }
}

/** Where the page of a receipt lies: beside it. */
export function pageBeside(file: string): string {
  return `${file.replace(/\.json$/i, "")}.html`;
}

/** Writes the receipt in the place of the one that was begun, and beside it the page for people. */
export async function writeReceipt(file: string, receipt: ErasureReceipt, site: string): Promise<void> {
  const write = async () => {
    await written(file, receipt);
    await replaceFile(pageBeside(file), [receiptPage(receipt, { site, fileName: basename(file) })]);
  };
  await write().catch((error: unknown) => {
    throw new CliError(`all was done, but the receipt could not be written into ${file}`, {
      exitCode: exitCodes.partial,
      hint: "the same command searches again and writes it",
      cause: error,
    });
  });
}

/**
 * Writes a plan of what is about to be done, or only could be (`isDry`): then one of the same person is written anew. What was planned
 * before a run stays as it was filed: behind a run that was broken off there is less to find. Nothing else is replaced.
 * @returns whether it was written.
 */
export async function writePlan(
  file: string,
  plan: Readonly<Record<string, unknown>> & { readonly userId: string | null },
  isDry: boolean,
): Promise<boolean> {
  const text = await readTextFile(file, { what: "a plan", mostBytes });
  if (text !== undefined) {
    let found: unknown;
    try {
      found = JSON.parse(text);
    } catch {
      found = undefined;
    }
    const { userId } = plan;
    const isSame = isRecord(found) && userId !== null && found["userId"] === userId && "copies" in found;
    if (!isSame) throw taken(file);
    if (!isDry) return false;
  }
  await written(file, plan);
  return true;
}

async function written(file: string, value: unknown): Promise<void> {
  await replaceFile(file, textOf(value));
}

function textOf(value: unknown): string[] {
  return [JSON.stringify(value, undefined, 2), "\n"];
}

function taken(file: string): CliError {
  return new CliError(`${file} already exists; nothing was changed`, { hint: "choose another name" });
}
