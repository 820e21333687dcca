import type { Row } from "../sql/connection.ts";
import { onlyMember } from "./item-line.ts";

/**
 * The row of a table's line. Whoever can write to a repository can write any line: only the values that are given here may go
 * on, as parameters of a statement of ours.
 * @throws DamagedError unless the line is JSON with the one member `Row`, whose values are texts or null.
 */
export function parseRowLine(line: Buffer, table: string): Row {
  return onlyMember(line, "Row", {
    what: `a line of table ${table} is no row`,
    isRight: (row) => Object.values(row).every((value) => value === null || typeof value === "string"),
  }) as Row;
}
