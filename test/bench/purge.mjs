// `retention run` of 500,000 messages of a database beside a writer that inserts all the time: the writer's 99th percentile while it works beside that
// while it is stopped (SIGSTOP), in turn, so that whatever else the machine does weighs on both. It is planned before, and ended after two minutes
// of work: one group of rows is as the other. MAWPS_BENCH_ROWS makes it smaller.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { buildFiller, environment, mawps, report, root, run, temporaryFolder } from "./measure.mjs";

const rows = Number(process.env.MAWPS_BENCH_ROWS ?? 500_000);

/** fc024's model, and a table of messages that go by their age. */
function messagesModel(folder) {
  mkdirSync(folder, { recursive: true });
  const model = JSON.parse(readFileSync(join(root, "models", "fc024.json"), "utf8"));
  const table =
    "CREATE TABLE messages (id text PRIMARY KEY, content text NOT NULL, created_at timestamptz NOT NULL);";
  const schema = readFileSync(join(root, "models", "fc024.sql"), "utf8");
  writeFileSync(join(folder, "messages.sql"), `${schema}\n${table}\n`);
  const { migrations: _none, ...crm } = model.databases.crm;
  model.databases.crm = { ...crm, schema: "messages.sql" };
  model.entities.messages = {
    what: "messages",
    from: { database: "crm", table: "messages" },
    fields: { id: "text", created_at: "isoTime" },
    personal: false,
    reason: "of a bench",
    expires: [{ id: "messages", what: "messages", after: 730, since: "created_at", do: "delete", by: "run" }],
  };
  const path = join(folder, "messages.json");
  writeFileSync(path, JSON.stringify(model));
  return path;
}

const engines = {
  mysql: {
    missing: ({ noMariadb }) => noMariadb,
    start: ({ startMariadb }) =>
      startMariadb(["--innodb-buffer-pool-size=1G", "--innodb-flush-log-at-trx-commit=1"]),
    model: () => "lopez",
    client: (socket) => `mariadb --no-defaults -uroot --socket=${socket} purged`,
    fill: `
      INSERT INTO users (id, email, password_hash, name) VALUES ('u', 'u@example.com', 'x', 'U');
      INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a', 'A', 'chatbot', 'm', '{}', 'u');
      INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('old', 'u', 'a'), ('live', 'u', 'a');
      INSERT INTO chat_messages (id, session_id, content, type, created_at)
        SELECT UUID(), 'old', REPEAT(MD5(seq), 8), 'user', '2020-01-01 00:00:00' FROM seq_1_to_${rows};`,
    left: "SELECT COUNT(*) FROM chat_messages WHERE session_id = 'old'",
  },
  postgres: {
    missing: ({ noPostgres }) => noPostgres,
    start: ({ startPostgres }) => startPostgres(["fsync=on"]),
    model: messagesModel,
    client: (socket) => `psql -qAt -h ${socket} -U tester purged`,
    fill: `
      INSERT INTO messages (id, content, created_at)
        SELECT gen_random_uuid()::text, REPEAT(MD5(n::text), 8), '2020-01-01' FROM generate_series(1, ${rows}) AS n;`,
    left: "SELECT COUNT(*) FROM messages WHERE created_at < '2021-01-01'",
  },
};

/** How long it works and how long it stands, in turn; what is under way when it is stopped counts to neither. */
const [worksMs, standsMs, settlesMs] = [3000, 1500, 200];
const mostSeconds = 120;

/** Runs a command beside a writer; gives what the writer measured beside it and alone. */
async function besideWriter(url, [command, ...args], env) {
  const script = join(import.meta.dirname, "insert-client.mjs");
  const writer = spawn(process.execPath, [script, url], { stdio: ["pipe", "pipe", "inherit"] });
  let told = "";
  writer.stdout.on("data", (text) => (told += text));
  const written = new Promise((resolve) => writer.on("close", resolve));
  // As if it were at work on another machine than the server: it takes no core from it.
  const child = spawn("nice", ["-n", "19", command, ...args], {
    env: environment(env),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  let seconds = 0;
  while (child.exitCode === null && child.signalCode === null && seconds < mostSeconds) {
    writer.stdin.write("b");
    const begun = performance.now();
    await Promise.race([ended, pause(worksMs)]);
    seconds += (performance.now() - begun) / 1000;
    writer.stdin.write("-");
    child.kill("SIGSTOP");
    await pause(settlesMs);
    writer.stdin.write("a");
    await pause(standsMs);
    writer.stdin.write("-");
    child.kill("SIGCONT");
    await pause(settlesMs);
  }
  writer.stdin.end();
  await written;
  const isWhole = child.exitCode !== null;
  child.kill("SIGKILL");
  await ended;
  if (isWhole && child.exitCode !== 0) throw new Error(`${args.join(" ")} ended with ${child.exitCode}`);
  const { a: alone, b: beside } = JSON.parse(told);
  return { alone, beside, seconds, isWhole };
}

async function engine(name, servers) {
  const it = engines[name];
  const missing = it.missing(servers);
  if (missing !== undefined) return console.log(`\npurge: ${missing}`);
  const server = await it.start(servers);
  try {
    const folder = temporaryFolder();
    const url = server.url("purged");
    const env = {
      MAWPS_HOME: join(folder, name),
      MAWPS_MODEL: it.model(join(folder, `${name}-model`)),
      MAWPS_DATABASE_URL: url,
      MAWPS_YES: "1",
    };
    run([...mawps, "setup", "--quiet"], env);
    const client = it.client(new URL(url).searchParams.get("socket"));
    const sql = (statement) => run(["bash", "-c", `${client} <<'END'\n${statement};\nEND`], {});
    sql(it.fill);
    const plan = join(folder, `${name}.json`);
    run([...mawps, "retention", "plan", "--quiet", "--output", plan], env);
    const purging = [...mawps, "retention", "run", plan, "--quiet", "--max-delete", String(rows)];
    const { alone, beside, seconds, isWhole } = await besideWriter(url, purging, env);
    const left = Number(sql(it.left).trim().split("\n").at(-1));
    if (left === rows || (isWhole && left !== 0)) throw new Error(`${left} rows are left`);
    const ms = ({ p99, median, most, count }) =>
      `${median.toFixed(2)} ms median, ${p99.toFixed(2)} ms 99th, ${most.toFixed(0)} ms at most, of ${count}`;
    console.log(`\npurge, ${name}, ${rows - left} of ${rows} rows in ${seconds.toFixed(0)} s`);
    console.log(`  alone: ${ms(alone)}\n  beside: ${ms(beside)}`);
    report(`99th percentile of a writer beside retention run, ${name}`, beside.p99 / alone.p99, 3);
  } finally {
    await server.close();
  }
}

export async function purge() {
  const servers = await import(pathToFileURL(await buildFiller("database-servers")).href);
  for (const name of Object.keys(engines)) await engine(name, servers);
}
