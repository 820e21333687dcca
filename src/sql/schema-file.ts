import { CliError, exitCodes } from "../errors.ts";
import type { Engine } from "./address.ts";
import { changesRows, rowChange } from "./row-change.ts";
import { ambiguityIn, outerWords, statementsIn, withoutTexts } from "./statements.ts";

/** What the statements of a file may do. */
interface Allowed {
  /** As messages call the file. */
  readonly file: string;
  readonly kinds: RegExp;
  readonly forbidden: RegExp;
  /** What a statement does that is of none of these kinds; and what such a file is for. */
  readonly other: string;
  readonly hint: string;
  /** Whether it runs where rows are already. */
  readonly isMigration?: boolean;
}

const kinds =
  /^(CREATE\s+(OR\s+REPLACE\s+)?((UNIQUE\s+)?INDEX|TABLE|VIEW|FUNCTION|TRIGGER|TYPE)\b|INSERT\s+INTO\b|ALTER\s+TABLE\b)/i;

/** Whatever these do, they do it outside of the tables that a file makes, or run a text as a statement. */
const never = String.raw`USE|TRUNCATE|GRANT|REVOKE|LOAD|OUTFILE|DUMPFILE|CALL|EXECUTE(?!\s+(?:FUNCTION|PROCEDURE)\b)|PREPARE|COPY|SET_CONFIG|DBLINK\w*|PG_(?!CATALOG)\w+|LO_\w+|SECURITY\s+DEFINER|DEFINER\s*=|SET\s+SCHEMA|SONAME`;

