import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPolicy, writePolicy } from "../../src/aws/s3/bucket-policy.ts";
import {
  readCors,
  readEncryption,
  readLifecycle,
  readOwnership,
  readPublicAccessBlock,
  readVersioning,
  writeLifecycle,
} from "../../src/aws/s3/bucket-settings.ts";
import { findBucket } from "../../src/aws/s3/bucket.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { readExpiry } from "../../src/aws/dynamodb/table-expiry.ts";
import { readRecoveryWindow } from "../../src/aws/dynamodb/table-recovery.ts";
import { readTable } from "../../src/aws/dynamodb/table-settings.ts";
import type { Declaration } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { applySetup, type SetupResult } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";
import type { Step } from "../../src/setup/step.ts";
import { openSite, region, type Site } from "./site.ts";

const simple = mawps(defaultNames);
const composite = mawps({ ...defaultNames, newTableShape: "composite" });
const { publicMedia, userFiles } = defaultNames.buckets;
const { userProfiles, digitalTwin, auditLog, migrations } = defaultNames.tables;

let site: Site;
let aws: Aws;

beforeEach(async () => {
  site = await openSite();
  aws = site.aws;
});
afterEach(() => site.close());

async function setUp(declaration: Declaration, fix = false): Promise<SetupResult> {
  return applySetup(aws, await planSetup(aws, declaration), { fix, firstDelayMs: 1 });
}

async function open(declaration: Declaration): Promise<string[]> {
  return off(await planSetup(aws, declaration));
}

function off(steps: readonly Step[]): string[] {
  return steps
    .filter(({ kind }) => kind !== "ok")
    .map(({ kind, name, aspect }) => `${kind} ${name} ${aspect}`);
}

describe.each([
  ["simple", simple],
  ["composite", composite],
])("setup with a profile table of %s keys", (shape, declaration) => {
  it("makes everything on an empty account, and has nothing to do the second time", async () => {
    const first = await setUp(declaration);
    expect(first).toMatchObject({ failed: [], skipped: [], unsupported: [] });
    expect(await open(declaration)).toEqual([]);
    expect((await setUp(declaration, true)).done).toEqual([]);
  });

  it("leaves buckets and tables as declared", async () => {
    await setUp(declaration);
    const own = declaration.buckets.filter(({ keptBy }) => keptBy === undefined);
    expect(own.map(({ role }) => role)).toEqual(["publicMedia", "userFiles"]);
    expect(await findBucket(aws, defaultNames.buckets.profileImages)).toEqual({ state: "missing" });
    for (const { name, publicAccessBlock, policy, lifecycle, cors } of own) {
      expect(await readPublicAccessBlock(aws, name)).toEqual(publicAccessBlock);
      expect(await readPolicy(aws, name)).toEqual({ Version: "2012-10-17", Statement: policy });
      expect(await readOwnership(aws, name)).toBe("BucketOwnerEnforced");
      expect(await readVersioning(aws, name)).toBe("Enabled");
      expect(await readEncryption(aws, name)).toBe("AES256");
      expect(await readLifecycle(aws, name)).toMatchObject({
        rules: lifecycle.map(({ id }) => ({ ID: id })),
      });
      expect(await readCors(aws, name)).toMatchObject(cors.map(({ id }) => ({ ID: id })));
    }
    const audit = await readTable(aws, auditLog);
    expect(audit).toMatchObject({ status: "ACTIVE", billing: "on-demand", deletionProtection: true });
    expect(audit?.indexes.map(({ name }) => name).sort()).toEqual([
      "Action-Timestamp-Index",
      "UserId-Timestamp-Index",
    ]);
    expect(await readExpiry(aws, auditLog)).toMatchObject({ status: "ENABLED", attribute: "ttl" });
    for (const table of [userProfiles, auditLog, migrations]) {
      expect(await readRecoveryWindow(aws, table)).toMatchObject({ enabled: true, days: 35 });
    }
    expect((await readTable(aws, digitalTwin)) === undefined).toBe(shape === "composite");
  });
});

