import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discover } from "../../src/aws/discover.ts";
import { callerIdentity } from "../../src/aws/sts.ts";
import { startFaultyServer, type FaultyServer, type SeenRequest } from "../support/faulty-server.ts";

let server: FaultyServer;

beforeEach(async () => {
  server = await startFaultyServer();
});

afterEach(() => server.close());

const caller = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/weiss</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

describe("the caller", () => {
  test.for([-3_600_000, 0, 600_000])("is named, with a clock that is off by %i ms", async (offMs) => {
    const date = new Date(Date.now() - offMs).toUTCString();
    server.fault = () => ({ status: 200, headers: { "content-type": "text/xml", date }, body: caller });
    const identity = await callerIdentity(server.aws());
    expect(identity).toMatchObject({
      account: "123456789012",
      arn: "arn:aws:iam::123456789012:user/weiss",
      userId: "AIDA",
      expiresAt: undefined,
    });
    // Dates of HTTP are whole seconds, and the answer takes its time.
    expect(Math.abs((identity.clockSkewMs ?? Number.NaN) - offMs)).toBeLessThan(30_000);
  });

  test("is not made up when STS refuses", async () => {
    server.fault = () => ({ status: 403, headers: { "content-type": "text/xml" }, body: "<ErrorResponse/>" });
    await expect(callerIdentity(server.aws())).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });
});

describe("what there is", () => {
  const json = (body: object) => ({
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  });

  function answer({ headers, query }: SeenRequest) {
    const target = headers["x-amz-target"];
    if (target === "DynamoDB_20120810.ListTables") {
      const tables = server.requests.filter((seen) => seen.headers["x-amz-target"] === target).length;
      return json(
        tables === 1 ? { TableNames: ["t1"], LastEvaluatedTableName: "t1" } : { TableNames: ["t2"] },
      );
    }
    if (target === "AWSCognitoIdentityProviderService.ListUserPools") {
      const pools = server.requests.filter((seen) => seen.headers["x-amz-target"] === target).length;
      return json(
        pools === 1 ? { UserPools: [{ Id: "p1" }], NextToken: "n" } : { UserPools: [{ Id: "p2" }] },
      );
    }
    const token = query.get("continuation-token");
    return {
      status: 200,
      body: `<ListAllMyBucketsResult><Buckets><Bucket><Name>${token === null ? "b1" : "b2"}</Name></Bucket></Buckets>${token === null ? "<ContinuationToken>n</ContinuationToken>" : ""}</ListAllMyBucketsResult>`,
    };
  }

  test("is listed to the last page", async () => {
    server.fault = answer;
    expect(await discover(server.aws())).toEqual({
      buckets: ["b1", "b2"],
      tables: ["t1", "t2"],
      userPools: ["p1", "p2"],
      failures: [],
    });
  });

  test("is listed as far as the permissions go, and what they leave out is told", async () => {
    server.fault = (request) =>
      request.headers["x-amz-target"] === undefined
        ? { status: 403, body: "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>" }
        : answer(request);
    expect(await discover(server.aws())).toEqual({
      buckets: [],
      tables: ["t1", "t2"],
      userPools: ["p1", "p2"],
      failures: [{ what: "buckets", why: "access denied: s3:ListAllMyBuckets" }],
    });
  });
});
