import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPolicy, writePolicy } from "../../../src/aws/s3/bucket-policy.ts";
import { writePublicAccessBlock } from "../../../src/aws/s3/bucket-settings.ts";
import { documentBucket } from "../../support/documents.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

const closedBlock = { blockPublicAcls: true, ignorePublicAcls: true };

const check = (...more: readonly string[]) => home.run(["access", "check", "--json", ...more]);
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string>);

it("tells of each bucket whom it lets in, with 4 where that is the world, and changes nothing", async () => {
  const before = await check();
  expect(before.exitCode).toBe(0);
  expect(lines(before.stdout).map(({ status }) => status)).not.toContain("problem");
  const policy = await home.look(async (aws) => {
    await writePublicAccessBlock(aws, documentBucket, {
      ...closedBlock,
      blockPublicPolicy: false,
      restrictPublicBuckets: false,
    });
    const Resource = `arn:aws:s3:::${documentBucket}/public/*`;
    const world = { Sid: "World", Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource };
    const stored = await readPolicy(aws, documentBucket);
    const statements = typeof stored === "object" ? stored.Statement : [];
    await writePolicy(aws, documentBucket, { Version: "2012-10-17", Statement: [...statements, world] });
    return readPolicy(aws, documentBucket);
  });
  home.calls.length = 0;
  const { exitCode, stdout } = await check();
  expect(exitCode).toBe(4);
  expect(lines(stdout).filter(({ status }) => status === "problem")).toMatchObject([
    { check: "public access", subject: documentBucket },
    {
      check: "policy",
      subject: `${documentBucket} World`,
      message: expect.stringContaining("anybody may s3:GetObject"),
    },
  ]);
  expect(home.calls.filter(({ command }) => !command.startsWith("Get"))).toEqual([]);
  expect(await home.look((aws) => readPolicy(aws, documentBucket))).toEqual(policy);
});

it("reads what IAM says of a role, by its name there", async () => {
  await writeFile(join(home.folder, "iam.json"), JSON.stringify({ RoleDetailList: [] }));
  const { exitCode, stdout } = await check(
    "--role",
    "ci-backup",
    "--role",
    "admin=boss",
    "--iam",
    "iam.json",
  );
  expect(exitCode).toBe(4);
  expect(lines(stdout).filter(({ message }) => message === "there is no such role")).toMatchObject([
    { check: "ci-backup", subject: "mawps-ci-backup" },
    { check: "admin", subject: "boss" },
  ]);
});

it.each([
  ["a role on a store without IAM", ["--role", "admin"], "get-account-authorization-details"],
  ["what IAM says without a role", ["--iam", "iam.json"], "--iam is for --role"],
  ["a role that is none", ["--role", "boss", "--iam", "iam.json"], "expected one of owner"],
  ["a file that is not there", ["--role", "admin", "--iam", "no.json"], "there is no "],
  ["a place of backups without a role", ["--repo", "s3://kept/nightly"], "--repo is for --role"],
  ["a file of something else", ["--role", "admin", "--iam", "other.json"], "is not what IAM says"],
])("refuses %s", async (_name, argv, said) => {
  await writeFile(join(home.folder, "other.json"), "{}");
  const { exitCode, stderr } = await check(...argv);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
});

it("is no pass where a policy of a role is not in the file, and no finding is cut on a narrow terminal", async () => {
  const { stdout } = await home.run(["access", "policy", "ci-backup", "--account", "123456789012", "--json"]);
  const { policies } = JSON.parse(stdout) as { policies: object[] };
  const PolicyArn = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
  const details = {
    RoleDetailList: [
      {
        RoleName: "nightly",
        Arn: "arn:aws:iam::123456789012:role/nightly",
        AssumeRolePolicyDocument: { Statement: [] },
        RolePolicyList: policies.map((PolicyDocument) => ({ PolicyDocument })),
        AttachedManagedPolicies: [{ PolicyArn }],
      },
    ],
  };
  await writeFile(join(home.folder, "unseen.json"), JSON.stringify(details));
  const argv = ["--role", "ci-backup=nightly", "--iam", "unseen.json"];
  const whole = { ...closedBlock, blockPublicPolicy: true, restrictPublicBuckets: true };
  await home.look(async (aws) => {
    await writePublicAccessBlock(aws, documentBucket, whole);
    const stored = await readPolicy(aws, documentBucket);
    const statements = (typeof stored === "object" ? stored.Statement : []).filter(
      ({ Sid }) => Sid !== "World",
    );
    await writePolicy(aws, documentBucket, { Version: "2012-10-17", Statement: statements });
  });
  const { exitCode, stdout: shown, stderr } = await home.run(["access", "check", ...argv], { columns: 60 });
  expect([exitCode, stderr.replaceAll(/\s+/g, " ")]).toEqual([
    3,
    expect.stringContaining(`nightly: ${PolicyArn} is not in the file`),
  ]);
  expect(shown.replaceAll(/\s+/g, " ")).toContain(`${PolicyArn} is not in the file`);
  expect(shown).not.toContain("…");
});