describe("setup beside what is there already", () => {
  it("neither makes nor changes a table that the website keeps", async () => {
    const { userDocuments } = defaultNames.tables;
    await setUp(simple, true);
    expect(await readTable(aws, userDocuments)).toBeUndefined();
    await (
      await aws.dynamodb()
    ).send(
      new CreateTableCommand({
        TableName: userDocuments,
        KeySchema: [
          { AttributeName: "userId", KeyType: "HASH" },
          { AttributeName: "documentId", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "userId", AttributeType: "S" },
          { AttributeName: "documentId", AttributeType: "S" },
        ],
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
      }),
    );
    expect((await setUp(simple, true)).done).toEqual([]);
    expect(await readTable(aws, userDocuments)).toMatchObject({ deletionProtection: false });
    expect(await readRecoveryWindow(aws, userDocuments)).toMatchObject({ enabled: false });
  });

  it("keeps a live profile table of the other shape with its items, and follows from its keys", async () => {
    const dynamodb = await aws.dynamodb();
    await dynamodb.send(
      new CreateTableCommand({
        TableName: userProfiles,
        KeySchema: [
          { AttributeName: "userId", KeyType: "HASH" },
          { AttributeName: "type", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "userId", AttributeType: "S" },
          { AttributeName: "type", AttributeType: "S" },
        ],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    await dynamodb.send(new PutItemCommand({ TableName: userProfiles, Item: liveItem }));
    expect((await setUp(simple)).failed).toEqual([]);
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName: userProfiles, Key: { userId: liveItem.userId, type: liveItem.type } }),
    );
    expect(Item).toEqual(liveItem);
    expect(await readTable(aws, userProfiles)).toMatchObject({ deletionProtection: true });
    expect(await readTable(aws, digitalTwin)).toBeUndefined();
  });

  it("does not touch a table whose keys it does not understand", async () => {
    const dynamodb = await aws.dynamodb();
    await dynamodb.send(
      new CreateTableCommand({
        TableName: userProfiles,
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    const { Table: before } = await dynamodb.send(new DescribeTableCommand({ TableName: userProfiles }));
    await setUp(simple, true);
    const { Table: after } = await dynamodb.send(new DescribeTableCommand({ TableName: userProfiles }));
    expect(after).toEqual(before);
    expect(await open(simple)).toContain(`problem ${userProfiles} keys`);
  });

  it("adds what a bare bucket lacks, and switches its ACLs off only when asked to", async () => {
    const s3 = await aws.s3();
    const where = { LocationConstraint: region };
    await s3.send(new CreateBucketCommand({ Bucket: userFiles, CreateBucketConfiguration: where }));
    const withAcls = { Rules: [{ ObjectOwnership: "ObjectWriter" as const }] };
    await s3.send(new PutBucketOwnershipControlsCommand({ Bucket: userFiles, OwnershipControls: withAcls }));
    await setUp(simple);
    expect(await readVersioning(aws, userFiles)).toBe("Enabled");
    expect(await readOwnership(aws, userFiles)).toBe("ObjectWriter");
    expect(await open(simple)).toEqual([`change ${userFiles} ownership`]);
    await setUp(simple, true);
    expect(await readOwnership(aws, userFiles)).toBe("BucketOwnerEnforced");
  });

  it("puts back settings that are gone, without being asked to change anything", async () => {
    await setUp(simple);
    const [s3, dynamodb] = await Promise.all([aws.s3(), aws.dynamodb()]);
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: publicMedia }));
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket: publicMedia }));
    const gone = { TableName: auditLog, DeletionProtectionEnabled: false };
    await dynamodb.send(new UpdateTableCommand(gone));
    await dynamodb.send(
      new UpdateContinuousBackupsCommand({
        TableName: auditLog,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      }),
    );
    await dynamodb.send(
      new UpdateTableCommand({
        TableName: auditLog,
        GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "Action-Timestamp-Index" } }],
      }),
    );
    expect((await setUp(simple)).done.map(({ aspect }) => aspect)).toEqual([
      "policy",
      "lifecycle",
      "deletion protection",
      "index",
      "recovery",
    ]);
    expect(await open(simple)).toEqual([]);
  });
});

