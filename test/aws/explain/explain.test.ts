import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { anonymousGet } from "../../../src/aws/anonymous.ts";
import { connect, type Aws } from "../../../src/aws/clients.ts";
import {
  deleteObject,
  getObject,
  getObjectBytes,
  headObject,
  putObject,
} from "../../../src/aws/s3/objects.ts";
import { explain } from "../../../src/aws/explain/explain.ts";
import type { ExplainContext } from "../../../src/aws/explain/facts.ts";
import { isUnsupported } from "../../../src/aws/setting.ts";
import { callerIdentity } from "../../../src/aws/sts.ts";
import { getItem, tableShape } from "../../../src/aws/dynamodb/items.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { startFaultyServer, type Fault, type FaultyServer } from "../../support/faulty-server.ts";
import { startMisbehavingServer } from "../../support/misbehaving-server.ts";
import { selfSigned } from "../../support/self-signed.ts";

let server: FaultyServer;
/** Repetitions would only make the tests slower. */
const singly = { limits: { attempts: 1 } };
const object = { bucket: "photos", key: "public/a.jpg" };
const item = { table: "profiles", key: { userId: { S: "owner" } } };
const call = {
  head: (aws: Aws) => headObject(aws, object),
  get: (aws: Aws) => getObject(aws, object),
  put: (aws: Aws) => putObject(aws, { ...object, body: Buffer.from("x") }),
  remove: (aws: Aws) => deleteObject(aws, object),
  list: (aws: Aws) => listObjects(aws, { bucket: object.bucket }).next(),
  getItem: (aws: Aws) => getItem(aws, item),
  update: (aws: Aws) => updateAttributes(aws, { ...item, set: [{ path: "a", value: { S: "x" } }] }),
  shape: (aws: Aws) => tableShape(aws, item.table),
  caller: (aws: Aws) => callerIdentity(aws),
};

/** As S3 answers: an error document, and for HEAD nothing but its headers. */
function s3Error(
  status: number,
  code: string,
  options: { message?: string; fields?: string; headers?: Record<string, string> } = {},
): Fault {
  return {
    status,
    headers: { "content-type": "application/xml", "x-amz-request-id": "TX234S0F24A06C7", ...options.headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${options.message ?? code}</Message>${options.fields ?? ""}<RequestId>TX234S0F24A06C7</RequestId><HostId>h</HostId></Error>`,
  };
}

/** As DynamoDB answers. */
function jsonError(status: number, type: string, message: string): Fault {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "TX234S0F24A06C7" },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }),
  };
}

function stsError(status: number, code: string, message: string): Fault {
  return {
    status,
    headers: { "content-type": "text/xml" },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>TX234S0F24A06C7</RequestId></ErrorResponse>`,
  };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("the call should have failed"),
    (error: unknown) => error,
  );
}

/** Message and hint for an answer to a call, as one text. */
async function explained(
  fault: Fault,
  made: (aws: Aws) => Promise<unknown>,
  context: ExplainContext = {},
): Promise<string> {
  server.fault = () => fault;
  return told(await failureOf(made(server.aws(singly))), { region: "eu-central-1", ...context });
}

function told(error: unknown, context: ExplainContext = {}): string {
  const explanation = explain(error, context);
  if (explanation === undefined) throw error;
  expect(explanation.cause).toBe(error);
  return `${explanation.message} | ${explanation.hint ?? ""}`;
}

