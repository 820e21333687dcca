import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { headObject, putObject } from "../../../src/aws/s3/objects.ts";
import { says, startFakeClamd, type FakeClamd } from "../../scan/fake-clamd.ts";
import { noPostgres, startPostgres, type DatabaseServer } from "../../support/database-server.ts";
import { onDatabase } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const bucket = "fc024-attachments";
const customer = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";
const staff = "44444444-4444-4444-8444-444444444444";
const standIn = "00000000-0000-4000-8000-000000000000";
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
    await writeFile(join(home.folder, "notes.txt"), "what is written");
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
    const people = "hint: give an id or an e-mail address; `mawps user list` shows them";
    for (const [nobody, exitCode, told] of [
      [staff, 1, people],
      [uuid(9), 1, people],
      ["eva@example.com", 1, people],
      [`customer:${uuid(9)}`, 1, people],
      [`opportunity:${uuid(9)}`, 1, `there is no opportunity:${uuid(9)}\nhint: give its id`],
      ["opportunity:x' OR '1'='1", 1, "holds a space"],
      ["opportunity:", 2, 'the id in "opportunity:" is empty'],
      ["customer:", 2, 'the id in "customer:" is empty'],
    ] as const)
      expect([nobody, await doc("list", nobody)]).toEqual([
        nobody,
        { exitCode, stdout: "", stderr: expect.stringContaining(told) },
      ]);

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
    const unscanned = await doc("url", ofOpportunity, uuid(12), "--allow-unscanned", "--json");
    expect(unscanned.exitCode).toBe(0);
    const links = async (...argv: string[]) =>
      lines((await doc("url", "--list", "--json", ...argv)).stdout).map(({ id }) => id);
    expect(await links(ofOpportunity)).toEqual([uuid(12)]);
    expect(await links(`opportunity:${uuid(2)}`)).toEqual([]);
    for (const argv of [[customer], []]) expect(await links(...argv)).toEqual([uuid(12), uuid(11)]);
    const erasure = await site().run("user", "erase", `customer:${customer}`, "--dry-run", "--json");
    expect(JSON.parse(erasure.stdout)).toMatchObject({ userId: customer, links: 2 });
    const reported = await site().run("report", "--json", "--dry-run");
    expect(JSON.parse(reported.stdout)).toMatchObject({ documents: { states: { READY: 3, DELETED: 1 } } });

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
        // Of whoever the opportunity is about.
        ["document.downloaded", customer],
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

  const rows = () =>
    onDatabase(server, database, (connection) =>
      connection.rows(
        "SELECT id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, opportunity_id, uploaded_by, deleted_at, tags FROM file_attachments ORDER BY file_name, id",
      ),
    );
  const head = (key: string) => site().look((aws) => headObject(aws, { bucket, key }));
  const upload = (...argv: string[]) => doc("upload", ...argv, "--by", staff, "--no-scan");

  it("are uploaded to a customer, an opportunity or both, once, deleted and brought back", async () => {
    const first = await doc(
      "upload",
      "customer:max@example.com",
      "notes.txt",
      "--by",
      "staff:MAX@example.com",
      "--attach",
      ofOpportunity,
      "--tag",
      "it's",
      "--no-scan",
      "--json",
    );
    expect([first.exitCode, first.stderr]).toEqual([0, ""]);
    const [row, ...others] = await rows();
    const id = row?.["id"] ?? "";
    const key = `customers/${customer}/${id}/notes.txt`;
    const stored = {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      file_name: "notes.txt",
      s3_key: key,
      content_type: "text/plain",
      size_bytes: "15",
      status: "READY",
      scan_result: "SKIPPED",
      customer_id: customer,
      opportunity_id: opportunity,
      uploaded_by: staff,
      deleted_at: null,
      tags: `["it's"]`,
    };
    expect([row, others]).toEqual([stored, []]);
    expect(JSON.parse(first.stdout)).toMatchObject({ userId: customer, id, status: "READY" });
    expect(await head(key)).toMatchObject({
      sizeBytes: 15,
      encryption: "AES256",
      metadata: { "original-name": "notes.txt", "uploaded-by": staff },
    });

    const again = await doc(
      "upload",
      customer,
      "notes.txt",
      "--by",
      staff,
      "--attach",
      ofOpportunity,
      "--no-scan",
    );
    expect([again.exitCode, again.stderr]).toEqual([
      0,
      expect.stringContaining("already exists, nothing to upload"),
    ]);
    const both = await Promise.all([upload(ofOpportunity, "notes.txt"), upload(ofOpportunity, "notes.txt")]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const [, second, ...more] = (await rows()).toSorted((one) => (one["id"] === id ? -1 : 1));
    expect([second, more]).toMatchObject([
      { status: "READY", customer_id: null, opportunity_id: opportunity },
      [],
    ]);
    expect(second?.["s3_key"]).toBe(`opportunities/${opportunity}/${second?.["id"]}/notes.txt`);

    const removed = await doc("rm", customer, id, "--yes");
    expect(removed.exitCode).toBe(0);
    const deleted = (await rows()).find((each) => each["id"] === id);
    expect(deleted).toEqual({
      ...stored,
      status: "DELETED",
      deleted_at: expect.stringMatching(/^2026-03-01 /),
    });
    expect((await doc("restore", customer, id)).exitCode).toBe(0);
    expect((await rows()).find((each) => each["id"] === id)).toEqual(stored);
    // What was deleted stays so, and the same file becomes another document.
    await doc("rm", customer, id, "--yes");
    expect((await upload(customer, "notes.txt")).exitCode).toBe(0);
    expect((await rows()).map(({ status }) => status ?? "").sort()).toEqual(["DELETED", "READY", "READY"]);
    expect(await site().left(bucket)).toHaveLength(3);
    const trail = lines((await site().run("audit", "list", "--json")).stdout).map(({ action }) => action);
    expect(trail.filter((action) => action === "document.deleted")).toHaveLength(2);
  });

  it("are refused before anything is changed where nobody, or nothing, of that name is there", async () => {
    const refused: [string[], number, string][] = [
      [[customer, "notes.txt"], 2, "say who uploads it: --by"],
      [[customer, "notes.txt", "--by", customer], 1, "may upload nothing"],
      [[customer, "notes.txt", "--by", standIn], 1, "may upload nothing"],
      [[uuid(9), "notes.txt", "--by", staff], 1, "unknown user"],
      [
        [customer, "notes.txt", "--by", staff, "--attach", `opportunity:${uuid(9)}`],
        1,
        "there is no opportunity:",
      ],
      [[customer, "notes.txt", "--by", staff, "--attach", `customer:${other}`], 2, "--attach customer:"],
      [
        [ofOpportunity, "notes.txt", "--by", staff, "--attach", ofOpportunity],
        2,
        "can be attached to besides",
      ],
      [[customer, "notes.txt", "--by", staff, "--type", "cv"], 2, "--type is not for fc024"],
    ];
    for (const [argv, exitCode, told] of refused)
      expect(await doc("upload", ...argv)).toMatchObject({ exitCode, stderr: expect.stringContaining(told) });
    expect([await rows(), await site().left(bucket)]).toEqual([[], []]);
  });

  it("stay away where a hold comes, and keep theirs where somebody else changed the row", async () => {
    await sql(files, "ALTER TABLE file_attachments ADD legal_hold text");
    const removed = await onDatabase(server, database, async (hold) => {
      await hold.run("BEGIN");
      await hold.run("UPDATE file_attachments SET legal_hold = 'case 1'");
      // It reads the row as it was, and waits with its change.
      const removing = doc("rm", customer, uuid(11), "--yes");
      await onDatabase(server, database, async (look) => {
        const waits =
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        const ended = new AbortController();
        void removing.then(() => ended.abort());
        while (!ended.signal.aborted && (await look.rows(waits)).length === 0);
      });
      await hold.run("COMMIT");
      return removing;
    });
    expect([removed.exitCode, removed.stderr]).toEqual([
      1,
      expect.stringContaining("somebody else changed it meanwhile; it is READY now"),
    ]);
    expect((await doc("rm", customer, uuid(11), "--yes")).stderr).toContain("legal hold");
    expect((await rows()).find(({ id }) => id === uuid(11))).toMatchObject({
      status: "READY",
      deleted_at: null,
    });
  });

  it.each([
    ["PutObjectCommand", "", []],
    ["PutItemCommand", "customers/", [expect.stringMatching(/notes.txt$/)]],
  ])("are taken up where a machine ended before %s", async (command, sent, left) => {
    const sentKeys: string[] = [];
    home.beforeCall = async (name, input) => {
      const { Key = "" } = input as { Key?: string };
      const isDue = command === "PutObjectCommand" ? Key.startsWith("customers/") : sentKeys.length > 0;
      if (name === command && isDue) throw new Error("the machine ended here");
      if (name === "PutObjectCommand" && sent !== "" && Key.startsWith(sent)) sentKeys.push(Key);
    };
    expect((await upload(customer, "notes.txt")).exitCode).not.toBe(0);
    home.beforeCall = undefined;
    const begun = await rows();
    expect(begun).toMatchObject([{ status: "UPLOADING", file_name: "notes.txt" }]);
    expect(await site().left(bucket)).toEqual(left);
    await writeFile(join(home.folder, "other.txt"), "something else!");
    expect((await upload(customer, "other.txt", "--name", "notes.txt")).exitCode).toBe(0);
    expect((await upload(customer, "notes.txt")).exitCode).toBe(0);
    const done = await rows();
    expect(done.find(({ id }) => id === begun[0]?.["id"])).toEqual({ ...begun[0], status: "READY" });
    expect(done.map(({ status }) => status)).toEqual(["READY", "READY"]);
    expect(await site().left(bucket)).toHaveLength(2);
  });

  it("are READY only with what the model lets through, whatever the policy says", async () => {
    await using broken = await startFakeClamd({ complete: says("stream: limit reached. ERROR\0") });
    await using clean = await startFakeClamd({ complete: says("stream: OK\0") });
    await using found = await startFakeClamd({ complete: says("stream: Eicar-Test-Signature FOUND\0") });
    const asking = ({ clamd }: FakeClamd) =>
      modelSite(home, "fc024", {
        MAWPS_HOME: join(home.folder, "other"),
        MAWPS_DATABASE_URL: server?.url(database) ?? "",
        MAWPS_CLAMAV_HOST: clamd.host,
        MAWPS_CLAMAV_PORT: String(clamd.port),
        MAWPS_SCAN_POLICY: "allow",
      });
    const scanning = (clamd: FakeClamd) =>
      asking(clamd).run("doc", "upload", customer, "notes.txt", "--by", staff);
    const failed = await scanning(broken);
    expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringContaining("it was not scanned")]);
    expect([await rows(), await site().left(bucket)]).toEqual([[], []]);

    expect((await scanning(found)).exitCode).toBe(1);
    expect(await rows()).toMatchObject([{ status: "INFECTED", scan_result: "INFECTED" }]);
    expect(await site().left(bucket)).toEqual([]);
    expect((await scanning(clean)).exitCode).toBe(0);
    expect(await rows()).toMatchObject([{ status: "READY", scan_result: "CLEAN" }]);

    // What a scan let through stays so where a scanner says nothing; what none did is never READY.
    const [{ id = "" } = {}] = await rows();
    await sql("UPDATE file_attachments SET scan_result = 'SKIPPED'");
    expect((await asking(broken).run("doc", "scan", customer)).exitCode).not.toBe(0);
    expect(await rows()).toMatchObject([{ status: "READY", scan_result: "SKIPPED" }]);
    await sql("UPDATE file_attachments SET status = 'DELETED', deleted_at = now(), scan_result = 'ERROR'");
    const refused = await doc("restore", customer, id ?? "");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("mawps doc scan")]);
    expect(await rows()).toMatchObject([{ status: "DELETED", scan_result: "ERROR" }]);
    expect((await asking(clean).run("doc", "scan", "--all")).exitCode).toBe(0);
    expect(await rows()).toMatchObject([{ status: "DELETED", scan_result: "CLEAN" }]);
    expect((await doc("restore", customer, id ?? "")).exitCode).toBe(0);
    expect(await rows()).toMatchObject([{ status: "READY", scan_result: "CLEAN", deleted_at: null }]);
    const report = await asking(clean).run("doc", "scan", "--report", "--json");
    expect([report.exitCode, JSON.parse(report.stdout)]).toMatchObject([0, { counts: { CLEAN: 1 } }]);
  });

  it("are asked for by a link, and confirmed once they have arrived", async () => {
    const asked = async (...argv: string[]) =>
      doc("request", ...argv, "--name", "notes.txt", "--by", staff, "--json");
    const long = await asked(customer, "--expires", "13h");
    expect([long.exitCode, long.stderr]).toEqual([2, expect.stringContaining("12 hours at most")]);
    expect(await rows()).toEqual([]);
    const requested = await asked(ofOpportunity);
    expect(requested.exitCode).toBe(0);
    const { id } = JSON.parse(requested.stdout) as { id: string };
    const key = `opportunities/${opportunity}/${id}/notes.txt`;
    const waiting = {
      id,
      s3_key: key,
      status: "UPLOADING",
      size_bytes: "0",
      scan_result: null,
      uploaded_by: staff,
    };
    expect(await rows()).toMatchObject([{ ...waiting, customer_id: null, opportunity_id: opportunity }]);
    const early = await doc("confirm", ofOpportunity, id);
    expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining("nothing has arrived yet")]);
    await site().look((aws) => putObject(aws, { bucket, key, body: Buffer.from("what was sent") }));
    expect((await doc("confirm", ofOpportunity, id)).exitCode).toBe(0);
    const ready = { ...waiting, status: "READY", size_bytes: "13", scan_result: "SKIPPED" };
    expect(await rows()).toMatchObject([ready]);

    // What is no document goes in every version, with its row.
    const other = await asked(customer, "--attach", ofOpportunity);
    const second = JSON.parse(other.stdout) as { id: string };
    const sent = (await rows()).find((each) => each["id"] === second.id)?.["s3_key"];
    await site().look((aws) =>
      putObject(aws, { bucket, key: sent ?? "", body: Buffer.from([0, 1, 2, 255]) }),
    );
    expect((await doc("confirm", customer, second.id)).exitCode).toBe(1);
    expect(await rows()).toMatchObject([ready]);
    expect(await site().left(bucket)).toEqual([key]);

    const links = await doc("url", "--list", ofOpportunity, "--json");
    expect(lines(links.stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ userId: customer, kind: "upload", id })]),
    );
    const revoked = await doc("revoke", ofOpportunity, id, "--yes");
    expect(revoked.exitCode).toBe(0);
    const [moved] = await rows();
    expect(moved?.["s3_key"]).toMatch(/\/notes-[0-9a-f]{8}\.txt$/);
    expect(await site().left(bucket)).toEqual([moved?.["s3_key"]]);
  });

  it("are checked against the bucket, and repaired", async () => {
    await sql(files);
    const stray = [
      `customers/${customer}/${uuid(16)}/stray.txt`,
      `opportunities/${uuid(2)}/${uuid(17)}/stray.txt`,
    ];
    await site().putFiles(bucket, [keys.one, keys.both, keys.others, ...stray]);
    let isSent = false;
    home.beforeCall = async (name, input) => {
      const { Key = "" } = input as { Key?: string };
      if (name === "PutItemCommand" && isSent) throw new Error("the machine ended here");
      if (name === "PutObjectCommand" && Key.endsWith("notes.txt")) isSent = true;
    };
    await upload(customer, "notes.txt");
    home.beforeCall = undefined;
    await sql("UPDATE file_attachments SET uploaded_at = '2026-02-01' WHERE file_name = 'notes.txt'");
    const checked = await doc("check", "--json");
    expect(checked.exitCode).toBe(4);
    const found = lines(checked.stdout).map(({ userId, kind, repairable }) => [userId, kind, repairable]);
    expect(found).toEqual(
      expect.arrayContaining([
        [customer, "half-done-upload", true],
        [customer, "wrong-size", false],
        [customer, "object-without-entry", false],
        [ofOpportunity, "entry-without-object", false],
        [other, "wrong-size", false],
        [`opportunity:${uuid(2)}`, "object-without-entry", false],
      ]),
    );
    expect(found).toHaveLength(6);
    expect((await doc("check", customer, "--repair", "--yes")).exitCode).toBe(4);
    const repaired = (await rows()).filter(({ customer_id: id }) => id === customer);
    expect(repaired.map(({ file_name, status, size_bytes }) => [file_name, status, size_bytes])).toEqual([
      ["both.txt", "DELETED", "1"],
      ["notes.txt", "READY", "15"],
      ["one.txt", "READY", String(`bytes of ${keys.one}`.length)],
    ]);
    expect(await site().left(bucket)).toHaveLength(6);
  });
});
