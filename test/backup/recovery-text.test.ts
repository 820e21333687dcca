import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { recoveryText } from "../../src/backup/recovery-text.ts";
import type { Manifest, TableSnapshot } from "../../src/backup/snapshot.ts";
import type { Store } from "../../src/backup/store.ts";

const between = { from: "2026-11-21T03:15:00.000Z", to: "2026-11-21T03:16:00.000Z" };
const part = { sha256: "ab".repeat(32), bytes: 10, lines: 2 };
const attribute = (name: string) => ({ name, type: "S" as const });

const table: TableSnapshot = {
  ...between,
  role: "userProfiles",
  name: "profiles",
  description: {
    keys: { partition: attribute("userId"), sort: { name: "at", type: "N" } },
    indexes: [{ name: "by-mail", keys: { partition: attribute("mail") }, projection: { include: ["name"] } }],
    localIndexes: [],
    billing: { readUnits: 5, writeUnits: 6 },
    expiryAttribute: "expiresAt",
    recoveryDays: 35,
    deletionProtection: true,
    stream: "NEW_IMAGE",
    class: "STANDARD_INFREQUENT_ACCESS",
    tags: { "whose it is": "anna's" },
  },
  items: 2,
  parts: [part],
};

const manifest: Manifest = {
  format: 1,
  id: "20261121T031500Z-1f2e3d",
  tool: "mawps 0.1.0",
  model: "mawps",
  schemaVersion: null,
  target: "aws",
  account: "123456789012",
  region: "eu-west-1",
  startedAt: between.from,
  endedAt: between.to,
  engine: "scan",
  tables: [table],
  buckets: [
    {
      ...between,
      role: "userFiles",
      name: "files",
      objects: 2,
      bytes: 9,
      parts: [part, part],
      changed: [{ key: "secret.pdf", what: "changed" }],
    },
  ],
  userPool: {
    ...between,
    id: "eu-west-1_abc",
    users: 2,
    parts: [part],
    groups: [
      { name: "it's", description: "a `b` $(c)\n\"d\" 'e'", precedence: 0, roleArn: "arn:aws:iam::1:role/r" },
    ],
  },
};

function text(of: Manifest, encryption: "none" | "age" = "none", where = "/backups") {
  return recoveryText({ manifest: of, repository: { encryption, store: { where } as Store } });
}

const commands = (page: string) =>
  page
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");

/** What the AWS CLI would be given, call by call, by a shell in which it only says so. */
async function callsIn(page: string): Promise<string[][]> {
  const told = `aws() { for word in "$@"; do printf '%s\\0' "$word"; done; printf '\\n\\0'; }\n`;
  const script = `${told}gzip() { echo '{"seen":{"groups":["a"]},"put":{"Username":"u"}}'; }\n${commands(page)}\n`;
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", script], { cwd: tmpdir() });
  // There is no folder with contents here.
  return stdout
    .replace("damaged: data/*/*\n", "")
    .split("\n\0")
    .slice(0, -1)
    .map((call) => call.split("\0").slice(0, -1));
}

describe("RECOVERY.md", () => {
  test("is commands that a POSIX shell takes as they stand, indented, with every word whole", async () => {
    const calls = await callsIn(text(manifest).open);
    expect(calls.map(([service, verb]) => `${service} ${verb}`)).toEqual([
      "dynamodb create-table",
      "dynamodb wait",
      "dynamodb update-time-to-live",
      "dynamodb update-continuous-backups",
      "dynamodb put-item",
      "s3api put-object",
      "s3api put-object",
      "cognito-idp create-group",
      "cognito-idp admin-create-user",
      "cognito-idp admin-add-user-to-group",
    ]);
    expect(JSON.parse(calls[0]?.[3] ?? "")).toEqual({
      TableName: "profiles",
      KeySchema: [
        { AttributeName: "userId", KeyType: "HASH" },
        { AttributeName: "at", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "userId", AttributeType: "S" },
        { AttributeName: "at", AttributeType: "N" },
        { AttributeName: "mail", AttributeType: "S" },
      ],
      BillingMode: "PROVISIONED",
      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 },
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-mail",
          KeySchema: [{ AttributeName: "mail", KeyType: "HASH" }],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["name"] },
          ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 },
        },
      ],
      TableClass: "STANDARD_INFREQUENT_ACCESS",
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    });
    expect(calls.find(([, verb]) => verb === "create-group")?.slice(4)).toEqual([
      "--group-name",
      "it's",
      "--description",
      "a `b` $(c) \"d\" 'e'",
      "--precedence",
      "0",
      "--role-arn",
      "arn:aws:iam::1:role/r",
    ]);
  });

  test("names the region, what the table had besides, and how many objects are not in it", () => {
    const { open, sealed } = text(manifest);
    expect(sealed).toBeUndefined();
    for (const said of [
      "AWS_REGION=eu-west-1",
      'Its tags were {"whose it is":"anna\'s"}. It was protected from deletion.',
      "1 objects changed",
    ])
      expect(open).toContain(said);
    expect(open).not.toContain("s3 sync");
  });

  test("begins with a copy of a repository that lies in S3, readable or not", () => {
    expect(text(manifest, "none", "s3://b/backups/").open).toContain(
      "aws s3 sync s3://b/backups/ repository",
    );
    expect(text(manifest, "age", "s3://b/backups/").open).toContain("aws s3 sync s3://b/backups/ repository");
  });

  test("of an encrypted backup names nothing that is in it, but in the part that is sealed", () => {
    const { open, sealed } = text(manifest, "age");
    for (const name of ["profiles", "files", "eu-west-1", "123456789012", "mawps 0.1.0", part.sha256])
      expect([name, open.includes(name), sealed?.includes(name)]).toEqual([name, false, true]);
    expect(open).toContain("age -d -i identity.txt");
  });

  test("lets DynamoDB import what it has exported", async () => {
    const exported = {
      arn: "arn:aws:dynamodb:eu-west-1:1:table/profiles/export/01",
      bucket: "exports",
      manifest: "p/AWSDynamoDB/01-x/manifest-summary.json",
      at: between.from,
      bytes: 9,
      files: [{ key: "p/AWSDynamoDB/01-x/data/abc.json.gz", items: 2, md5: "" }],
    };
    const of = (more: Partial<TableSnapshot["description"]>): Manifest => ({
      ...manifest,
      buckets: [],
      tables: [{ ...table, description: { ...table.description, ...more }, parts: [], export: exported }],
    });
    const [first] = await callsIn(text(of({})).open);
    expect(first?.slice(0, 2)).toEqual(["dynamodb", "import-table"]);
    expect(first).toContain("S3Bucket=exports,S3KeyPrefix=p/AWSDynamoDB/01-x/data/");
    // ImportTable knows none of these.
    expect(Object.keys(JSON.parse(first?.at(-1) ?? "{}") as object)).not.toEqual(
      expect.arrayContaining(["TableClass", "StreamSpecification"]),
    );
    const local = { name: "l", keys: table.description.keys, projection: "ALL" as const };
    const calls = await callsIn(text(of({ localIndexes: [local] })).open);
    expect(calls.slice(0, 4).map(([service, verb]) => `${service} ${verb}`)).toEqual([
      "s3 sync",
      "dynamodb create-table",
      "dynamodb wait",
      "dynamodb put-item",
    ]);
  });
});
