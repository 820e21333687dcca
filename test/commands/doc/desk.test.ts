import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { noMariadb, startMariadb, type DatabaseServer } from "../../support/database-server.ts";
import { onDatabase } from "../../support/database-sites.ts";
import { writeDesk } from "../../support/desk-site.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const bucket = "fc024-attachments";
const database = "desk";
/** Would end a text, and more, wherever it is not a value. */
const hostile = "x'; DROP TABLE users; -- \" `.txt";

type Value = Readonly<Record<string, unknown>>;

describe.skipIf(noMariadb !== undefined)(`documents that are rows of MariaDB ${noMariadb ?? ""}`, () => {
  let server: DatabaseServer | undefined;
  let home: TestHome;
  let model: string;
  beforeAll(async () => {
    [server, home] = await Promise.all([startMariadb(), makeHome()]);
    model = await writeDesk(home, "mysql");
    await writeFile(join(home.folder, "notes.txt"), "what is written");
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await onDatabase(server, database, async (sql) => {
      for (const table of ["customers", "users"])
        await sql.run(
          `INSERT INTO ${table} (id, name, email, phone, card, joined) VALUES (1, 'Max', 'max@${table}.example.com', 1, 'a', '2020-01-01')`,
        );
    });
  });
  afterAll(async () => {
    await Promise.all([server?.close(), home.remove()]);
  });

  const site = () =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: server?.url(database) ?? "",
    });
  const rows = () =>
    onDatabase(server, database, (sql) =>
      sql.rows("SELECT * FROM file_attachments ORDER BY uploaded_at, file_name"),
    );
  const doc = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await site().run("doc", ...argv);
    expect([argv, exitCode, exitCode === 0 ? "" : stderr]).toEqual([argv, 0, ""]);
    return stdout;
  };
  const linesOf = (text: string) =>
    text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Value]));

  it("go from the upload to the last link, under whatever name", async () => {
    await doc(
      "upload",
      "customer:max@customers.example.com",
      "notes.txt",
      "--by",
      "1",
      "--name",
      hostile,
      "--tag",
      "it's",
      "--no-scan",
    );
    const [row, ...others] = await rows();
    const id = row?.["id"] ?? "";
    const key = row?.["s3_key"] ?? "";
    expect([row, others]).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
        file_name: hostile,
        s3_key: expect.stringMatching(/^customers\/1\/[0-9a-f-]{36}\//) as unknown,
        content_type: "text/plain",
        size_bytes: "15",
        status: "READY",
        scan_result: "SKIPPED",
        customer_id: "1",
        opportunity_id: null,
        uploaded_by: "1",
        uploaded_at: expect.stringMatching(/^2026-03-01 12:/) as unknown,
        deleted_at: null,
        tags: `["it's"]`,
      },
      [],
    ]);
    expect(await site().left(bucket)).toEqual([key]);
    expect(linesOf(await doc("list", "1", "--json"))).toMatchObject([
      { userId: "1", id, name: hostile, tags: ["it's"] },
    ]);
    expect(JSON.parse(await doc("show", "1", id, "--json"))).toMatchObject({
      status: "READY",
      uploadedBy: "1",
    });
    const link = JSON.parse(await doc("url", "1", id, "--allow-unscanned", "--json")) as { url: string };
    expect(new URL(link.url).searchParams.get("X-Amz-Expires")).toBe("900");
    await doc("get", "1", id, "-o", "got");
    const [got = ""] = await readdir(join(home.folder, "got"));
    expect(await readFile(join(home.folder, "got", got), "utf8")).toBe("what is written");
    await doc("tag", "1", id, "new", "--remove", "it's");
    await doc("rename", "1", id, "renamed.txt");
    expect(await rows()).toMatchObject([{ id, file_name: "renamed.txt", tags: `["new"]`, status: "READY" }]);
    await doc("rm", "1", id, "--yes");
    expect(await rows()).toMatchObject([
      { status: "DELETED", deleted_at: expect.stringMatching(/^2026-03-01 12:/) },
    ]);
    expect(await doc("list", "1", "--json")).toBe("");
    await doc("restore", "1", id);
    expect(await rows()).toMatchObject([{ status: "READY", deleted_at: null, file_name: "renamed.txt" }]);
    await doc("revoke", "1", id, "--yes");
    const [moved] = await rows();
    expect(moved?.["s3_key"]).not.toBe(key);
    expect(await site().left(bucket)).toEqual([moved?.["s3_key"]]);
    await doc("check");
  });

  it("are asked for by a link, confirmed, and checked against the bucket", async () => {
    const asked = JSON.parse(await doc("request", "1", "--name", "asked.txt", "--by", "1", "--json")) as {
      id: string;
    };
    const rowNow = async () => (await rows()).find(({ id }) => id === asked.id);
    const waiting = await rowNow();
    expect(waiting).toMatchObject({
      status: "UPLOADING",
      size_bytes: "0",
      scan_result: null,
      file_name: "asked.txt",
    });
    const early = await site().run("doc", "confirm", "1", asked.id);
    expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining("nothing has arrived yet")]);
    const key = waiting?.["s3_key"] ?? "";
    await site().look((aws) => putObject(aws, { bucket, key, body: Buffer.from("sent") }));
    await doc("confirm", "1", asked.id);
    expect(await rowNow()).toMatchObject({ status: "READY", size_bytes: "4", scan_result: "SKIPPED" });
    await site().removeFile(bucket, key);
    const checked = await site().run("doc", "check", "--json");
    expect([checked.exitCode, linesOf(checked.stdout)]).toMatchObject([
      4,
      [{ userId: "1", kind: "entry-without-object" }],
    ]);
    expect((await site().run("audit", "verify")).exitCode).toBe(0);
  });
});
