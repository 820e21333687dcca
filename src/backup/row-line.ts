import { isUtf8 } from "node:buffer";
import { isRecord } from "../model/json.ts";
import type { Row } from "../sql/connection.ts";
import { DamagedError } from "./damage.ts";

/** Rows as lines, `{"Row":{"id":"1","bio":null}}`, each with its newline. */
export function rowLines(rows: readonly Row[]): Buffer {
  return Buffer.from(rows.map((row) => `${JSON.stringify({ Row: row })}\n`).join(""));
}

/**
 * The row of a table's line. Whoever can write to a repository can write any line: only the values that are given here may go
 * on, as parameters of a statement of ours.
 * @throws DamagedError unless the line is JSON with the one member `Row`, whose values are texts or null.
 */
export function parseRowLine(line: Buffer, table: string): Row {
  const damaged = (cause?: unknown) => new DamagedError(`a line of table ${table} is no row`, cause);
  if (!isUtf8(line)) throw damaged();
  let found: unknown;
  try {
    found = JSON.parse(line.toString());
  } catch (cause) {
    throw damaged(cause);
  }
  const row = isRecord(found) && Object.keys(found).length === 1 ? found["Row"] : undefined;
  if (!isRecord(row)) throw damaged();
  if (Object.values(row).some((value) => value !== null && typeof value !== "string")) throw damaged();
  return row as Row;
}
