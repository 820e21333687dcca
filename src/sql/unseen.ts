import { differences, hiddenText, tableOfFact, type Catalogue, type Fact } from "./catalogue.ts";
import type { Sql } from "./connection.ts";
import { serverCode } from "./explain.ts";

/**
 * What of a database is wanted and not found because MySQL or MariaDB hide from an account what it has no right to, not because it differs:
 * nothing can be said of these facts. The server's refusals tell it apart: what is not there is refused by another error than what
 * is not allowed. PostgreSQL shows its catalogue to everybody.
 */
export async function unseenFacts(
  sql: Sql,
  place: string,
  { wanted, found }: { readonly wanted: Catalogue; readonly found: Catalogue },
): Promise<ReadonlySet<Fact>> {
  if (sql.engine === "postgres") return new Set();
  const missing = differences(wanted, found).flatMap(({ fact, is }) => (is === "missing" ? [fact] : []));
  const hidden = new Set<string>();
  for (const fact of missing) {
    const statement = asking(sql, place, fact);
    if (statement !== undefined && (await mayBeThere(sql, statement))) hidden.add(fact);
  }
  const closed = missing.some(isConstraint) ? await tablesWithoutConstraints(sql, place) : new Set();
  const isUnseen = (fact: Fact) => {
    const table = tableOfFact(fact, (name) => wanted.has(`table ${name}`)) ?? "";
    return (
      hidden.has(fact) ||
      hidden.has(`table ${table}`) ||
      (isConstraint(fact) && !found.has(fact) && closed.has(table)) ||
      found.get(fact)?.includes(hiddenText) === true
    );
  };
  return new Set([...wanted.keys()].filter(isUnseen));
}

const isConstraint = (fact: Fact) => fact.startsWith("key ") || fact.startsWith("check ");

/** What the server refuses in one way where there is no such thing, and in another where the account may not see it; changes nothing. */
function asking(sql: Sql, place: string, fact: Fact): string | undefined {
  const at = fact.indexOf(" ");
  const name = `${sql.quoted(place)}.${sql.quoted(fact.slice(at + 1))}`;
  switch (fact.slice(0, at)) {
    case "table":
      return `SELECT 1 FROM ${name} LIMIT 0`;
    case "view":
      return `SHOW CREATE VIEW ${name}`;
    case "trigger":
      return `SHOW CREATE TRIGGER ${name}`;
    case "function":
      // SHOW CREATE FUNCTION says the same of both. Without EXECUTE the server does not tell whether there is one.
      return `PREPARE mawps_seen FROM 'SELECT ${name.replaceAll("\\", "\\\\").replaceAll("'", "''")}()'`;
    default:
      return undefined;
  }
}

async function mayBeThere(sql: Sql, statement: string): Promise<boolean> {
  try {
    await sql.run(statement);
    return true;
  } catch (error) {
    const code = serverCode(error);
    if (/^ER_(NO_SUCH_TABLE|SP_DOES_NOT_EXIST|TRG_DOES_NOT_EXIST)$/.test(code)) return false;
    if (/ACCESS_DENIED|^ER_SP_WRONG_NO_OF_ARGS$/.test(code)) return true;
    throw error;
  }
}

/** Tables of which MariaDB shows no constraint, not even the primary key whose index it shows: the account has rights to the table alone. */
async function tablesWithoutConstraints(sql: Sql, place: string): Promise<ReadonlySet<string>> {
  const rows = await sql.rows(
    `SELECT DISTINCT s.TABLE_NAME AS name FROM information_schema.STATISTICS s
     WHERE s.TABLE_SCHEMA = ? AND s.INDEX_NAME = 'PRIMARY' AND NOT EXISTS (
       SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c
       WHERE c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY')`,
    [place],
  );
  return new Set(rows.map(({ name }) => name ?? ""));
}

/**
 * Whether foreign keys that point at a table may be hidden from the account: MariaDB shows none to who has rights to single tables alone, MySQL
 * those of tables to which it has some.
 * @param children tables that may have such keys.
 */
export async function hidesKeys(
  sql: Sql,
  place: string,
  {
    table,
    children,
    found,
  }: { readonly table: string; readonly children: readonly string[]; readonly found: Catalogue },
): Promise<boolean> {
  if (sql.engine === "postgres") return false;
  if ((await tablesWithoutConstraints(sql, place)).has(table)) return true;
  for (const child of children) {
    const statement = found.has(`table ${child}`) ? undefined : asking(sql, place, `table ${child}`);
    if (statement !== undefined && (await mayBeThere(sql, statement))) return true;
  }
  return false;
}

/** A catalogue without such facts. Pure. */
export function seen(catalogue: Catalogue, unseen: ReadonlySet<Fact>): Catalogue {
  return new Map([...catalogue].filter(([fact]) => !unseen.has(fact)));
}
