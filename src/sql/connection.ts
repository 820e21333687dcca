import { rootCertificates } from "node:tls";
import { CliError, exitCodes } from "../errors.ts";
import { readTextFile } from "../text-file.ts";
import type { Address, Engine } from "./address.ts";
import { explained } from "./explain.ts";

/** A row, every value as the text that the server has for it, so that no digit and no zone is lost. */
export type Row = Readonly<Record<string, string | null>>;

/** One connection to one server. Its errors are told as `CliError`s, where the server or the network said why. */
export interface Sql {
  readonly engine: Engine;
  /** Where it goes, without user and password. */
  readonly where: string;
  /** Values are always parameters: `?` in MySQL, `$1` in PostgreSQL. */
  rows(statement: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
  /** A statement that changes rows; answers how many it met. */
  change(statement: string, values: readonly (string | null)[]): Promise<number>;
  /** The rows of a large answer, some hundreds at a time, as fast as they are taken. */
  stream(statement: string): AsyncGenerator<readonly Row[]>;
  /** A statement of a file, without parameters. */
  run(statement: string): Promise<void>;
  /** A name as it stands in a statement. */
  quoted(name: string): string;
  close(): Promise<void>;
}

/** What an engine's driver has to do. */
export interface Driver {
  rows(statement: string, values: readonly (string | null)[]): Promise<readonly Row[]>;
  change(statement: string, values: readonly (string | null)[]): Promise<number>;
  stream(statement: string): AsyncGenerator<readonly Row[]>;
  run(statement: string): Promise<void>;
  end(): Promise<void>;
}

export interface Opening {
  /** Milliseconds until a server that does not answer is given up. */
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** The usual authorities and those of a file. @throws CliError (usage) where it cannot be read. */
async function believed(path: string): Promise<string[]> {
  const file = await readTextFile(path, { what: "a file of certificates", mostBytes: 4_000_000 });
  if (file !== undefined) return [...rootCertificates, file];
  throw new CliError(`there is no ${path}`, { exitCode: exitCodes.usage, hint: "sslrootcert names it" });
}

/**
 * Opens a connection. The driver is loaded on first use.
 * @throws CliError that says which host, and what to do.
 */
export async function openSql(address: Address, where: string, opening: Opening): Promise<Sql> {
  const { engine } = address;
  const authorities = address.authorities === undefined ? undefined : await believed(address.authorities);
  const telling = async <T>(call: () => Promise<T>): Promise<T> => {
    opening.signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      opening.signal.throwIfAborted();
      throw explained(error, where);
    }
  };
  const driver = await telling(async () => {
    if (engine === "mysql") return (await import("./mysql.ts")).connectMysql(address, authorities, opening);
    return (await import("./postgres.ts")).connectPostgres(address, authorities, opening);
  });
  // What is under way ends with the connection.
  const onAbort = () => void driver.end().catch(() => undefined);
  opening.signal.addEventListener("abort", onAbort, { once: true });
  const mark = engine === "mysql" ? "`" : '"';
  return {
    engine,
    where,
    rows: (statement, values = []) => telling(() => driver.rows(statement, values)),
    change: (statement, values) => telling(() => driver.change(statement, values)),
    async *stream(statement) {
      const rows = driver.stream(statement);
      try {
        for (;;) {
          const next = await telling(() => rows.next());
          if (next.done === true) return;
          yield next.value;
        }
      } finally {
        await rows.return(undefined);
      }
    },
    run: (statement) => telling(() => driver.run(statement)),
    quoted(name) {
      // The driver would take it for the place of a value.
      if (engine === "mysql" && name.includes("?")) throw new CliError(`${where}: a name has a ? in it`);
      return `${mark}${name.replaceAll(mark, mark + mark)}${mark}`;
    },
    async close() {
      opening.signal.removeEventListener("abort", onAbort);
      await driver.end().catch(() => undefined);
    },
  };
}
