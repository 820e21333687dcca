import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { anonymousGet } from "../../../src/aws/anonymous.ts";
import { connect, type Aws } from "../../../src/aws/clients.ts";
import { getObjectBytes, headObject, putObject } from "../../../src/aws/s3/objects.ts";
import {
  bucketEndpoint,
  contentDisposition,
  presignGet,
  presignPost,
  presignPut,
} from "../../../src/aws/s3/presign.ts";
import type { FaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const object = { bucket: "plain", key: "links/ä b+c.pdf" };
const body = Buffer.from("%PDF");
const asked = () => ({ now: new Date(), expiresInSeconds: 60 });

let local: LocalAws;
let aws: Aws;
let server: FaultyServer;
let outside: Aws;

beforeAll(async () => {
  local = await openLocalAws();
  ({ aws } = local);
  ({ server, aws: outside } = await local.faulty());
  await putObject(aws, { ...object, body });
});

afterAll(() => local.close());

afterEach(() => void vi.unstubAllEnvs());

test.each([
  ["that the SDK's own variable names", "http://localhost:9000", undefined, "http://localhost:9000/bucket"],
  ["that a flag names", undefined, "http://localhost:9000", "http://localhost:9000/bucket"],
  ["of AWS", undefined, undefined, "https://bucket.s3.eu-central-1.amazonaws.com/"],
])("a bucket is part of the path at a server %s, not of its name", async (_, variable, endpointUrl, url) => {
  vi.stubEnv("AWS_ENDPOINT_URL_S3", variable);
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const there = connect({ region: "eu-central-1", credentials, endpointUrl });
  // The first call, too.
  expect((await bucketEndpoint(await there.s3(), "bucket")).url.href).toBe(url);
  there.close();
});

/** What a browser does: no SDK, no signature of its own. */
async function send(
  method: string,
  url: string,
  {
    headers = {},
    body: sent = Buffer.alloc(0),
  }: { headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { method, headers: { ...headers, "content-length": sent.byteLength } },
      (response) => {
        response.resume().once("end", () => resolve(response.statusCode));
      },
    );
    call.once("error", reject).end(sent);
  });
}

describe("a link to read", () => {
  test("opens the object for anybody, and nothing else", async () => {
    const { url } = await presignGet(outside, { ...object, ...asked() });
    expect(await anonymousGet(outside, url)).toMatchObject({ status: 200, sizeBytes: body.byteLength });
    expect(await anonymousGet(outside, url.replace("links", "other"))).toMatchObject({ status: 403 });
    expect(await anonymousGet(outside, `${server.url}/plain/secret`)).toMatchObject({ status: 403 });
  });

  test("gives the name to save the object under, umlauts included", async () => {
    const { url } = await presignGet(outside, {
      ...object,
      ...asked(),
      fileName: 'Größe "1".pdf',
      contentType: "application/pdf",
    });
    expect(await anonymousGet(outside, url)).toMatchObject({
      headers: {
        "content-type": "application/pdf",
        "content-disposition": `attachment; filename="Gr__e '1'.pdf"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.pdf`,
      },
    });
  });

  test("reads the version it was made for", async () => {
    const { version } = await putObject(aws, { ...object, bucket: "versioned", body });
    await putObject(aws, { ...object, bucket: "versioned", body: Buffer.from("newer") });
    const { url } = await presignGet(outside, { ...object, bucket: "versioned", version, ...asked() });
    expect(await anonymousGet(outside, url)).toMatchObject({ status: 200, sizeBytes: body.byteLength });
  });

  test("has run out when its time is over", async () => {
    const now = new Date(Date.now() - 3_600_000);
    const { url, expiresAt } = await presignGet(outside, { ...object, now, expiresInSeconds: 60 });
    expect(expiresAt).toEqual(new Date(now.getTime() + 60_000));
    expect(await anonymousGet(outside, url)).toMatchObject({ status: 403 });
  });

  test.for([0, -1, 1.5, 7 * 24 * 3600 + 1, Number.NaN])(
    "cannot be valid for %d seconds",
    async (expiresInSeconds) => {
      const link = presignGet(aws, { ...object, now: new Date(), expiresInSeconds });
      await expect(link).rejects.toThrow("a link cannot be valid for");
    },
  );
});

