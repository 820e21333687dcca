import type { Entity, Model } from "./schema.ts";

/** Columns of a database whose values must lie open nowhere, such as hashes of passwords. Pure. */
export function secretColumnsOf(
  { entities }: Model,
  role: string,
): readonly { readonly table: string; readonly column: string }[] {
  return Object.values(entities).flatMap(({ from, fields = {} }) => {
    if (!("database" in from) || from.database !== role) return [];
    const secret = Object.entries(fields).filter(
      ([, field]) => typeof field === "object" && field.secret === true,
    );
    return secret.map(([column]) => ({ table: from.table, column }));
  });
}

/** What a model calls the table of an entity: `userProfiles`, of a database `main.users`; undefined where it is in no table. Pure. */
export function tableRole(from: Entity["from"]): string | undefined {
  if (!("table" in from)) return undefined;
  return "database" in from ? `${from.database}.${from.table}` : from.table;
}

/** The tables of a database that entities of the model are in. Pure. */
export function tablesOf({ entities }: Model, role: string): ReadonlySet<string> {
  return new Set(
    Object.values(entities).flatMap(({ from }) =>
      "database" in from && from.database === role ? [from.table] : [],
    ),
  );
}
