import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer, type AddressInfo } from "node:net";
import { makeMariadb } from "../../src/demo/mariadb.ts";
import { launch, type Command, type Running } from "../../src/demo/server.ts";

export { noMariadb } from "../../src/demo/mariadb.ts";

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

/** Starts a `mariadbd` with the user `root`, who has no password. */
export async function startMariadb(options: readonly string[] = []): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-mariadb-"));
  return startServer(await makeMariadb(folder, options));
}

const postgresFolder = ["18", "17", "16", "15"]
  .map((release) => `/usr/lib/postgresql/${release}/bin`)
  .find((folder) => existsSync(join(folder, "initdb")));

/** Why tests on PostgreSQL cannot run here; undefined where they can. */
export const noPostgres =
  postgresFolder === undefined ? "postgres is not installed: apt-get install postgresql" : undefined;

/** Starts a `postgres` with the user `tester`, who has no password. */
export async function startPostgres(settings: readonly string[] = []): Promise<DatabaseServer> {
  if (postgresFolder === undefined) throw new Error(noPostgres);
  const folder = await mkdtemp(join(tmpdir(), "mawps-postgres-"));
  const data = join(folder, "data");
  // It refuses to run as root.
  const as = userInfo().uid === 0 ? await idsOf("postgres") : undefined;
  if (as !== undefined) await chown(folder, as.uid, as.gid);
  const options = ["-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8"];
  await run(join(postgresFolder, "initdb"), options, { ...as, cwd: folder });
  return startServer(postgresIn(folder, as, settings));
}

/** Starts a standby of a `postgres`, which replays what that writes. */
export async function startStandby(primary: DatabaseServer): Promise<DatabaseServer> {
  if (postgresFolder === undefined) throw new Error(noPostgres);
  const folder = await mkdtemp(join(tmpdir(), "mawps-standby-"));
  const as = userInfo().uid === 0 ? await idsOf("postgres") : undefined;
  if (as !== undefined) await chown(folder, as.uid, as.gid);
  const socket = new URL(primary.url("postgres")).searchParams.get("socket") ?? "";
  const options = [
    "-h",
    socket,
    "-U",
    "tester",
    "-D",
    join(folder, "data"),
    "-R",
    "-c",
    "fast",
    "-X",
    "stream",
  ];
  await run(join(postgresFolder, "pg_basebackup"), options, { ...as, cwd: folder });
  return startServer(postgresIn(folder, as, []));
}

function postgresIn(folder: string, as: Ids | undefined, settings: readonly string[]): Starting {
  const bin = postgresFolder ?? "";
  const own = ["listen_addresses=", "fsync=off", ...settings];
  return {
    folder,
    as,
    command: [
      join(bin, "postgres"),
      "-D",
      join(folder, "data"),
      "-k",
      folder,
      ...own.flatMap((setting) => ["-c", setting]),
    ],
    ping: [join(bin, "pg_isready"), "-h", folder],
    // By SIGKILL it would leave processes that keep a new one from starting until they notice, and memory for good.
    deadly: "SIGQUIT",
    urlOf: (database) => `postgres://tester@localhost/${database}?socket=${folder}`,
  };
}

/** Starts a `mariadbd` that writes its binary log for replicas on this machine, and one of these. */
export async function startReplicated(): Promise<{ primary: DatabaseServer; replica: DatabaseServer }> {
  const port = await freePort();
  const network = ["--skip-networking=0", "--bind-address=127.0.0.1", `--port=${port}`];
  const [primary, replica] = await Promise.all([
    startMariadb(["--log-bin", "--server-id=1", ...network]),
    startMariadb(["--server-id=2"]),
  ]);
  const tell = (server: DatabaseServer, statements: string) => {
    const socket = new URL(server.url("mysql")).searchParams.get("socket") ?? "";
    return run("mariadb", ["--no-defaults", "-uroot", `--socket=${socket}`, "-e", statements]);
  };
  await tell(
    primary,
    "CREATE USER replica@'%' IDENTIFIED BY 'x'; GRANT REPLICATION SLAVE ON *.* TO replica@'%'",
  );
  await tell(
    replica,
    `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='replica', MASTER_PASSWORD='x', MASTER_USE_GTID=slave_pos; START SLAVE`,
  );
  return { primary, replica };
}

/** A port of this machine that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

async function idsOf(user: string): Promise<Ids> {
  const id = async (what: string) => Number((await run("id", [what, user])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

interface Starting extends Command {
  readonly urlOf: (database: string) => string;
  /** What ends it at once. Default SIGKILL. */
  readonly deadly?: NodeJS.Signals;
}

/** Starts a server, and waits until it takes connections. @throws where it ends before. */
export async function startServer(starting: Starting): Promise<DatabaseServer> {
  const { folder, urlOf, deadly = "SIGKILL" } = starting;
  let server: Running | undefined;
  const start = async () => {
    server = await launch(starting);
  };
  const kill = async () => {
    const ending = server;
    server = undefined;
    await ending?.end(deadly);
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
