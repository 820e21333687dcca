import { CliError } from "../errors.ts";
import type { Sql } from "../sql/connection.ts";

export type Direction = "up" | "down";

export interface Statement {
  readonly id: string;
  readonly direction: Direction;
  /** Counted from 0. */
  readonly at: number;
  readonly statement: string;
}

/** Where a statement of an `up` stands. Pure. */
export function placeOf({ id, at }: Pick<Statement, "id" | "at">): string {
  return `${id} ${at}`;
}

/** Runs one, however long it takes. @throws CliError that says which it was, and where the server's own has no hint what then. */
export async function runStatement(
  sql: Sql,
  { id, direction, at, statement }: Statement,
  then = "it was tried in a scratch database; nothing else was changed",
): Promise<void> {
  try {
    await sql.runLong(statement);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { hint = then, exitCode, cause } = error;
    const message = `${id}.${direction}.sql, statement ${at + 1}: ${error.message}`;
    throw new CliError(message, { exitCode, hint, cause });
  }
}
