import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve, type Served } from "../src/serve.ts";
import { findServing, openStore } from "../src/store.ts";
import { answer, call, nothing, now, raw, region, serveWith } from "./served-store.ts";

let dir: string;
let running: Served | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mawps-serve-"));
});

afterEach(async () => {
  await running?.close();
  running = undefined;
  await rm(dir, { recursive: true, force: true });
});

async function start(...args: Parameters<typeof serveWith> extends [string, ...infer Rest] ? Rest : never) {
  const served = await serveWith(dir, ...args);
  running = served;
  return served;
}

describe("the services", () => {
  test.each([
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, "/"],
    [
      "CBOR",
      { "smithy-protocol": "rpc-v2-cbor" },
      "/service/GraniteServiceVersion20100801/operation/ListMetrics",
    ],
  ])("of CloudWatch answer %s with what is offered", async (_name, headers, path) => {
    const served = await start(nothing);
    const authorization = "AWS4-HMAC-SHA256 Credential=AKIA/20260301/eu-central-1/monitoring/aws4_request";
    const answered = await call(served, { method: "POST", path, headers: { ...headers, authorization } });
    expect(answered).toMatchObject({ status: 400, body: expect.stringContaining("JSON protocol only") });
  });

  test("are told apart by X-Amz-Target: DynamoDB's tables are there afterwards", async () => {
    const served = await start(nothing);
    const client = new DynamoDBClient({ region, endpoint: served.endpoint, credentials: served.credentials });
    await client.send(
      new CreateTableCommand({
        TableName: "users",
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "userId", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "userId", AttributeType: "S" }],
      }),
    );
    client.destroy();
    await served.close();
    const store = await openStore(dir, { region, now });
    const second = await serve(store, { dir, region, port: 0, now });
    running = second;
    const again = new DynamoDBClient({ region, endpoint: second.endpoint, credentials: store.credentials });
    const { Table: table } = await again.send(new DescribeTableCommand({ TableName: "users" }));
    again.destroy();
    expect(table?.TableName).toBe("users");
  });

  test("tell their region to who asks for a bucket in another one", async () => {
    const store = await openStore(dir, { region, now });
    running = await serve(store, { dir, region, port: 0, now });
    const client = new S3Client({
      region: "eu-west-1",
      endpoint: running.endpoint,
      credentials: store.credentials,
      forcePathStyle: true,
    });
    await expect(client.send(new HeadBucketCommand({ Bucket: "photos" }))).rejects.toMatchObject({
      $response: { statusCode: 400, headers: { "x-amz-bucket-region": region } },
    });
    client.destroy();
  });

  test("say who calls, by STS, to those who sign with the store's keys only", async () => {
    const served = await start(nothing);
    const identity = async (secretAccessKey: string) => {
      const client = new STSClient({
        region,
        endpoint: served.endpoint,
        credentials: { ...served.credentials, secretAccessKey },
      });
      try {
        return await client.send(new GetCallerIdentityCommand({}));
      } finally {
        client.destroy();
      }
    };
    expect(await identity(served.credentials.secretAccessKey)).toMatchObject({
      Account: "000000000000",
      Arn: "arn:aws:iam::000000000000:root",
    });
    await expect(identity("wrong")).rejects.toThrow(/signature/i);
    const anonymous = await call(served, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    expect(anonymous.status).toBe(403);
  });

  test("that are not served yet are named as unknown, in JSON", async () => {
    const served = await start(nothing);
    const { status, body } = await call(served, {
      method: "POST",
      headers: { "x-amz-target": "Kinesis_20131202.ListStreams" },
      body: "{}",
    });
    expect([status, JSON.parse(body)]).toMatchObject([400, { __type: "UnknownOperationException" }]);
  });
});

describe("the server", () => {
  test("listens on 127.0.0.1 alone and says in serve.json where, until it ends", async () => {
    const served = await start(nothing);
    expect(served.endpoint).toBe(`http://127.0.0.1:${String(served.port)}`);
    const serving = { endpoint: served.endpoint, region, pid: process.pid, ...served.credentials };
    expect(await findServing(dir)).toEqual(serving);
    expect(JSON.parse(await readFile(join(dir, "serve.json"), "utf8"))).toEqual(serving);
    await served.close();
    await expect(stat(join(dir, "serve.json"))).rejects.toThrow(/ENOENT/);
    expect(await findServing(dir)).toBeUndefined();
    await expect(call(served)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("ends on its signal, gives the store free, and tells so by `closed`", async () => {
    const stop = new AbortController();
    const served = await start(nothing, { signal: stop.signal });
    await call(served);
    stop.abort();
    await served.closed;
    const store = await openStore(dir, { region, now, waitMs: 0 });
    await store.close();
    await expect(stat(join(dir, "serve.json"))).rejects.toThrow(/ENOENT/);
  });

  test("lets a running request finish and takes no new one", async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let began = false;
    const served = await start(async () => {
      began = true;
      await finished;
      return answer("finished");
    });
    const slow = call(served);
    await expect.poll(() => began).toBe(true);
    const closing = served.close();
    await expect(call(served)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    expect(await findServing(dir)).toBeUndefined();
    finish();
    expect(await slow).toMatchObject({ status: 200, body: "finished" });
    await closing;
  });

  test("cuts a request that does not finish within its time, and still ends cleanly", async () => {
    let began = false;
    let aborted = false;
    const served = await start(
      (request) =>
        new Promise((_resolve, reject) => {
          began = true;
          request.signal?.addEventListener("abort", () => {
            aborted = true;
            reject(new Error("aborted"));
          });
        }),
    );
    const hanging = call(served).catch((error: unknown) => error);
    await expect.poll(() => began).toBe(true);
    await served.close();
    expect(await hanging).toBeInstanceOf(Error);
    expect(aborted).toBe(true);
    await expect(stat(join(dir, "serve.json"))).rejects.toThrow(/ENOENT/);
  });

  test("does not wait for idle connections and half requests", async () => {
    const served = await start(nothing);
    const silent = raw(served.port, "", "wait");
    const half = raw(served.port, "GET / HTTP/1.1\r\nHost: local", "wait");
    const kept = raw(served.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "wait");
    await expect.poll(() => call(served).then(({ status }) => status)).toBe(200);
    await served.close();
    expect(await Promise.all([silent, half])).toEqual(["", ""]);
    expect(await kept).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("says that a port is taken, and leaves the store to the caller", async () => {
    const served = await start(nothing);
    const other = await mkdtemp(join(tmpdir(), "mawps-serve-"));
    const store = await openStore(other, { region, now });
    try {
      await expect(serve(store, { dir: other, region, port: served.port, now })).rejects.toThrow(
        `port ${String(served.port)} of 127.0.0.1 is in use`,
      );
      expect(await store.dynamodb()).toBeDefined();
      await expect(stat(join(other, "serve.json"))).rejects.toThrow(/ENOENT/);
    } finally {
      await store.close();
      await rm(other, { recursive: true, force: true });
    }
  });
});
