import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { deskStandIn, writeDesk } from "../../support/desk-site.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const database = "desk";
const bucket = "fc024-attachments";
const file = (of: number) => `33333333-3333-4333-8333-00000000000${of}`;
const keyOf = (customer: number) => `customers/${customer}/${file(customer)}/notes.txt`;

const people = (table: string, of: string) =>
  `INSERT INTO ${table} (id, name, email, phone, card, joined) VALUES ${[1, 2, 3]
    .map((id) => `(${id}, '${of} ${id}', '${of}${id}@example.com', ${id}, '${of} ${id}', '2020-01-0${id}')`)
    .join(", ")}`;
const rows = [
  people("customers", "buyer"),
  people("users", "clerk"),
  `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, uploaded_by, uploaded_at) VALUES ${[
    1, 2,
  ]
    .map(
      (id) =>
        `('${file(id)}', 'notes.txt', '${keyOf(id)}', 'text/plain', 1, 'READY', 'CLEAN', ${id}, ${id}, '2026-01-01 00:00:00')`,
    )
    .join(", ")}`,
  `INSERT INTO opportunities (id, customer_id, name) VALUES ('${file(8)}', 1, 'Buyer2@example.com knows buyer3@example.com, not xbuyer3@example.com')`,
  `UPDATE file_attachments SET tags = '["ask buyer3@example.com"]' WHERE customer_id = 1`,
];

