import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  noMariadb,
  noPostgres,
  startPostgres,
  startReplicated,
  startStandby,
  type DatabaseServer,
} from "../support/database-server.ts";
import { onDatabase } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { beforeStatements } from "../support/statement-hook.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const customer = "11111111-1111-4111-8111-111111111111";

/** A server with one replica, which can be kept from replaying. */
const sites = [
  {
    model: "lopez",
    first: "mysql",
    missing: noMariadb,
    start: startReplicated,
    rows: [
      "INSERT INTO login_attempts (id, email, ip_address, success, created_at) SELECT seq, 'a@example.com', '::1', 1, '2025-01-01 00:00:00' FROM seq_1_to_30",
    ],
    table: "login_attempts",
    stop: ["STOP SLAVE SQL_THREAD"],
    go: ["START SLAVE SQL_THREAD"],
    asked: /^SHOW REPLICA STATUS/,
    told: "does not replicate at the moment",
  },
  {
    model: "fc024",
    first: "postgres",
    missing: noPostgres,
    start: async () => {
      const primary = await startPostgres(["hot_standby_feedback=off"]);
      return { primary, replica: await startStandby(primary) };
    },
    rows: [
      `INSERT INTO customers (id, name) VALUES ('${customer}', 'C') ON CONFLICT DO NOTHING`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, customer_id, uploaded_by, deleted_at)
        SELECT gen_random_uuid(), 'n', 'customers/${customer}/' || n || '/n.pdf', 'application/pdf', 1, 'DELETED', '${customer}',
          '00000000-0000-4000-8000-000000000000', '2025-01-01' FROM generate_series(1, 30) AS n`,
    ],
    table: "file_attachments",
    stop: ["SELECT pg_wal_replay_pause()"],
    go: ["SELECT pg_wal_replay_resume()"],
    asked: /FROM pg_stat_replication/,
    told: "behind, and may be 0 s",
  },
] as const;

for (const site of sites)
  describe.skipIf(site.missing !== undefined)(
    `rows of ${site.model} beside a replica ${site.missing ?? ""}`,
    () => {
      onEngine(site);
    },
  );

function onEngine({ model, first, start, rows, table, stop, go, asked, told }: (typeof sites)[number]): void {
  let servers: { readonly primary: DatabaseServer; readonly replica: DatabaseServer } | undefined;
  let home: TestHome;
  const mawps = (env: Readonly<Record<string, string>>, ...argv: string[]) =>
    modelSite(home, model, {
      MAWPS_DATABASE_URL: servers?.primary.url("replicated") ?? "",
      MAWPS_REPLICAS_LAG_SECONDS: "0",
      ...(model === "lopez" ? { MAWPS_REPLICA_URL: servers?.replica.url("mysql") ?? "" } : {}),
      ...env,
    }).run(...argv);
  const on = (server: DatabaseServer | undefined, database: string, statements: readonly string[]) =>
    onDatabase(server, database, async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  const counted = () =>
    onDatabase(servers?.primary, "replicated", async (sql) => {
      const [row] = await sql.rows(`SELECT COUNT(*) AS n FROM ${table}`);
      return Number(row?.["n"]);
    });
  beforeAll(async () => {
    [servers, home] = await Promise.all([start(), makeHome()]);
    const setup = await mawps({}, "setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([servers?.primary.close(), servers?.replica.close()]);
    await home.remove();
  });
  beforeEach(async () => {
    await on(servers?.replica, first, stop);
    await on(servers?.primary, "replicated", [`DELETE FROM ${table}`, ...rows]);
  });

  test("stay while it is too far behind, and what is left is told", async () => {
    const run = await mawps({ MAWPS_REPLICAS_WAIT_SECONDS: "0" }, "retention", "run", "--yes", "--json");
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
      3,
      { done: 0, failed: [], left: [{ entries: 30, why: expect.stringContaining(told) as string }] },
    ]);
    expect(run.stderr).toContain("0 done, 30 left: ");
    expect(await counted()).toBe(30);
  });

  test("go once it has caught up, and at once where nobody asks for it", async () => {
    let looks = 0;
    const end = beforeStatements(asked, () => {
      looks += 1;
      return looks === 2 ? on(servers?.replica, first, go) : undefined;
    });
    const waited = await mawps({}, "retention", "run", "--yes").finally(end);
    expect([waited.exitCode, waited.stdout]).toEqual([0, expect.stringContaining("30 done")]);
    expect(waited.stderr).toMatch(/: waiting$/m);
    expect([looks > 1, await counted()]).toEqual([true, 0]);

    await on(servers?.replica, first, stop);
    await on(servers?.primary, "replicated", rows);
    const off = await mawps({ MAWPS_REPLICAS_LAG_SECONDS: "off" }, "retention", "run", "--yes");
    expect([off.exitCode, off.stderr, await counted()]).toEqual([
      0,
      expect.not.stringContaining("waiting"),
      0,
    ]);
  }, 30_000);

  test.runIf(model === "fc024")(
    "go where the account is not shown how far it is, which is told once",
    async () => {
      await on(servers?.primary, "replicated", [
        "CREATE ROLE plain LOGIN",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO plain",
      ]);
      const url = (servers?.primary.url("replicated") ?? "").replace("tester@", "plain@");
      const run = await mawps({ MAWPS_DATABASE_URL: url }, "retention", "run", "--yes");
      expect([run.exitCode, run.stderr.match(/GRANT pg_monitor/g)]).toEqual([0, ["GRANT pg_monitor"]]);
      expect(await counted()).toBe(0);
    },
  );

  test.runIf(model === "lopez")(
    "go on where the connection to it broke in between, and stay from there on where it is gone",
    async () => {
      const many = 1200;
      const fill = () =>
        on(servers?.primary, "replicated", [
          `DELETE FROM ${table}`,
          ...rows.map((row) => row.replace("seq_1_to_30", `seq_1_to_${many}`)),
        ]);
      const atSecondLook = (act: () => Promise<void> | undefined) => {
        let looks = 0;
        return beforeStatements(asked, () => {
          looks += 1;
          return looks === 2 ? act() : undefined;
        });
      };
      const bounds = { MAWPS_REPLICAS_LAG_SECONDS: "1000000" };
      const argv = ["retention", "run", "--max-delete", String(many), "--yes"];
      await on(servers?.replica, first, go);
      await fill();
      const restarted = atSecondLook(async () => {
        await servers?.replica.kill();
        await servers?.replica.start();
      });
      const waited = await mawps(bounds, ...argv).finally(restarted);
      expect([waited.exitCode, waited.stdout]).toEqual([0, expect.stringContaining("1,200 done")]);
      expect(waited.stderr).toMatch(/: the server ended the connection: waiting$/m);
      expect(await counted()).toBe(0);

      await fill();
      const away = atSecondLook(() => servers?.replica.kill());
      const impatient = { ...bounds, MAWPS_REPLICAS_WAIT_SECONDS: "0" };
      const stopped = await mawps(impatient, ...argv).finally(away);
      const left = await counted();
      expect([left > 0 && left < many, stopped.exitCode]).toEqual([true, 3]);
      expect(stopped.stderr).toContain(
        `${(many - left).toLocaleString("en")} done, ${left.toLocaleString("en")} left: `,
      );
      const absent = await mawps(bounds, ...argv);
      expect([absent.exitCode, await counted()]).toEqual([1, left]);

      await servers?.replica.start();
      const last = await mawps(bounds, ...argv);
      expect([last.exitCode, await counted()]).toEqual([0, 0]);
    },
    60_000,
  );

  test.runIf(model === "lopez")("stay where what is named is no replica, or of another engine", async () => {
    const wrong = [
      [servers?.primary.url("replicated") ?? "", 1, "is no replica"],
      ["postgres://a@localhost/b", 2, "names replicas of MySQL and MariaDB alone"],
    ] as const;
    for (const [url, exitCode, why] of wrong) {
      const run = await mawps({ MAWPS_REPLICA_URL: url }, "retention", "run", "--yes");
      expect([run.exitCode, run.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
    }
    expect(await counted()).toBe(30);
  });
}
