import { CliError } from "../errors.ts";

export type SqliteValue = number | string | Uint8Array | null;

/**
 * The first row that a query finds in a database image, or undefined. Only that row leaves the database: the query
 * names the key.
 *
 * The wasm file is inlined in this build of sql.js, so that a bundle needs no file beside it.
 *
 * @throws CliError when the image is no database or lacks the tables; it quotes nothing of the content.
 */
export async function sqliteRow(
  image: Uint8Array,
  sql: string,
  parameters: readonly SqliteValue[],
): Promise<readonly SqliteValue[] | undefined> {
  const { default: initSqlJs } = await import("sql.js/dist/sql-wasm-inline.js");
  const { Database } = await initSqlJs();
  const database = new Database(image);
  try {
    const statement = database.prepare(sql);
    statement.bind([...parameters]);
    return statement.step() ? statement.get() : undefined;
  } catch (error) {
    throw new CliError("the browser's storage could not be read: it is damaged or of an unknown version", {
      hint: "use the console line of `mawps twin snippet` instead",
      cause: error,
    });
  } finally {
    database.close();
  }
}
