import { describe, expect, it } from "vitest";
import { judge, type Request } from "../../src/access/evaluate.ts";
import { databasesOf, grantsFor } from "../../src/access/grants.ts";
import type { AccessSite } from "../../src/access/place.ts";
import { mostCharacters, policiesOf, sizeOf, type Statement } from "../../src/access/policy.ts";
import { policiesFor, roles, type RolePolicies } from "../../src/access/roles.ts";
import { terraformOf } from "../../src/access/terraform.ts";
import { gitHubTrust } from "../../src/access/trust.ts";
import { declarationOf } from "../../src/model/declare.ts";
import { shippedModels } from "../../src/model/shipped.ts";

const account = "123456789012";

async function siteOf(name: string): Promise<AccessSite> {
  const model = await shippedModels[name]?.();
  if (model === undefined) throw new Error(`there is no model ${name}`);
  const names = {
    region: model.region,
    buckets: {},
    tables: {},
    userPoolId: "eu-central-1_Pool00000",
    websiteOrigins: ["*"],
  };
  const repository = { bucket: "backups", prefix: "nightly/" };
  return { model, declaration: declarationOf(model, names, {}), account, repository, metrics: "Site" };
}

/** A statement as lines that a change of one action or resource changes one of. */
function linesOf({ Sid, Effect, Action, Resource, Condition }: Statement): string[] {
  const condition = Condition === undefined ? [] : [`    if ${JSON.stringify(Condition)}`];
  return [
    `  ${Effect} ${Sid}`,
    ...Action.map((each) => `    ${each}`),
    ...Resource.map((each) => `    on ${each}`),
    ...condition,
  ];
}

function textOf({ role, policies, notExpressible }: RolePolicies): string {
  const told = policies.flatMap((policy, at) => [
    `${role}, policy ${at + 1}`,
    ...policy.Statement.flatMap(linesOf),
  ]);
  return [
    ...told,
    ...notExpressible.map(({ entity, why }) => `  not expressible: ${entity}: ${why}`),
    "",
  ].join("\n");
}

describe.each(Object.keys(shippedModels))("the policies for %s", (name) => {
  it("are as they were", async () => {
    const site = await siteOf(name);
    const text = roles.map((role) => textOf(policiesFor(role, site))).join("\n");
    const grants = databasesOf(site.model).flatMap((database) =>
      roles.flatMap((role) => [...grantsFor(role, site.model, database), ""]),
    );
    await expect([text, ...grants].join("\n")).toMatchFileSnapshot(`policies/${name}.txt`);
  });

  it.each(roles)("of %s fit, name what they allow, and are about something", async (role) => {
    const found = policiesFor(role, await siteOf(name));
    expect(found.policies.filter((policy) => sizeOf(policy) > mostCharacters)).toEqual([]);
    const statements = found.policies.flatMap(({ Statement: all }) => all);
    expect(
      statements.filter(
        ({ Action, Effect }) => Effect === "Allow" && Action.some((one) => one.includes("*")),
      ),
    ).toEqual([]);
    expect(statements.filter(({ Resource }) => Resource.length === 0)).toEqual([]);
    for (const { Statement: all } of found.policies)
      expect(new Set(all.map(({ Sid }) => Sid)).size).toBe(all.length);
  });
});

const table = (name: string) => `arn:aws:dynamodb:eu-central-1:${account}:table/${name}`;
const files = "arn:aws:s3:::mawps-user-files-1760106396";
const max = { "aws:PrincipalTag/userId": "max" };
const rows = (action: string, resource: string, keys?: readonly string[]): Request => ({
  action: `dynamodb:${action}`,
  resource,
  context: { ...max, ...(keys === undefined ? {} : { "dynamodb:LeadingKeys": keys }) },
});
const file = (action: string, key: string, context: Request["context"] = max): Request => ({
  action: `s3:${action}`,
  resource: `${files}/${key}`,
  context,
});

const metric = (namespace: string): Request => ({
  action: "cloudwatch:PutMetricData",
  resource: "*",
  context: { "cloudwatch:namespace": namespace },
});
const alarm = (name: string): Request => ({
  action: "cloudwatch:PutMetricAlarm",
  resource: `arn:aws:cloudwatch:eu-central-1:${account}:alarm:${name}`,
});

