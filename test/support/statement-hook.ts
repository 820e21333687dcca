import * as mysql from "mysql2";
import pg from "pg";

interface Asking {
  query(this: unknown, ...given: unknown[]): unknown;
}

/** Of MySQL's driver: it answers a statement by a command at once, and takes one that was made before. */
interface Connected {
  readonly prototype: Asking;
  readonly createQuery: (...given: unknown[]) => unknown;
}

type Act = (statement: string) => Promise<void> | undefined;

/**
 * Calls `act` with each statement that changes rows, and with the end of a transaction, right before a driver sends it. What is so behind one is
 * so before the next. A statement waits for what `act` promises.
 * @returns takes that back.
 */
export function beforeChanges(act: Act): () => void {
  return beforeStatements(/^(INSERT|UPDATE|DELETE|COMMIT)\b/, act);
}

/** As `beforeChanges`, of the statements that are `meant`; rows that PostgreSQL copies go by none. */
export function beforeStatements(meant: RegExp, act: Act): () => void {
  const { Connection } = mysql as unknown as { readonly Connection: Connected };
  const undo = [Connection.prototype, pg.Client.prototype as Asking].map((driver) => {
    const query = Reflect.get<Asking, "query">(driver, "query");
    const isOwn = Object.hasOwn(driver, "query");
    driver.query = function (...given) {
      const text = textOf(given[0]);
      const acting = meant.test(text) ? act(text) : undefined;
      if (acting === undefined) return query.apply(this, given);
      if (driver !== Connection.prototype) return acting.then(() => query.apply(this, given));
      const [sql, values, callback] = given;
      const command = Connection.createQuery(sql, values, callback, (this as { config: unknown }).config);
      const send = async () => {
        await acting;
        query.call(this, command);
      };
      void send();
      return command;
    };
    return () => {
      if (isOwn) driver.query = query;
      else Reflect.deleteProperty(driver, "query");
    };
  });
  return () => {
    for (const each of undo) each();
  };
}

/** `DELETE file_attachments`: a statement without its values. */
export function statementName(statement: string): string {
  const [, verb = "", table = ""] = /^(\w+)(?: (?:FROM |INTO )?[`"]?(\w+))?/.exec(statement) ?? [];
  return `${verb} ${table}`.trim();
}

function textOf(statement: unknown): string {
  if (typeof statement === "string") return statement;
  const { sql, text } = statement as { readonly sql?: string; readonly text?: string };
  return sql ?? text ?? "";
}
