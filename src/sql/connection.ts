import { CliError, exitCodes } from "../errors.ts";
import { readTextFile } from "../text-file.ts";
import type { Engine, ServerAddress } from "./address.ts";
import { explained } from "./explain.ts";
import type { Lines } from "./line-writer.ts";

/** A row, every value as the text that the server has for it, so that no digit and no zone is lost. */
export type Row = Readonly<Record<string, string | null>>;

/** A table, and those of its columns that are given. */
export interface Into {
  readonly name: string;
  /** `hex`: bytes, as hexadecimal digits. */
  readonly columns: readonly { readonly name: string; readonly as: "text" | "hex" | "exact" }[];
}

/** One connection to one server. Its errors are told as `CliError`s, where the server or the network said why. */
export interface Sql {
  readonly engine: Engine;
  /** Where it goes, without user and password. */
  readonly where: string;
  /** Values are always parameters: `?` in MySQL, `$1` in PostgreSQL. */
  rows(statement: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
  /** A statement that changes rows; answers how many it met. */
  change(statement: string, values: readonly (string | null)[]): Promise<number>;
  /** Inserts rows, all or none of them. */
  insert(into: Into, rows: readonly Row[]): Promise<void>;
  /** The rows of a large answer, some hundreds at a time, as fast as they are taken. */
  stream(statement: string): AsyncGenerator<readonly Row[]>;
  /** The same as lines of JSON, `{"Row":{"id":"1","bio":null}}`, each with its newline; `columns` names those of the answer. */
  lines(statement: string, columns: readonly string[]): AsyncGenerator<Lines>;
  /** A statement of a file, without parameters. */
  run(statement: string): Promise<void>;
  /** The same, however long it takes: a large table may be written anew for hours. */
  runLong(statement: string): Promise<void>;
  /** A name as it stands in a statement. */
  quoted(name: string): string;
  close(): Promise<void>;
}

/** The values of a row, one for each column. */
export type Tuple = readonly (string | Buffer | null)[];

/** What an engine's driver has to do. */
export interface Driver {
  rows(statement: string, values: readonly (string | null)[]): Promise<readonly Row[]>;
  change(statement: string, values: readonly (string | null)[]): Promise<number>;
  /** `into` names a table and its columns. */
  insert(into: string, tuples: readonly Tuple[]): Promise<void>;
  stream(statement: string): AsyncGenerator<readonly Row[]>;
  lines(statement: string, columns: readonly string[]): AsyncGenerator<Lines>;
  run(statement: string): Promise<void>;
  runLong(statement: string): Promise<void>;
  end(): Promise<void>;
}

export interface Opening {
  /** Milliseconds until a server that does not answer is given up. */
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes a lock that lies in a folder, for this process alone; of a server nobody needs one. */
  readonly lock: (folder: string) => Promise<Lock>;
  /** Told what takes seconds. */
  readonly progress: (text: string) => void;
}

/** Let go of by the system, too, when the process ends in any other way. */
export interface Lock {
  release(): Promise<void>;
}

/** The usual authorities and those of a file. @throws CliError (usage) where it cannot be read. */
async function believed(path: string): Promise<string[]> {
  const file = await readTextFile(path, { what: "a file of certificates", mostBytes: 4_000_000 });
  if (file !== undefined) {
    // Here, not above: backups of every site come through this file, and it takes milliseconds.
    const { rootCertificates } = await import("node:tls");
    return [...rootCertificates, file];
  }
  throw new CliError(`there is no ${path}`, { exitCode: exitCodes.usage, hint: "sslrootcert names it" });
}

/**
 * Opens a connection to a server. The driver is loaded on first use.
 * @throws CliError that says which host, and what to do.
 */
export async function openSql(address: ServerAddress, where: string, opening: Opening): Promise<Sql> {
  const { engine } = address;
  const authorities = address.authorities === undefined ? undefined : await believed(address.authorities);
  return sqlBy(engine, { where, opening }, async () => {
    if (engine === "mysql") return (await import("./mysql.ts")).connectMysql(address, authorities, opening);
    return (await import("./postgres.ts")).connectPostgres(address, authorities, opening);
  });
}

/** A connection by an engine's driver. @throws CliError where it cannot be made. */
export async function sqlBy(
  engine: Engine,
  { where, opening }: { readonly where: string; readonly opening: Opening },
  connect: () => Promise<Driver>,
): Promise<Sql> {
  const telling = async <T>(call: () => Promise<T>): Promise<T> => {
    opening.signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      opening.signal.throwIfAborted();
      throw explained(error, where);
    }
  };
  async function* tellingAll<T>(batches: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = await telling(() => batches.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await batches.return(undefined);
    }
  }
  const driver = await telling(connect);
  // What is under way ends with the connection.
  const onAbort = () => void driver.end().catch(() => undefined);
  opening.signal.addEventListener("abort", onAbort, { once: true });
  const mark = engine === "mysql" ? "`" : '"';
  const quoted = (name: string) => {
    // The driver would take it for the place of a value.
    if (engine === "mysql" && name.includes("?")) throw new CliError(`${where}: a name has a ? in it`);
    return `${mark}${name.replaceAll(mark, mark + mark)}${mark}`;
  };
  return {
    engine,
    where,
    rows: (statement, values = []) => telling(() => driver.rows(statement, values)),
    change: (statement, values) => telling(() => driver.change(statement, values)),
    async insert({ name, columns }, rows) {
      const names = columns.map((column) => quoted(column.name)).join(", ");
      const tuples = rows.map((row) =>
        columns.map((column) => {
          const value = valueIn(row, column.name);
          return value !== null && column.as === "hex" ? bytesOf(value) : value;
        }),
      );
      await telling(() => driver.insert(`${quoted(name)} (${names})`, tuples));
    },
    stream: (statement) => tellingAll(driver.stream(statement)),
    lines: (statement, columns) => tellingAll(driver.lines(statement, columns)),
    run: (statement) => telling(() => driver.run(statement)),
    runLong: (statement) => telling(() => driver.runLong(statement)),
    quoted,
    async close() {
      opening.signal.removeEventListener("abort", onAbort);
      await driver.end().catch(() => undefined);
    },
  };
}

/** MySQL writes a BIT with as few digits as it takes: 5 is one. */
function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

/** The value of a column; null where the row has none of that name. Pure. */
export function valueIn(row: Row, name: string): string | null {
  return Object.hasOwn(row, name) ? (row[name] ?? null) : null;
}