beforeEach(async () => {
  server = await startFaultyServer();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

describe("access denied", () => {
  test.for([
    ["PutObject", call.put, "s3:PutObject on photos/public/a.jpg"],
    ["GetObject", call.get, "s3:GetObject on photos/public/a.jpg"],
    ["DeleteObject", call.remove, "s3:DeleteObject on photos/public/a.jpg"],
    ["ListObjectsV2", call.list, "s3:ListBucket on bucket photos"],
    ["HeadObject, whose answer has no body", call.head, "s3:GetObject on photos/public/a.jpg"],
  ] as const)("derives the missing permission of a bare answer to %s", async ([, made, expected]) => {
    expect(await explained(s3Error(403, "AccessDenied", { message: "Access Denied" }), made)).toContain(
      `access denied: ${expected} | `,
    );
  });

  test("takes action and resource from the message where it names them", async () => {
    const message =
      "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: dynamodb:UpdateItem on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/profiles because no identity-based policy allows the dynamodb:UpdateItem action";
    expect(await explained(jsonError(400, "AccessDeniedException", message), call.update)).toMatch(
      /^access denied: dynamodb:UpdateItem on arn:aws:dynamodb:eu-central-1:123456789012:table\/profiles \| Ask/,
    );
  });

  test("says when a policy denies explicitly", async () => {
    const message =
      'User: arn:aws:iam::1:user/ci is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::photos/public/a.jpg" with an explicit deny in a resource-based policy';
    expect(await explained(s3Error(403, "AccessDenied", { message }), call.put)).toMatch(
      /s3:PutObject on arn:aws:s3:::photos\/public\/a\.jpg \| A policy denies it explicitly/,
    );
  });

  test("keeps the request id in the cause", async () => {
    server.fault = () => s3Error(403, "AccessDenied");
    const explanation = explain(await failureOf(call.put(server.aws(singly))), {});
    expect(explanation?.cause).toMatchObject({ $metadata: { requestId: "TX234S0F24A06C7", attempts: 1 } });
  });
});

describe("wrong region", () => {
  test.for([
    [
      "PermanentRedirect with the header",
      s3Error(301, "PermanentRedirect", { headers: { "x-amz-bucket-region": "us-west-2" } }),
      call.list,
    ],
    [
      "AuthorizationHeaderMalformed with the region in the document",
      s3Error(400, "AuthorizationHeaderMalformed", {
        message:
          "The authorization header is malformed; the region 'eu-central-1' is wrong; expecting 'us-west-2'",
        fields: "<Region>us-west-2</Region>",
      }),
      call.get,
    ],
    ["a bare 301 to HEAD", { status: 301, headers: { "x-amz-bucket-region": "us-west-2" } }, call.head],
    ["a bare 400 to HEAD", { status: 400, headers: { "x-amz-bucket-region": "us-west-2" } }, call.head],
  ] as const)("names the right one: %s", async ([, fault, made]) => {
    expect(await explained(fault, made)).toBe(
      "bucket photos is in region us-west-2, not eu-central-1 | Pass --region us-west-2.",
    );
  });
});

test("tells of a new bucket, for which S3 sends elsewhere, to wait", async () => {
  const headers = {
    location: "https://photos.s3-us-west-2.amazonaws.com/public/a.jpg",
    "x-amz-request-id": "1",
  };
  expect(await explained(s3Error(307, "TemporaryRedirect", { headers }), call.get)).toMatch(
    /^S3 sends requests for bucket photos elsewhere for now, .* Try again in an hour/,
  );
});

describe("what does not exist", () => {
  test("names the bucket", async () => {
    expect(await explained(s3Error(404, "NoSuchBucket"), call.list)).toMatch(
      /^bucket photos does not exist \|.*mawps setup/,
    );
  });

  test("names the object", async () => {
    expect(await explained(s3Error(404, "NoSuchKey"), call.get)).toMatch(
      /^no object public\/a\.jpg in bucket photos/,
    );
  });

  test("names the table", async () => {
    const fault = jsonError(400, "ResourceNotFoundException", "Requested resource not found");
    expect(await explained(fault, call.shape)).toMatch(/^table profiles does not exist \|.*mawps setup/);
  });

  test("tells of an object that is archived how to bring it back", async () => {
    const fault = s3Error(403, "InvalidObjectState", { fields: "<StorageClass>GLACIER</StorageClass>" });
    expect(await explained(fault, call.get)).toMatch(
      /^public\/a\.jpg is archived \(GLACIER\) and cannot be read .* restore-object --bucket photos --key 'public\/a\.jpg'/,
    );
  });

  test("tells that an unfinished upload is gone", async () => {
    expect(await explained(s3Error(404, "NoSuchUpload"), call.put)).toMatch(
      /unfinished upload of public\/a\.jpg is gone/,
    );
  });
});

describe("throttling and outages", () => {
  test.for([
    ["S3", s3Error(503, "SlowDown", { message: "Please reduce your request rate." }), call.get, "to photos"],
    [
      "DynamoDB",
      jsonError(
        400,
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput was exceeded",
      ),
      call.getItem,
      "to profiles",
    ],
    ["any service", jsonError(400, "ThrottlingException", "Rate exceeded"), call.getItem, "to profiles"],
  ] as const)("tells that %s throttles", async ([, fault, made, what]) => {
    expect(await explained(fault, made)).toContain(
      `AWS throttles the requests ${what}, also after several attempts`,
    );
  });

  test("names a server that answers with an error of its own", async () => {
    const fault = { status: 502, headers: { "content-type": "text/html" }, body: "<html>Bad gateway</html>" };
    expect(await explained(fault, call.get)).toContain(`${server.url} answered 502 to GetObject`);
  });
});

describe("the clock", () => {
  test.for([
    ["S3", s3Error(403, "RequestTimeTooSkewed"), call.put],
    [
      "DynamoDB",
      jsonError(
        400,
        "InvalidSignatureException",
        "Signature expired: 20260301T120000Z is now earlier than 20260301T121500Z",
      ),
      call.getItem,
    ],
    [
      "DynamoDB, the other way round",
      jsonError(
        400,
        "InvalidSignatureException",
        "Signature not yet current: 20260301T120000Z is still later than",
      ),
      call.getItem,
    ],
  ] as const)("is blamed when %s says so", async ([, fault, made]) => {
    expect(await explained(fault, made)).toMatch(/^the clock of this computer differs/);
  });
});

describe("credentials", () => {
  test.for([
    ["S3", s3Error(400, "ExpiredToken", { message: "The provided token has expired." }), call.put],
    [
      "DynamoDB",
      jsonError(400, "ExpiredTokenException", "The security token included in the request is expired"),
      call.getItem,
    ],
    [
      "STS",
      stsError(403, "ExpiredToken", "The security token included in the request is expired"),
      call.caller,
    ],
  ] as const)("tells that the session has expired: %s", async ([, fault, made]) => {
    expect(await explained(fault, made, { profile: "weiss" })).toMatch(
      /^the AWS session of profile weiss has expired \| .*aws sso login --profile weiss/,
    );
  });

  test.for([
    ["S3", s3Error(403, "InvalidAccessKeyId"), call.put],
    [
      "DynamoDB",
      jsonError(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
      call.getItem,
    ],
    [
      "STS",
      stsError(403, "InvalidClientTokenId", "The security token included in the request is invalid."),
      call.caller,
    ],
  ] as const)("tells that the access key is unknown: %s", async ([, fault, made]) => {
    expect(await explained(fault, made)).toMatch(/^AWS does not know the access key/);
  });

  test.for([
    ["S3", s3Error(403, "SignatureDoesNotMatch"), call.put],
    [
      "DynamoDB",
      jsonError(400, "InvalidSignatureException", "The request signature we calculated does not match"),
      call.getItem,
    ],
  ] as const)("tells that the secret does not fit: %s", async ([, fault, made]) => {
    expect(await explained(fault, made)).toMatch(/^the secret access key does not fit its access key/);
  });

  describe("from the default chain", () => {
    let home: string;

    beforeEach(async () => {
      home = await mkdtemp(join(tmpdir(), "mawps-test-"));
      for (const name of Object.keys(process.env)) {
        if (name.startsWith("AWS_") && !name.startsWith("AWS_SDK_JS")) vi.stubEnv(name, undefined);
      }
      vi.stubEnv("HOME", home);
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
      vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, "credentials"));
    });

    afterEach(() => rm(home, { recursive: true }));

    test.each(["true", undefined])("tells where it looked when there are none", async (isOffInstance) => {
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", isOffInstance);
      vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
      const aws = connect({ region: "eu-central-1", endpointUrl: server.url });
      const text = told(await failureOf(call.get(aws)));
      expect(text).toMatch(
        /^no AWS credentials found: no key with its secret in AWS_ACCESS_KEY_ID, ~\/\.aws\/config/,
      );
      expect(text).toContain("aws sso login --profile NAME");
    });

    test("names a profile that does not exist", async () => {
      const aws = connect({ region: "eu-central-1", endpointUrl: server.url, profile: "weg" });
      const text = told(await failureOf(call.get(aws)), { profile: "weg" });
      expect(text).toMatch(/^no credentials found for profile "weg" \| .*aws configure list-profiles/);
    });

    /** A profile whose SSO session, signed in to, is asked for at `server`. */
    async function signInAt(url: string): Promise<void> {
      await writeFile(
        join(home, "config"),
        "[profile sso]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_start_url = https://example.com\nsso_region = eu-central-1\n",
      );
      const cache = join(home, ".aws", "sso", "cache");
      await mkdir(cache, { recursive: true });
      const token = { accessToken: "token", expiresAt: "2999-01-01T00:00:00Z" };
      await writeFile(
        join(cache, `${createHash("sha1").update("s").digest("hex")}.json`),
        JSON.stringify(token),
      );
      vi.stubEnv("AWS_ENDPOINT_URL_SSO", url);
    }

    test("tells that SSO does not answer, in the time that any call has", async () => {
      const silent = await startMisbehavingServer("silent");
      try {
        await signInAt(silent.url);
        const limits = { attempts: 2, silentMs: 100, firstDelayMs: 1 };
        const aws = connect({ region: "eu-central-1", endpointUrl: server.url, profile: "sso", limits });
        const text = told(await failureOf(call.get(aws)), { profile: "sso" });
        expect(text).toContain(
          `no credentials of profile sso: TimeoutError: ${silent.url}: no answer within`,
        );
        // The server, in this process, perhaps comes to the last one only now.
        await expect.poll(() => silent.requests).toBe(2);
      } finally {
        await silent.close();
      }
    });

    test("asks SSO through the proxy", async () => {
      const seen: (string | undefined)[] = [];
      const proxy = createHttpServer((request, response) => {
        seen.push(request.url);
        response.writeHead(403, { "content-type": "application/json" }).end("{}");
      });
      await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
      try {
        await signInAt("http://sso.test");
        const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
        const aws = connect({ region: "eu-central-1", endpointUrl: server.url, profile: "sso", env });
        await failureOf(call.get(aws));
        expect(seen).toEqual([expect.stringMatching(/^http:\/\/sso\.test\/federation\/credentials/)]);
        aws.close();
      } finally {
        proxy.close();
        proxy.closeAllConnections();
      }
    });

    test("tells that an SSO sign-in has ended", async () => {
      await writeFile(
        join(home, "config"),
        "[profile sso]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_start_url = https://example.com\nsso_region = eu-central-1\n",
      );
      const aws = connect({ region: "eu-central-1", endpointUrl: server.url, profile: "sso" });
      const text = told(await failureOf(call.get(aws)), { profile: "sso" });
      expect(text).toBe(
        "the AWS session of profile sso has expired | Sign in again: aws sso login --profile sso, or whatever gave you these credentials.",
      );
    });
  });
});

describe("credentials that somebody else should have given", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "mawps-test-"));
    for (const name of Object.keys(process.env)) {
      if (name.startsWith("AWS_") && !name.startsWith("AWS_SDK_JS")) vi.stubEnv(name, undefined);
    }
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, "credentials"));
    const role = "role_arn = arn:aws:iam::123456789012:role/x";
    const sections = {
      bad: `credential_process = sh -c "echo 'vault is locked' >&2; exit 3"`,
      mute: "credential_process = false",
      hung: "credential_process = sleep 600",
      endless: `credential_process = true ${"x".repeat(200_000)}`,
      cut: "credential_process = true hidden\u0000",
      chain: `${role}\nsource_profile = nosuch`,
      good: `credential_process = echo '{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"x"}'`,
      mfa: `${role}\nsource_profile = good\nmfa_serial = arn:aws:iam::123456789012:mfa/me`,
      nosession: "sso_session = nosuch\nsso_account_id = 123456789012\nsso_role_name = Admin",
      broken: "aws_access_key_id = AK\u0007IA\naws_secret_access_key = x",
      token: `${role}\nweb_identity_token_file = /no/such`,
      half: "aws_access_key_id = AKIA",
    };
    const text = Object.entries(sections).map(([name, lines]) => `[profile ${name}]\n${lines}\n`);
    await writeFile(join(home, "config"), text.join(""));
  });

  afterEach(() => rm(home, { recursive: true }));

  test.for([
    ["bad", "no credentials of profile bad: credential_process failed: vault is locked"],
    ["mute", "no credentials of profile mute: credential_process failed and said nothing"],
    ["hung", "no credentials of profile hung: credential_process failed: no answer within 200 ms"],
    ["endless", "no credentials of profile endless: credential_process failed: it cannot be started (E2BIG)"],
    [
      "cut",
      "no credentials of profile cut: credential_process failed: it cannot be started (ERR_INVALID_ARG_VALUE)",
    ],
    ["chain", "no credentials of profile chain: Could not resolve credentials using profile: [nosuch]"],
    [
      "mfa",
      "the profile mfa wants an MFA code, which mawps does not ask for | .*export-credentials --profile mfa",
    ],
    ["nosession", "the sso_session of profile nosession is not in the AWS configuration"],
    [
      "broken",
      "the access key of profile broken holds a line break or another character that cannot be sent",
    ],
    ["token", "cannot read the web identity token in /no/such | AWS_WEB_IDENTITY_TOKEN_FILE"],
    ["half", 'no credentials found for profile "half" | with a key and its secret'],
  ] as const)("keep the reason: profile %s", async ([profile, expected]) => {
    const limits = { attempts: 1, inVainMs: profile === "hung" ? 200 : 80_000 };
    const aws = connect({ region: "eu-central-1", endpointUrl: server.url, profile, limits });
    const [message = "", hint = ""] = expected.split(" | ");
    const text = told(await failureOf(call.get(aws)), { profile });
    expect(text).toContain(message);
    expect(text).toMatch(new RegExp(hint));
    expect(text).not.toContain("hidden");
    expect(server.requests).toEqual([]);
  });

  test("name the variable of the container that does not answer", async () => {
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/credentials");
    const aws = connect({ region: "eu-central-1", endpointUrl: server.url, limits: { attempts: 1 } });
    const text = told(await failureOf(call.get(aws)));
    expect(text).toMatch(
      /^no credentials of the container: URL not accepted.*AWS_CONTAINER_CREDENTIALS_FULL_URI/,
    );
  });

  test.each([
    ["AWS_ENDPOINT_URL_S3", "junk"],
    ["AWS_ENDPOINT_URL_S3", "http://"],
    ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "not a URL"],
  ])("are told from an address that is no URL: %s=%s", async (name, value) => {
    vi.stubEnv(name, value);
    const credentials = { accessKeyId: "AKIA", secretAccessKey: "x" };
    const isEndpoint = name === "AWS_ENDPOINT_URL_S3";
    const end = isEndpoint ? { credentials } : { endpointUrl: server.url };
    const aws = connect({ region: "eu-central-1", ...end, limits: { attempts: 1 } });
    const text = told(await failureOf(call.get(aws)));
    expect(text).toMatch(/^an address in the settings of AWS is no URL \| Look at AWS_ENDPOINT_URL_\*/);
    expect(server.requests).toEqual([]);
  });

  test("name STS where that cannot be reached, not the server of the call", async () => {
    const token = join(home, "token");
    await writeFile(token, "x");
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x");
    vi.stubEnv("AWS_ENDPOINT_URL_S3", server.url);
    // A region that there is not, so that its name does not resolve with a network either.
    const aws = connect({ region: "no-where-1", ...singly });
    expect(told(await failureOf(call.get(aws)))).toMatch(
      /^cannot reach https:\/\/sts\.no-where-1\.amazonaws\.com: .* \| The credentials come from there/,
    );
    expect(server.requests).toEqual([]);
  });
});

