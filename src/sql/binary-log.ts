import { StringDecoder } from "node:string_decoder";
import { CliError } from "../errors.ts";
import type { Row, Sql } from "./connection.ts";
import { serverCode } from "./explain.ts";
import { withoutTexts } from "./statements.ts";

/** The binary log of a MySQL server. */
export interface BinaryLog {
  readonly isOn: boolean;
  /** `ROW`, `MIXED` or `STATEMENT`. */
  readonly format: string;
  /** Undefined where nothing is ever deleted. */
  readonly keptDays: number | undefined;
  /** Databases that alone are in it (`binlog_do_db`), and others that are not (`binlog_ignore_db`). */
  readonly only: readonly string[];
  readonly without: readonly string[];
  /** Oldest first. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** Variables of the server that say whether and how the log is kept, by name. */
export async function logSettings(sql: Sql): Promise<ReadonlyMap<string, string>> {
  const found = await sql.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_expire_logs_seconds')",
  );
  return new Map(found.map((row) => [row["Variable_name"] ?? "", row["Value"] ?? ""]));
}

/** @throws CliError where the user may not look at it. */
export async function readBinaryLog(sql: Sql): Promise<BinaryLog> {
  const values = await logSettings(sql);
  const isOn = values.get("log_bin") === "ON";
  const seconds = Number(values.get("binlog_expire_logs_seconds") ?? 0);
  const files = isOn ? await sql.rows("SHOW BINARY LOGS") : [];
  const [filters] = isOn ? await logStatus(sql) : [];
  const namesIn = (column: string) => (filters?.[column] ?? "").split(",").filter((name) => name !== "");
  return {
    isOn,
    format: values.get("binlog_format") ?? "",
    keptDays: seconds === 0 ? undefined : seconds / 86_400,
    only: namesIn("Binlog_Do_DB"),
    without: namesIn("Binlog_Ignore_DB"),
    files: files.map((row) => ({ name: row["Log_name"] ?? "", bytes: Number(row["File_size"]) })),
  };
}

/** MySQL 8.4 knows the former words no more. */
function logStatus(sql: Sql): Promise<readonly Row[]> {
  return sql.rows("SHOW MASTER STATUS").catch((error: unknown) => {
    if (serverCode(error) !== "ER_PARSE_ERROR") throw error;
    return sql.rows("SHOW BINARY LOG STATUS");
  });
}

/** Whether changes of a database are written down in the log at all. Pure. */
export function isLogged({ only, without }: BinaryLog, database: string): boolean {
  return only.length > 0 ? only.includes(database) : !without.includes(database);
}

/** Ends a statement in what `mysqlbinlog` prints. */
const delimiter = "/*!*/;";
/** Time and end of an event; 0 as its end has what is no event of the log at this place. */
const eventLine = /^#(\d\d)(\d\d)(\d\d) +(\d+):(\d\d):(\d\d) server id \d+ +end_log_pos [1-9]/;

/**
 * The statements of what `mysqlbinlog` prints in UTC.
 * @throws CliError where its first event is older than it may be: the log is that of another server then.
 */
export async function* logStatements(output: AsyncIterable<Buffer>, notBefore: Date): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let lines: string[] = [];
  let isDelimited = false;
  let isFirst = true;
  for await (const bytes of output) {
    const all = `${rest}${decoder.write(bytes)}`.split("\n");
    rest = all.pop() ?? "";
    for (const line of all) {
      if (lines.length === 0 && line.startsWith("DELIMITER "))
        isDelimited = line === `DELIMITER ${delimiter}`;
      else if (lines.length === 0 && line.startsWith("#")) {
        const [, year, month, day, hour = "", minute, second] = eventLine.exec(line) ?? [];
        if (year === undefined || !isFirst) continue;
        isFirst = false;
        const at = Date.parse(`20${year}-${month}-${day}T${hour.padStart(2, "0")}:${minute}:${second}Z`);
        if (at >= Math.floor(notBefore.getTime() / 1000) * 1000) continue;
        throw new CliError("the binary log at the position of the backup is another one than then", {
          hint: "the URL has to name the server that the backup is of",
        });
      } else if (isDelimited && (lines.length > 0 || line !== "")) {
        lines.push(line);
        if (!line.endsWith(delimiter)) continue;
        yield lines.join("\n").slice(0, -delimiter.length).trim();
        lines = [];
      }
    }
  }
}

/** By MySQL's and MariaDB's `log_event.h`: maps a number to a table, for the rows behind it. */
const tableMap = 19;
const rowEvents: ReadonlySet<number> = new Set([23, 24, 25, 30, 31, 32, 39, 166, 167, 168, 169, 170, 171]);
const headerBytes = 19;