describe("what somebody may", () => {
  it.each<[string, (typeof roles)[number], Request, ReturnType<typeof judge>]>([
    [
      "a person reads their own profile",
      "user",
      rows("GetItem", table("mawps-user-profiles"), ["max"]),
      "allowed",
    ],
    ["not another's", "user", rows("GetItem", table("mawps-user-profiles"), ["eva"]), "not allowed"],
    [
      "not the site's settings",
      "user",
      rows("GetItem", table("mawps-user-profiles"), ["global"]),
      "not allowed",
    ],
    [
      "not both at once",
      "user",
      rows("BatchGetItem", table("mawps-user-profiles"), ["max", "eva"]),
      "not allowed",
    ],
    ["not by a scan", "user", rows("Scan", table("mawps-user-profiles")), "not allowed"],
    ["not by PartiQL", "user", rows("PartiQLSelect", table("mawps-user-profiles")), "not allowed"],
    ["not by a query that names no key", "user", rows("Query", table("mawps-user-profiles")), "not allowed"],
    ["nothing is written", "user", rows("UpdateItem", table("mawps-user-profiles"), ["max"]), "not allowed"],
    ["not the trail", "user", rows("Query", table("mawps-audit-log"), ["max"]), "denied"],
    [
      "a person reads their own document",
      "user",
      file("GetObject", "public/documents/max/cv/1.pdf"),
      "allowed",
    ],
    ["not another's", "user", file("GetObject", "public/documents/eva/cv/1.pdf"), "not allowed"],
    [
      "not of an id that begins alike",
      "user",
      file("GetObject", "public/documents/maxine/cv/1.pdf"),
      "not allowed",
    ],
    ["nobody without a tag", "user", file("GetObject", "public/documents//cv/1.pdf", {}), "not allowed"],
    [
      "not anchors, whatever the tag",
      "user",
      file("GetObject", "audit/mawps-audit-log/a", { "aws:PrincipalTag/userId": ".." }),
      "denied",
    ],
    ["the website writes items", "website", rows("PutItem", table("mawps-user-profiles")), "allowed"],
    ["and files of its kinds", "website", file("PutObject", "public/documents/eva/cv/1.pdf"), "allowed"],
    ["no others", "website", file("PutObject", "invoices/1.pdf"), "not allowed"],
    ["not the trail", "website", rows("PutItem", table("mawps-audit-log")), "denied"],
    ["not its anchors", "website", file("PutObject", "audit/mawps-audit-log/main.json"), "denied"],
    [
      "and ends nothing for good",
      "website",
      file("DeleteObjectVersion", "public/documents/eva/cv/1.pdf"),
      "denied",
    ],
    ["a backup reads", "ci-backup", file("GetObject", "public/documents/eva/cv/1.pdf"), "allowed"],
    [
      "and deletes nothing of the site",
      "ci-backup",
      file("DeleteObject", "public/documents/eva/cv/1.pdf"),
      "not allowed",
    ],
    ["nor an item", "ci-backup", rows("DeleteItem", table("mawps-user-profiles")), "not allowed"],
    [
      "retention deletes versions",
      "ci-retention",
      file("DeleteObjectVersion", "public/documents/eva/cv/1.pdf"),
      "allowed",
    ],
    [
      "and reads no accounts",
      "ci-retention",
      { action: "cognito-idp:ListUsers", resource: "*" },
      "not allowed",
    ],
    ["an admin changes items", "admin", rows("UpdateItem", table("mawps-user-profiles")), "allowed"],
    ["writes the trail", "admin", rows("PutItem", table("mawps-audit-log")), "allowed"],
    ["and never takes from it", "admin", rows("DeleteItem", table("mawps-audit-log")), "denied"],
    ["nor does a backup", "ci-backup", rows("BatchWriteItem", table("mawps-audit-log")), "denied"],
    ["nor retention", "ci-retention", rows("UpdateItem", table("mawps-audit-log")), "denied"],
    [
      "nor changes what is kept of migrations",
      "ci-retention",
      rows("UpdateItem", table("mawps-migrations")),
      "not allowed",
    ],
    [
      "nor from what proves it",
      "admin",
      file("DeleteObjectVersion", "audit/mawps-audit-log/main.json"),
      "denied",
    ],
    [
      "retention neither",
      "ci-retention",
      file("DeleteObjectVersion", "audit/mawps-audit-log/main.json"),
      "denied",
    ],
    ["a backup tells how it ended", "ci-backup", metric("Site"), "allowed"],
    ["in the site's own namespace alone", "ci-backup", metric("Other"), "not allowed"],
    ["an owner makes the site's alarms", "owner", alarm("Site-backup-too-old"), "allowed"],
    ["and no others", "owner", alarm("Other-backup-too-old"), "not allowed"],
    ["nor does an admin", "admin", alarm("Site-backup-too-old"), "not allowed"],
    ["opens no bucket", "admin", { action: "s3:PutBucketPolicy", resource: files }, "denied"],
    ["an owner sets up", "owner", { action: "s3:PutBucketPolicy", resource: files }, "allowed"],
    ["and deletes no table", "owner", rows("DeleteTable", table("mawps-user-profiles")), "not allowed"],
    [
      "nobody touches others' buckets",
      "owner",
      { action: "s3:GetObject", resource: "arn:aws:s3:::elsewhere/a" },
      "not allowed",
    ],
  ])("%s (%s)", async (_name, role, request, verdict) => {
    expect(judge(policiesFor(role, await siteOf("mawps")).policies, request)).toBe(verdict);
  });
});

