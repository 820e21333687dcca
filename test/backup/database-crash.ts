import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Row } from "../../src/sql/connection.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { beforeStatements } from "../support/statement-hook.ts";
import type { Outcome } from "../support/world.ts";

interface Running {
  readonly server: () => DatabaseServer | undefined;
  readonly mawps: (argv: readonly string[], url?: string) => Promise<Outcome>;
  /** Its folder. */
  readonly repository: () => string;
  readonly stateOf: (database: string) => Promise<Row[][]>;
  /** The rows of the model's database. */
  readonly before: () => Row[][];
}

/** Statements in the middle of a restore into a database that is not there. */
const inRestore = {
  lopez: [
    // The first is the one in the scratch database.
    { meant: /^CREATE TABLE `chat_sessions`/, nth: 2 },
    { meant: /^INSERT INTO `chat_sessions`/, nth: 1 },
    { meant: /^SELECT .* FROM `chat_messages` LIMIT 1$/, nth: 1 },
  ],
  fc024: [
    { meant: /^CREATE TABLE file_attachments /, nth: 2 },
    { meant: /^SELECT .* FROM "file_attachments" LIMIT 1$/, nth: 1 },
  ],
};
const tableInTheMiddle = { lopez: "chat_sessions", fc024: "customers" };

/** The tests of backups and restores on a server that runs, and is killed meanwhile. */
export function testDyingServer(
  { model, engine }: DatabaseSite,
  { server, mawps, repository, stateOf, before }: Running,
): void {
  const snapshots = () => readdir(join(repository(), "snapshots"));
  const counting = new RegExp(`^SELECT COUNT\\(\\*\\) AS n FROM .${tableInTheMiddle[model]}.$`);
  const gone = /the server ended the connection[^]*run the same command again/;

  /** Kills the server at a statement that is `meant`, not before so many of them. */
  async function killedAt(meant: RegExp, nth: number, command: () => Promise<Outcome>): Promise<void> {
    let seen = 0;
    const end = beforeStatements(meant, () => {
      seen += 1;
      return seen === nth ? server()?.kill() : undefined;
    });
    const died = await command().finally(end);
    if (seen >= nth) await server()?.start();
    expect([seen >= nth, died.exitCode, died.stderr]).toEqual([true, 1, expect.stringMatching(gone)]);
  }

  test("a backup leaves none that counts, and the same command makes it", async () => {
    const names = await snapshots();
    const create = () => mawps(["backup", "create", "--with-secrets"]);
    await killedAt(counting, 1, create);
    expect(await snapshots()).toEqual(names);
    const created = await create();
    expect([created.exitCode, created.stderr]).toEqual([0, ""]);
    const { id } = JSON.parse(created.stdout) as { id: string };
    expect((await mawps(["backup", "verify", id, "--all"])).exitCode).toBe(0);
    const restored = await mawps(["backup", "restore", id], server()?.url("revived"));
    expect([restored.exitCode, await stateOf("revived")]).toEqual([0, before()]);
  });

  test.each(inRestore[model])(
    "a restore comes to the same end when it is run again: $meant",
    async ({ meant, nth }) => {
      const [first = ""] = (await snapshots()).sort();
      const database = `dying-${inRestore[model].findIndex((each) => each.meant === meant)}`;
      const restore = () => mawps(["backup", "restore", first], server()?.url(database));
      await killedAt(meant, nth, restore);
      const again = await restore();
      expect([again.exitCode, again.stderr]).toEqual([0, ""]);
      expect(await stateOf(database)).toEqual(before());
      expect(JSON.parse((await restore()).stdout)).toMatchObject({
        written: {},
        databases: [{ create: 0, conflict: 0 }],
      });
      expect(await stateOf(model)).toEqual(before());
      expect((await mawps(["audit", "verify"])).exitCode).toBe(0);
    },
  );

  // What only adds to a table disturbs no reader; PostgreSQL lets no ALTER TABLE in meanwhile.
  test.skipIf(engine === "postgres")("an ALTER TABLE beside a backup has it begin anew", async () => {
    const [first = ""] = (await snapshots()).sort();
    const url = server()?.url("altered");
    await mawps(["backup", "restore", first], url);
    let seen = 0;
    const end = beforeStatements(counting, () => {
      seen += 1;
      return seen > 1
        ? undefined
        : onDatabase(server(), "altered", (sql) =>
            sql.run("ALTER TABLE chat_messages ADD COLUMN extra INT DEFAULT 7, ALGORITHM=COPY"),
          );
    });
    const created = await mawps(["backup", "create", "--with-secrets"], url).finally(end);
    expect([seen, created.exitCode, created.stderr]).toEqual([2, 0, ""]);
    const { id } = JSON.parse(created.stdout) as { id: string };
    const manifest = JSON.parse(
      await readFile(join(repository(), "snapshots", id, "manifest.json"), "utf8"),
    ) as {
      readonly databases: readonly { readonly rows: number; readonly catalogue: Record<string, string> }[];
    };
    expect(manifest.databases).toMatchObject([
      {
        rows: before().flat().length,
        catalogue: { "column chat_messages.extra": expect.stringContaining("7") as unknown },
      },
    ]);
    expect((await mawps(["backup", "verify", id, "--all"])).exitCode).toBe(0);
  });
}
