import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { LocalRequest } from "../src/service.ts";
import { chunkSignatures, policySignature, sameSignature, verify } from "../src/sigv4.ts";

// The worked examples of AWS's own documentation (S3 API reference, "Signature Calculations").
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const now = () => new Date("2013-05-24T00:00:00Z");
const options = { credentials, now, service: "s3" };
const scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function request(parts: Partial<LocalRequest>): LocalRequest {
  return {
    method: "GET",
    path: "/",
    query: "",
    headers: {},
    body: (async function* none() {})(),
    ...parts,
  };
}

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signedHeaders},Signature=${signature}`;
}

const getObject = request({
  path: "/test.txt",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": empty,
    "x-amz-date": "20130524T000000Z",
    authorization: authorization(
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
  },
});

const putObject = request({
  method: "PUT",
  path: "/test$file.text",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    date: "Fri, 24 May 2013 00:00:00 GMT",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    authorization: authorization(
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
  },
});

const lifecycle = request({
  query: "lifecycle",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": empty,
    authorization: authorization(
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
  },
});

const list = request({
  query: "max-keys=2&prefix=J",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": empty,
    authorization: authorization(
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
  },
});

const chunked = request({
  method: "PUT",
  path: "/examplebucket/chunkObject.txt",
  headers: {
    host: "s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
    "content-length": "66824",
    authorization: authorization(
      "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
      "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    ),
  },
});

const presignedQuery = [
  "X-Amz-Algorithm=AWS4-HMAC-SHA256",
  `X-Amz-Credential=${encodeURIComponent(scope)}`,
  "X-Amz-Date=20130524T000000Z",
  "X-Amz-Expires=86400",
  "X-Amz-SignedHeaders=host",
  "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
].join("&");
const presigned = request({
  path: "/test.txt",
  query: presignedQuery,
  headers: { host: "examplebucket.s3.amazonaws.com" },
});

function withHeaders(base: LocalRequest, headers: Record<string, string>): LocalRequest {
  return { ...base, headers: { ...base.headers, ...headers } };
}

describe("the documentation's examples verify", () => {
  test.each([
    ["GET object", getObject, "header", "hash"],
    ["PUT object with a reserved character in its key", putObject, "header", "hash"],
    ["GET bucket lifecycle, a query name without value", lifecycle, "header", "hash"],
    ["list objects", list, "header", "hash"],
    ["a chunked upload", chunked, "header", "streaming-signed"],
    ["a presigned link", presigned, "query", "unsigned"],
  ])("%s", (_name, signed, by, payload) => {
    expect(verify(signed, options)).toMatchObject({ kind: "authenticated", by, payload });
  });

  test("with the signatures of each chunk chained", () => {
    const sender = verify(chunked, options);
    if (sender.kind !== "authenticated") throw new Error(sender.kind);
    const signatures = chunkSignatures(sender);
    const hash = (bytes: number) => createHash("sha256").update("a".repeat(bytes)).digest("hex");
    expect([65536, 1024, 0].map((bytes) => signatures.chunk(hash(bytes)))).toEqual([
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]);
  });

  test("a POST policy of the documentation", () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
    const policy =
      "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    expect(policySignature(credentials.secretAccessKey, "20151229/us-east-1/s3/aws4_request", policy)).toBe(
      "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
    );
  });
});

describe("refuses", () => {
  test.each<[string, LocalRequest, { now?: () => Date; service?: string }, string]>([
    ["another path", { ...getObject, path: "/test.tx" }, {}, "SignatureDoesNotMatch"],
    ["a doubled slash", { ...getObject, path: "//test.txt" }, {}, "SignatureDoesNotMatch"],
    ["another query", { ...list, query: "max-keys=2&prefix=K" }, {}, "SignatureDoesNotMatch"],
    ["a changed header", withHeaders(getObject, { range: "bytes=0-10" }), {}, "SignatureDoesNotMatch"],
    ["an x-amz header added", withHeaders(getObject, { "x-amz-acl": "private" }), {}, "AccessDenied"],
    ["another method of a link", { ...presigned, method: "DELETE" }, {}, "SignatureDoesNotMatch"],
    [
      "a request 16 minutes old",
      getObject,
      { now: () => new Date("2013-05-24T00:16:00Z") },
      "RequestTimeTooSkewed",
    ],
    [
      "a request 16 minutes ahead",
      getObject,
      { now: () => new Date("2013-05-23T23:44:00Z") },
      "RequestTimeTooSkewed",
    ],
    ["an expired link", presigned, { now: () => new Date("2013-05-25T00:00:01Z") }, "AccessDenied"],
    [
      "a link of more than a week",
      { ...presigned, query: presignedQuery.replace("86400", "604801") },
      {},
      "AuthorizationQueryParametersError",
    ],
    [
      "a link that lacks a parameter",
      { ...presigned, query: presignedQuery.replace("&X-Amz-Expires=86400", "") },
      {},
      "AuthorizationQueryParametersError",
    ],
    ["another service's scope", getObject, { service: "dynamodb" }, "AuthorizationHeaderMalformed"],
    [
      "an unknown key",
      withHeaders(getObject, {
        authorization: getObject.headers["authorization"]?.replace("AKIAIO", "AKIAXX") ?? "",
      }),
      {},
      "InvalidAccessKeyId",
    ],
    [
      "signature version 2",
      withHeaders(getObject, { authorization: "AWS key:signature" }),
      {},
      "InvalidRequest",
    ],
    ["both kinds at once", { ...getObject, query: presignedQuery }, {}, "InvalidArgument"],
  ])("%s", (_name, signed, changed, code) => {
    expect(verify(signed, { ...options, ...changed })).toMatchObject({ kind: "fault", code });
  });

  test("a buffered body that is not the one announced", () => {
    expect(verify(getObject, { ...options, bodySha256: "0".repeat(64) })).toMatchObject({
      code: "XAmzContentSHA256Mismatch",
    });
  });
});

test("a link holds until the last second", () => {
  const at = (time: string) => verify(presigned, { ...options, now: () => new Date(time) });
  expect(at("2013-05-25T00:00:00Z").kind).toBe("authenticated");
});

test("a request without any signature is anonymous", () => {
  expect(verify(request({}), options)).toEqual({ kind: "anonymous" });
});

test("signatures of different length are different", () => {
  expect(sameSignature("ab", "abc")).toBe(false);
  expect(sameSignature("abc", "abc")).toBe(true);
});
