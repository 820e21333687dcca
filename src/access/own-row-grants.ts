import { own } from "../model/json.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { NotExpressible } from "./rows.ts";

/** A database whose rows are fenced, and how its server writes names. */
export interface Fence {
  readonly model: Model;
  /** Its role in the model. */
  readonly database: string;
  readonly engine: "mysql" | "postgres";
  /** The role of the database that each person's account has. */
  readonly grantee: string;
  readonly tableName: (table: string) => string;
  readonly quote: (name: string) => string;
}

interface OwnRows {
  readonly statements: readonly string[];
  readonly notExpressible: readonly NotExpressible[];
}

/**
 * What a person may read with an account of the database that is named by their id, in SQL that its server takes: their own rows, of
 * secret columns nothing, and nothing of an audit trail. PostgreSQL fences the rows by policies, which concern nobody but accounts of the role
 * (https://www.postgresql.org/docs/current/ddl-rowsecurity.html). MySQL knows none: a view of each table has a person's own rows, and the table itself they may not read.
 */
export function ownRowGrants(fence: Fence): OwnRows {
  const { model, database } = fence;
  const [statements, notExpressible]: [string[], NotExpressible[]] = [[], []];
  const tables = new Map<string, string[]>();
  for (const [name, { from }] of Object.entries(model.entities))
    if ("database" in from && from.database === database)
      tables.set(from.table, [...(tables.get(from.table) ?? []), name]);
  for (const [table, [name = "", ...others]] of tables) {
    const entity = own(model.entities, name);
    if (entity === undefined || name === model.features?.audit?.entity) continue;
    if (personalLinks(model, entity).length === 0) continue;
    const alias = fence.engine === "mysql" ? "own" : fence.tableName(table);
    const condition = others.length > 0 ? undefined : ownedIn(fence, { name, alias });
    if (condition === undefined) {
      const why = "whose it is does not stand in it by the id that an account is named by";
      notExpressible.push({ entity: name, why, instead });
    } else statements.push(...statementsOf(fence, { table, entity, condition }));
  }
  return { statements, notExpressible };
}

const instead = "the website reads it for them, with its own role, and checks whose it is";

/** The links to whoever can have an account. */
function personalLinks({ subjects }: Model, { links = [] }: Entity) {
  return links.filter(
    ({ role, subject }) =>
      (role === "subject" || role === "member") && own(subjects, subject)?.accounts !== undefined,
  );
}

interface Row {
  readonly name: string;
  /** What its columns are qualified with. */
  readonly alias: string;
  /** Whose alone, where a child asks. */
  readonly subject?: string;
}

/** When a row is the person's own, as SQL; undefined where it does not say. */
function ownedIn(fence: Fence, { name, alias, subject }: Row): string | undefined {
  const { model, quote } = fence;
  const entity = own(model.entities, name);
  if (entity === undefined) return undefined;
  const links = personalLinks(model, entity).filter(
    (link) => subject === undefined || link.subject === subject,
  );
  const conditions = links.flatMap(({ by, subject: whose }) => {
    if (typeof by === "string")
      return holdsId(model, { name, entity, field: by, subject: whose })
        ? [isMine(fence, `${alias}.${quote(by)}`)]
        : [];
    return [own(entity.refs ?? {}, by.via) ?? []].flat().flatMap((reference) => {
      const [parentName = "", field = ""] = reference.split(".");
      const parent = own(model.entities, parentName);
      if (parent === undefined || !("database" in parent.from) || parent.from.database !== fence.database)
        return [];
      const above = quote(`of_${parentName}`);
      const condition = ownedIn(fence, { name: parentName, alias: above, subject: whose });
      if (condition === undefined) return [];
      const from = `${fence.tableName(parent.from.table)} AS ${above}`;
      return [
        `EXISTS (SELECT 1 FROM ${from} WHERE ${above}.${quote(field)} = ${alias}.${quote(by.via)} AND ${condition})`,
      ];
    });
  });
  return conditions.length === 0
    ? undefined
    : conditions.length === 1
      ? conditions[0]
      : `(${conditions.join(" OR ")})`;
}

interface Held {
  readonly name: string;
  readonly entity: Entity;
  readonly field: string;
  readonly subject: string;
}

/** Whether a field has the id of an account, not an address or the like. */
function holdsId({ subjects }: Model, { name, entity, field, subject }: Held): boolean {
  const { accounts, ids: [id = "", ...others] = [] } = own(subjects, subject) ?? {};
  if (accounts === undefined) return false;
  if (accounts === "cognito") return !others.includes(field);
  if (name === accounts.entity) return field === id;
  return [own(entity.refs ?? {}, field) ?? []].flat().includes(`${accounts.entity}.${id}`);
}

/** Names of MySQL's accounts have 32 characters at most: a UUID stands in them without its dashes. Bytes, as collations take some letters for others. */
function isMine({ engine }: Fence, column: string): string {
  if (engine === "postgres") return `${column}::text = current_user`;
  const id = `IF(CHAR_LENGTH(${column}) = 36, REPLACE(${column}, '-', ''), ${column})`;
  return `CAST(${id} AS BINARY) = CAST(SUBSTRING_INDEX(USER(), '@', 1) AS BINARY)`;
}

interface Fenced {
  readonly table: string;
  readonly entity: Entity;
  readonly condition: string;
}

function statementsOf(fence: Fence, { table, entity, condition }: Fenced): string[] {
  const { engine, quote, tableName, grantee } = fence;
  const on = tableName(table);
  const columns = openColumns(entity)?.map(quote).join(", ");
  if (engine === "mysql") {
    const view = tableName(`own_${table}`);
    const what = columns ?? "own.*";
    return [
      `CREATE OR REPLACE SQL SECURITY DEFINER VIEW ${view} AS SELECT ${what} FROM ${on} AS own WHERE ${condition};`,
      `GRANT SELECT ON ${view} TO ${grantee};`,
    ];
  }
  const [mine, others] = [quote("mawps_own"), quote("mawps_others")];
  // Without it nobody but the table's owner would see a row any more.
  const isOther = `NOT pg_has_role(current_user, '${grantee.slice(1, -1).replaceAll("'", "''")}', 'USAGE')`;
  return [
    `ALTER TABLE ${on} ENABLE ROW LEVEL SECURITY;`,
    `DROP POLICY IF EXISTS ${others} ON ${on};`,
    `CREATE POLICY ${others} ON ${on} USING (${isOther}) WITH CHECK (${isOther});`,
    `DROP POLICY IF EXISTS ${mine} ON ${on};`,
    `CREATE POLICY ${mine} ON ${on} FOR SELECT TO ${grantee} USING (${condition});`,
    `GRANT SELECT${columns === undefined ? "" : ` (${columns})`} ON ${on} TO ${grantee};`,
  ];
}

/** Of a table with secret columns, those that the model knows to be none; undefined for all. */
function openColumns({ fields = {} }: Entity): string[] | undefined {
  const isSecret = (field: (typeof fields)[string]) => typeof field === "object" && field.secret === true;
  if (!Object.values(fields).some(isSecret)) return undefined;
  return Object.entries(fields).flatMap(([name, field]) => (isSecret(field) ? [] : [name]));
}
