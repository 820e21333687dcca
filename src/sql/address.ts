import { CliError, exitCodes } from "../errors.ts";

export type Engine = "mysql" | "postgres";

/** Where a database is: on a server, or embedded in a folder. */
export type Address = ServerAddress | EmbeddedAddress;

/** Where a PostgreSQL lies that this process runs itself (PGlite). */
export interface EmbeddedAddress {
  readonly engine: "postgres";
  /** Each of its databases has a folder of its own in it. */
  readonly folder: string;
  readonly database: string | undefined;
}

/** Where a database server is, and as whom it is spoken to. */
export interface ServerAddress {
  readonly engine: Engine;
  /** A host, or the path of a socket. */
  readonly host: string;
  readonly isSocket: boolean;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** Undefined where the URL names none. */
  readonly database: string | undefined;
  readonly tls: "off" | "verified";
  /** File with the certificates of the authorities that are believed beside the usual ones. */
  readonly authorities: string | undefined;
}

const engines: ReadonlyMap<string, Engine> = new Map([
  ["mysql", "mysql"],
  ["mariadb", "mysql"],
  ["postgres", "postgres"],
  ["postgresql", "postgres"],
]);
const ports: Readonly<Record<Engine, number>> = { mysql: 3306, postgres: 5432 };
const hint =
  "mysql://user:password@host:3306/database, or postgres://…; behind it ?sslmode=disable, ?sslrootcert=file, ?socket=/path";

/**
 * Reads the URL of a database. The last `@` ends the password, so that one with `@`, `:`, `/`, `?` or `#` in it may stand there as
 * it is; `%40` is an `@` too. TLS with a certificate that is verified, but for sockets and this machine. `pglite:///folder/database`
 * is one that is embedded.
 * @param from where the URL stood, for messages: no message repeats the URL, which holds a password.
 * @throws CliError (usage) for what is no such URL.
 */
export function databaseAddress(url: string, from: string): Address {
  const wrong = (why: string) => new CliError(`${from} ${why}`, { exitCode: exitCodes.usage, hint });
  const [, folder, name] = /^pglite:\/\/(\/\P{Cc}*)\/([^/\p{Cc}]+)$/u.exec(url.trim()) ?? [];
  if (folder !== undefined) return { engine: "postgres", folder, database: name };
  const [, scheme = "", rest] = /^([a-z]+):\/\/(.*)$/is.exec(url.trim()) ?? [];
  const engine = engines.get(scheme.toLowerCase());
  if (rest === undefined || engine === undefined) throw wrong("is no URL of a MySQL or PostgreSQL database");
  if (/\p{Cc}/u.test(rest)) throw wrong("holds a line break or another control character");
  const at = rest.lastIndexOf("@");
  const [user = "", ...password] = at === -1 ? [""] : rest.slice(0, at).split(":");
  const [, place = "", path = "", query = ""] =
    /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest.slice(at + 1)) ?? [];
  const { host, port } = hostIn(place) ?? {};
  if (host === undefined) throw wrong("names no host that can be understood");
  const options = optionsIn(query, wrong);
  const socket = options.get("socket");
  if (socket !== undefined && !socket.startsWith("/")) throw wrong("has a socket that is no path");
  if (user === "") throw wrong("names no user");
  const isSocket = socket !== undefined;
  const isNear = isSocket || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host);
  return {
    engine,
    host: socket ?? (host === "" ? "localhost" : host),
    isSocket,
    port: port ?? ports[engine],
    user: decoded(user),
    password: password.length === 0 ? undefined : decoded(password.join(":")),
    database: path === "" ? undefined : decoded(path),
    tls: tlsOf(options.get("sslmode"), isNear || host === "", wrong),
    authorities: options.get("sslrootcert"),
  };
}

/** As it may be printed: without the password. */
export function addressText(address: Address): string {
  if ("folder" in address) return `PGlite in ${address.folder}, database ${address.database ?? ""}`;
  const { engine, host, port, isSocket, database } = address;
  const place = isSocket ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return `${engine} at ${place}${database === undefined ? "" : `, database ${database}`}`;
}

function hostIn(place: string): { host: string; port: number | undefined } | undefined {
  const [whole, six, name, digits] = /^(?:\[([\da-f:.]+)\]|([^:[\]\s]*))(?::(\d{1,5}))?$/i.exec(place) ?? [];
  if (whole === undefined) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  return { host: six ?? name ?? "", port };
}

const known: ReadonlySet<string> = new Set(["sslmode", "sslrootcert", "socket"]);

function optionsIn(query: string, wrong: (why: string) => CliError): Map<string, string> {
  const options = new Map(new URLSearchParams(query));
  for (const name of options.keys())
    if (!known.has(name)) throw wrong(`has an option that is not known: ${name}`);
  return options;
}

function tlsOf(
  mode: string | undefined,
  isNear: boolean,
  wrong: (why: string) => CliError,
): ServerAddress["tls"] {
  if (mode === undefined) return isNear ? "off" : "verified";
  if (mode === "disable") return "off";
  if (mode === "verify-full" || mode === "require") return "verified";
  throw wrong("has an sslmode that is none of disable, require, verify-full");
}

/** A `%` that begins no escape is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
