import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readPolicy, writePolicy } from "../../src/aws/s3/bucket-policy.ts";
import { readLifecycle } from "../../src/aws/s3/bucket-settings.ts";
import { createBucket, findBucket } from "../../src/aws/s3/bucket.ts";
import { type Aws, connect } from "../../src/aws/clients.ts";
import { enableRecovery } from "../../src/aws/dynamodb/table-recovery.ts";
import { readTable } from "../../src/aws/dynamodb/table-settings.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { applySetup } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Sent {
  readonly method: string;
  readonly body: string;
}

/** Clients of a service that gives these answers, one after the other, the last one for ever. */
function answering(region: string, ...answers: Answer[]): { aws: Aws; sent: Sent[] } {
  const sent: Sent[] = [];
  const handle = (request: unknown) => {
    const { method, body = "" } = request as { method: string; body?: string | Uint8Array };
    sent.push({ method, body: typeof body === "string" ? body : new TextDecoder().decode(body) });
    const {
      status,
      headers = {},
      body: text = "",
    } = answers[Math.min(sent.length, answers.length) - 1] ?? { status: 500 };
    return Promise.resolve({
      response: { statusCode: status, headers, body: Readable.from([Buffer.from(text)]) },
    });
  };
  const aws = connect({
    region,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    end: () => Promise.resolve({ handle }),
  });
  return { aws, sent };
}

const ok: Answer = { status: 200 };
const s3Error = (status: number, code: string, message = ""): Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});
const dynamodbError = (name: string): Answer => ({
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: "" }),
});
const inRegion = (status: number, region: string): Answer => ({
  status,
  headers: { "x-amz-bucket-region": region },
});

describe("looking for a bucket", () => {
  it.each<[string, Answer[], object]>([
    ["here", [inRegion(200, "eu-central-1")], { state: "here" }],
    ["missing", [{ status: 404 }], { state: "missing" }],
    ["redirected", [inRegion(301, "us-west-2")], { state: "elsewhere", region: "us-west-2" }],
    [
      "in a region that must be switched on",
      [inRegion(400, "ap-east-1")],
      { state: "elsewhere", region: "ap-east-1" },
    ],
    ["answered for all the same", [inRegion(200, "us-west-2")], { state: "elsewhere", region: "us-west-2" }],
    ["somebody else's", [inRegion(403, "eu-central-1"), s3Error(403, "AccessDenied")], { state: "denied" }],
  ])("that is %s", async (_name, answers, presence) => {
    expect(await findBucket(answering("eu-central-1", ...answers).aws, "bucket")).toEqual(presence);
  });

  it("does not take wrong credentials for a missing permission", async () => {
    const { aws } = answering("eu-central-1", { status: 403 }, s3Error(403, "InvalidAccessKeyId"));
    await expect(findBucket(aws, "bucket")).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
  });
});

describe("making a bucket", () => {
  it.each([
    ["eu-central-1", true],
    ["us-east-1", false],
  ])("in %s names the region: %s", async (region, isNamed) => {
    const { aws, sent } = answering(region, ok);
    await createBucket(aws, "bucket");
    expect(sent[0]?.body.includes(`<LocationConstraint>${region}`)).toBe(isNamed);
  });

  it("that is ours already is fine, and another's is not", async () => {
    await createBucket(answering("eu-central-1", s3Error(409, "BucketAlreadyOwnedByYou")).aws, "bucket");
    const taken = createBucket(answering("eu-central-1", s3Error(409, "BucketAlreadyExists")).aws, "bucket");
    await expect(taken).rejects.toMatchObject({ name: "BucketAlreadyExists" });
  });
});

