import { bytes } from "../model/bytes.ts";
import { duration } from "./dates.ts";
import { grouped } from "./text.ts";

export interface Transfer {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Of the part that this run has moved. */
  readonly movedBytes: number;
  readonly elapsedMs: number;
}

/** How much of it is done, from 0 to 1; undefined where there is nothing to be done. */
export function shareOf({
  doneBytes,
  totalBytes,
}: Pick<Transfer, "doneBytes" | "totalBytes">): number | undefined {
  return totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : undefined;
}

/** `45 MB of 200 MB, 12 MB/s, 13 s left`; rate and rest only once they can be told. */
export function transfer({ doneBytes, totalBytes, movedBytes, elapsedMs }: Transfer): string {
  return pace({ done: doneBytes, total: totalBytes }, { moved: movedBytes, elapsedMs });
}

/** Before that a rate is one of a few small things. */
export const leastRateMs = 3000;

/** The same of anything that is counted: `1,200 of 5,000 items, 400/s, 10 s left`. What is done may be more than was counted. */
export function pace(
  amount: { readonly done: number; readonly total: number; readonly of?: string | undefined },
  { moved, elapsedMs }: { readonly moved: number; readonly elapsedMs: number },
): string {
  const { done, of } = amount;
  const total = Math.max(amount.total, done);
  const text = of === undefined ? bytes : grouped;
  const told = `${text(done)} of ${text(total)}${of === undefined ? "" : ` ${of}`}`;
  if (elapsedMs <= 0 || moved <= 0) return told;
  const perMs = moved / elapsedMs;
  return `${told}, ${text(Math.ceil(perMs * 1000))}/s, ${duration((total - done) / perMs)} left`;
}