describe("settings that were changed", () => {
  const foreignStatement = {
    Sid: "Colleagues",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::123456789012:root" },
    Action: "s3:ListBucket",
    Resource: `arn:aws:s3:::${userFiles}`,
  };
  const foreignRule = {
    ID: "tidy-up",
    Status: "Enabled" as const,
    Filter: { Prefix: "tmp/" },
    Expiration: { Days: 3 },
  };

  beforeEach(async () => {
    await setUp(simple);
    const s3 = await aws.s3();
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: userFiles, VersioningConfiguration: { Status: "Suspended" } }),
    );
    await s3.send(
      new PutPublicAccessBlockCommand({
        Bucket: userFiles,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true },
      }),
    );
    const policy = { Version: "2012-10-17", Statement: foreignStatement };
    await s3.send(new PutBucketPolicyCommand({ Bucket: userFiles, Policy: JSON.stringify(policy) }));
    await writeLifecycle(aws, userFiles, { rules: [foreignRule] });
  });

  it("stay as they are without fix", async () => {
    expect((await setUp(simple)).done).toEqual([]);
    expect(await readVersioning(aws, userFiles)).toBe("Suspended");
    expect(await readPolicy(aws, userFiles)).toMatchObject({ Statement: [foreignStatement] });
    expect(await open(simple)).toEqual([
      `change ${userFiles} public access block`,
      `change ${userFiles} policy`,
      `change ${userFiles} versioning`,
      `change ${userFiles} lifecycle`,
    ]);
  });

  it("are set right with fix, and the statements and rules of others survive", async () => {
    expect((await setUp(simple, true)).failed).toEqual([]);
    expect(await open(simple)).toEqual([]);
    const wanted = simple.buckets.find(({ name }) => name === userFiles);
    expect(await readPolicy(aws, userFiles)).toEqual({
      Version: "2012-10-17",
      Statement: [foreignStatement, ...(wanted?.policy ?? [])],
    });
    expect(await readLifecycle(aws, userFiles)).toMatchObject({
      rules: [foreignRule, ...(wanted?.lifecycle ?? []).map(({ id }) => ({ ID: id }))],
    });
    expect(await readPublicAccessBlock(aws, userFiles)).toEqual(wanted?.publicAccessBlock);
  });

  it("lose a statement that an interrupted run left behind", async () => {
    const left = { Sid: "MawpsProbe", Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: "*" };
    await writePolicy(aws, userFiles, { Version: "2012-10-17", Statement: [foreignStatement, left] });
    await setUp(simple, true);
    expect(await readPolicy(aws, userFiles)).toMatchObject({
      Statement: [{ Sid: "Colleagues" }, { Sid: "MawpsTlsOnly" }],
    });
  });
});

describe("carrying out a plan", () => {
  it("does nothing to what the plan does not name", async () => {
    const plan = (await planSetup(aws, simple)).filter(({ resource }) => resource === "table");
    await applySetup(aws, plan, { fix: true, firstDelayMs: 1 });
    expect(await findBucket(aws, publicMedia)).toEqual({ state: "missing" });
    expect(await readTable(aws, userProfiles)).toBeDefined();
  });

  it("stops between two steps when it is aborted, and a second run does the rest", async () => {
    const abort = new AbortController();
    const plan = await planSetup(aws, simple);
    let steps = 0;
    const onStep = () => {
      steps += 1;
      if (steps === 10) abort.abort(new Error("stop"));
    };
    await expect(applySetup(aws, plan, { fix: false, onStep, signal: abort.signal })).rejects.toThrow("stop");
    expect(await open(simple)).not.toEqual([]);
    await setUp(simple);
    expect(await open(simple)).toEqual([]);
  });

  it("goes on after a step that is refused, and leaves out what hangs on it", async () => {
    const planned = await planSetup(aws, simple);
    const plan = planned.map((step) =>
      step.name === publicMedia ? Object.assign(step, { name: "No_Bucket" }) : step,
    );
    const result = await applySetup(aws, plan, { fix: false, firstDelayMs: 1 });
    expect(result.failed.map(({ step }) => step.aspect)).toEqual(["bucket"]);
    expect(new Set(result.skipped.map(({ name }) => name))).toEqual(new Set(["No_Bucket"]));
    expect(result.done.some(({ name }) => name === userFiles)).toBe(true);
    expect(await readTable(aws, migrations)).toBeDefined();
  });

  it("finds a table gone that was deleted between plan and run, and reports it", async () => {
    await setUp(simple);
    const dynamodb = await aws.dynamodb();
    const unprotect = { TableName: migrations, DeletionProtectionEnabled: false };
    await dynamodb.send(new UpdateTableCommand(unprotect));
    const plan = await planSetup(aws, simple);
    await dynamodb.send(new DeleteTableCommand({ TableName: migrations }));
    const result = await applySetup(aws, plan, { fix: false, firstDelayMs: 1 });
    expect(result.failed.map(({ step }) => `${step.name} ${step.aspect}`)).toEqual([
      `${migrations} deletion protection`,
    ]);
  });
});

const liveItem = {
  userId: { S: "owner" },
  type: { S: "website-images" },
  profileImageDefault: { S: "https://example.com/a.jpg" },
  exact: { N: "123456789012345678901234567890.5" },
};