describe("writing a setting", () => {
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Deny" }] };

  it.each([
    ["the bucket is not known everywhere yet", s3Error(404, "NoSuchBucket")],
    ["another setting is being written", s3Error(409, "OperationAborted")],
    [
      "the lifted block still counts",
      s3Error(403, "AccessDenied", "because public policies are prevented by the BlockPublicPolicy setting"),
    ],
  ])("is repeated while %s", async (_name, passing) => {
    const { aws, sent } = answering("eu-central-1", passing, passing, ok);
    await writePolicy(aws, "bucket", policy, { firstDelayMs: 1 });
    expect(sent.map(({ body }) => body)).toEqual(Array(3).fill(JSON.stringify(policy)));
  });

  it("that is not permitted is not repeated", async () => {
    const { aws, sent } = answering("eu-central-1", s3Error(403, "AccessDenied", "no"));
    await expect(writePolicy(aws, "bucket", policy, { firstDelayMs: 1 })).rejects.toMatchObject({
      name: "AccessDenied",
    });
    expect(sent).toHaveLength(1);
  });

  it("with no statement left deletes the policy", async () => {
    const { aws, sent } = answering("eu-central-1", { status: 204 });
    await writePolicy(aws, "bucket", { Statement: [] });
    expect(sent.map(({ method }) => method)).toEqual(["DELETE"]);
  });

  it("for recovery waits until a new table is ready for it", async () => {
    const notReady = dynamodbError("ContinuousBackupsUnavailableException");
    const done = { ...ok, headers: { "content-type": "application/x-amz-json-1.0" }, body: "{}" };
    const { aws, sent } = answering("eu-central-1", notReady, notReady, done);
    await enableRecovery(aws, "table", 35, { firstDelayMs: 1 });
    expect(sent).toHaveLength(3);
    expect(JSON.parse(sent[2]?.body ?? "")).toMatchObject({
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
    });
  });
});

describe("reading a setting", () => {
  it("tells one that was never made from one the server does not know, and from one that may not be read", async () => {
    const read = (answer: Answer) => readPolicy(answering("eu-central-1", answer).aws, "bucket");
    expect(await read(s3Error(404, "NoSuchBucketPolicy"))).toBeUndefined();
    expect(await read(s3Error(501, "NotImplemented"))).toBe("unsupported");
    await expect(read(s3Error(403, "AccessDenied"))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("keeps what belongs to the rules", async () => {
    const { aws } = answering("eu-central-1", {
      status: 200,
      headers: { "x-amz-transition-default-minimum-object-size": "varies_by_storage_class" },
      body: "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>",
    });
    expect(await readLifecycle(aws, "bucket")).toEqual({
      rules: [{ ID: "a", Status: "Enabled" }],
      transitionDefaultMinimumObjectSize: "varies_by_storage_class",
    });
  });

  it("finds no table where there is none", async () => {
    expect(
      await readTable(answering("eu-central-1", dynamodbError("ResourceNotFoundException")).aws, "table"),
    ).toBeUndefined();
  });
});

describe("over plain HTTP to a server in AWS's place", () => {
  const withoutTls = { Version: "2012-10-17", Statement: [{ Sid: "Others" }] };
  const policy = { Version: "2012-10-17", Statement: [{ Sid: "Others" }, { Sid: "TlsOnly" }] };
  const step = {
    resource: "bucket",
    name: "bucket",
    aspect: "policy",
    kind: "add",
    to: "",
    write: { do: "write-policy", policy, withoutTls },
  } as const;

  it.each([
    ["is written where the server does not turn us away for it", s3Error(404, "NoSuchKey"), policy, "done"],
    ["is left out where it would lock us out", s3Error(403, "AccessDenied"), withoutTls, "unsupported"],
  ] as const)("a demand for TLS %s", async (_name, answer, written, outcome) => {
    const { aws, sent } = answering("eu-central-1", ok, answer, ok);
    const result = await applySetup(aws, [step], { fix: false });
    expect(result[outcome]).toEqual([step]);
    expect(sent.map(({ method }) => method)).toEqual(["PUT", "GET", "PUT"]);
    expect(sent[0]?.body).not.toContain("TlsOnly");
    expect(JSON.parse(sent[2]?.body ?? "")).toEqual(written);
  });
});

describe("a plan", () => {
  it("holds what may not be read as problems that name the permission", async () => {
    const denied = { ...dynamodbError("AccessDeniedException") };
    const { tables, ...rest } = mawps(defaultNames);
    const plan = await planSetup(answering("eu-central-1", denied).aws, { ...rest, buckets: [], tables });
    expect(new Set(plan.map(({ kind, remedy }) => `${kind}: ${remedy}`))).toEqual(
      new Set(["problem: allow dynamodb:DescribeTable"]),
    );
  });
});
