import { parse } from "csv-parse/sync";
import type { UserAttribute } from "../aws/cognito/users-list.ts";
import { decodeText, textEncoding } from "../decode-text.ts";
import { CliError, exitCodes } from "../errors.ts";
import { isRecord, own, type JsonObject } from "../model/json.ts";
import { csvLine } from "../output/csv.ts";

/** One account that a file asks for. */
export interface ImportRow {
  /** Its place in the file, from 1: the line of a CSV file, the element of a list. */
  readonly number: number;
  readonly email: string;
  readonly groups: readonly string[];
  /** But the address. */
  readonly attributes: readonly UserAttribute[];
}

/** Where the names of the columns are not the attributes'. `user list --csv` has those that an import makes nothing of. */
const groupColumns = new Set(["group", "groups"]);
const ignoredColumns = new Set(
  "username userId sub status enabled createdAt modifiedAt email_verified error".split(" "),
);

/**
 * The rows of a CSV file with a head (`email`, `name`, `group`, other attributes; several groups by semicolons), of a JSON list, or of a line
 * of JSON each, as `user list` writes them; in UTF-8 or UTF-16. @throws CliError (usage) for what is none of these, and where a cell would be
 * lost.
 */
export function parseRows(bytes: Uint8Array, where: string): ImportRow[] {
  const text = textOf(bytes, where);
  const start = text.trimStart()[0];
  const rows = start === "[" || start === "{" ? jsonRows(text, where) : csvRows(text, where);
  if (rows.length === 0) throw new CliError(`${where} has no rows`, { exitCode: exitCodes.usage });
  return rows;
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return decodeText(bytes, { fatal: true });
  } catch (error) {
    const isUtf8 = textEncoding(bytes) === "utf-8";
    throw new CliError(isUtf8 ? `${where}: line ${badLine(bytes)} is not UTF-8` : `${where} is no text`, {
      exitCode: exitCodes.usage,
      hint: `save it as UTF-8: Excel calls that "CSV UTF-8"; or: iconv -f WINDOWS-1252 -t UTF-8 ${where}`,
      cause: error,
    });
  }
}

/** The first line, from 1, that has bytes which are no UTF-8. */
function badLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let line = 1, start = 0; ; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoder.decode(bytes.subarray(start, end === -1 ? undefined : end));
    } catch {
      return line;
    }
    if (end === -1) return line;
    start = end + 1;
  }
}

function csvRows(text: string, where: string): ImportRow[] {
  let lines: { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
  try {
    const options = { relax_column_count: true, skip_empty_lines: true, info: true } as const;
    lines = parse(text, options) as unknown as typeof lines;
  } catch (error) {
    throw new CliError(`${where} is no CSV: ${error instanceof Error ? error.message : ""}`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
  const [head, ...rest] = lines;
  const columns = (head?.record ?? []).map((name) => name.trim());
  const wrong = (why: string, hint: string) =>
    new CliError(`${where}${why}`, { exitCode: exitCodes.usage, hint });
  if (!columns.includes("email")) {
    const other = columns.some((name) => name.includes(";")) ? "semicolons" : "tabs";
    const isOther = columns.some((name) => /[;\t]/.test(name));
    const hint = "the first line names the columns: email,name,group";
    throw wrong(
      ' has no column "email"',
      isOther ? `its cells are divided by ${other}: save it with commas; ${hint}` : hint,
    );
  }
  const twice = columns.find((name, at) => name !== "" && columns.indexOf(name) !== at);
  if (twice !== undefined)
    throw wrong(
      ` has two columns ${JSON.stringify(twice)}`,
      "one of them would be lost: rename or remove it",
    );
  return rest.map(({ record, info: { lines: line } }) => {
    const lost = record.findIndex((cell, at) => (columns[at] ?? "") === "" && cell.trim() !== "");
    if (lost !== -1) {
      throw wrong(
        `: line ${line} has something in cell ${lost + 1}, which no column is for`,
        'a text with a comma in it is written in quotes: "Doe, Jane"',
      );
    }
    return rowOf(line, Object.fromEntries(columns.map((name, at) => [name, unguarded(record[at] ?? "")])));
  });
}

/** Without the apostrophe that keeps a spreadsheet from taking a text for a formula. */
function unguarded(cell: string): string {
  return cell.replace(/^'(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\t\r\n])/, "").trim();
}

function jsonRows(text: string, where: string): ImportRow[] {
  const isList = text.trimStart().startsWith("[");
  let all: unknown;
  try {
    const lines = isList ? [] : text.split("\n").filter((line) => line.trim() !== "");
    all = isList ? JSON.parse(text) : lines.map((line) => JSON.parse(line) as unknown);
  } catch (error) {
    throw new CliError(`${where} is no JSON`, { exitCode: exitCodes.usage, cause: error });
  }
  return (Array.isArray(all) ? all : []).map((value: unknown, at) => {
    if (!isRecord(value)) {
      throw new CliError(`${where}: element ${at + 1} is no object`, { exitCode: exitCodes.usage });
    }
    const { attributes, ...rest } = value;
    return rowOf(at + 1, isRecord(attributes) ? { ...rest, ...attributes } : rest);
  });
}

function rowOf(number: number, values: JsonObject): ImportRow {
  const groups = [...groupColumns].flatMap((name) => {
    const value = own(values, name);
    return Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(";") : [];
  });
  const attributes = Object.entries(values).flatMap(([name, value]) =>
    name === "email" ||
    name === "" ||
    groupColumns.has(name) ||
    ignoredColumns.has(name) ||
    value === "" ||
    value === null
      ? []
      : [{ name, value: typeof value === "string" ? value : JSON.stringify(value) }],
  );
  const { email } = values;
  return {
    number,
    email: typeof email === "string" ? email.trim() : "",
    groups: [...new Set(groups.map((group) => group.trim()).filter((group) => group !== ""))],
    attributes,
  };
}

/** Rows with what was wrong with each, as a file that `parseRows` takes. Pure. */
export function* rowsText(
  rows: readonly { readonly row: ImportRow; readonly error: string }[],
  format: "csv" | "json",
): Generator<string> {
  if (format === "json") {
    const values = rows.map(({ row: { email, groups, attributes }, error }) => ({
      email,
      ...(groups.length === 0 ? {} : { groups }),
      ...Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
      error,
    }));
    return yield `${JSON.stringify(values, undefined, 2)}\n`;
  }
  const names = [...new Set(rows.flatMap(({ row }) => row.attributes.map(({ name }) => name)))];
  yield csvLine(["email", ...names, "groups", "error"]);
  for (const { row, error } of rows) {
    const values = names.map((name) => row.attributes.find((each) => each.name === name)?.value ?? "");
    yield csvLine([row.email, ...values, row.groups.join(";"), error]);
  }
}
