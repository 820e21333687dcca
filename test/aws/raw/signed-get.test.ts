import { Readable } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connect, type Aws, type ConnectOptions } from "../../../src/aws/clients.ts";
import { getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { signedGets } from "../../../src/aws/raw/signed-get.ts";

interface Sent {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "test", sessionToken: "session" };
const bucket = "mawps-user-files-1760106396";
const key = "public/documents/ü 1/cv/a//b/../(1)'s +%20!*~.pdf";

let sent: Sent[] = [];
const open: Aws[] = [];

afterEach(() => {
  sent = [];
  for (const aws of open.splice(0)) aws.close();
  vi.unstubAllEnvs();
});

/** Clients whose requests go nowhere but into `sent`. */
function captured(options: Partial<ConnectOptions> = {}): Aws {
  const end = {
    async handle(request: unknown) {
      sent.push(request as Sent);
      return { response: { statusCode: 200, headers: {}, body: Readable.from([]) } };
    },
  };
  const aws = connect({ region: "eu-central-1", credentials, end: async () => end, ...options });
  open.push(aws);
  return aws;
}

/** Where a request goes and by whom it is signed, without time and signature. */
function addressed({ method, protocol, hostname, port, path, headers }: Sent) {
  const scope = /Credential=\w+\/\d{8}(\/[^,]+),/.exec(headers["authorization"] ?? "")?.[1];
  const { host, "x-amz-security-token": token, "x-amz-content-sha256": sha256 } = headers;
  return { method, protocol, hostname, port, path, host, token, sha256, scope };
}

/** The request, which is to be as the one that the SDK sends with clients of its own. */
async function sentAsTheSdk(options: Partial<ConnectOptions>, to: string) {
  const get = await signedGets(captured(options), to);
  await get?.(key, undefined);
  await getObjectBytes(captured(options), { bucket: to, key });
  const [ours, theirs] = sent.map(addressed);
  expect(ours).toEqual(theirs);
  return ours;
}

describe("a request is addressed and signed as the SDK does it", () => {
  test.each<[string, Partial<ConnectOptions>]>([
    ["to AWS", {}],
    ["to another region", { region: "us-west-2" }],
    ["to a server of another name", { endpointUrl: "http://127.0.0.1:9000" }],
    ["to a server behind a path", { endpointUrl: "https://s3.example.com/below/" }],
  ])("%s", async (_where, options) => {
    const ours = await sentAsTheSdk(options, bucket);
    expect(ours).toMatchObject({ token: "session", scope: expect.stringContaining("/s3/aws4_request") });
  });

  test("to a server that only the SDK's own settings name", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/below");
    const ours = await sentAsTheSdk({}, bucket);
    expect(ours).toMatchObject({ protocol: "http:", hostname: "127.0.0.1", port: 9000 });
  });
});

test("the time of a signature is the server's, as far as the client knows it", async () => {
  const aws = captured();
  const s3 = await aws.s3();
  s3.config.systemClockOffset = -3_600_000;
  const get = await signedGets(aws, bucket);
  await get?.(key, undefined);
  const date = sent[0]?.headers["x-amz-date"] ?? "";
  const signedAt = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  const hourAgo = Date.now() - 3_600_000;
  expect(Math.abs(signedAt - hourAgo)).toBeLessThan(600_000);
});

test.each([
  ["an access point of several regions", "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"],
  ["a directory bucket", "mawps--euc1-az1--x-s3"],
])("%s wants another signature than this one", async (_what, special) => {
  expect(await signedGets(captured(), special)).toBeUndefined();
  expect(sent).toEqual([]);
});
