import type { Unconnected } from "../context.ts";
import type { Model } from "../model/schema.ts";
import type { Engine } from "../sql/address.ts";
import { tableSizes, type TableSize } from "../sql/table-sizes.ts";

/** A database of the site, with all of its tables. */
export interface DatabaseUse {
  readonly database: string;
  readonly engine: Engine;
  readonly tables: readonly (TableSize & {
    /** What the model says that lies in it. */
    readonly entities: readonly string[];
  })[];
}

/**
 * What a database of the site takes, by its role, or the name of one that was never made.
 * @throws CliError where no server is named, or it cannot be used.
 */
export async function measureDatabase(
  { databasesNamed, model }: Pick<Unconnected, "databasesNamed" | "model">,
  role: string,
): Promise<DatabaseUse | { readonly missing: string }> {
  const [database] = await databasesNamed((each) => each.role === role);
  if (database === undefined) throw new RangeError(`the model has no database ${role}`);
  const { name, engine, sql, place, isThere } = database;
  if (!isThere) return { missing: name };
  const sizes = await tableSizes(sql, place);
  return {
    database: name,
    engine,
    tables: sizes.map((size) => ({ ...size, entities: entitiesIn(model, role, size.name) })),
  };
}

function entitiesIn({ entities }: Model, role: string, table: string): string[] {
  return Object.entries(entities).flatMap(([name, { from }]) =>
    "database" in from && from.database === role && from.table === table ? [name] : [],
  );
}

/** Of all their tables, with their indexes. */
export function databaseBytes(databases: readonly DatabaseUse[]): number {
  return databases
    .flatMap(({ tables }) => tables)
    .reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, 0);
}
