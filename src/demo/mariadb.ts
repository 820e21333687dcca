import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CliError } from "../errors.ts";
import { launch, type Command } from "./server.ts";

const run = promisify(execFile);
const mariadbd = [
  "/usr/sbin/mariadbd",
  "/usr/bin/mariadbd",
  "/usr/local/bin/mariadbd",
  "/usr/libexec/mariadbd",
  "/opt/homebrew/bin/mariadbd",
].find(existsSync);

/** Why no server can be started here; undefined where one can. */
export const noMariadb =
  mariadbd === undefined ? "mariadbd is not installed: apt-get install mariadb-server" : undefined;

/**
 * Makes the files of a MariaDB in a folder, with the user `root`, who has no password, and tells how it is started: on a socket there,
 * which nobody else reaches, and quick rather than safe.
 */
export async function makeMariadb(
  folder: string,
  options: readonly string[] = [],
): Promise<Command & { readonly urlOf: (database: string) => string }> {
  if (mariadbd === undefined) throw new RangeError(noMariadb);
  const data = `--datadir=${join(folder, "data")}`;
  const socket = join(folder, "s");
  const user = `--user=${userInfo().username}`;
  const noPassword = "--auth-root-authentication-method=normal";
  await run("mariadb-install-db", ["--no-defaults", data, user, noPassword, "--skip-test-db"]);
  const quick = [
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
  ];
  // A server that starts removes what others have under way in a folder for temporary tables that they share.
  const temporary = `--tmpdir=${folder}`;
  const own = [`--socket=${socket}`, temporary, "--skip-networking", user, ...quick, ...options];
  return {
    folder,
    command: [mariadbd, "--no-defaults", data, ...own],
    ping: ["mariadb-admin", "--no-defaults", `--socket=${socket}`, "-uroot", "ping"],
    urlOf: (database) => `mysql://root@localhost/${database}?socket=${socket}`,
  };
}

/** What to do without one. */
export const ownServerHint = "with a server of yours: MAWPS_DATABASE_URL=mysql://… mawps --model lopez setup";

/** A MariaDB in a temporary folder that is gone when it is closed. @throws CliError where it does not start. */
export async function startMariadb(
  signal: AbortSignal,
): Promise<{ readonly url: (database: string) => string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-mariadb-"));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const made = await makeMariadb(folder);
    const server = await launch(made, signal);
    const close = async () => {
      await server.end("SIGKILL");
      await remove();
    };
    return { url: made.urlOf, close };
  } catch (cause) {
    await remove();
    signal.throwIfAborted();
    throw new CliError(`the MariaDB of this demo does not start: ${whyNot(cause)}`, {
      hint: ownServerHint,
      cause,
    });
  }
}

/** The last line that a program which failed has told of, or else how it ended. */
function whyNot(error: unknown): string {
  const told = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return told.split("\n").at(-1) || (error instanceof Error ? error.message : String(error));
}
