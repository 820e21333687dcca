import { losesPartitions, twinName } from "../model/database.ts";
import { referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import type { Entity, Expiry, Model } from "../model/schema.ts";
import { ownRowGrants } from "./own-row-grants.ts";
import type { Role } from "./roles.ts";

interface Database {
  /** Its role in the model. */
  readonly role: string;
  readonly engine: "mysql" | "postgres";
  readonly name: string;
}

/** The databases of a model. */
export function databasesOf({ databases = {} }: Model): Database[] {
  return Object.entries(databases).map(([role, { engine, name }]) => ({ role, engine, name }));
}

/** Databases of the tool's own on the same server: the model's file and migrations are tried there, and backups are restored there by a drill. */
const tried = ["mawps_scratch_", "mawps_trial_"];
const all = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const;
/** What makes all that a schema has, and its rows. */
const rightsToMake = [
  "ALTER",
  "ALTER ROUTINE",
  "CREATE",
  "CREATE ROUTINE",
  "CREATE VIEW",
  "DROP",
  "EXECUTE",
  "INDEX",
  "REFERENCES",
  "SHOW VIEW",
  "TRIGGER",
  ...all,
];
type Right = (typeof all)[number];

/**
 * What a role is granted in a database, table by table, as statements that its server takes; the database's role is named after the
 * site and the role. A signed-in person reads their own rows.
 */
export function grantsFor(role: Role, model: Model, database: Database): string[] {
  const { engine } = database;
  const { grantee, quote } = namesIn(role, model, database);
  const tables = role === "user" ? ownRowsIn(model, database).statements : tableGrants(role, model, database);
  if (tables.length === 0) return [];
  const isTrying = role === "owner" || role === "admin" || role === "ci-backup";
  const making =
    engine === "mysql"
      ? [`CREATE ROLE IF NOT EXISTS ${grantee};`]
      : [
          `CREATE ROLE ${grantee};`,
          `GRANT CONNECT${isTrying ? ", CREATE" : ""} ON DATABASE ${quote(database.name)} TO ${grantee};`,
          // What is tried there is a schema of the same database, or of this one before there is any.
          ...(isTrying ? [`GRANT CONNECT, CREATE ON DATABASE ${quote("postgres")} TO ${grantee};`] : []),
          `GRANT USAGE${role === "owner" ? ", CREATE" : ""} ON SCHEMA public TO ${grantee};`,
        ];
  // Of a whole database, and there alone, MySQL takes the name as a pattern.
  const literally = (name: string) => name.replaceAll(/[\\_%]/g, String.raw`\$&`);
  const whole = (pattern: string, rights: readonly string[]) =>
    `GRANT ${rights.join(", ")} ON ${quote(pattern)}.* TO ${grantee};`;
  const own = rightsToAll(role, model, database);
  const wholes =
    engine === "postgres"
      ? []
      : [
          ...(own.length === 0 ? [] : [whole(literally(database.name), own)]),
          ...(isTrying ? tried.map((prefix) => whole(`${literally(prefix)}%`, rightsToMake)) : []),
        ];
  // Whoever has rights to the whole needs none table by table, of which each has to be there.
  const isWhole = role === "owner" && engine === "mysql";
  return [...making, ...wholes, ...(isWhole ? [] : tables)];
}

/**
 * What a role has in all of a database of MySQL: who may see nothing but tables is shown no foreign key, view or check, and each would be missing. Of these
 * REFERENCES shows the keys, and no row. A table is locked by whoever may do so in the whole database, and read it.
 */
function rightsToAll(role: Role, model: Model, database: Database): readonly string[] {
  switch (role) {
    case "owner":
      return rightsToMake;
    case "admin":
    case "ci-backup":
      return ["SELECT", "SHOW VIEW"];
    case "ci-retention":
      return tablesOf(model, database).some(([, entities]) => isParted(entities))
        ? ["REFERENCES", "LOCK TABLES"]
        : ["REFERENCES"];
    case "website":
    case "user":
      return [];
  }
}

/** The rows of a database that are a person's own, as SQL, and those of which that cannot be said. */
export function ownRowsIn(model: Model, database: Database): ReturnType<typeof ownRowGrants> {
  const { role, engine } = database;
  return ownRowGrants({ model, database: role, engine, ...namesIn("user", model, database) });
}

function tableGrants(role: Exclude<Role, "user">, model: Model, database: Database): string[] {
  const { grantee, quote, tableName } = namesIn(role, model, database);
  const grant = (rights: readonly string[], table: string) =>
    rights.length === 0 ? [] : [`GRANT ${rights.join(", ")} ON ${tableName(table)} TO ${grantee};`];
  return tablesOf(model, database).flatMap(([table, entities]) => {
    const rights = rightsOf(role, model, entities);
    if (role !== "ci-retention") return grant(rights, table);
    if (rights.length === 0)
      return grant(
        referring(model, entities).map((column) => `SELECT (${quote(column)})`),
        table,
      );
    if (database.engine !== "mysql" || !isParted(entities)) return grant(rights, table);
    const twin = twinName(table);
    // Triggers are seen by whoever may make them; where there is one the rows go one by one.
    return [
      ...grant([...rights, ...rightsToExchange, "TRIGGER"], table),
      ...(twin === undefined ? [] : grant(["SELECT", "DELETE", ...rightsToExchange], twin)),
    ];
  });
}

/** The columns in which rows of a table name those that go only while no row does. */
function referring(model: Model, entities: readonly Named[]): string[] {
  const isAsked = (name: string) => own(model.entities, name)?.expires?.some(({ unreferred }) => unreferred);
  const columns = entities.flatMap(([name, entity]) =>
    referencesOf(name, entity).flatMap(({ field, to }) => (isAsked(to) === true ? [field] : [])),
  );
  return [...new Set(columns)];
}

function isParted(entities: readonly Named[]): boolean {
  return entities.some(([, entity]) => losesPartitions(entity));
}

/** What MySQL asks of whoever exchanges a partition with a table, of both of them. */
const rightsToExchange = ["ALTER", "CREATE", "DROP", "INSERT"];

function namesIn(role: Role, model: Model, { engine, name }: Database) {
  const quote = (text: string) =>
    engine === "mysql" ? `\`${text.replaceAll("`", "``")}\`` : `"${text.replaceAll('"', '""')}"`;
  const within = engine === "mysql" ? quote(name) : "public";
  const site = model.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  return {
    quote,
    grantee: quote(`${site}_${role.replace("-", "_")}`),
    tableName: (table: string) => `${within}.${quote(table)}`,
  };
}

type Named = readonly [name: string, entity: Entity];

function tablesOf({ entities }: Model, { role }: Database): [string, Named[]][] {
  const tables = new Map<string, Named[]>();
  for (const named of Object.entries(entities)) {
    const { from } = named[1];
    if (!("database" in from) || from.database !== role) continue;
    tables.set(from.table, [...(tables.get(from.table) ?? []), named]);
  }
  return [...tables];
}

function rightsOf(
  role: Exclude<Role, "user">,
  { features }: Model,
  entities: readonly Named[],
): readonly Right[] {
  // A trail is written on and read; whoever could change it would be proved nothing by it.
  const isTrail = entities.some(([name]) => name === features?.audit?.entity);
  switch (role) {
    case "owner":
      return all;
    case "admin":
    case "website":
      return isTrail ? ["SELECT", "INSERT"] : all;
    case "ci-backup":
      return ["SELECT"];
    case "ci-retention": {
      const rules = entities.flatMap(([, { expires = [] }]) => expires).filter(({ by }) => by === "run");
      const does = (what: Expiry["do"], right: Right) =>
        rules.some((rule) => rule.do === what) ? [right] : [];
      return rules.length === 0
        ? []
        : ["SELECT", ...does("soft-delete", "UPDATE"), ...does("delete", "DELETE")];
    }
  }
}