describe("the site's own trail", () => {
  it.each<[(typeof roles)[number], string, ReturnType<typeof judge>]>([
    ["website", "PutItem", "allowed"],
    ["website", "Query", "allowed"],
    ["website", "UpdateItem", "not allowed"],
    ["website", "DeleteItem", "not allowed"],
    ["admin", "PutItem", "allowed"],
    ["admin", "UpdateItem", "not allowed"],
    ["admin", "BatchWriteItem", "not allowed"],
    ["owner", "UpdateItem", "allowed"],
  ])("%s: %s is %s", async (role, action, verdict) => {
    const site = await siteOf("prework");
    const resource = `arn:aws:dynamodb:us-east-1:${account}:table/prework-audit-logs`;
    const { policies } = policiesFor(role, site);
    expect(judge(policies, { action: `dynamodb:${action}`, resource })).toBe(verdict);
  });

  it("of a table that holds other things, too, is changed like these", async () => {
    const site = await siteOf("prework");
    const { entities } = site.model;
    const shared = {
      ...site.model,
      entities: { ...entities, other: { what: "others", from: { table: "auditLogs" } } },
    };
    const { policies } = policiesFor("website", { ...site, model: shared });
    const resource = `arn:aws:dynamodb:us-east-1:${account}:table/prework-audit-logs`;
    expect(judge(policies, { action: "dynamodb:UpdateItem", resource })).toBe("allowed");
  });
});

it("names a database of MySQL as itself, not as a pattern of names, where MySQL takes patterns", async () => {
  const { model } = await siteOf("lopez");
  const database = { role: "main", engine: "mysql", name: String.raw`a_b%c\d` } as const;
  const [role = "main"] = Object.keys(model.databases ?? {});
  const grants = grantsFor("owner", model, { ...database, role });
  const whole = grants.filter((grant) => grant.includes(".* TO"));
  expect(whole).toEqual(
    [String.raw`a\_b\%c\\d`, String.raw`mawps\_scratch\_%`, String.raw`mawps\_trial\_%`].map(
      (pattern): unknown => expect.stringContaining(` ON \`${pattern}\`.* TO `),
    ),
  );
  const tables = grantsFor("website", model, { ...database, role });
  expect(tables.filter((grant) => / ON `a_b%c\\d`\.`/.test(grant))).toHaveLength(tables.length - 1);
});

describe("long policies", () => {
  const statement = (Sid: string, resources: number): Statement => ({
    Sid,
    Effect: "Allow",
    Action: ["s3:GetObject"],
    Resource: Array.from(
      { length: resources },
      (_, at) => `arn:aws:s3:::${"bucket".repeat(8)}-${Sid}-${at}/*`,
    ),
  });

  it("are given in parts that allow the same", () => {
    const statements = [statement("a", 40), statement("b", 60), statement("c", 500)];
    const policies = policiesOf(statements);
    expect(policies.length).toBeGreaterThan(5);
    expect(policies.filter((policy) => sizeOf(policy) > mostCharacters)).toEqual([]);
    const all = policies.flatMap(({ Statement: each }) => each.flatMap(({ Resource }) => Resource));
    expect(all).toEqual(statements.flatMap(({ Resource }) => Resource));
    const names = policies.flatMap(({ Statement: each }) => each.map(({ Sid }) => Sid));
    expect(new Set(names).size).toBe(names.length);
  });

  it("of one resource are parted by their actions, and what cannot be parted is refused", () => {
    const actions = Array.from({ length: 400 }, (_, at) => `s3:${"Action".repeat(4)}${at}`);
    const policies = policiesOf([{ ...statement("a", 1), Action: actions }]);
    expect(policies.flatMap(({ Statement: each }) => each.flatMap(({ Action }) => Action))).toEqual(actions);
    const endless = { ...statement("a", 1), Action: ["s3:".padEnd(7000, "x")] };
    expect(() => policiesOf([endless])).toThrow("statement a");
  });
});

describe("for Terraform and GitHub", () => {
  it("the role is taken by one branch's jobs alone, and what IAM fills in is left to IAM", async () => {
    const trust = gitHubTrust({ repository: "owner/site", branch: "main", account });
    expect(trust.Statement[0]?.Condition).toEqual({
      StringEquals: {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:owner/site:ref:refs/heads/main",
      },
    });
    const site = await siteOf("mawps");
    const text = terraformOf(policiesFor("user", site), "My Site", trust);
    expect(text).toContain(
      'resource "aws_iam_role" "my_site_user" {\n  name = "my-site-user"\n  assume_role_policy = <<-JSON\n',
    );
    expect(text).toContain('resource "aws_iam_policy" "my_site_user" {');
    expect(text).toContain("policy_arn = aws_iam_policy.my_site_user.arn");
    expect(text).toContain("public/documents/$${aws:PrincipalTag/userId}/*");
    expect(text.match(/[^$]\$\{/g)).toBeNull();
  });
});