describe("the end of a link", () => {
  const now = new Date("2026-03-01T12:00:00.000Z");

  /** Credentials of a session that ends at a time, as any credential_process gives them. */
  async function sessionUntil(end: string | undefined): Promise<Aws> {
    const config = join(local.folder, `config-${end}`);
    const credentials = {
      Version: 1,
      AccessKeyId: "a",
      SecretAccessKey: "b",
      SessionToken: "c",
      Expiration: end,
    };
    await writeFile(`${config}.json`, JSON.stringify(credentials));
    await writeFile(config, `[profile session]\ncredential_process = cat ${config}.json\n`);
    vi.stubEnv("AWS_CONFIG_FILE", config);
    return connect({ region: "eu-central-1", profile: "session" });
  }

  test.for([
    [
      "as asked, when the session goes on longer",
      "2126-03-01T00:00:00.000Z",
      "2026-03-01T13:00:00.000Z",
      false,
    ],
    [
      "that of the session, when it ends before",
      "2026-03-01T12:30:00.000Z",
      "2026-03-01T12:30:00.000Z",
      true,
    ],
  ] as const)("is %s", async ([, sessionEnd, expected, endsWithSession]) => {
    // The SDK refuses credentials that have ended by the real clock; so the link's clock is moved instead.
    const shiftMs = Date.now() - now.getTime() + 60_000;
    const shift = (time: string) => new Date(Date.parse(time) + shiftMs);
    const session = await sessionUntil(shift(sessionEnd).toISOString());
    const validity = { now: new Date(now.getTime() + shiftMs), expiresInSeconds: 3600 };
    const end = { expiresAt: shift(expected), endsWithSession };
    expect(await presignGet(session, { ...object, ...validity })).toMatchObject(end);
    expect(await presignPut(session, { ...object, contentType: "text/plain", ...validity })).toMatchObject(
      end,
    );
    const bounds = { contentType: "text/plain", minBytes: 1, maxBytes: 2 };
    const form = await presignPost(session, { ...object, ...bounds, ...validity });
    expect(form).toMatchObject(end);
    expect(form.fields["x-amz-security-token"]).toBe("c");
    session.close();
  });

  test("is perhaps that of a session that does not tell its own", async () => {
    const session = await sessionUntil(undefined);
    const validity = { now, expiresInSeconds: 3600 };
    const end = { expiresAt: new Date("2026-03-01T13:00:00.000Z"), endsWithSession: "perhaps" };
    expect(await presignGet(session, { ...object, ...validity })).toMatchObject(end);
    const bounds = { contentType: "text/plain", minBytes: 1, maxBytes: 2 };
    expect(await presignPost(session, { ...object, ...bounds, ...validity })).toMatchObject(end);
    session.close();
  });

  test("goes to AWS where no endpoint is given", async () => {
    const session = await sessionUntil("2126-03-01T00:00:00.000Z");
    const host = "https://plain.s3.eu-central-1.amazonaws.com/";
    expect((await presignGet(session, { ...object, ...asked() })).url).toContain(`${host}links/`);
    const bounds = { contentType: "text/plain", minBytes: 1, maxBytes: 2 };
    expect((await presignPost(session, { ...object, ...bounds, ...asked() })).url).toBe(host);
    session.close();
  });
});

