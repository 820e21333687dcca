import { CliError, exitCodes } from "../errors.ts";
import type { Engine } from "./address.ts";
import { statementsIn, withoutTexts } from "./statements.ts";

const kinds =
  /^(CREATE\s+(OR\s+REPLACE\s+)?((UNIQUE\s+)?INDEX|TABLE|VIEW|FUNCTION|TRIGGER|TYPE)\b|INSERT\s+INTO\b|ALTER\s+TABLE\b)/i;

/** Whatever these do, they do it outside of the tables that a file makes, or run a text as a statement. */
const forbidden =
  /\b(USE|DROP|TRUNCATE|GRANT|REVOKE|LOAD|OUTFILE|DUMPFILE|CALL|EXECUTE(?!\s+(?:FUNCTION|PROCEDURE)\b)|PREPARE|COPY|SET_CONFIG|DBLINK\w*|PG_(?!CATALOG)\w+|LO_\w+|SECURITY\s+DEFINER|DEFINER\s*=)\b/i;

/** A table of another database or schema, where something is made, written or pointed at. */
const elsewhere =
  /\b(INTO|UPDATE|DELETE\s+FROM|TABLE(?:\s+IF\s+NOT\s+EXISTS)?|VIEW|FUNCTION|TRIGGER|REFERENCES|REPLACE)\s+[`"]?\w+[`"]?\s*\.|\bINDEX\s+\S+\s+ON\s+[`"]?\w+[`"]?\s*\.|\bTRIGGER\b[^]*?\bON\s+[`"]?\w+[`"]?\s*\./i;

/**
 * The statements of a model's SQL file, which a server is about to run: they may make tables, indexes, views, functions, triggers
 * and types, and put rows of values in; nothing else, and nothing anywhere else. A dump of a database (`USE`, `DROP TABLE`) would
 * act on the live one.
 * @throws CliError (usage) for the first that does more.
 */
export function schemaStatements(file: string, engine: Engine): string[] {
  const statements = statementsIn(file, engine);
  for (const statement of statements) {
    const text = withoutTexts(statement, engine);
    const why = !kinds.test(text)
      ? "neither makes anything nor inserts rows"
      : /\/\*M?[!+]/.test(statement)
        ? "has a comment that servers run"
        : (/^INSERT\b/i.test(text) && /\bSELECT\b/i.test(text)) || forbidden.test(text)
          ? "does more than that"
          : elsewhere.test(text)
            ? "names another database or schema"
            : undefined;
    if (why === undefined) continue;
    const begin = statement.slice(0, 60).replaceAll(/\s+/g, " ");
    throw new CliError(`the model's SQL file is not run: \`${begin}\` ${why}`, {
      exitCode: exitCodes.usage,
      hint: "it makes tables, indexes, views, functions, triggers and types, by names without a database, and inserts values",
    });
  }
  return statements;
}