/** The tests of people of two kinds who have the same numbers. */
export function testDesk({ engine }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  let home: TestHome;
  let model: string;
  const site = () =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url(database) ?? "",
    });
  const look = (statement: string) =>
    onDatabase(serverNow(), database, async (sql) => [...(await sql.rows(statement))]);
  const namesIn = async (table: string) =>
    (await look(`SELECT name FROM ${table} ORDER BY id`)).map(({ name }) => name);
  const erase = (given: string, ...argv: string[]) =>
    site().run("user", "erase", given, "--yes", "--receipt", `${given.replace(":", "-")}.json`, ...argv);
  const empty = () =>
    onDatabase(serverNow(), database, async (sql) => {
      for (const table of ["file_attachments", "opportunities", "customers", "users"])
        await sql.run(`DELETE FROM ${table}`);
    });
  const anonymous = expect.stringMatching(/^erased-[0-9a-f]{16}$/) as unknown;
  beforeAll(async () => {
    home = await makeHome();
    model = await writeDesk(home, engine);
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await onDatabase(serverNow(), database, async (sql) => {
      for (const statement of rows) await sql.run(statement);
    });
    await site().putFiles(bucket, [keyOf(1), keyOf(2)]);
    const backup = await site().run("backup", "create", "--json");
    if (backup.exitCode !== 0) throw new Error(backup.stderr);
  });
  afterAll(() => home.remove());

  test("a number says nobody where two have it, and with the kind in front one of them", async () => {
    const several = await erase("1");
    expect([several.exitCode, several.stderr]).toEqual([
      1,
      expect.stringMatching(/2 accounts have this name[^]*customer:1 or staff:1/),
    ]);
    for (const [given, exitCode, said] of [
      ["staff:9", 1, 'nothing is stored of "staff:9"'],
      ["customer:clerk1@example.com", 1, 'nothing is stored of "customer:clerk1@example.com"'],
      ["staff:", 2, 'the id in "staff:" is empty'],
      ["clerk:1", 1, 'nothing is stored of "clerk:1"'],
    ] as const)
      expect([given, await erase(given)]).toMatchObject([
        given,
        { exitCode, stderr: expect.stringContaining(said) as string },
      ]);
    expect(await namesIn("users")).toEqual(["clerk 1", "clerk 2", "clerk 3", "deleted"]);
    expect((await site().run("user", "show", "staff:1")).stdout).toMatch(/kind +staff/);
    const exported = await site().run(
      "user",
      "export",
      "customer:buyer1@example.com",
      "-o",
      "one.zip",
      "--json",
    );
    expect([exported.exitCode, JSON.parse(exported.stdout)]).toMatchObject([0, { userId: "1" }]);
  });

  test("a deep look tells in which columns of others somebody is named, and of what goes nothing", async () => {
    const mentionsOf = async (given: string) => {
      const { stdout } = await erase(given, "--deep", "--dry-run", "--json");
      return (JSON.parse(stdout) as { mentions: unknown }).mentions;
    };
    const names = { table: "desk.opportunities", attribute: "name", items: 1 };
    const tags = { table: "desk.file_attachments", attribute: "tags", items: 1 };
    expect(await mentionsOf("customer:3")).toEqual([names, tags]);
    expect(await mentionsOf("customer:buyer2@example.com")).toEqual([names]);
    expect(await mentionsOf("customer:buyer1@example.com")).toEqual([]);
    const told = await erase("customer:3", "--deep", "--dry-run");
    expect(told.stdout).toMatch(/named in a text +1 item of desk.opportunities, name: it stays/);
  });

  test("who is erased loses what must be there and be theirs alone, one behind the other", async () => {
    for (const given of ["staff:1", "staff:clerk2@example.com", "customer:2", "customer:3"]) {
      const { exitCode, stderr } = await erase(given);
      expect([given, exitCode, exitCode === 0 ? "" : stderr]).toEqual([given, 0, ""]);
    }
    expect(await namesIn("users")).toEqual([anonymous, anonymous, "clerk 3", "deleted"]);
    expect(await namesIn("customers")).toEqual(["buyer 1", anonymous, anonymous]);
    for (const table of ["users", "customers"]) {
      const told = await look(`SELECT email, phone, card, joined FROM ${table} WHERE name LIKE 'erased-%'`);
      const telling = /^([123]|buyer.*|clerk.*|2020-.*)$/;
      expect(told.flatMap((row) => Object.values(row).filter((each) => telling.test(each ?? "")))).toEqual(
        [],
      );
      expect([told.length, new Set(told.map(({ phone }) => phone)).size]).toEqual([2, 2]);
      expect(told.map(({ email }) => email)).toEqual([null, null]);
    }
    const uploaded = "SELECT customer_id AS customer, uploaded_by AS clerk FROM file_attachments";
    expect(await look(uploaded)).toEqual([{ customer: "1", clerk: deskStandIn }]);
    expect(await site().left(bucket)).toEqual([keyOf(1)]);
    expect((await site().run("user", "erase", "verify", "staff-1.json")).exitCode).toBe(0);
    expect((await site().run("user", "erase", "verify", "customer-2.json")).exitCode).toBe(0);
    const again = await erase("staff:1", "--receipt", "again.json");
    expect([again.exitCode, again.exitCode === 0 ? "" : again.stderr]).toEqual([0, ""]);
    const unsaid = await erase("3");
    expect([unsaid.exitCode, unsaid.stderr]).toEqual([1, expect.stringContaining("customer:3 or staff:3")]);
  });

  test("a restore brings back whoever has the number of somebody who was erased", async () => {
    await empty();
    await site().removeFile(bucket, keyOf(1));
    const restored = await site().run("backup", "restore", "--yes");
    expect([restored.exitCode, restored.exitCode === 0 ? "" : restored.stderr]).toEqual([0, ""]);
    expect(await namesIn("users")).toEqual([anonymous, anonymous, "clerk 3", "deleted"]);
    expect(await namesIn("customers")).toEqual(["buyer 1", anonymous, anonymous]);
    const kept = "SELECT customer_id AS customer, uploaded_by AS clerk FROM file_attachments";
    expect(await look(kept)).toEqual([{ customer: "1", clerk: deskStandIn }]);
    const left = (await site().left(bucket)).filter((key) => !key.endsWith("(marker)"));
    expect(new Set(left)).toEqual(new Set([keyOf(1)]));
  });

  test("a restore brings back nobody of a number that was erased of whatever kind, whoever else of it was before", async () => {
    await empty();
    const { exitCode, stderr } = await erase("1");
    expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
    await site().putFiles(bucket, [keyOf(1)]);
    const verified = await site().run("user", "erase", "verify", "1.json");
    expect([verified.exitCode, verified.stdout]).toEqual([4, expect.stringContaining(bucket)]);
    await site().removeFile(bucket, keyOf(1));
    expect((await site().run("backup", "restore", "--yes")).exitCode).toBe(0);
    expect(await namesIn("customers")).toEqual([anonymous, anonymous, anonymous]);
  });
}
