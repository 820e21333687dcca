import { bytes } from "../model/bytes.ts";
import { duration } from "./dates.ts";

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
  const amount = `${bytes(doneBytes)} of ${bytes(totalBytes)}`;
  if (elapsedMs <= 0 || movedBytes <= 0) return amount;
  const perMs = movedBytes / elapsedMs;
  const left = duration(Math.max(0, totalBytes - doneBytes) / perMs);
  return `${amount}, ${bytes(Math.round(perMs * 1000))}/s, ${left} left`;
}
