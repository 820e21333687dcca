import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { deskStandIn, writeDesk } from "../../support/desk-site.ts";
import { modelSite } from "../../support/model-site.ts";
import { buildMortal, type Mortal } from "../../support/mortal-process.ts";
import { beforeChanges } from "../../support/statement-hook.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../../support/world.ts";

const database = "dying";
const bucket = "fc024-attachments";
const file = (of: number) => `33333333-3333-4333-8333-${String(of).padStart(12, "0")}`;
const keyOf = (of: number) => `customers/${of}/${file(of)}/notes.txt`;

/** The tests of erasures in a database of a server that runs, and of which it or the command is killed. */
export function testDying({ engine }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  let home: TestHome;
  let mortal: Mortal;
  let model: string;
  let count = 0;
  const env = () => ({ MAWPS_MODEL: model, MAWPS_DATABASE_URL: serverNow()?.url(database) ?? "" });
  const site = () => modelSite(home, model, env());
  const argv = (id: number) => ["user", "erase", `customer:${id}`, "--yes", "--receipt", `${id}.json`];
  beforeAll(async () => {
    [home, mortal] = await Promise.all([makeHome(), buildMortal("mortal-calls")]);
    home.laterMs = afterRealClockMs();
    model = await writeDesk(home, engine);
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
  });
  afterAll(async () => {
    await Promise.all([mortal.remove(), home.remove()]);
  });

  /** @returns the number of a new customer with a file. */
  async function made(): Promise<number> {
    count += 1;
    const id = count;
    const day = `2020-01-${String(id).padStart(2, "0")}`;
    await onDatabase(serverNow(), database, async (sql) => {
      await sql.run(
        `INSERT INTO customers (id, name, email, phone, card, joined) VALUES (${id}, 'buyer', 'b${id}@example.com', ${id}, 'b${id}', '${day}')`,
      );
      await sql.run(`INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, uploaded_by, uploaded_at)
        VALUES ('${file(id)}', 'notes.txt', '${keyOf(id)}', 'text/plain', 1, 'READY', 'CLEAN', ${id}, ${deskStandIn}, '2026-01-01 00:00:00')`);
    });
    await site().putFiles(bucket, [keyOf(id)]);
    return id;
  }

  /** What is there of a customer: the name, how many rows of files, how many files. */
  async function thereOf(id: number) {
    const [row, rows] = await onDatabase(serverNow(), database, async (sql) => [
      (await sql.rows(`SELECT name FROM customers WHERE id = ${id}`))[0]?.["name"],
      await sql.rows(`SELECT id FROM file_attachments WHERE customer_id = ${id}`),
    ]);
    const left = await site().left(bucket);
    return {
      name: row,
      rows: rows?.length,
      files: left.filter((key) => key.startsWith(`customers/${id}/`)).length,
    };
  }
  const whole = { name: "buyer", rows: 1, files: 1 };
  const erased = { name: expect.stringMatching(/^erased-[0-9a-f]{16}$/) as unknown, rows: 0, files: 0 };

  /** The same command goes on, whatever ended it. */
  async function goesOn(id: number, died: string): Promise<void> {
    // Of the database all is there, or all is done: never one row of it.
    const { files: _files, ...between } = await thereOf(id);
    const { files: _all, ...before } = whole;
    const { files: _none, ...behind } = erased;
    expect([died, between]).toEqual([died, between.rows === 1 ? before : behind]);
    const again = await site().run(...argv(id));
    expect([died, again.exitCode, again.exitCode === 0 ? "" : again.stderr]).toEqual([died, 0, ""]);
    expect([died, await thereOf(id)]).toEqual([died, erased]);
    expect((await site().run("user", "erase", "verify", `${id}.json`)).exitCode).toBe(0);
  }
  const isOfDatabase = (step = "") => /^before (UPDATE|DELETE|COMMIT)( |$)/.test(step);

  test("killed at any statement, an erasure leaves no half of it, and the same command ends it", async () => {
    const first = await made();
    const steps = await mortal.die(home, 0, argv(first), env());
    expect([steps.at(-1), await thereOf(first)]).toEqual(["acknowledged", erased]);
    const fatal = steps.flatMap((step, at) =>
      isOfDatabase(step) || isOfDatabase(steps[at - 1]) ? [at + 1] : [],
    );
    expect(steps.filter(isOfDatabase)).toEqual([
      "before DELETE file_attachments",
      "before UPDATE customers",
      "before COMMIT",
    ]);
    for (const at of fatal) {
      const id = await made();
      const died = (await mortal.die(home, at, argv(id), env())).at(-1) ?? "";
      expect(died).toBe(steps[at - 1]);
      await goesOn(id, died);
    }
    expect((await site().run("audit", "verify")).exitCode).toBe(0);
  });

  test.each(["DELETE", "UPDATE", "COMMIT"])(
    "a server that is killed at %s is told of, and all rows are as before",
    async (verb) => {
      const id = await made();
      let killed: Promise<void> | undefined;
      const end = beforeChanges((statement) => {
        if (statement.startsWith(verb)) killed ??= serverNow()?.kill();
        return killed;
      });
      const died = await site().run(...argv(id));
      end();
      expect([killed !== undefined, died.exitCode, died.stderr]).toEqual([
        true,
        1,
        expect.stringMatching(/the server ended the connection[^]*run the same command again/),
      ]);
      await serverNow()?.start();
      expect(await thereOf(id)).toEqual({ ...whole, files: verb === "COMMIT" ? 0 : 1 });
      await goesOn(id, verb);
    },
  );
}
