import * as z from "zod";
import { CliError, exitCodes } from "../errors.ts";
import { readTextFile } from "../text-file.ts";
import shipped from "./prices.json" with { type: "json" };

const price = z.strictObject({
  /** What it is for: `s3.storage.STANDARD`. */
  id: z.string().regex(/^[\w.]{1,100}$/),
  /** `*` where it is the same in every region. */
  region: z.string().regex(/^([a-z0-9-]{4,63}|\*)$/),
  unit: z.string().min(1).max(100),
  usd: z.number().min(0),
  /** So many units a month cost nothing. */
  free: z.number().min(0).optional(),
  source: z.string().min(1).max(500),
  /** The day on which it held. */
  date: z.iso.date(),
});

const priceFile = z.strictObject({ about: z.string().optional(), prices: z.array(price).max(10_000) });

export type Price = z.infer<typeof price>;

/** The price of a thing in one region; undefined where none is known. */
export type PriceOf = (id: string) => Price | undefined;

const mostBytes = 4_000_000;

/**
 * The prices that travel with the program, and before them those of a file in the same form.
 * @throws CliError (usage) with what is wrong with the file.
 */
export async function loadPrices(file: string | undefined): Promise<readonly Price[]> {
  if (file === undefined) return shipped.prices;
  const wrong = (why: string) =>
    new CliError(`${file} ${why}`, {
      exitCode: exitCodes.usage,
      hint: 'prices are {"prices": [{"id", "region", "unit", "usd", "source", "date"}]}; docs/storage.md tells the ids',
    });
  const text = await readTextFile(file, { what: "a list of prices", mostBytes });
  if (text === undefined) throw wrong("is not there");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`is no JSON: ${(error as Error).message}`);
  }
  const read = priceFile.safeParse(value);
  if (read.success) return [...read.data.prices, ...shipped.prices];
  const [issue] = read.error.issues;
  throw wrong(`is no list of prices: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}

/** The first of the prices for a thing in a region counts. */
export function pricesIn(prices: readonly Price[], region: string): PriceOf {
  const here = prices.filter((each) => each.region === region || each.region === "*");
  return (id) => here.find((each) => each.id === id);
}
