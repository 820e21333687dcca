import { CliError } from "../errors.ts";

interface Said {
  readonly why: string;
  readonly hint?: string;
}

/**
 * An error of a driver in words. What the server said is repeated only where it names no value: an error of MySQL quotes the
 * row that it refused.
 * @param where which database; without user and password.
 */
export function explained(error: unknown, where: string): unknown {
  if (error instanceof CliError || !(error instanceof Error)) return error;
  const said = saidBy(error);
  if (said === undefined) return error;
  return new CliError(`${where}: ${said.why}`, { hint: said.hint, cause: withoutValues(error) });
}

/** By their codes: what such an error quotes are names. */
const namesOnly =
  /^(42[\dA-Z]{3}|3D000|28[\dA-Z]{3}|ER_(NO_SUCH_TABLE|BAD_FIELD_ERROR|BAD_DB_ERROR|TABLE_EXISTS_ERROR|DUP_FIELDNAME|DUP_KEYNAME|CANT_DROP_FIELD_OR_KEY|\w*ACCESS_DENIED\w*))$/;

/** `--verbose` tells of the cause too: MySQL's has values in quotes, which may hold quotes, and whole statements. */
function withoutValues(error: Error): Error {
  const { code, errno } = error as Error & { readonly code?: unknown; readonly errno?: unknown };
  const message = namesOnly.test(String(code))
    ? error.message
    : error.message.replace(/(['"])[^]*\1/, "$1…$1");
  return Object.assign(new Error(message), { name: error.name, code, errno });
}

/** The server's own code in an error that was told as a `CliError`: `ER_DUP_ENTRY`, `23505`; empty where there is none. */
export function serverCode(error: unknown): string {
  const cause =
    error instanceof CliError ? (error.cause as { readonly code?: unknown } | undefined) : undefined;
  return typeof cause?.code === "string" ? cause.code : "";
}

/** The server has taken the whole statement or transaction back: it may be sent again. */
export function isDeadlock(error: unknown): boolean {
  return ["ER_LOCK_DEADLOCK", "40P01"].includes(serverCode(error));
}

/** The user lacks a right on a table or database. */
export function isForbidden(error: unknown): boolean {
  return /^(42501|ER_(TABLE|DB)ACCESS_DENIED_ERROR)$/.test(serverCode(error));
}

/** There is a row with the same key, or with the same value where no two may have it. */
export function isTaken(error: unknown): boolean {
  return ["ER_DUP_ENTRY", "23505"].includes(serverCode(error));
}

/** A row of another table points at the one that was to be deleted. */
export function isReferredTo(error: unknown): boolean {
  return /^(23503|23001|ER_ROW_IS_REFERENCED(_2)?)$/.test(serverCode(error));
}

/** What a row points at by a foreign key is not there. */
export function isParentMissing(error: unknown): boolean {
  return /^(23503|ER_NO_REFERENCED_ROW(_2)?)$/.test(serverCode(error));
}

function saidBy(error: Error): Said | undefined {
  const { code, errno } = error as Error & { readonly code?: unknown; readonly errno?: unknown };
  const { sqlState } = error as Error & { readonly sqlState?: unknown };
  const known = causes.get(String(code)) ?? causes.get(String(errno));
  if (known !== undefined) return known(error.message);
  const [first] = "errors" in error && Array.isArray(error.errors) ? (error.errors as unknown[]) : [];
  if (first instanceof Error) return saidBy(first);
  if (/timeout|ETIMEDOUT/i.test(error.message)) return { why: "did not answer in time", hint: reach };
  if (/certificate|self.signed/i.test(`${String(code)} ${error.message}`)) {
    return {
      why: `its certificate is not believed (${typeof code === "string" ? code : error.message})`,
      hint: "?sslrootcert=<file> behind the URL names the authority that signed it",
    };
  }
  if (error.message.startsWith("SASL:")) return wrongPassword();
  if (/does not support SSL|secure connection/i.test(error.message)) {
    return {
      why: "does not speak TLS, and nothing was sent without",
      hint: "switch it on at the server; ?sslmode=disable behind the URL does without",
    };
  }
  if (
    /Connection terminated|connection is in closed state|Connection lost|is not queryable/i.test(
      error.message,
    )
  )
    return gone();
  const isOfServer = typeof sqlState === "string" || (typeof code === "string" && /^[\dA-Z]{5}$/.test(code));
  // The number alone: the text may quote what was stored.
  return isOfServer ? { why: `the server refused a statement (${String(code)})` } : undefined;
}

const reach = "look whether the server runs, and whether a firewall lies between";
const gone = (): Said => ({
  why: "the server ended the connection",
  hint: "run the same command again when the server is back",
});
const denied = (message: string): Said => {
  const [, grant, object] =
    /^(\w[\w ]*?) command denied .* for (?:table|column|routine|function) '?`?([\w.`]+)/i.exec(message) ??
    /permission denied (for .*)()/i.exec(message) ??
    [];
  const what =
    grant === undefined
      ? ""
      : ` (${grant}${object === undefined || object === "" ? "" : ` on ${object.replaceAll("`", "")}`})`;
  return { why: `the user may not do that${what}`, hint: "grant it, or use another user in the URL" };
};
const refusedConnection = (): Said => ({ why: "nobody answers there: connection refused", hint: reach });
const unknownHost = (): Said => ({ why: "the host is not known", hint: "look at the host in the URL" });
const wrongPassword = (): Said => ({
  why: "the user or the password is wrong",
  hint: "look at the URL; a % in it is written %25",
});
const noDatabase = (): Said => ({ why: "there is no such database", hint: "`mawps setup` makes it" });
const waited = (): Said => ({
  why: "waited too long for a lock of somebody else",
  hint: "run the same command again",
});
const deadlock = (): Said => ({
  why: "a deadlock with somebody else's change",
  hint: "run the same command again",
});

/** By the codes of MySQL's manual ("Server Error Message Reference"), PostgreSQL's appendix A, and of Node. */
const causes: ReadonlyMap<string, (message: string) => Said> = new Map([
  ["ECONNREFUSED", refusedConnection],
  ["ENOENT", () => ({ why: "there is no such socket", hint: reach })],
  ["ENOTFOUND", unknownHost],
  ["EAI_AGAIN", unknownHost],
  ["ETIMEDOUT", () => ({ why: "did not answer in time", hint: reach })],
  ["ECONNRESET", gone],
  ["EPIPE", gone],
  ["PROTOCOL_CONNECTION_LOST", gone],
  ["PROTOCOL_SEQUENCE_TIMEOUT", () => ({ why: "did not answer in time", hint: reach })],
  ["ER_SERVER_SHUTDOWN", gone],
  ["57P01", gone],
  ["57P03", gone],
  ["ER_ACCESS_DENIED_ERROR", wrongPassword],
  ["ER_ACCESS_DENIED_NO_PASSWORD_ERROR", wrongPassword],
  ["28P01", wrongPassword],
  ["28000", wrongPassword],
  ["ER_BAD_DB_ERROR", noDatabase],
  ["3D000", noDatabase],
  ["ER_DBACCESS_DENIED_ERROR", denied],
  ["ER_TABLEACCESS_DENIED_ERROR", denied],
  ["ER_COLUMNACCESS_DENIED_ERROR", denied],
  ["ER_SPECIFIC_ACCESS_DENIED_ERROR", denied],
  ["ER_PROCACCESS_DENIED_ERROR", denied],
  ["42501", denied],
  ["ER_LOCK_WAIT_TIMEOUT", waited],
  ["55P03", waited],
  ["ER_LOCK_DEADLOCK", deadlock],
  ["40P01", deadlock],
  ["ER_PARSE_ERROR", () => ({ why: "the server does not understand a statement" })],
]);
