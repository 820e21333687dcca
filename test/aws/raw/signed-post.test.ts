import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { connect, type Aws, type ConnectOptions } from "../../../src/aws/clients.ts";
import { listGroupUsers, listPoolUsers } from "../../../src/aws/cognito/users-list.ts";
import { sendText } from "../../../src/aws/raw/send-text.ts";

interface Sent {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly body: string;
}

const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "test", sessionToken: "session" };
const paced = <T>(call: () => Promise<T>) => call();

let sent: Sent[] = [];
const open: Aws[] = [];

afterEach(() => {
  sent = [];
  for (const aws of open.splice(0)) aws.close();
});

/** Clients of a Cognito that gives these answers, one after the other; an Error is a connection that broke. */
function answering(answers: (Answer | Error)[], options: Partial<ConnectOptions> = {}): Aws {
  const end = {
    async handle(request: unknown, { abortSignal }: { abortSignal?: unknown } = {}) {
      (abortSignal as AbortSignal | undefined)?.throwIfAborted();
      sent.push(request as Sent);
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("asked too often");
      const { status = 200, body } = answer;
      return { response: { statusCode: status, headers: {}, body: Readable.from([Buffer.from(body)]) } };
    },
  };
  const limits = { firstDelayMs: 1 };
  const aws = connect({ region: "eu-central-1", credentials, end: async () => end, limits, ...options });
  open.push(aws);
  return aws;
}

const page = (name: string, PaginationToken?: string): Answer => ({
  body: JSON.stringify({
    Users: [
      {
        Username: name,
        Attributes: [
          { Name: "sub", Value: `sub-${name}` },
          { Name: "email", Value: "mü@example.com" },
        ],
        Enabled: true,
        UserStatus: "CONFIRMED",
        UserCreateDate: 1_767_225_600.123,
        UserLastModifiedDate: 1.7672256e9,
      },
    ],
    PaginationToken,
  }),
});

async function listed(aws: Aws) {
  const accounts = [];
  for await (const some of listPoolUsers(aws, "pool", { paced })) accounts.push(...some);
  return accounts;
}

/** Without time and signature, and what the SDK says of a call by itself. */
function addressed({ method, protocol, hostname, port, path, headers }: Sent) {
  const scope = /Credential=(\w+)\/\d{8}(\/[^,]+),/.exec(headers["authorization"] ?? "")?.slice(1);
  const names = ["host", "content-type", "x-amz-target", "user-agent", "x-amz-security-token"];
  return { method, protocol, hostname, port, path, scope, headers: names.map((name) => headers[name]) };
}

describe("a page behind the first", () => {
  test.each<[string, Partial<ConnectOptions>]>([
    ["of AWS", {}],
    ["of a server behind a path", { endpointUrl: "https://cognito.example.com:8443/below/" }],
  ])("%s is asked for where the SDK asked, and signed the same", async (_where, options) => {
    await listed(answering([page("a", "1"), page("b")], options));
    const [first, second] = sent.map(addressed);
    expect(second).toEqual(first);
    expect(second?.scope).toEqual(["AKIDTEST", "/eu-central-1/cognito-idp/aws4_request"]);
    expect(sent.map(({ headers }) => "amz-sdk-request" in headers)).toEqual([true, false]);
    expect(JSON.parse(sent[1]?.body ?? "")).toEqual({ UserPoolId: "pool", Limit: 60, PaginationToken: "1" });
  });

  test("tells the same of an account as the SDK does", async () => {
    const [first, second] = await listed(answering([page("a", "1"), page("a")]));
    expect(second).toEqual(first);
    expect(second?.createdAt.toISOString()).toBe("2026-01-01T00:00:00.123Z");
  });

  test.each<[string, Answer | Error]>([
    ["is refused", { status: 400, body: '{"__type":"TooManyRequestsException"}' }],
    ["does not come", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })],
    ["is no JSON", { body: '{"Users":[' }],
    ["is another's", { body: "{}" }],
  ])("that %s is asked for by the SDK", async (_what, odd) => {
    const accounts = await listed(answering([page("a", "1"), odd, page("b", "2"), page("c")]));
    expect(accounts.map(({ username }) => username)).toEqual(["a", "b", "c"]);
    expect(sent.map(({ headers }) => "amz-sdk-request" in headers)).toEqual([true, false, true, false]);
    expect(String(Buffer.from(sent[2]?.body ?? ""))).toBe(sent[1]?.body);
  });

  test("that is refused for good fails as the SDK says", async () => {
    const denied = { status: 400, body: '{"__type":"NotAuthorizedException","message":"no"}' };
    await expect(listed(answering([page("a", "1"), denied]))).rejects.toMatchObject({
      name: "NotAuthorizedException",
      message: "no",
    });
    expect(sent).toHaveLength(2);
  });

  test("that stays out is tried no more often than any call", async () => {
    const late = () => Object.assign(new Error("late"), { name: "TimeoutError" });
    const limits = { firstDelayMs: 1, attempts: 3 };
    const asked = listed(answering([page("a", "1"), late(), late(), late(), late()], { limits }));
    await expect(asked).rejects.toMatchObject({ name: "TimeoutError", $metadata: { attempts: 3 } });
    expect(sent).toHaveLength(1 + 3);
  });
});

test("a transaction that is cancelled for good is sent once, and says why", async () => {
  const reasons = [{ Code: "ConditionalCheckFailed", Message: "it is not so" }];
  const cancelled = { __type: "TransactionCanceledException", CancellationReasons: reasons };
  const aws = answering([{ body: "{}" }, { status: 400, body: JSON.stringify(cancelled) }]);
  const send = () => sendText(aws, new TransactWriteItemsCommand({ TransactItems: [] }), { body: "{}" });
  await send();
  await expect(send()).rejects.toMatchObject({
    name: "TransactionCanceledException",
    CancellationReasons: reasons,
  });
  expect(sent).toHaveLength(2);
});

test("another operation goes the SDK's way first", async () => {
  const aws = answering([page("a"), page("b")]);
  await listed(aws);
  for await (const some of listGroupUsers(aws, "pool", { group: "staff", paced }))
    expect(some.map(({ username }) => username)).toEqual(["b"]);
  expect(sent.map(({ headers }) => headers["x-amz-target"])).toEqual([
    "AWSCognitoIdentityProviderService.ListUsers",
    "AWSCognitoIdentityProviderService.ListUsersInGroup",
  ]);
});

test("the time of a signature is the server's, as far as the client knows it", async () => {
  const aws = answering([page("a", "1"), page("b")]);
  const cognito = await aws.cognito();
  cognito.config.systemClockOffset = -3_600_000;
  await listed(aws);
  const date = sent[1]?.headers["x-amz-date"] ?? "";
  const signedAt = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  expect(Math.abs(signedAt - (Date.now() - 3_600_000))).toBeLessThan(600_000);
});

test("what is broken off is not asked for again", async () => {
  const stop = new AbortController();
  const aws = answering([page("a", "1"), page("b", "2"), page("c")]);
  const read = async () => {
    for await (const _some of listPoolUsers(aws, "pool", { paced, signal: stop.signal })) stop.abort();
  };
  await expect(read()).rejects.toThrow(/abort/i);
  expect(sent.length).toBeLessThan(3);
});
