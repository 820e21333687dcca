import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { DeleteObjectsCommandInput } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deleteItems } from "../../../src/aws/dynamodb/delete-items.ts";
import { deleteObjects } from "../../../src/aws/s3/deletion.ts";
import { scanItems } from "../../../src/aws/dynamodb/items.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

let local: LocalAws;

beforeEach(async () => {
  local = await openLocalAws();
});

afterEach(() => local.close());

async function put(...keys: string[]): Promise<string[]> {
  const stored: string[] = [];
  for (const key of keys) {
    const { etag } = await putObject(local.aws, { bucket: "plain", key, body: Buffer.from(key) });
    stored.push(etag);
  }
  return stored;
}

async function left(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { objects } of listObjects(local.aws, { bucket: "plain" })) {
    keys.push(...objects.map(({ key }) => key));
  }
  return keys;
}

/** The server is too busy for one key, `times` times; the key is left out of the call that reaches it. */
async function busyFor(key: string, times: number): Promise<void> {
  const s3 = await local.aws.s3();
  let refusals = 0;
  s3.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as DeleteObjectsCommandInput;
      const asked = input.Delete?.Objects?.some(({ Key }) => Key === key) === true;
      if (context["commandName"] !== "DeleteObjectsCommand" || !asked || refusals === times)
        return next(args);
      refusals += 1;
      const others = input.Delete?.Objects?.filter(({ Key }) => Key !== key) ?? [];
      const refused = { Errors: [{ Key: key, Code: "SlowDown", Message: "Please reduce your rate." }] };
      if (others.length === 0) return { output: { ...refused, $metadata: {} }, response: {} };
      const answer = await next({
        ...args,
        input: { ...input, Delete: { Quiet: true, Objects: others } },
      });
      return { ...answer, output: { ...answer.output, ...refused } };
    },
    { step: "initialize", name: "busy" },
  );
}

it("asks again for a key that S3 was too busy for, and for no other", async () => {
  await put("a", "b", "c");
  await busyFor("b", 2);
  const outcome = await deleteObjects(local.aws, "plain", [{ key: "a" }, { key: "b" }, { key: "c" }]);
  expect(outcome).toEqual({ deleted: 3, failures: [] });
  expect(await left()).toEqual([]);
});

it("names the key for which S3 stays too busy", async () => {
  await put("a", "b");
  await busyFor("b", 99);
  const outcome = await deleteObjects(local.aws, "plain", [{ key: "a" }, { key: "b" }]);
  expect(outcome).toMatchObject({ deleted: 1, failures: [{ key: "b", code: "SlowDown" }] });
  expect(await left()).toEqual(["b"]);
});

it("deletes an object only while it has the given ETag", async () => {
  const [etag] = await put("same", "other");
  const outcome = await deleteObjects(local.aws, "plain", [
    { key: "same", ifMatch: etag },
    { key: "other", ifMatch: etag },
  ]);
  expect(outcome).toMatchObject({ deleted: 1, failures: [{ key: "other", code: "PreconditionFailed" }] });
  expect(await left()).toEqual(["other"]);
});

it("deletes items 25 a call, and again what DynamoDB put off", async () => {
  const dynamodb = await local.aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "things",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
  const keys = Array.from({ length: 60 }, (_, n) => ({ id: { S: `item-${n}` } }));
  for (const Item of [...keys, { id: { S: "kept" } }]) {
    await dynamodb.send(new PutItemCommand({ TableName: "things", Item }));
  }
  const sizes: number[] = [];
  dynamodb.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] !== "BatchWriteItemCommand") return next(args);
      const { things = [] } = (args.input as { RequestItems: Record<string, unknown[]> }).RequestItems;
      sizes.push(things.length);
      if (sizes.length > 1) return next(args);
      const [first, ...others] = things;
      const answer = await next({ ...args, input: { RequestItems: { things: others } } });
      return { ...answer, output: { ...answer.output, UnprocessedItems: { things: [first] } } as never };
    },
    { step: "initialize", name: "putsOff" },
  );
  expect(await deleteItems(local.aws, "things", { keys: [...keys, { id: { S: "none" } }] })).toEqual([]);
  expect(sizes).toEqual([25, 1, 25, 11]);
  const ids: (string | undefined)[] = [];
  for await (const page of scanItems(local.aws, { table: "things" }))
    ids.push(...page.map(({ id }) => id?.S));
  expect(ids).toEqual(["kept"]);
});
