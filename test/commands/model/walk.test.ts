import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const sites = [
  {
    model: "prework",
    accounts: { table: "prework-users", item: { id: "u-1", email: "max@example.com" } },
    documents: { table: "prework-files", bucket: "prework-media-bucket", status: "status" },
    given: [] as readonly string[],
    key: "users/u-1/uploads/2026/03/notes.txt",
    deleted: "DELETED",
  },
  {
    model: "prework-guide",
    accounts: {
      table: "pre-work-users",
      item: { PK: "USER#u-1", SK: "METADATA", email: "max@example.com" },
    },
    documents: { table: "pre-work-media", bucket: "pre-work-media-uploads", status: "uploadStatus" },
    given: ["--field", "submissionId=s-1"],
    key: "submissions/s-1/u-1/notes.txt",
    deleted: "deleted",
  },
];

describe.each(sites)("the site of $model", ({ model, accounts, documents, given, key, deleted }) => {
  const { table, bucket, status } = documents;

  it("is set up, examined, used, cleaned, backed up and brought back by its model", async () => {
    const site = modelSite(home, model);
    const repo = ["--repo", join(home.folder, "backups")];
    const ok = async (...argv: string[]) => {
      const done = await site.run(...argv, "--json", "--yes");
      expect([argv.join(" "), done.exitCode, done.stderr]).toEqual([argv.join(" "), 0, ""]);
      return done.stdout;
    };
    await ok("setup");
    await ok("doctor");
    await site.put(accounts.table, [accounts.item]);
    await writeFile(join(home.folder, "notes.txt"), "what is written");
    const { id } = JSON.parse(
      await ok("doc", "upload", "max@example.com", "notes.txt", "--no-scan", ...given),
    ) as { id: string };
    await ok("doc", "rm", "u-1", id);
    expect(await site.rows(table)).toMatchObject([{ [status]: deleted, s3Key: key }]);
    const [row] = await site.rows(table);
    await ok("backup", "create", ...repo);

    home.laterMs = 40 * 86_400_000;
    expect(JSON.parse(await ok("retention", "run"))).toMatchObject({ done: 1, failed: [], skipped: [] });
    expect(await site.rows(table)).toEqual([]);
    expect(await site.left(bucket)).toEqual([]);

    await ok("backup", "restore", "latest", ...repo);
    expect(await site.rows(table)).toEqual([row]);
    expect((await site.file(bucket, key)).toString()).toBe("what is written");
    await ok("doc", "restore", "u-1", id);
    await ok("doc", "get", "u-1", id, "-o", "got");
    await ok("audit", "verify");
    await ok("model", "check", "--live");
  });

  it("is shown by the demo, on data of its own", async () => {
    const shown = await home.run(["demo", "--model", model, "--keep", "kept"]);
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toContain(`$ mawps --model ${model} doc upload max@example.com Lebenslauf.pdf`);
    const kept = modelSite(home, model, { MAWPS_HOME: join(home.folder, "kept", "store") });
    expect(await kept.column(table, "s3Key")).toEqual([expect.stringContaining("Lebenslauf.pdf")]);
    expect(await kept.column(accounts.table, "email")).toEqual(["max@example.com"]);
  });
});

it("a model that is a file is marked among the others", async () => {
  const model = { ...(await import("../../../models/prework.json")).default, about: "our own" };
  await writeFile(join(home.folder, "own.model.json"), JSON.stringify(model));
  const { stdout } = await modelSite(home, "own.model.json").run("model", "list", "--json");
  const rows = stdout
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
  expect(rows.filter(({ chosen }) => chosen === true)).toMatchObject([
    { name: "own.model.json", about: "our own" },
  ]);
  expect(rows).toHaveLength(6);
});