/** The databases of whose rows a BINLOG statement is; undefined where it has rows of none that it names. Pure. */
function databasesIn(statement: string): Set<string> | undefined {
  const names = new Set<string>();
  let hasRows = false;
  const text = statement.replace(/^BINLOG\s*'/, "").replace(/'$/, "");
  // Each event is base64 of its own, with padding in the middle of the whole.
  const bytes = Buffer.concat((text.match(/[^=]+={0,2}/g) ?? []).map((part) => Buffer.from(part, "base64")));
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const type = bytes[at + 4] ?? 0;
    const length = bytes.readUInt32LE(at + 9);
    if (length < headerBytes || at + length > bytes.length) return undefined;
    if (type === tableMap) {
      const size = bytes[at + headerBytes + 8] ?? 0;
      names.add(bytes.toString("utf8", at + headerBytes + 9, at + headerBytes + 9 + size));
    } else if (rowEvents.has(type)) hasRows = true;
    at += length;
  }
  return hasRows && names.size === 0 ? undefined : names;
}

/** Whether a statement changes anything: those of transactions and of settings, and the one that tells a log's format, do not. Pure. */
export function changesSomething(statement: string): boolean {
  if (statement.startsWith("BINLOG")) return databasesIn(statement)?.size !== 0;
  return !/^(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET)\b/i.test(statement);
}

/** What of a log changes one database, whose name `mysqlbinlog` has replaced by that of another one. */
export interface Replay {
  readonly original: string;
  readonly scratch: string;
}

/**
 * Tells what of a statement of the log is to be run: undefined for what changes nothing in the database that is meant.
 * @throws CliError for one that would change another database, or that says what to do instead of what became of it.
 */
export function replayed({ original, scratch }: Replay): (statement: string) => string | undefined {
  let place: string | undefined;
  return (statement) => {
    if (statement.startsWith("BINLOG")) {
      const names = databasesIn(statement);
      if (names === undefined || names.has(original) || (names.has(scratch) && names.size > 1))
        throw refused("rows of several databases in one statement");
      return names.size === 0 || names.has(scratch) ? statement : undefined;
    }
    const [, named] = /^use `((?:[^`]|``)*)`$/i.exec(statement) ?? [];
    if (named !== undefined) {
      place = named.replaceAll("``", "`");
      return undefined;
    }
    // Defaults of new columns are of the time when these were made.
    if (/^SET TIMESTAMP=[\d.]+$/i.test(statement)) return statement;
    if (setting.test(statement)) return undefined;
    const text = withoutTexts(statement.replaceAll(conditional, " $1 "), "mysql").trim();
    if (ofTransaction.test(text)) return text;
    const isHere = place === scratch;
    // A number has a dot too.
    const dotted = text.matchAll(/(?!\d+\.\d)([\w$]+|`[^`]+`)\s*\.\s*[\w$`]/g);
    const names = Array.from(dotted, ([, name = ""]) => name.replaceAll("`", ""));
    // Without values: these may be of people.
    const begin = text.slice(0, 40).replaceAll(/\s+/g, " ");
    // Of a whole database, wherever it is said.
    const [, whole] = ofDatabase.exec(text) ?? [];
    if (whole !== undefined && [original, scratch].includes(whole.replaceAll("`", "")))
      throw refused(`\`${begin}\``);
    if (whole !== undefined || (!isHere && !names.includes(original))) return undefined;
    if (madeElsewhere.test(text)) return undefined;
    if (isHere && names.length === 0 && tables.test(text)) return statement;
    throw refused(`\`${begin}\``);
  };
}

const ofDatabase =
  /^(?:CREATE|DROP|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:DATABASE|SCHEMA)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(`[^`]+`|[\w$]+)/i;

/** What servers run of a comment. */
const conditional = /\/\*M?!\d*((?:(?!\*\/)[^])*)\*\//g;
/** For the connection alone; one `FOR` a statement is none. */
const setting = /^(?:SET\b(?!\s+STATEMENT\b)|\/\*M?!\d*\s*(?:SET\b|\\C)(?:(?!\*\/)[^])*\*\/$)/i;
const ofTransaction =
  /^(?:BEGIN|START TRANSACTION|COMMIT|ROLLBACK|(?:SAVEPOINT|ROLLBACK TO|RELEASE SAVEPOINT) (?:`[^`]+`|[\w$]+))$/i;

/** Views, functions and triggers come by the model's file in the end, and users are nobody's here. */
const madeElsewhere =
  /^(?:GRANT|REVOKE|FLUSH|ANALYZE|OPTIMIZE|REPAIR)\b|^(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:ALGORITHM\s*=\s*\w+\s+)?(?:DEFINER\s*=\s*(?:`[^`]*`|[^\s`])+\s+)?(?:SQL\s+SECURITY\s+\w+\s+)?(?:AGGREGATE\s+)?(?:VIEW|FUNCTION|PROCEDURE|TRIGGER|EVENT|USER|ROLE|TEMPORARY)\b/i;
const tables =
  /^(?:TRUNCATE\b|(?:CREATE|ALTER|DROP|RENAME)\s+(?:OR\s+REPLACE\s+)?(?:(?:UNIQUE\s+|FULLTEXT\s+)?INDEX|TABLE)\b)/i;

function refused(what: string): CliError {
  return new CliError(`the binary log holds what cannot be done again in another database: ${what}`, {
    hint: "name a moment before it",
  });
}
