// Backup and restore of 1,000,000 rows of some 300 bytes beside mariadb-dump and mariadb, pg_dump and psql on the same server, in turn, and the peak
// memory of a backup beside that of a tenth. Wall time, and seconds on a core of the clients alone: ours compresses what it
// stores. MAWPS_BENCH_ROWS makes it smaller.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  buildFiller,
  environment,
  mawps,
  median,
  peakMegabytes,
  report,
  run,
  temporaryFolder,
} from "./measure.mjs";

const more = Number(process.env.MAWPS_BENCH_ROWS ?? 1_000_000);
const fewer = more / 10;

const uuid = (text) =>
  `LOWER(CONCAT_WS('-', SUBSTR(MD5(${text}), 1, 8), SUBSTR(MD5(${text}), 9, 4), SUBSTR(MD5(${text}), 13, 4), SUBSTR(MD5(${text}), 17, 4), SUBSTR(MD5(${text}), 21, 12)))`;
const content = (md5) =>
  `CONCAT('Guten Tag, eine Frage zu Bestellung ', n, ': ', ${md5("7 * n")}, ' wann kommt sie? ', ${md5("11 * n")}, ' Mit freundlichen Grüßen, ', ${md5("13 * n")}, ${md5("17 * n")})`;

const engines = {
  lopez: {
    missing: ({ noMariadb }) => noMariadb,
    start: ({ startMariadb }) => startMariadb(["--innodb-buffer-pool-size=1G"]),
    fill: (rows) => `
      INSERT INTO users (id, email, password_hash, name) VALUES ('u', 'u@example.com', 'x', 'U');
      INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a', 'A', 'chatbot', 'm', '{}', 'u');
      INSERT INTO chat_sessions (id, user_id, agent_id) SELECT ${uuid("CONCAT('s', seq)")}, 'u', 'a' FROM seq_0_to_9999;
      INSERT INTO chat_messages (id, session_id, content, type)
        SELECT ${uuid("n")}, ${uuid("CONCAT('s', n % 10000)")}, ${content((n) => `MD5(${n})`)}, ELT(1 + n % 3, 'user', 'agent', 'system')
        FROM (SELECT seq AS n FROM seq_1_to_${rows}) AS numbers;`,
    client: (socket) => `mariadb --no-defaults -uroot --socket=${socket}`,
    dump: (socket, name) =>
      `mariadb-dump --no-defaults -uroot --socket=${socket} --single-transaction --routines ${name}`,
    create: (name) => `CREATE DATABASE ${name} CHARACTER SET utf8mb4`,
    into: (client, name) => `${client} ${name}`,
    names: ["mariadb-dump", "mariadb"],
  },
  fc024: {
    missing: ({ noPostgres }) => noPostgres,
    start: ({ startPostgres }) => startPostgres(),
    fill: (rows) => `
      INSERT INTO customers (id, name) SELECT MD5('c' || n)::uuid, 'C' || n FROM generate_series(0, 9999) AS n;
      INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, uploaded_by)
        SELECT MD5(n::text)::uuid, ${content((n) => `MD5((${n})::text)`)}, 'customers/' || n, 'application/pdf', n,
          MD5('c' || n % 10000)::uuid, '00000000-0000-4000-8000-000000000000' FROM generate_series(1, ${rows}) AS n;`,
    client: (socket) => `psql -q -h ${socket} -U tester`,
    dump: (socket, name) => `pg_dump -h ${socket} -U tester ${name}`,
    create: (name) => `CREATE DATABASE ${name}`,
    into: (client, name) => `${client} ${name}`,
    names: ["pg_dump", "psql"],
  },
};

/** Seconds of a shell's command: on the wall, and on a core. */
function seconds(command, env) {
  const script = `TIMEFORMAT="%R %U %S"; time { ${command} ; }`;
  const options = { env: environment(env), encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] };
  const { status, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", script], options);
  if (status !== 0) throw new Error(`${command} failed:\n${stderr}`);
  const [wall, user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return { wall, core: user + system };
}

/** Three of each in turn; the medians. */
function turns(ours, theirs) {
  const all = [0, 1, 2].map(() => ({ ours: ours(), theirs: theirs() }));
  const of = (who, what) => median(all.map((each) => each[who][what]));
  return {
    wall: of("ours", "wall") / of("theirs", "wall"),
    cores: [of("ours", "core"), of("theirs", "core")],
  };
}

async function engine(model, servers) {
  const it = engines[model];
  const missing = it.missing(servers);
  if (missing !== undefined) return console.log(`\nsql: ${missing}`);
  const server = await it.start(servers);
  try {
    const folder = temporaryFolder();
    const socket = new URL(server.url("x")).searchParams.get("socket");
    const client = it.client(socket);
    const shell = (command) => seconds(command, {});
    const sql = (statement, name) => run(["bash", "-c", `${client} ${name} <<'END'\n${statement};\nEND`], {});
    const first = model === "lopez" ? "mysql" : "postgres";
    const of = (name, home) => ({
      MAWPS_HOME: join(folder, home),
      MAWPS_MODEL: model,
      MAWPS_DATABASE_URL: server.url(name),
      MAWPS_YES: "1",
    });
    for (const [name, rows] of [
      ["few", fewer],
      ["many", more],
    ]) {
      run([...mawps, "setup", "--quiet"], of(name, name));
      sql(it.fill(rows), name);
    }
    const backup = [...mawps, "backup", "create", "--only", "databases", "--with-secrets", "--quiet"];
    const [few, many] = ["few", "many"].map((name) => peakMegabytes(backup, of(name, name)));
    console.log(
      `\nsql, ${model}, ${fewer} and ${more} rows (peaks ${few.toFixed(0)} and ${many.toFixed(0)} MB)`,
    );
    report(`peak memory of a backup of ${model}, the larger against the smaller`, many / few, 1.3);

    const dump = join(folder, "dump.sql");
    const backups = join(folder, "many", "backups");
    const read = turns(
      () => {
        rmSync(backups, { recursive: true, force: true });
        return seconds(backup.join(" "), of("many", "many"));
      },
      () => shell(`${it.dump(socket, "many")} > ${dump}`),
    );
    report(`time of a backup of ${model} against ${it.names[0]}`, read.wall, 1.5);
    console.log(`  on a core: ${read.cores[0].toFixed(1)} s, ${it.names[0]} ${read.cores[1].toFixed(1)} s`);
    if (readdirSync(join(backups, "snapshots")).length !== 1) throw new Error("there is no backup");

    const restore = [...mawps, "backup", "restore", "--only", "databases", "--quiet"].join(" ");
    const anew = (name) => sql(`DROP DATABASE IF EXISTS ${name}`, first);
    const written = turns(
      () => {
        anew("ours");
        return seconds(restore, of("ours", "many"));
      },
      () => {
        anew("theirs");
        sql(it.create("theirs"), first);
        return shell(`${it.into(client, "theirs")} < ${dump}`);
      },
    );
    report(`time of a restore of ${model} against ${it.names[1]}`, written.wall, 1.2);
    console.log(
      `  on a core: ${written.cores[0].toFixed(1)} s, ${it.names[1]} ${written.cores[1].toFixed(1)} s`,
    );
  } finally {
    await server.close();
  }
}

export async function databases() {
  const servers = await import(pathToFileURL(await buildFiller("database-servers")).href);
  for (const model of Object.keys(engines)) await engine(model, servers);
}
