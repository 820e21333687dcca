import type { Sql } from "./connection.ts";

/** Does something in a transaction, and then takes it back or has it stay. What fails is taken back. */
export async function inTransaction<T>(
  sql: Sql,
  end: "COMMIT" | "ROLLBACK",
  act: () => Promise<T>,
): Promise<T> {
  await sql.run("START TRANSACTION");
  let result: T;
  try {
    result = await act();
  } catch (error) {
    await sql.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
  await sql.run(end);
  return result;
}

/** Does something within a transaction. What fails is taken back alone, and the transaction goes on. */
export async function atSavepoint<T>(sql: Sql, act: () => Promise<T>): Promise<T> {
  await sql.run("SAVEPOINT mawps");
  let result: T;
  try {
    result = await act();
  } catch (error) {
    // Behind a deadlock of MySQL there is none, nor on a connection that is gone.
    await sql.run("ROLLBACK TO SAVEPOINT mawps").catch(() => undefined);
    throw error;
  }
  await sql.run("RELEASE SAVEPOINT mawps");
  return result;
}
