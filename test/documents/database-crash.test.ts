import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { headObject, putObject } from "../../src/aws/s3/objects.ts";
import { noPostgres, startPostgres, type DatabaseServer } from "../support/database-server.ts";
import { onDatabase } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../support/world.ts";

const bucket = "fc024-attachments";
const customer = "11111111-1111-4111-8111-111111111111";
const staff = "44444444-4444-4444-8444-444444444444";
const database = "crashes";

interface Row {
  readonly status: string;
  readonly scan_result: string | null;
  readonly s3_key: string;
  readonly size_bytes: string;
  readonly deleted_at: string | null;
}

/** A document of each command as it is before, and what is to be so in the end, whatever ended the command meanwhile. */
const commands = {
  rm: {
    status: "READY",
    done: (key: string) => ({ status: "DELETED", s3_key: key, deleted_at: expect.any(String) as unknown }),
    keys: (key: string) => [key],
  },
  revoke: {
    status: "READY",
    done: () => ({
      status: "READY",
      s3_key: expect.stringMatching(/\/notes(-[0-9a-f]{8}){1,2}\.txt$/) as unknown,
    }),
    keys: (_key: string, { s3_key }: Row) => [s3_key],
  },
  confirm: {
    status: "UPLOADING",
    done: (key: string) => ({ status: "READY", s3_key: key, size_bytes: "5", scan_result: "SKIPPED" }),
    keys: (key: string) => [key],
  },
};

describe.skipIf(noPostgres !== undefined)(
  `documents in PostgreSQL whose command is killed ${noPostgres ?? ""}`,
  () => {
    let server: DatabaseServer | undefined;
    let home: TestHome;
    let mortal: Mortal;
    let count = 0;
    const env = () => ({ MAWPS_MODEL: "fc024", MAWPS_DATABASE_URL: server?.url(database) ?? "" });
    const site = () => modelSite(home, "fc024", env());
    beforeAll(async () => {
      [server, home, mortal] = await Promise.all([startPostgres(), makeHome(), buildMortal("mortal-calls")]);
      home.laterMs = afterRealClockMs();
      const setup = await site().run("setup", "--yes");
      if (setup.exitCode !== 0) throw new Error(setup.stderr);
      await onDatabase(server, database, async (sql) => {
        await sql.run(`INSERT INTO customers (id, name) VALUES ('${customer}', 'Max')`);
        await sql.run(`INSERT INTO users (id, email, name) VALUES ('${staff}', 'eva@example.com', 'Eva')`);
      });
    });
    afterAll(async () => {
      await Promise.all([server?.close(), mortal.remove(), home.remove()]);
    });

    const rowOf = (id: string) =>
      onDatabase(server, database, async (sql) => {
        const columns = "status, scan_result, s3_key, size_bytes, deleted_at";
        const statement = `SELECT ${columns} FROM file_attachments WHERE id = $1`;
        const [row] = await sql.rows(statement, [id]);
        return row as unknown as Row;
      });

    /** @returns the id of a new document of this name, with its file. */
    async function made(status: string): Promise<{ readonly id: string; readonly key: string }> {
      count += 1;
      const id = `33333333-3333-4333-8333-${String(count).padStart(12, "0")}`;
      const key = `customers/${customer}/${id}/notes.txt`;
      const [result, bytes] = status === "READY" ? ["'CLEAN'", 5] : ["NULL", 0];
      await onDatabase(server, database, (sql) =>
        sql.run(`INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, uploaded_by, uploaded_at)
        VALUES ('${id}', 'notes.txt', '${key}', 'text/plain', ${bytes}, '${status}', ${result}, '${customer}', '${staff}', now())`),
      );
      await site().look((aws) => putObject(aws, { bucket, key, body: Buffer.from("notes") }));
      return { id, key };
    }

    test.each(Object.entries(commands))(
      "doc %s comes to its end by the same command",
      async (verb, scene) => {
        const argv = (id: string) => ["doc", verb, customer, id, ...(verb === "confirm" ? [] : ["--yes"])];
        const whole = async (died: string, { id, key }: { readonly id: string; readonly key: string }) => {
          const row = await rowOf(id);
          expect([died, row]).toEqual([died, expect.objectContaining(scene.done(key))]);
          const left = await site().left(bucket);
          // What was copied twice has two versions under its new key.
          const keys = new Set(left.filter((each) => each.includes(id)));
          expect([died, keys]).toEqual([died, new Set(scene.keys(key, row))]);
          const stored = await site().look((aws) => headObject(aws, { bucket, key: row.s3_key }));
          expect([died, stored?.sizeBytes]).toEqual([died, 5]);
        };
        const first = await made(scene.status);
        const steps = await mortal.die(home, 0, argv(first.id), env());
        expect(steps.at(-1)).toBe("acknowledged");
        await whole("nowhere", first);
        const isChange = (step = "") => step.startsWith("before UPDATE file_attachments");
        // Before each change of the row, and before what comes behind it.
        const fatal = steps.flatMap((step, at) =>
          isChange(step) || isChange(steps[at - 1]) ? [at + 1] : [],
        );
        expect(fatal.length).toBeGreaterThan(1);
        for (const at of fatal) {
          const one = await made(scene.status);
          const died = (await mortal.die(home, at, argv(one.id), env())).at(-1) ?? "";
          expect(died).toBe(steps[at - 1]);
          const again = await site().run(...argv(one.id));
          expect([died, again.exitCode, again.exitCode === 0 ? "" : again.stderr]).toEqual([died, 0, ""]);
          await whole(died, one);
        }
        const verified = await site().run("audit", "verify");
        expect([verified.exitCode, verified.exitCode === 0 ? "" : verified.stderr]).toEqual([0, ""]);
        expect((await site().run("doc", "check")).exitCode).toBe(0);
      },
    );
  },
);
