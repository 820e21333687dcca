import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A server of its own, on a socket in a temporary folder, which nobody else reaches. */
export interface DatabaseServer {
  /** Of a database on it. */
  url(database: string): string;
  /** At once, without tidying up; all of its processes have ended then. */
  kill(): Promise<void>;
  /** Again on the same files. */
  start(): Promise<void>;
  /** Ends it, and removes its files. */
  close(): Promise<void>;
}

const mariadbd = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd", "/usr/local/bin/mariadbd"].find(existsSync);

/** Why tests on MariaDB cannot run here; undefined where they can. */
export const noMariadb =
  mariadbd === undefined ? "mariadbd is not installed: apt-get install mariadb-server" : undefined;

/** Starts a `mariadbd` with the user `root`, who has no password. */
export async function startMariadb(options: readonly string[] = []): Promise<DatabaseServer> {
  if (mariadbd === undefined) throw new Error(noMariadb);
  const folder = await mkdtemp(join(tmpdir(), "mawps-mariadb-"));
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
  return startServer({
    folder,
    command: [
      mariadbd,
      "--no-defaults",
      data,
      `--socket=${socket}`,
      "--skip-networking",
      user,
      ...quick,
      ...options,
    ],
    ping: ["mariadb-admin", "--no-defaults", `--socket=${socket}`, "-uroot", "ping"],
    urlOf: (database) => `mysql://root@localhost/${database}?socket=${socket}`,
  });
}

const postgresFolder = ["18", "17", "16", "15"]
  .map((release) => `/usr/lib/postgresql/${release}/bin`)
  .find((folder) => existsSync(join(folder, "initdb")));

/** Why tests on PostgreSQL cannot run here; undefined where they can. */
export const noPostgres =
  postgresFolder === undefined ? "postgres is not installed: apt-get install postgresql" : undefined;

/** Starts a `postgres` with the user `tester`, who has no password. */
export async function startPostgres(): Promise<DatabaseServer> {
  if (postgresFolder === undefined) throw new Error(noPostgres);
  const folder = await mkdtemp(join(tmpdir(), "mawps-postgres-"));
  const data = join(folder, "data");
  // It refuses to run as root.
  const as = userInfo().uid === 0 ? await idsOf("postgres") : undefined;
  if (as !== undefined) await chown(folder, as.uid, as.gid);
  const options = ["-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8"];
  await run(join(postgresFolder, "initdb"), options, { ...as, cwd: folder });
  return startServer({
    folder,
    as,
    command: [
      join(postgresFolder, "postgres"),
      "-D",
      data,
      "-k",
      folder,
      "-c",
      "listen_addresses=",
      "-c",
      "fsync=off",
    ],
    ping: [join(postgresFolder, "pg_isready"), "-h", folder],
    // By SIGKILL it would leave processes that keep a new one from starting until they notice, and memory for good.
    deadly: "SIGQUIT",
    urlOf: (database) => `postgres://tester@localhost/${database}?socket=${folder}`,
  });
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

async function idsOf(user: string): Promise<Ids> {
  const id = async (what: string) => Number((await run("id", [what, user])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

interface Starting {
  readonly folder: string;
  readonly command: readonly [string, ...string[]];
  /** Succeeds as soon as the server takes connections. */
  readonly ping: readonly [string, ...string[]];
  readonly urlOf: (database: string) => string;
  readonly as?: Ids | undefined;
  /** What ends it at once. Default SIGKILL. */
  readonly deadly?: NodeJS.Signals;
}

/** Starts a server, and waits until it takes connections. @throws where it ends before. */
export async function startServer(starting: Starting): Promise<DatabaseServer> {
  const { folder, command, ping, urlOf, as, deadly = "SIGKILL" } = starting;
  let server: Server | undefined;
  const start = async () => {
    const [program, ...options] = command;
    const child = spawn(program, options, { stdio: "ignore", cwd: folder, ...as });
    // Asked for at once: whoever asks later may have missed it.
    const ended = once(child, "close");
    ended.catch(() => undefined);
    server = { child, ended };
    await answering(child, ping);
  };
  const kill = async () => {
    const ending = server;
    server = undefined;
    ending?.child.kill(deadly);
    await ending?.ended.catch(() => undefined);
  };
  const close = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { url: urlOf, kill, start, close };
}

interface Server {
  readonly child: ChildProcess;
  /** Fails where it could not be started. */
  readonly ended: Promise<unknown>;
}

/** Waits until it takes connections. @throws once it has ended, by itself or by a signal. */
async function answering(server: ChildProcess, [program, ...options]: Starting["ping"]): Promise<void> {
  for (;;) {
    const end = server.exitCode ?? server.signalCode;
    if (end !== null) throw new Error(`the server ended with ${end}`);
    const answers = await run(program, options).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await sleep(100);
  }
}
