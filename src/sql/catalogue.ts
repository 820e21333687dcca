import type { Row, Sql } from "./connection.ts";

/**
 * What a database consists of, as facts by name: `table users`, `column users.email`, `index users.PRIMARY`, `key …` (foreign),
 * `check …`, `partition …`, `view …`, `function …`, `trigger …`. Two databases of one server are the same when these are.
 */
export type Catalogue = ReadonlyMap<Fact, string>;

export type Fact = `${string} ${string}`;

/**
 * Reads what the server itself says of a database (MySQL) or a schema (PostgreSQL).
 * @param of the site, the journals of migrations, which are the tool's own and nothing of the site, or both.
 */
export async function readCatalogue(
  sql: Sql,
  name: string,
  of: "site" | "journals" | "both" = "site",
): Promise<Catalogue> {
  const facts = new Map<Fact, string>();
  for (const statement of sql.engine === "mysql" ? mysqlFacts : postgresFacts) {
    for (const row of await sql.rows(statement, [name])) {
      const [fact, means] = factIn(row, sql, name);
      if (of === "both" || ofJournal.test(fact) === (of === "journals")) facts.set(fact, means);
    }
  }
  return facts;
}

const ofJournal = /^\w+ (?:.*\.)?mawps_journal(?:s|_\d{4}_\d+(?:_\w+)?)(?:\.|$)/s;

/** Definitions name the database that they are in; another one with the same definitions does not differ by that. */
function factIn(row: Row, sql: Sql, name: string): readonly [Fact, string] {
  const parts = Object.entries(row)
    .filter(([column]) => column !== "fact")
    .map(([, value]) => (typeof value === "string" ? value : value === null ? "" : JSON.stringify(value)));
  const text = parts.filter((part) => part !== "").join(" ");
  return [
    String(row["fact"]) as Fact,
    text.replaceAll(`${sql.quoted(name)}.`, "").replaceAll(`${name}.`, ""),
  ];
}

/** In place of a definition that MySQL shows to others alone. */
export const hiddenText = "(not shown to this account)";