describe("writes", () => {
  test("tells that a condition of S3 did not hold", async () => {
    expect(await explained(s3Error(412, "PreconditionFailed"), call.put)).toMatch(
      /^somebody else changed public\/a\.jpg/,
    );
  });

  test("tells that two conditional writes met", async () => {
    expect(await explained(s3Error(409, "ConditionalRequestConflict"), call.put)).toMatch(
      /^somebody else changed/,
    );
  });

  test("tells that the item would be too large", async () => {
    const fault = jsonError(
      400,
      "ValidationException",
      "Item size to update has exceeded the maximum allowed size",
    );
    expect(await explained(fault, call.update)).toMatch(
      /^the item of profiles would be larger than the 400 KB/,
    );
  });

  test("tells that the bytes changed on their way", async () => {
    expect(await explained(s3Error(400, "BadDigest"), call.put)).toMatch(
      /^the bytes of public\/a\.jpg were changed/,
    );
  });
});

describe("an action that a server in AWS's place does not offer", () => {
  const page = { status: 500, headers: { "content-type": "text/html" }, body: "<!doctype html><title>500" };

  test.for<[string, Fault, (aws: Aws) => Promise<unknown>, string]>([
    ["S3's own word", s3Error(501, "NotImplemented"), call.list, "ListObjectsV2 of S3"],
    ["a status alone", { status: 501 }, call.head, "HeadObject of S3"],
    ["a method", s3Error(405, "MethodNotAllowed"), call.list, "ListObjectsV2 of S3"],
    [
      "DynamoDB's own word",
      jsonError(400, "UnknownOperationException", ""),
      call.update,
      "UpdateItem of DynamoDB",
    ],
    [
      "an action of a query",
      jsonError(400, "InvalidAction", "Unknown DynamoDB action: UpdateItem"),
      call.update,
      "UpdateItem of DynamoDB",
    ],
    [
      "words, with 400",
      jsonError(400, "ValidationException", "This operation is not supported"),
      call.getItem,
      "GetItem of DynamoDB",
    ],
    [
      "words, with 404",
      s3Error(404, "NotFound", { message: "The put action has not been implemented" }),
      call.put,
      "PutObject of S3",
    ],
    [
      "words, with 500",
      jsonError(500, "InternalError", "Unsupported operation: DescribeTable"),
      call.shape,
      "DescribeTable of DynamoDB",
    ],
    ["a word of STS", stsError(400, "InvalidAction", "no"), call.caller, "GetCallerIdentity of STS"],
  ])("is named, with the server and what it means: told by %s", async ([, fault, made, action]) => {
    const text = await explained(fault, made);
    expect(text).toMatch(
      new RegExp(`^${server.url} does not offer the action ${action} \\| This command needs it`),
    );
  });

  test("is supposed where the server answers with a page", async () => {
    expect(await explained(page, call.getItem)).toMatch(
      new RegExp(`^${server.url} answered 500 to GetItem, with a page .* may not offer the action`),
    );
  });

  test("is not meant by a delete marker, nor by AWS's own words", async () => {
    server.fault = () => s3Error(405, "MethodNotAllowed");
    const marker = await failureOf(getObject(server.aws(singly), { ...object, version: "1" }));
    expect(isUnsupported(marker)).toBe(false);
    const words = Object.assign(new Error("This key type is not supported"), { name: "ValidationException" });
    expect(isUnsupported(words)).toBe(false);
  });
});

