import { CliError, exitCodes } from "../errors.ts";
import type { RowMeant } from "./restore-scope.ts";
import { snapshotTables, type Manifest } from "./snapshot.ts";

/**
 * The row of a backup that a text names: `users:u-1`, or with the database in front `main.users:u-1`. The values of a key of several columns
 * are parted by commas, `system_logs:l-1,2026-06-01 00:00:00`, or are a list of JSON where one of them has a comma. Undefined where the text
 * begins with the name of no table. Pure.
 * @throws CliError (usage) where several databases have the table, and where the values are not as many as the columns of the key.
 */
export function rowNamed(
  { databases = [] }: Pick<Manifest, "databases">,
  text: string,
): RowMeant | undefined {
  const named = databases.flatMap((database) =>
    snapshotTables(database).flatMap(({ name: table, key, columns }) =>
      [table, `${database.role}.${table}`, `${database.name}.${table}`].flatMap((name) =>
        text.startsWith(`${name}:`) ? [{ role: database.role, table, key, name, columns }] : [],
      ),
    ),
  );
  const longest = Math.max(...named.map(({ name }) => name.length));
  const meant = named.filter(({ name }) => name.length === longest);
  const [found] = meant;
  if (found === undefined) return undefined;
  const roles = [...new Set(meant.map(({ role }) => role))];
  if (roles.length > 1) {
    throw usage(
      `several databases have a table ${found.table}`,
      `say which: ${roles.map((role) => `${role}.${found.table}:…`).join(" or ")}`,
    );
  }
  const { role, table, key: columns, name, columns: all } = found;
  if (columns.length === 0)
    throw usage(
      `table ${table} has no primary key: none of its rows can be named`,
      "--only databases restores all of them",
    );
  const key = valuesIn(text.slice(name.length + 1), columns.length);
  if (key === undefined && columns.length === 1)
    throw usage(`a row of ${table} is known by its ${columns[0]}`, `${table}:<${columns[0]}>`);
  if (key === undefined) {
    const places = columns.map((column) => `<${column}>`);
    throw usage(
      `a row of ${table} is known by ${columns.length} columns: ${columns.join(", ")}`,
      `'${table}:${places.join(",")}', or as a list of JSON where a value has a comma: '${table}:${JSON.stringify(places)}'`,
    );
  }
  const isUuid = (column: string | undefined) =>
    all.some(({ name: of, type }) => of === column && type === "uuid");
  return {
    database: role,
    table,
    key: key.map((value, at) => (isUuid(columns[at]) ? value.toLowerCase() : value)),
  };
}

/** One value is taken as it stands, whatever it holds. */
function valuesIn(text: string, count: number): string[] | undefined {
  const values = count === 1 ? [text] : (listIn(text) ?? text.split(","));
  return values.length === count && !values.includes("") ? values : undefined;
}

function listIn(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

function usage(message: string, hint: string): CliError {
  return new CliError(message, { hint, exitCode: exitCodes.usage });
}
