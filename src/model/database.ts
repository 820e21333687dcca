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

const twinPrefix = "mawps_out_";
/** In bytes: PostgreSQL's names; MySQL's are one longer. */
const longestName = 63;

/**
 * What the rows of a partition stand in while retention has them out of their table, one partition at a time: rights to it can be granted before it
 * is there. Undefined where that name would be too long. Pure.
 */
export function twinName(table: string): string | undefined {
  const name = `${twinPrefix}${table}`;
  return Buffer.byteLength(name) > longestName ? undefined : name;
}

/** The table whose rows stand in one of that name; undefined for any other name. Pure. */
export function twinnedTable(name: string): string | undefined {
  return name.startsWith(twinPrefix) ? name.slice(twinPrefix.length) : undefined;
}

/** Whether rows of an entity go with all of their partition, which are archived first. Pure. */
export function losesPartitions({ expires = [] }: Entity): boolean {
  return expires.some(({ partitions }) => partitions === "whole");
}
