import { CliError, exitCodes } from "../errors.ts";
import { isDeeperThan } from "../model/json.ts";

export interface SourceQuery {
  /** The one localStorage key that may be read out, such as `digitalTwinTraining`. */
  readonly key: string;
  /** Whether a value is what the key holds, and not a dump that happens to be an object too. */
  fits(value: unknown): boolean;
  /** For messages: `digital twin`. */
  readonly what: string;
}

export interface Source {
  readonly value: unknown;
  /** How it was wrapped: bare, as a JSON string, in a dump of localStorage, or in our own console line. */
  readonly shape: "value" | "string" | "dump" | "console-line";
}

/** Far beyond what anything stores; below it every value can be walked through. */
const maxLevels = 100;
/** Deep enough for a dump of a value that was encoded twice; more layers are nobody's export. */
const maxLayers = 4;

/**
 * Takes the value of one localStorage key from text: the value as JSON; that JSON as a JSON string (encoded twice);
 * a dump of localStorage as an object `{key: string}`; or what `export` writes, as JSON or as a console line.
 *
 * A dump holds login tokens and API keys beside the key asked for. So nothing but this key's value is returned,
 * an object that is neither the value nor a dump with this key is refused, and no error quotes or names anything
 * that was read; syntax errors give line and column only.
 *
 * @throws CliError with exit code 4 when the text is not such a source.
 */
export function readSource(text: string, query: SourceQuery): Source {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (trimmed === "") throw unusable(`there is nothing in the source of the ${query.what}`);
  const line = consoleLineValue(trimmed, query.key);
  const outer = parseLayers(line ?? trimmed, query.what);
  if (query.fits(outer.value)) {
    return {
      value: outer.value,
      shape: line !== undefined ? "console-line" : outer.layers > 1 ? "string" : "value",
    };
  }
  const entry = dumpEntry(outer.value, query.key);
  if (entry === undefined) {
    throw unusable(`the source holds neither a ${query.what} nor a key ${query.key}`, {
      hint: `a source is the value of ${query.key} as JSON, or a dump of localStorage that has this key`,
    });
  }
  const value = typeof entry.value === "string" ? parseLayers(entry.value, query.what).value : entry.value;
  if (!query.fits(value)) throw unusable(`the key ${query.key} of the source does not hold a ${query.what}`);
  return { value, shape: "dump" };
}

/** Parses JSON, and again while the outcome is a string: the website's tools encode twice now and then. */
function parseLayers(text: string, what: string): { value: unknown; layers: number } {
  let value: unknown = parseJson(text, what);
  let layers = 1;
  for (; typeof value === "string" && layers < maxLayers; layers += 1) value = parseJson(value, what);
  return { value, layers };
}

/** V8 quotes the text around a syntax error, which may be a token: only the position is passed on. */
function parseJson(text: string, what: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (isDeeperThan(value, maxLevels)) {
      throw unusable(`the source of the ${what} is nested deeper than ${maxLevels} levels`);
    }
    return value;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? "" : ` (${lineAndColumn(text, Number(position))})`;
    throw unusable(`the source of the ${what} is not JSON${where}`, {
      hint: "copy it again: an export that was interrupted is the usual reason",
    });
  }
}

function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  return `line ${line}, column ${position - before.lastIndexOf("\n")}`;
}

/** The own entry of a dump; inherited names such as `constructor` are no keys. */
function dumpEntry(dump: unknown, key: string): { value: unknown } | undefined {
  if (typeof dump !== "object" || dump === null || Array.isArray(dump) || !Object.hasOwn(dump, key))
    return undefined;
  return { value: (dump as Readonly<Record<string, unknown>>)[key] };
}

/** The text in a line that `localStorageLine` of twin/snippets.ts wrote; undefined for any other text. */
function consoleLineValue(text: string, key: string): string | undefined {
  const start = `localStorage.setItem(${JSON.stringify(key)}, `;
  const end = /\);?$/.exec(text);
  if (!text.startsWith(start) || end === null) return undefined;
  const literal = parseJson(text.slice(start.length, end.index), "console line");
  return typeof literal === "string" ? literal : undefined;
}

function unusable(message: string, options: { hint?: string } = {}): CliError {
  return new CliError(message, { ...options, exitCode: exitCodes.findings });
}
