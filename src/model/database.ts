import type { Model } from "./schema.ts";

/** The tables of a database that entities of the model are in. Pure. */
export function tablesOf({ entities }: Model, role: string): ReadonlySet<string> {
  return new Set(
    Object.values(entities).flatMap(({ from }) =>
      "database" in from && from.database === role ? [from.table] : [],
    ),
  );
}
