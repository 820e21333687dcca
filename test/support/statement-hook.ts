import * as mysql from "mysql2";
import pg from "pg";

interface Asking {
  query(this: unknown, ...given: unknown[]): unknown;
}

/**
 * Calls `act` with each statement that changes rows, and with the end of a transaction, right before a driver sends it. What is so behind one is
 * so before the next. A statement waits for what `act` promises.
 * @returns takes that back.
 */
export function beforeChanges(act: (statement: string) => Promise<void> | undefined): () => void {
  const { Connection } = mysql as unknown as { readonly Connection: { readonly prototype: Asking } };
  const undo = [Connection.prototype, pg.Client.prototype as Asking].map((driver) => {
    const query = Reflect.get<Asking, "query">(driver, "query");
    const isOwn = Object.hasOwn(driver, "query");
    driver.query = function (...given) {
      const text = textOf(given[0]);
      const acting = /^(INSERT|UPDATE|DELETE|COMMIT)\b/.test(text) ? act(text) : undefined;
      const send = (): unknown => query.apply(this, given);
      if (acting === undefined) return send();
      // MySQL's driver answers by a callback, and refuses to be waited for.
      return acting.then(() => {
        const answer = send();
        return answer instanceof Promise ? answer : undefined;
      });
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