describe("the network", () => {
  test("names the endpoint that refuses connections", async () => {
    const { url } = server;
    const aws = server.aws(singly);
    await server.close();
    expect(told(await failureOf(call.getItem(aws)), { endpointUrl: url })).toMatch(
      new RegExp(`^cannot reach ${url}: the connection was refused \\(ECONNREFUSED\\) \\| .*--endpoint-url`),
    );
    server = await startFaultyServer();
  });

  test("names the endpoint whose name does not resolve", async () => {
    const aws = server.aws({ endpointUrl: "http://nowhere.invalid" });
    expect(told(await failureOf(call.get(aws)))).toMatch(
      /^cannot reach http:\/\/nowhere\.invalid: its? names? cannot be resolved.*\((ENOTFOUND|EAI_AGAIN)\)/,
    );
  });

  test("tells that the connection was cut off", async () => {
    expect(await explained("cut", call.getItem)).toContain(
      `cannot reach ${server.url}: the connection was cut off`,
    );
  });

  const page = { "content-type": "text/html; charset=utf-8" };

  test.for([
    ["a page", { status: 200, headers: page, body: "<html>Please log in</html>" }, call.getItem],
    ["a page in place of a list", { status: 200, headers: page, body: "<html><body/></html>" }, call.list],
    ["a page in place of an object", { status: 200, headers: page, body: "<html>log in</html>" }, call.get],
    ["a page in place of an answer to HEAD", { status: 200, headers: page, body: "" }, call.head],
    ["no XML", { status: 200, headers: {}, body: "Please log in" }, call.list],
    ["a refusal that is no XML", { status: 403, headers: {}, body: "{}" }, call.list],
    ["a refusal in a page", { status: 403, headers: page, body: "<html>Blocked</html>" }, call.put],
    [
      "a redirect",
      { status: 302, headers: { location: "https://login.example.com/?t=secret" } },
      call.getItem,
    ],
    ["another redirect", { status: 307, headers: { location: "https://login.example.com/" } }, call.list],
  ] as const)("tells that what answers is no AWS: %s", async ([, fault, made]) => {
    const text = await explained(fault, made);
    expect(text).toMatch(new RegExp(`^what answers at ${server.url} is no AWS service`));
    expect(text.includes("but sends to https://login.example.com |")).toBe("location" in fault.headers);
    expect(text).not.toContain("secret");
    expect(server.requests.length).toBe(1);
  });

  test("gives an object of a bucket that is a page", async () => {
    server.fault = () => ({
      status: 200,
      headers: { ...page, "x-amz-request-id": "1" },
      body: "<html>mine</html>",
    });
    const { bytes } = await getObjectBytes(server.aws(singly), object);
    expect(bytes.toString()).toBe("<html>mine</html>");
  });

  test("names what the public asks for and cannot reach", async () => {
    const aws = server.aws(singly);
    expect(await anonymousGet(aws, "http://cdn.nowhere.invalid/a.jpg")).toEqual({
      status: undefined,
      why: expect.stringMatching(/^cannot reach http:\/\/cdn\.nowhere\.invalid: /),
      hint: expect.stringContaining("publicBaseUrl"),
    });
  });

  test.for([
    [
      "is not trusted",
      () => createTlsServer(selfSigned),
      {},
      /^the certificate of https:.* is not trusted .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      "is none of those that count",
      () => createTlsServer(selfSigned),
      { AWS_CA_BUNDLE: import.meta.filename },
      /^the certificate of https:.* is not trusted .*AWS_CA_BUNDLE names is: .*explain\.test\.ts/,
    ],
    [
      "is missing: it is plain http",
      () => createServer((socket) => socket.end("no TLS")),
      {},
      /does not speak TLS .* http:\/\//,
    ],
  ] as const)("tells that the server's certificate %s", async ([, start, env, expected]) => {
    const other = start().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const error = await failureOf(call.get(server.aws({ env, endpointUrl: `https://127.0.0.1:${port}` })));
    other.close();
    expect(told(error)).toMatch(expected);
  });
});

test("an answer with what AWS never answers, as a server in its place may give it", async () => {
  const body = JSON.stringify({ Table: { TableName: "t", CreationDateTime: "today" } });
  server.fault = () => ({ status: 200, headers: { "content-type": "application/x-amz-json-1.0" }, body });
  const error = explain(await failureOf(call.shape(server.aws(singly))), {});
  expect(error?.message).toMatch(/^what .* answered to DescribeTable cannot be read$/);
});

describe("what is left alone", () => {
  test("aborts", async () => {
    server.fault = () => s3Error(200, "never");
    const error = await failureOf(getObject(server.aws(singly), { ...object, signal: AbortSignal.abort() }));
    expect(explain(error, {})).toBeUndefined();
  });

  test("errors that no call to AWS caused", () => {
    expect(explain(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }), {})).toBeUndefined();
    expect(explain(new TypeError("x is not a function"), {})).toBeUndefined();
    expect(explain("text", {})).toBeUndefined();
  });

  test("requests that AWS finds malformed: they are our bug", async () => {
    server.fault = () => jsonError(400, "ValidationException", "Invalid UpdateExpression: Syntax error");
    expect(explain(await failureOf(call.update(server.aws(singly))), {})).toBeUndefined();
  });
});