/** May stand before the name of a table. */
const beforeName = /\b(ONLY|IF\s+(NOT\s+)?EXISTS|LOW_PRIORITY|IGNORE)\b/gi;
const name = '(?:`[^`]+`|(?:U&)?"[^"]+"|[\\w$\\u0080-\\uffff]+)';
const quotedName: Readonly<Record<Engine, RegExp>> = {
  mysql: /`(?:[^`]|``)+`/g,
  postgres: /"(?:[^"]|"")+"/g,
};
/** A table of another database or schema, where something is made, written or pointed at. */
const elsewhere = new RegExp(
  String.raw`\b(?:(?:INTO|UPDATE|DELETE\s+FROM|TABLE|VIEW|FUNCTION|TRIGGER|TYPE|REFERENCES|REPLACE|RENAME(?:\s+(?:TO|AS))?|PARTITION(?:\s+OF)?|INHERIT|INDEX\b[^(]*?\bON|TRIGGER\b[^]*?\bON)\s+|INHERITS\s*\(\s*)${name}\s*\.`,
  "i",
);

/** A function in any other language is one of the server's machine: a library, a shell. */
function isOfMachine(statement: string, engine: Engine): boolean {
  const text = withoutTexts(statement, engine, "left out");
  return /\bFUNCTION\b[^]*\bLANGUAGE(?!\s+(?:SQL|PLPGSQL)\b)/i.test(text);
}

/** Whether an `INSERT` also changes a row that is there already. */
function changesThere(statement: string, engine: Engine): boolean {
  const words = outerWords(statement, engine).map(({ word }) => word);
  return words[0] === "INSERT" && /\b(ON DUPLICATE KEY UPDATE|DO UPDATE)\b/.test(words.join(" "));
}

const schema: Allowed = {
  file: "the model's SQL file",
  kinds,
  forbidden: new RegExp(`\\b(${never}|DROP)\\b`, "i"),
  other: "neither makes anything nor inserts rows",
  hint: "it makes tables, indexes, views, functions, triggers and types, by names without a database, and inserts values",
};

/**
 * The statements of a model's SQL file, which a server is about to run: they may make tables, indexes, views, functions, triggers
 * and types, and put rows of values in; nothing else, and nothing anywhere else. A dump of a database (`USE`, `DROP TABLE`) would
 * act on the live one.
 * @throws CliError (usage) for the first that does more.
 */
export function schemaStatements(file: string, engine: Engine): string[] {
  return allowedStatements(file, engine, schema);
}

const things = "TABLE|VIEW|INDEX|FUNCTION|TRIGGER|TYPE";
const parts = String.raw`COLUMN|KEY|(?:PRIMARY|FOREIGN)\s+KEY|CONSTRAINT|CHECK|DEFAULT|NOT\s+NULL`;

/** In a partition or a tablespace go rows that no comparison of schemas misses; the last is in no transaction. */
const neverMigrated = String.raw`DROP\s+(?!(?:${things}|${parts})\b)\w+|TABLESPACE|CONCURRENTLY`;

/**
 * The statements of a file of a migration: those of `schemaStatements`, such as change or drop what these make, and in `up` such as change or
 * delete rows of one table.
 * @param file `name`, for messages.
 * @throws CliError (usage) for the first that does more.
 */
export function migrationStatements(
  text: string,
  engine: Engine,
  { name, direction }: { readonly name: string; readonly direction: "up" | "down" },
): string[] {
  const changes = direction === "up" ? "|^(UPDATE|DELETE)\\b" : "";
  return allowedStatements(text, engine, {
    file: name,
    kinds: new RegExp(`${kinds.source}|^(ALTER|DROP)\\s+(${things})\\b|^RENAME\\s+TABLE\\b${changes}`, "i"),
    forbidden: new RegExp(`\\b(${never}|${neverMigrated})\\b`, "i"),
    isMigration: true,
    other:
      direction === "up"
        ? "neither makes, changes nor drops anything, nor inserts rows"
        : "neither makes, changes nor drops anything: rows that `up` changed come back from its journal by themselves",
    hint: `it makes, changes and drops tables, columns, indexes, views, functions, triggers and types, by names without a database${direction === "up" ? ", inserts values, and changes rows by `UPDATE table SET …` and `DELETE FROM table …`" : ""}`,
  });
}

/**
 * What a text has that no schema file may have, in words that repeat nothing of it but the kind of a statement; undefined where
 * `schemaStatements` takes it. Pure.
 */
export function foreignToSchema(text: string, engine: Engine): string | undefined {
  const found = firstForeign(text, engine, schema);
  if (found?.statement === undefined) return found?.why;
  const [kind] = /^[a-z]+(?:\s+[a-z]+)?\b/i.exec(found.statement) ?? [];
  return `${kind?.replace(/\s+/, " ").toUpperCase().slice(0, 40) ?? "a statement"}, which ${found.why}`;
}

function allowedStatements(file: string, engine: Engine, allowed: Allowed): string[] {
  const found = firstForeign(file, engine, allowed);
  if (found === undefined) return statementsIn(file, engine);
  const { statement, why } = found;
  const what =
    statement === undefined
      ? `it has ${why}`
      : `\`${statement.slice(0, 60).replaceAll(/\s+/g, " ")}\` ${why}`;
  throw new CliError(`${allowed.file} is not run: ${what}`, {
    exitCode: exitCodes.usage,
    hint: allowed.hint,
  });
}

interface Foreign {
  /** Undefined where it is about the file. */
  readonly statement?: string;
  readonly why: string;
}

/** Whether an `INSERT` reads the rows that it puts in. */
function isOfRows(text: string): boolean {
  return /^INSERT\b/i.test(text) && /\bSELECT\b/i.test(text);
}

function firstForeign(file: string, engine: Engine, allowed: Allowed): Foreign | undefined {
  for (const statement of statementsIn(file, engine)) {
    const text = withoutTexts(statement, engine);
    // A dot within a name is none between two.
    const named = text.replaceAll(quotedName[engine], (quoted) => `${quoted[0]}n${quoted[0]}`);
    const isDotted =
      /^(DROP|RENAME)\b/i.test(named) && /[\w$\u0080-\uffff`"]\s*\.\s*[\w$\u0080-\uffff`"]/.test(named);
    // Which may run a text that nobody has looked at.
    const isQuoted = /^CREATE\s[^(]*\bFUNCTION\b/i.test(text) && /\bAS\s+(U&)?''/i.test(text);
    const why = !allowed.kinds.test(text)
      ? allowed.other
      : /\/\*M?[!+]/.test(statement)
        ? "has a comment that servers run"
        : isQuoted
          ? "has its body in quotes: it goes between $$ and $$"
          : changesRows(text) && rowChange(statement, engine) === undefined
            ? "changes rows of which it cannot be told that they are of one table"
            : allowed.isMigration === true && isOfRows(text)
              ? "makes rows of other rows, and a migration puts in rows of values alone: run it by hand, between two of `mawps migrate up --to`"
              : isOfRows(text) || allowed.forbidden.test(text) || isOfMachine(statement, engine)
                ? "does more than that"
                : allowed.isMigration === true && changesThere(statement, engine)
                  ? "changes rows that are there, and an INSERT only puts in those that are missing: let an UPDATE statement of its own stand behind it"
                  : elsewhere.test(named.replaceAll(beforeName, " ")) || isDotted
                    ? "names another database or schema"
                    : undefined;
    if (why !== undefined) return { statement, why };
  }
  const ambiguity = ambiguityIn(file, engine);
  return ambiguity === undefined ? undefined : { why: ambiguity };
}