const mysqlFacts = [
  `SELECT CONCAT('table ', TABLE_NAME) AS fact, ENGINE AS engine, TABLE_COLLATION AS collation
   FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'`,
  `SELECT CONCAT('column ', TABLE_NAME, '.', COLUMN_NAME) AS fact, COLUMN_TYPE AS type,
     IF(IS_NULLABLE = 'NO', 'NOT NULL', '') AS nullable, IF(COLUMN_DEFAULT IS NULL, '', CONCAT('DEFAULT ', COLUMN_DEFAULT)) AS preset,
     EXTRA AS extra
   FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?
     AND TABLE_NAME IN (SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = COLUMNS.TABLE_SCHEMA AND TABLE_TYPE = 'BASE TABLE')`,
  `SELECT CONCAT('computed ', TABLE_NAME, '.', COLUMN_NAME) AS fact, GENERATION_EXPRESSION AS expression
   FROM information_schema.COLUMNS
   WHERE TABLE_SCHEMA = ? AND (EXTRA LIKE '%VIRTUAL GENERATED%' OR EXTRA LIKE '%STORED GENERATED%' OR EXTRA LIKE '%PERSISTENT%')`,
  `SELECT CONCAT('index ', TABLE_NAME, '.', INDEX_NAME) AS fact, IF(MIN(NON_UNIQUE) = 0, 'UNIQUE', '') AS kind,
     CONCAT('(', GROUP_CONCAT(CONCAT(COLUMN_NAME, IF(SUB_PART IS NULL, '', CONCAT('(', SUB_PART, ')'))) ORDER BY SEQ_IN_INDEX SEPARATOR ', '), ')') AS columns_of
   FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? GROUP BY TABLE_NAME, INDEX_NAME`,
  `SELECT CONCAT('key ', k.TABLE_NAME, '.', k.CONSTRAINT_NAME) AS fact,
     CONCAT('(', GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ') -> ', MIN(k.REFERENCED_TABLE_NAME), ' (',
       GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ')') AS columns_of,
     CONCAT('ON DELETE ', MIN(r.DELETE_RULE), ' ON UPDATE ', MIN(r.UPDATE_RULE)) AS rules
   FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
     ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
   WHERE k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME`,
  `SELECT CONCAT('check ', t.TABLE_NAME, '.', c.CONSTRAINT_NAME) AS fact,
     GROUP_CONCAT(DISTINCT c.CHECK_CLAUSE ORDER BY c.CHECK_CLAUSE SEPARATOR ' ') AS clause
   FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t
     ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND t.CONSTRAINT_TYPE = 'CHECK'
   WHERE c.CONSTRAINT_SCHEMA = ? GROUP BY t.TABLE_NAME, c.CONSTRAINT_NAME`,
  `SELECT CONCAT('partition ', TABLE_NAME, '.', PARTITION_NAME) AS fact, PARTITION_METHOD AS method, PARTITION_EXPRESSION AS expression,
     PARTITION_DESCRIPTION AS description
   FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = ? AND PARTITION_NAME IS NOT NULL`,
  `SELECT CONCAT('view ', TABLE_NAME) AS fact, IF(VIEW_DEFINITION = '', '${hiddenText}', VIEW_DEFINITION) AS definition, CONCAT('CHECK ', CHECK_OPTION) AS checked
   FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`,
  `SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) AS fact, DTD_IDENTIFIER AS type, COALESCE(ROUTINE_DEFINITION, '${hiddenText}') AS definition
   FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`,
  `SELECT CONCAT('trigger ', TRIGGER_NAME) AS fact, CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION, ' ON ', EVENT_OBJECT_TABLE) AS moment,
     ACTION_STATEMENT AS definition
   FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
];

const inSchema = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

const postgresFacts = [
  `SELECT 'table ' || c.relname AS fact, CASE WHEN c.relrowsecurity THEN 'row security' ELSE '' END AS security
   ${inSchema} WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`,
  `SELECT 'column ' || c.relname || '.' || a.attname AS fact, format_type(a.atttypid, a.atttypmod) AS type,
     CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE '' END AS nullable, COALESCE('DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS preset
   ${inSchema} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`,
  `SELECT 'computed ' || c.relname || '.' || a.attname AS fact, '' AS how
   ${inSchema} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped WHERE n.nspname = $1`,
  `SELECT 'type ' || t.typname AS fact, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) AS labels
   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid WHERE n.nspname = $1 GROUP BY t.typname`,
  `SELECT 'index ' || t.relname || '.' || c.relname AS fact,
     CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || regexp_replace(pg_get_indexdef(i.indexrelid, 0, true), '^.*? USING ', '') AS columns_of
   ${inSchema} JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid WHERE n.nspname = $1`,
  `SELECT CASE o.contype WHEN 'f' THEN 'key ' WHEN 'c' THEN 'check ' ELSE 'constraint ' END || c.relname || '.' || o.conname AS fact,
     pg_get_constraintdef(o.oid, true) AS definition
   ${inSchema} JOIN pg_constraint o ON o.conrelid = c.oid WHERE n.nspname = $1`,
  `SELECT 'partition ' || c.relname AS fact, pg_get_expr(c.relpartbound, c.oid) AS bound ${inSchema} WHERE n.nspname = $1 AND c.relispartition`,
  `SELECT 'view ' || c.relname AS fact, pg_get_viewdef(c.oid, true) AS definition ${inSchema} WHERE n.nspname = $1 AND c.relkind IN ('v', 'm')`,
  `SELECT 'function ' || p.proname AS fact, pg_get_function_arguments(p.oid) || ' -> ' || pg_get_function_result(p.oid) AS type, p.prosrc AS definition
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.prokind = 'f'`,
  `SELECT 'trigger ' || c.relname || '.' || t.tgname AS fact, pg_get_triggerdef(t.oid, true) AS definition
   ${inSchema} JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal WHERE n.nspname = $1`,
];

/** Of the tables that are there. Pure. */
export function tableNames(catalogue: Catalogue): string[] {
  return [...catalogue.keys()].flatMap((fact) =>
    fact.startsWith("table ") ? [fact.slice("table ".length)] : [],
  );
}

/** Whether one of the tables has a trigger of one of the events, as far as its text tells. Pure. */
export function hasTriggers(
  catalogue: Catalogue,
  tables: readonly string[],
  events: readonly string[],
): boolean {
  const meant = new RegExp(String.raw`\b(${events.join("|")})\b`);
  // Of MySQL the text says the table, and a blank behind it, as the name may have too.
  const mysqlTable = /^(?:BEFORE|AFTER) [A-Z]+ ON /;
  return [...catalogue].some(
    ([fact, text]) =>
      fact.startsWith("trigger ") &&
      meant.test(text) &&
      tables.some(
        (table) =>
          fact.startsWith(`trigger ${table}.`) ||
          (mysqlTable.test(text) && text.replace(mysqlTable, "").startsWith(`${table} `)),
      ),
  );
}

/** How a database differs from what it should be. */
export interface Difference {
  readonly fact: Fact;
  /** `additional`: there and not declared. */
  readonly is: "missing" | "different" | "additional";
  readonly found: string | undefined;
  readonly wanted: string | undefined;
}

/** Compares facts; what a missing or additional table brings along is not told of one by one. Pure. */
export function differences(wanted: Catalogue, found: Catalogue): Difference[] {
  const all = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  const without = new Set(
    all.filter((fact) => fact.startsWith("table ") && (!wanted.has(fact) || !found.has(fact))).map(nameOf),
  );
  return all.flatMap((fact): Difference[] => {
    const [should, does] = [wanted.get(fact), found.get(fact)];
    const isOfOne = () =>
      without.has(nameOf(fact)) || tableOfFact(fact, (name) => without.has(name)) !== undefined;
    if (should === does || (!fact.startsWith("table ") && isOfOne())) return [];
    const is = does === undefined ? "missing" : should === undefined ? "additional" : "different";
    return [{ fact, is, found: does, wanted: should }];
  });
}

const nameOf = (fact: string) => fact.slice(fact.indexOf(" ") + 1);

/** The table that a fact is of, by its name with dots in it or not: the longest that there is; undefined for a fact of none. Pure. */
export function tableOfFact(fact: string, isTable: (name: string) => boolean): string | undefined {
  const whole = nameOf(fact);
  for (let dot = whole.lastIndexOf("."); dot > 0; dot = whole.lastIndexOf(".", dot - 1))
    if (isTable(whole.slice(0, dot))) return whole.slice(0, dot);
  return undefined;
}

/** Two indexes of a table of which one would do: the columns of `index` are the first ones of `by`, or all of them. */
export interface NeedlessIndex {
  readonly index: string;
  readonly by: string;
  readonly isSame: boolean;
}

/** Indexes that another one makes needless. Pure. */
export function needlessIndexes(catalogue: Catalogue): NeedlessIndex[] {
  const indexes = [...catalogue].flatMap(([fact, text]) => {
    if (!fact.startsWith("index ")) return [];
    const [, columns = ""] = /\((.*)\)\s*$/.exec(text) ?? [];
    const isPlain = columns !== "" && !/[()]|WHERE/i.test(columns);
    const isUnique = text.startsWith("UNIQUE");
    const table = tableOfFact(fact, (name) => catalogue.has(`table ${name}`));
    return isPlain ? [{ name: nameOf(fact), table, columns: `${columns}, `, isUnique }] : [];
  });
  indexes.sort((one, other) => (one.name < other.name ? -1 : 1));
  return indexes.flatMap((one, at) => {
    if (one.isUnique) return [];
    const by = indexes.find(
      (other, place) =>
        other.table === one.table &&
        other.columns.startsWith(one.columns) &&
        (other.columns !== one.columns || other.isUnique || place < at),
    );
    return by === undefined ? [] : [{ index: one.name, by: by.name, isSame: by.columns === one.columns }];
  });
}
