import { csvLine } from "../output/csv.ts";
import type { Run } from "./run.ts";

type Cells = Parameters<typeof csvLine>[0];

/** A list as CSV, a row each below its head, written as they come; nothing of one that fails before its first. */
export async function writeCsv<T>(
  run: Run,
  head: Cells,
  all: AsyncIterable<T>,
  cells: (one: T) => Cells,
): Promise<void> {
  let isBegun = false;
  for await (const one of all) {
    const row = csvLine(cells(one));
    await run.write(isBegun ? row : csvLine(head) + row);
    isBegun = true;
  }
  if (!isBegun) await run.write(csvLine(head));
}
