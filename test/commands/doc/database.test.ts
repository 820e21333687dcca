import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { noPostgres, startPostgres, type DatabaseServer } from "../../support/database-server.ts";
import { onDatabase } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const bucket = "fc024-attachments";
const customer = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";
const staff = "44444444-4444-4444-8444-444444444444";
const uuid = (number: number) => `33333333-3333-4333-8333-${String(number).padStart(12, "0")}`;
const opportunity = uuid(1);
const ofOpportunity = `opportunity:${opportunity}`;

const people = [
  `INSERT INTO customers (id, name, email) VALUES ('${customer}', 'Max', 'max@example.com'), ('${other}', 'Eva', NULL)`,
  `INSERT INTO users (id, email, name) VALUES ('${staff}', 'max@example.com', 'Max of the staff')`,
  `INSERT INTO opportunities (id, customer_id, name) VALUES ('${opportunity}', '${customer}', 'one'), ('${uuid(2)}', '${other}', 'two')`,
];

const keys = {
  one: `customers/${customer}/${uuid(11)}/one.txt`,
  two: `opportunities/${opportunity}/${uuid(12)}/two.txt`,
  both: `opportunities/${opportunity}/${uuid(13)}/both.txt`,
  others: `customers/${other}/${uuid(14)}/others.txt`,
};

const files = `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, opportunity_id, uploaded_by, uploaded_at, tags) VALUES
  ('${uuid(11)}', 'one.txt', '${keys.one}', 'text/plain', ${`bytes of ${keys.one}`.length}, 'READY', 'CLEAN', '${customer}', NULL, '${staff}', '2026-02-01T10:00:00Z', '["new"]'),
  ('${uuid(12)}', 'two.txt', '${keys.two}', 'text/plain', ${`bytes of ${keys.two}`.length}, 'READY', 'SKIPPED', NULL, '${opportunity}', '${staff}', '2026-02-02T10:00:00Z', NULL),
  ('${uuid(13)}', 'both.txt', '${keys.both}', 'text/plain', 1, 'DELETED', 'CLEAN', '${customer}', '${opportunity}', '${staff}', '2026-02-03T10:00:00Z', NULL),
  ('${uuid(14)}', 'others.txt', '${keys.others}', 'text/plain', 1, 'READY', 'CLEAN', '${other}', NULL, '${staff}', '2026-02-04T10:00:00Z', NULL)`;

type Value = Readonly<Record<string, unknown>>;
const lines = (text: string) =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Value]));

describe.skipIf(noPostgres !== undefined)(`documents that are rows of PostgreSQL ${noPostgres ?? ""}`, () => {
  let server: DatabaseServer | undefined;
  let home: TestHome;
  let count = 0;
  let database = "";
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    count += 1;
    database = `documents${count}`;
    home = await makeHome();
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await sql(...people);
  });
  afterEach(() => home.remove());

  const site = () =>
    modelSite(home, "fc024", {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: server?.url(database) ?? "",
    });
  const sql = (...statements: string[]) =>
    onDatabase(server, database, async (connection) => {
      for (const statement of statements) await connection.run(statement);
    });
  const doc = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await site().run("doc", ...argv);
    return { exitCode, stdout, stderr };
  };

  it("are listed and shown by customer and by opportunity, linked to and fetched", async () => {
    await sql(files);
    await site().putFiles(bucket, [keys.one, keys.two]);
    const listed = async (...argv: string[]) => {
      const { stdout, stderr, exitCode } = await doc("list", ...argv, "--json");
      expect([exitCode, stderr]).toEqual([0, ""]);
      return lines(stdout).map(({ userId, name }) => [userId, name]);
    };
    for (const given of [customer, `customer:${customer}`, "max@example.com", "customer:MAX@example.com"])
      expect(await listed(given)).toEqual([[customer, "one.txt"]]);
    expect(await listed(ofOpportunity)).toEqual([[ofOpportunity, "two.txt"]]);
    expect(await listed(ofOpportunity, "--deleted")).toEqual([[customer, "both.txt"]]);
    expect(await listed("--all")).toEqual([
      [customer, "one.txt"],
      [ofOpportunity, "two.txt"],
      [other, "others.txt"],
    ]);
    for (const nobody of [
      staff,
      uuid(9),
      `opportunity:${uuid(9)}`,
      "opportunity:x' OR '1'='1",
      "eva@example.com",
    ])
      expect(await doc("list", nobody)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/unknown user|holds a space/),
      });

    const shown = await doc("show", customer, uuid(11), "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({
      userId: customer,
      id: uuid(11),
      name: "one.txt",
      s3Key: keys.one,
      contentType: "text/plain",
      status: "READY",
      scanResult: "CLEAN",
      uploadedBy: staff,
      uploadedAt: "2026-02-01T10:00:00+00:00",
      tags: ["new"],
    });
    expect((await doc("show", customer, uuid(14))).exitCode).toBe(1);

    const link = await doc("url", customer, uuid(11), "--json");
    const url = new URL((JSON.parse(link.stdout) as { url: string }).url);
    expect([url.pathname, url.searchParams.get("X-Amz-Expires")]).toEqual([
      expect.stringContaining(keys.one),
      "900",
    ]);
    const skipped = await doc("url", ofOpportunity, uuid(12));
    expect([skipped.exitCode, skipped.stderr]).toEqual([1, expect.stringContaining("has not been scanned")]);

    const got = await doc("get", ofOpportunity, "--all", "-o", "got", "--json");
    expect([got.exitCode, JSON.parse(got.stdout)]).toMatchObject([
      0,
      { outcome: "fetched", verified: "CRC32" },
    ]);
    expect(await readFile(join(home.folder, "got", "two.txt"), "utf8")).toBe(`bytes of ${keys.two}`);
    const trail = lines((await site().run("audit", "list", "--json")).stdout);
    expect(trail.map(({ action, userId }) => [action, userId])).toEqual(
      expect.arrayContaining([
        ["document.link-created", customer],
        ["document.downloaded", ofOpportunity],
      ]),
    );
  });

  it("open nothing of somebody else, whatever a row names", async () => {
    const key = `opportunities/${uuid(2)}/${uuid(15)}/x.txt`;
    await sql(
      files,
      `UPDATE file_attachments SET s3_key = '${keys.others}x' WHERE id = '${uuid(11)}'`,
      `UPDATE file_attachments SET s3_key = '${key}', scan_result = 'CLEAN' WHERE id = '${uuid(12)}'`,
    );
    await site().putFiles(bucket, [`${keys.others}x`, key]);
    for (const [whose, id] of [
      [customer, uuid(11)],
      [ofOpportunity, uuid(12)],
    ] as const) {
      const link = await doc("url", whose, id);
      expect([link.exitCode, link.stdout, link.stderr]).toEqual([
        1,
        "",
        expect.stringContaining("in none of the folders"),
      ]);
    }
  });
});
