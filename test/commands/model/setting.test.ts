import { execFileSync } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DescribeTableCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { GetBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import prework from "../../../models/prework.json" with { type: "json" };
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

/** Runs on a store of its own, which nothing has made yet. */
const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  home.run(argv, { env: { MAWPS_HOME: join(home.folder, "other"), ...env } });

const isMade = () =>
  access(join(home.folder, "other")).then(
    () => true,
    () => false,
  );

describe("the model of a site", () => {
  it("is set up as it says, with names that settings change, and found healthy", async () => {
    const env = { MAWPS_MODEL: "prework", MAWPS_FILES_TABLE: "our-files", MAWPS_AUDIT: "off" };
    const setup = await run(["setup", "--yes", "--json"], env);
    expect({ exitCode: setup.exitCode, stderr: setup.stderr }).toEqual({ exitCode: 0, stderr: "" });
    const store = { MAWPS_HOME: join(home.folder, "other"), ...env };
    const state = await home.look(async (aws) => {
      const [dynamodb, s3] = await Promise.all([aws.dynamodb(), aws.s3()]);
      const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
      const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: "prework-user-profiles" }));
      const Bucket = "prework-media-bucket";
      const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      return { TableNames, indexes: Table?.GlobalSecondaryIndexes ?? [], Rules };
    }, store);
    expect(state.TableNames.filter((name) => !name.includes("mawps-"))).toEqual([
      "our-files",
      "prework-audit-logs",
      "prework-user-profiles",
      "prework-users",
    ]);
    expect(
      state.indexes.map(({ IndexName, KeySchema = [] }) => [
        IndexName,
        KeySchema.map((key) => key.AttributeName),
      ]),
    ).toEqual([
      ["UserId-Index", ["userId"]],
      ["UserId-Default-Index", ["userId", "defaultKey"]],
    ]);
    expect(state.Rules.map(({ ID, Transitions }) => [ID, Transitions?.[0]])).toContainEqual([
      "mawps-media-tiering",
      { Days: 0, StorageClass: "INTELLIGENT_TIERING" },
    ]);
    const doctor = await run(["doctor", "--json"], env);
    expect({ exitCode: doctor.exitCode, tables: doctor.stdout.match(/"subject":"our-files"/g) }).toEqual({
      exitCode: 0,
      tables: ['"subject":"our-files"'],
    });
  });

  it("says which settings there are, and their defaults", async () => {
    const shown = await run(["config", "show", "--json", "--model", "prework"]);
    const rows = shown.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const named = rows.filter(({ key }) => /^(region|model|buckets|tables|retention)/.test(String(key)));
    expect(named.map(({ key, value, variable }) => [key, value, variable])).toEqual([
      ["model", "prework", "MAWPS_MODEL"],
      ["region", "us-east-1", "AWS_REGION"],
      ["buckets.media", "prework-media-bucket", "MAWPS_MEDIA_BUCKET"],
      ["tables.users", "prework-users", "MAWPS_USERS_TABLE"],
      ["tables.userProfiles", "prework-user-profiles", "MAWPS_USER_PROFILES_TABLE"],
      ["tables.auditLogs", "prework-audit-logs", "MAWPS_AUDIT_LOGS_TABLE"],
      ["tables.files", "prework-files", "MAWPS_FILES_TABLE"],
      ["tables.auditLog", "prework-mawps-audit-log", "MAWPS_AUDIT_LOG_TABLE"],
      ["tables.migrations", "prework-mawps-migrations", "MAWPS_MIGRATIONS_TABLE"],
      ["retention.multipartUploads", 7, "MAWPS_RETENTION_MULTIPART_UPLOADS"],
      ["retention.noncurrentVersions", 30, "MAWPS_RETENTION_NONCURRENT_VERSIONS"],
      ["retention.siteAuditEntries", 2557, "MAWPS_RETENTION_SITE_AUDIT_ENTRIES"],
      ["retention.deletedDocuments", 30, "MAWPS_RETENTION_DELETED_DOCUMENTS"],
      ["retention.expiredDocuments", 0, "MAWPS_RETENTION_EXPIRED_DOCUMENTS"],
      ["retention.halfDoneUploads", 1, "MAWPS_RETENTION_HALF_DONE_UPLOADS"],
      ["retention.tempUploads", 1, "MAWPS_RETENTION_TEMP_UPLOADS"],
      ["retention.exports", 30, "MAWPS_RETENTION_EXPORTS"],
      ["retention.auditEntries", 2557, "MAWPS_RETENTION_AUDIT_ENTRIES"],
    ]);
  });

  it("is a file beside the configuration that names it, whose names the configuration knows", async () => {
    const folder = join(home.folder, "site");
    await mkdir(join(folder, "deep"), { recursive: true });
    await writeFile(
      join(folder, "site.model.jsonc"),
      `// ours\n${JSON.stringify({ ...prework, name: "Ours" })}`,
    );
    const file = join(folder, "mawps.config.json");
    await writeFile(file, JSON.stringify({ model: "site.model.jsonc", buckets: { media: "our-media" } }));
    const shown = await run(["config", "show", "--json", "--config", file]);
    expect(shown.stdout).toContain('{"key":"buckets.media","value":"our-media"');
    await writeFile(file, JSON.stringify({ model: "site.model.jsonc", buckets: { userFiles: "our-media" } }));
    const refused = await run(["config", "show", "--config", file]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(`${file}: unknown key "buckets.userFiles"`);
  });

  it.each([
    ["hero show", 'mawps hero show is not for prework: its model has no "hero"'],
    ["avatar url user-1", 'mawps avatar url is not for prework: its model has no "avatar"'],
    ["twin show", 'mawps twin show is not for prework: its model has no "twin"'],
    ["progress stats", 'mawps progress stats is not for prework: its model has no "progress"'],
  ])("without what a command is about, it says so and opens nothing: %s", async (words, message) => {
    const { exitCode, stdout, stderr } = await run([...words.split(" "), "--model", "prework"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(await isMade()).toBe(false);
  });

  it.each([
    ["a name that is none", "prewrk", 'there is no model "prewrk"', "did you mean prework?"],
    ["a file that is not there", "./none.json", "there is no such file", "--model, MAWPS_MODEL"],
    ["a broken file", "./broken.json", "broken.json:1: tables is missing", "see docs/models.md"],
    ["a folder", ".", "is a folder", "--model, MAWPS_MODEL"],
    ["a pipe that nobody writes to", "./pipe", "is no regular file", "--model, MAWPS_MODEL"],
    ["a device without end", "/dev/zero", "is no regular file", "--model, MAWPS_MODEL"],
  ])(
    "that cannot be read ends a command before anything is opened: %s",
    async (_name, model, message, hint) => {
      execFileSync("mkfifo", [join(home.folder, "pipe")]);
      await writeFile(
        join(home.folder, "broken.json"),
        '{"name": "Broken", "region": "eu-central-1", "buckets": {}}',
      );
      const { exitCode, stderr } = await run(["setup", "--yes", "--model", model]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(message);
      expect(stderr).toContain(hint);
      expect(await isMade()).toBe(false);
    },
  );
});
