import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

const policy = (...more: readonly string[]) => home.run(["access", "policy", ...more]);

describe("mawps access policy", () => {
  it("prints what IAM takes, asks AWS nothing, and says what no policy can do", async () => {
    const { exitCode, stdout, stderr } = await policy(
      "user",
      "--model",
      "prework-guide",
      "--account",
      "123456789012",
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ Version: "2012-10-17" });
    expect(stdout).toContain('"USER#${aws:PrincipalTag/userId}"');
    expect(stderr).toContain(
      "not expressible: submissionFiles: whose it is does not stand at the beginning of its key",
    );
    expect(home.requests).toEqual([]);
  });

  it("has the place of the backups, by a flag or the settings, and who may take the role", async () => {
    const of = ["--account", "123456789012", "--github", "owner/site", "--json"];
    const { stdout } = await policy("ci-backup", "--repo", "s3://kept/nightly", ...of);
    expect(stdout).toContain('"arn:aws:s3:::kept/nightly/*"');
    expect(stdout).toContain('"repo:owner/site:ref:refs/heads/main"');
    const env = { MAWPS_BACKUP_REPOSITORY: "s3://elsewhere" };
    const set = await home.run(["access", "policy", "ci-backup"], { env });
    expect(set.stdout).toContain('"arn:aws:s3:::elsewhere/*"');
    expect(set.stderr).toBe("");
    const without = await policy("ci-backup");
    expect(without.stderr).toContain("without the backups: --repo");
    expect(without.stdout).not.toContain("s3:AbortMultipartUpload");
  });

  it("tells whether a role may do something, with exit 4 when not", async () => {
    const own = ["--try", "s3:GetObject arn:aws:s3:::mawps-user-files-1760106396/public/documents/max/a.pdf"];
    const may = await policy("user", ...own, "--context", "aws:PrincipalTag/userId=max");
    expect([may.exitCode, may.stdout]).toEqual([
      0,
      expect.stringMatching(/^user: s3:GetObject on .*: allowed\n$/),
    ]);
    const other = await policy("user", ...own, "--context", "aws:PrincipalTag/userId=eva");
    expect([other.exitCode, other.stdout]).toEqual([4, expect.stringMatching(/: not allowed\n$/)]);
  });

  it.each([
    ["another role", ["boss"], "Allowed choices are owner, admin, ci-backup"],
    ["to try what is no ARN", ["owner", "--try", "s3:GetObject files/a"], "the ARN of a resource"],
    ["an account that is none", ["owner", "--account", "12"], "12 digits"],
    ["a repository with a star", ["ci-backup", "--github", "owner/*"], "owner/name"],
    ["a branch with a star", ["ci-backup", "--github", "owner/site", "--branch", "*"], "name of a branch"],
    [
      "an environment of no repository",
      ["ci-backup", "--environment", "production"],
      "--environment needs --github",
    ],
    ["GitHub without an account", ["ci-backup", "--github", "owner/site"], "--github needs --account"],
    ["backups in a folder", ["ci-backup", "--repo", "backups"], "s3://bucket/prefix"],
    ["SQL as Terraform", ["owner", "--sql", "--terraform"], "cannot be used with"],
    ["SQL for GitHub", ["owner", "--sql", "--github", "owner/site"], "cannot be used with"],
    ["SQL that is tried", ["owner", "--sql", "--try", "s3:GetObject arn:aws:s3:::a"], "cannot be used with"],
    ["something tried that is no action", ["owner", "--try", "everything"], "an action and the ARN"],
  ])("refuses %s", async (_name, argv, why) => {
    const { exitCode, stdout, stderr } = await policy(...argv);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
  });

  it("grants what a role needs in a database, table by table", async () => {
    const { exitCode, stdout } = await policy("ci-retention", "--model", "fc024", "--sql");
    expect([exitCode, stdout]).toEqual([
      0,
      [
        "-- postgres, database crm",
        'CREATE ROLE "fc024_ci_retention";',
        'GRANT CONNECT ON DATABASE "crm" TO "fc024_ci_retention";',
        'GRANT USAGE ON SCHEMA public TO "fc024_ci_retention";',
        'GRANT SELECT, DELETE ON public."file_attachments" TO "fc024_ci_retention";',
        "",
      ].join("\n"),
    ]);
    const person = await policy("user", "--model", "fc024", "--sql");
    expect(person.stdout).toContain(
      'CREATE POLICY "mawps_own" ON public."customers" FOR SELECT TO "fc024_user"',
    );
    expect(person.stderr).toContain("need BYPASSRLS");
    const others = await policy("user", "--model", "lopez", "--sql");
    expect(others.stdout).toContain("VIEW `lopez_it_welt`.`own_chat_sessions` AS SELECT own.* FROM");
    expect(others.stderr).toContain("not expressible: loginAttempts: ");
    const without = await policy("owner", "--sql");
    expect([without.exitCode, without.stdout]).toEqual([2, ""]);
  });

  it("writes it as Terraform, too", async () => {
    const { exitCode, stdout } = await policy("ci-retention", "--terraform");
    expect(exitCode).toBe(0);
    expect(stdout).toContain('resource "aws_iam_policy" "mawps_ci_retention" {');
  });
});
