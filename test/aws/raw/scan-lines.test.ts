import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { scanLines, type PageLines, type ScanLines } from "../../../src/aws/raw/scan-lines.ts";
import { writeRawItems } from "../../../src/aws/raw/write-raw-items.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { startFaultyServer, type Fault, type FaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";
import { itemsOfEveryType } from "../../support/typed-items.ts";

async function pagesOf(aws: Aws, scan: Partial<ScanLines> = {}): Promise<PageLines[]> {
  const pages: PageLines[] = [];
  for await (const page of scanLines(aws, { table: "things", segment: 0, segments: 1, ...scan }))
    pages.push(page);
  return pages;
}

function linesIn(pages: readonly PageLines[]): string[] {
  const text = Buffer.concat(pages.map(({ lines }) => lines)).toString();
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

describe("a table in the local store", () => {
  let local: LocalAws;

  async function fill(items: readonly JsonObject[]): Promise<void> {
    const dynamodb = await local.aws.dynamodb();
    await dynamodb.send(
      new CreateTableCommand({
        TableName: "things",
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "userId", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "userId", AttributeType: "S" }],
      }),
    );
    async function* batches() {
      yield items;
    }
    const left: unknown[] = [];
    await writeRawItems(local.aws, {
      table: "things",
      items: batches(),
      onLeft: (one) => void left.push(one),
    });
    expect(left).toEqual([]);
  }

  beforeEach(async () => {
    local = await openLocalAws();
  });
  afterEach(() => local.close());

  it("gives every attribute type back, to the last digit", async () => {
    const items = itemsOfEveryType();
    await fill(items);
    const read = linesIn(await pagesOf(local.aws)).map(
      (line) => (JSON.parse(line) as { Item: JsonObject }).Item,
    );
    const byKey = (all: readonly JsonObject[]) =>
      new Map(all.map((item) => [JSON.stringify(item["userId"]), item]));
    expect(byKey(read)).toEqual(byKey(items));
  });

  it("is covered by its segments, each item in one of them", async () => {
    await fill(Array.from({ length: 60 }, (_, at) => ({ userId: { S: `user-${at}` } })));
    const whole = linesIn(await pagesOf(local.aws));
    const parts: string[] = [];
    for (let segment = 0; segment < 4; segment += 1)
      parts.push(...linesIn(await pagesOf(local.aws, { segment, segments: 4 })));
    expect(parts.toSorted()).toEqual(whole.toSorted());
    expect(new Set(parts).size).toBe(60);
  });

  it("goes on behind any of its pages", async () => {
    const large = Array.from({ length: 9 }, (_, at) => ({
      userId: { S: `user-${at}` },
      text: { S: "x".repeat(390_000) },
    }));
    await fill(large);
    const pages = await pagesOf(local.aws);
    expect(pages.length).toBeGreaterThan(2);
    for (const [at, { next }] of pages.entries()) {
      if (next === undefined) continue;
      const rest = linesIn(await pagesOf(local.aws, { start: next }));
      expect(rest).toEqual(linesIn(pages.slice(at + 1)));
    }
  });

  it("fails with the SDK's own error when it is missing", async () => {
    await expect(pagesOf(local.aws)).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe("a server's answers", () => {
  let server: FaultyServer;
  let aws: Aws;

  beforeEach(async () => {
    server = await startFaultyServer();
    aws = server.aws();
  });
  afterEach(() => server.close());

  function answers(...given: readonly Fault[]): void {
    const left = [...given];
    server.fault = () => left.shift();
  }

  function page(body: string, headers: Record<string, string> = {}): Fault {
    return { status: 200, headers: { "content-type": "application/x-amz-json-1.0", ...headers }, body };
  }

  it("are kept byte for byte: order, escapes, blanks and digits as they came", async () => {
    const items = [
      '{"z":{"S":"\\u00e4 \\"}]\\\\"},"userId":{"S":"1"}}',
      '{ "n" : {"N":"1.2345678901234567890123456789012345678E+125"}}',
      '{"m":{"M":{"Items":{"L":[{"S":"]}"}]}}},"e":{"S":""},"b":{"B":"AP8="}}',
    ];
    answers(page(`{"Count":3,"Items":[${items.join(",")}],"ScannedCount":3}`));
    expect(linesIn(await pagesOf(aws))).toEqual(items.map((item) => `{"Item":${item}}`));
  });

  it("may be empty and yet not the last: the next page begins at their key, digits and all", async () => {
    const key = { userId: { S: "ü😀" }, at: { N: "12345678901234567890123456789012345678" } };
    const bodies: string[] = [];
    const dynamodb = await aws.dynamodb();
    dynamodb.middlewareStack.add(
      (next) => (args) => {
        bodies.push(String((args.request as { body: unknown }).body));
        return next(args);
      },
      { step: "finalizeRequest", name: "seen" },
    );
    answers(
      page(`{"Items":[],"LastEvaluatedKey":${JSON.stringify(key)},"Count":0}`),
      page('{"Items":[{"userId":{"S":"2"}}],"Count":1}'),
    );
    const pages = await pagesOf(aws);
    expect(pages.map(({ count }) => count)).toEqual([0, 1]);
    expect(bodies.map((body) => (JSON.parse(body) as JsonObject)["ExclusiveStartKey"])).toEqual([
      undefined,
      key,
    ]);
  });

  it("tell what they cost, page by page, and each page is waited for", async () => {
    const events: string[] = [];
    answers(
      page('{"Items":[],"LastEvaluatedKey":{"a":{"S":"1"}},"ConsumedCapacity":{"CapacityUnits":128.5}}'),
      page('{"ConsumedCapacity":{"TableName":"things","CapacityUnits":0.5},"Items":[]}'),
    );
    await pagesOf(aws, {
      beforePage: async () => void events.push("page"),
      onConsumed: (units) => void events.push(String(units)),
    });
    expect(events).toEqual(["page", "128.5", "page", "0.5"]);
  });

  it.each([
    ["503", { status: 503, body: "busy" }],
    ["cut connections", "cut"],
    [
      "throttling",
      {
        status: 400,
        headers: { "content-type": "application/x-amz-json-1.0" },
        body: '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}',
      },
    ],
  ] satisfies [string, Fault][])("that are %s are asked for again", async (_name, fault) => {
    answers(fault, fault, page('{"Items":[{"userId":{"S":"1"}}],"Count":1}'));
    expect(linesIn(await pagesOf(aws))).toEqual(['{"Item":{"userId":{"S":"1"}}}']);
    expect(server.requests).toHaveLength(3);
  });

  it("that were changed on their way, as their CRC32 tells, are asked for again", async () => {
    const whole = '{"Items":[{"userId":{"S":"1"}}],"Count":1}';
    const sum = { "x-amz-crc32": String(crc32(whole)) };
    answers(page(whole.replace('"1"', '"2"'), sum), page(whole, sum));
    expect(linesIn(await pagesOf(aws))).toEqual(['{"Item":{"userId":{"S":"1"}}}']);
  });

  it("that are refusals stay the SDK's errors, and nothing is given", async () => {
    answers({
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "R1" },
      body: '{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized to perform: dynamodb:Scan"}',
    });
    await expect(pagesOf(aws)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: "not authorized to perform: dynamodb:Scan",
      $metadata: { httpStatusCode: 400, requestId: "R1" },
    });
  });

  it("are not waited for once the command is broken off", async () => {
    const stop = new AbortController();
    server.fault = () => {
      stop.abort();
      return "hang";
    };
    await expect(pagesOf(aws, { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
