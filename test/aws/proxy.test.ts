import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connect } from "../../src/aws/clients.ts";
import { proxyFor, proxySettings, type Env } from "../../src/aws/proxy.ts";
import { getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import { selfSigned } from "../support/self-signed.ts";
import { makeHome } from "../support/world.ts";

const proxy = "http://proxy.test:3128";
const s3 = { protocol: "https:", hostname: "s3.eu-central-1.amazonaws.com" };

describe("the way to a server", () => {
  it.each<[string, Parameters<typeof proxyFor>[0], Env, string | undefined]>([
    ["without a proxy", s3, {}, undefined],
    ["https through HTTPS_PROXY", s3, { HTTPS_PROXY: proxy }, proxy],
    ["https not through HTTP_PROXY", s3, { HTTP_PROXY: proxy }, undefined],
    ["http through HTTP_PROXY", { ...s3, protocol: "http:" }, { HTTP_PROXY: proxy }, proxy],
    ["lower case first", s3, { https_proxy: proxy, HTTPS_PROXY: "http://other:1" }, proxy],
    ["an empty variable is none", s3, { HTTPS_PROXY: "" }, undefined],
    ["without a scheme", s3, { HTTPS_PROXY: "proxy.test:3128" }, proxy],
    ["past it by a domain", s3, { HTTPS_PROXY: proxy, NO_PROXY: "a.test, .amazonaws.com" }, undefined],
    ["through it for a name that ends alike", s3, { HTTPS_PROXY: proxy, NO_PROXY: "naws.com" }, proxy],
    ["past it by a port", s3, { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com:443" }, undefined],
    ["through it for another port", s3, { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com:444" }, proxy],
    ["past it for all", s3, { HTTPS_PROXY: proxy, no_proxy: "*" }, undefined],
    ["never to this machine", { ...s3, hostname: "127.0.0.1" }, { HTTPS_PROXY: proxy }, undefined],
    ["never to this machine by name", { ...s3, hostname: "localhost" }, { HTTPS_PROXY: proxy }, undefined],
  ])("%s", (_name, server, env, way) => {
    expect(proxyFor(server, env)?.origin).toBe(way);
  });

  it.each(["socks5://proxy.test:1080", "http://", "proxy test"])("is refused through %s", (value) => {
    expect(() => proxyFor(s3, { HTTPS_PROXY: value })).toThrow("HTTPS_PROXY: expected the URL of a proxy");
  });
});

describe("what a person is shown of the proxies", () => {
  it.each<[string, Env, ReturnType<typeof proxySettings>["proxies"]]>([
    ["nothing of none", {}, []],
    [
      "no password",
      { HTTPS_PROXY: "http://me:secret@proxy.test:3128" },
      [{ variable: "HTTPS_PROXY", scheme: "https", shownUrl: "http://***@proxy.test:3128" }],
    ],
    [
      "no password without a scheme, and the variable that counts",
      { http_proxy: "me:secret@proxy.test:3128", HTTP_PROXY: "other" },
      [{ variable: "http_proxy", scheme: "http", shownUrl: "http://***@proxy.test:3128" }],
    ],
    [
      "that it is none",
      { HTTPS_PROXY: "socks5://me:secret@proxy.test" },
      [{ variable: "HTTPS_PROXY", scheme: "https", shownUrl: undefined }],
    ],
  ])("%s", (_name, env, shown) => {
    expect(proxySettings(env).proxies).toEqual(shown);
  });

  it("is told by doctor", async () => {
    const home = await makeHome();
    try {
      const { stdout, stderr } = await home.run(
        ["doctor", "--target", "aws", "--endpoint-url", "http://127.0.0.1:1"],
        {
          env: {
            HTTPS_PROXY: "http://me:secret@proxy.test:3128",
            NO_PROXY: ".internal",
            AWS_CA_BUNDLE: "/none.pem",
            AWS_ACCESS_KEY_ID: "test",
            AWS_SECRET_ACCESS_KEY: "test-secret",
          },
          limits: { attempts: 1, firstDelayMs: 1 },
        },
      );
      expect(stdout).toMatch(/ok +network +HTTPS_PROXY +https goes through http:\/\/\*\*\*@proxy\.test:3128/);
      expect(stdout).toMatch(/ok +network +NO_PROXY +reached directly: \.internal/);
      expect(stdout).toMatch(/PROBLEM +network +AWS_CA_BUNDLE +cannot read \/none\.pem/);
      expect(stdout + stderr).not.toContain("me:secret");
    } finally {
      await home.remove();
    }
  });
});

it("sends a call for http through the proxy, with its password", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url, request.headers["proxy-authorization"]);
    response.writeHead(200, { "x-amz-request-id": "1" }).end("bytes");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const aws = connect({
    region: "eu-central-1",
    endpointUrl: "http://s3.test",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    env: { HTTP_PROXY: `http://me:secret@127.0.0.1:${port}` },
  });
  try {
    const { bytes } = await getObjectBytes(aws, { bucket: "bucket", key: "key" });
    expect(bytes.toString()).toBe("bytes");
    expect(seen[0]).toMatch(/^http:\/\/s3\.test\/bucket\/key/);
    expect(seen[1]).toBe(`Basic ${Buffer.from("me:secret").toString("base64")}`);
  } finally {
    aws.close();
    server.close();
    server.closeAllConnections();
  }
});

// Above 2 MiB the SDK sends "Expect: 100-continue", for which its handler may take another agent.
it.each([1, 2 * 1024 ** 2])("trusts AWS_CA_BUNDLE for an upload of %i bytes", async (size) => {
  const folder = await mkdtemp(join(tmpdir(), "mawps-bundle-"));
  const bundle = join(folder, "bundle.pem");
  await writeFile(bundle, selfSigned.cert);
  const received: number[] = [];
  const server = createTlsServer(selfSigned, (request, response) => {
    let bytes = 0;
    request.on("data", (piece: Buffer) => void (bytes += piece.length));
    request.on("end", () => {
      received.push(bytes);
      response.writeHead(200, { "x-amz-request-id": "1", etag: '"1"' }).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const aws = connect({
    region: "eu-central-1",
    endpointUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    env: { AWS_CA_BUNDLE: bundle },
    limits: { attempts: 1 },
  });
  try {
    await putObject(aws, { bucket: "bucket", key: "key", body: Buffer.alloc(size) });
    expect(received).toEqual([size]);
  } finally {
    aws.close();
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  }
});