describe("a link to write", () => {
  test("takes the object with the type that was signed, and no other", async () => {
    const target = { bucket: "plain", key: "links/written" };
    const { url } = await presignPut(outside, { ...target, contentType: "text/plain", ...asked() });
    expect(await send("PUT", url, { headers: { "content-type": "text/html" }, body })).toBe(403);
    expect(await headObject(aws, target)).toBeUndefined();
    expect(await send("PUT", url, { headers: { "content-type": "text/plain" }, body })).toBe(200);
    expect((await getObjectBytes(aws, target)).bytes).toEqual(body);
    expect(await headObject(aws, target)).toMatchObject({ contentType: "text/plain" });
  });

  test("holds the sender to the size that was signed", async () => {
    const target = { bucket: "plain", key: "links/sized" };
    const link = { ...target, contentType: "text/plain", sizeBytes: body.byteLength, ...asked() };
    const { url } = await presignPut(outside, link);
    const headers = { "content-type": "text/plain" };
    expect(await send("PUT", url, { headers, body: Buffer.from("more than that") })).toBe(403);
    expect(await send("PUT", url, { headers, body })).toBe(200);
  });

  test("asks no checksum of the sender", async () => {
    const { url } = await presignPut(aws, { ...object, contentType: "text/plain", ...asked() });
    expect(url).not.toMatch(/checksum/i);
  });
});

test("a form names the bounds of the size in a policy that is signed", async () => {
  const now = new Date("2026-03-01T12:00:00.000Z");
  const form = await presignPost(connectWithExampleKey(), {
    bucket: "plain",
    key: "links/form",
    contentType: "application/pdf",
    minBytes: 1,
    maxBytes: 1000,
    now,
    expiresInSeconds: 600,
  });
  const policy: unknown = JSON.parse(Buffer.from(form.fields["policy"] ?? "", "base64").toString());
  expect(policy).toEqual({
    expiration: "2026-03-01T12:10:00.000Z",
    conditions: [
      { bucket: "plain" },
      { key: "links/form" },
      { "Content-Type": "application/pdf" },
      { "x-amz-algorithm": "AWS4-HMAC-SHA256" },
      { "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20260301/eu-central-1/s3/aws4_request" },
      { "x-amz-date": "20260301T120000Z" },
      ["content-length-range", 1, 1000],
    ],
  });
  expect(form.url).toBe("http://127.0.0.1:9/plain");
  expect(form.fields["x-amz-signature"]).toMatch(/^[0-9a-f]{64}$/);
});

function connectWithExampleKey(): Aws {
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  return connect({ region: "eu-central-1", endpointUrl: "http://127.0.0.1:9", credentials });
}

describe("a content disposition", () => {
  test.for([
    ["Lebenslauf.pdf", 'attachment; filename="Lebenslauf.pdf"'],
    ["Zeugnis (1)'s.pdf", `attachment; filename="Zeugnis (1)'s.pdf"`],
    ["100%41.pdf", `attachment; filename="100_41.pdf"; filename*=UTF-8''100%2541.pdf`],
    ["Über.pdf", `attachment; filename="_ber.pdf"; filename*=UTF-8''%C3%9Cber.pdf`],
    ["(ü)'*.pdf", `attachment; filename="(_)'*.pdf"; filename*=UTF-8''%28%C3%BC%29%27%2A.pdf`],
    ["😀.pdf", `attachment; filename="_.pdf"; filename*=UTF-8''%F0%9F%98%80.pdf`],
    ["../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'],
    ["a\r\nSet-Cookie: b\ud800\\c", 'attachment; filename="a__Set-Cookie: b__c"'],
    [undefined, "attachment"],
  ] as const)("of %j is %j", ([fileName, expected]) => {
    expect(contentDisposition("attachment", fileName)).toBe(expected);
  });
});

test("an anonymous read tells status, headers, size and hash of what anybody gets", async () => {
  const { url } = await presignGet(aws, { ...object, ...asked() });
  expect(await anonymousGet(aws, url)).toMatchObject({
    status: 200,
    sizeBytes: body.byteLength,
    sha256: "315d429b7714cedb6ad04ac31240145257692630457f3c88253c5beceac76027",
  });
  await expect(anonymousGet(aws, url, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
});
