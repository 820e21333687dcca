import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { declarationOf } from "../../src/model/declare.ts";
import { readModel } from "../../src/model/read.ts";
import { dynamodbStore } from "../../src/stores/dynamodb.ts";
import { ownersOf } from "../../src/stores/row-owners.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

const line = (by: string) => ({
  what: by,
  from: { table: by },
  fields: { lineId: "text", orderId: "number", ticket: "text" },
  refs: { [by]: `orders.${by}` },
  links: [{ subject: "user", role: "subject", by: { via: by }, find: "scan", erase: "delete" }],
});
const reading = readModel(
  JSON.stringify({
    name: "shop",
    region: "eu-central-1",
    buckets: {},
    tables: {
      orders: { name: "orders", key: "orderId", indexes: { "Ticket-Index": { key: "ticket" } } },
      orderId: { name: "by-number", key: "lineId" },
      ticket: { name: "by-ticket", key: "lineId" },
    },
    subjects: { user: { what: "user", ids: ["userId"], accounts: "cognito" } },
    userPool: true,
    entities: {
      orders: {
        what: "orders",
        from: { table: "orders" },
        fields: { orderId: "number", ticket: "text", userId: "text" },
        links: [{ subject: "user", role: "subject", by: "userId", find: "scan", erase: "delete" }],
      },
      byNumber: line("orderId"),
      byTicket: line("ticket"),
    },
  }),
);

let local: LocalAws;

beforeAll(async () => {
  local = await openLocalAws();
  const dynamodb = await local.aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "orders",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "orderId", AttributeType: "N" },
        { AttributeName: "ticket", AttributeType: "S" },
      ],
      KeySchema: [{ AttributeName: "orderId", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "Ticket-Index",
          KeySchema: [{ AttributeName: "ticket", KeyType: "HASH" }],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    }),
  );
  for (const [orderId, ticket, userId] of [
    ["7", "t-7", "u-1"],
    ["12345678901234567890", "t-8", "u-2"],
  ] as const) {
    const Item = { orderId: { N: orderId }, ticket: { S: ticket }, userId: { S: userId } };
    await dynamodb.send(new PutItemCommand({ TableName: "orders", Item }));
  }
});
afterAll(() => local.close());

test.each([
  ["a number", "byNumber", { orderId: 7 }, ["u-1"]],
  ["a number that is a text there", "byNumber", { orderId: "7" }, ["u-1"]],
  ["a number that JavaScript does not hold", "byNumber", { orderId: "12345678901234567890" }, ["u-2"]],
  ["a text that no number is", "byNumber", { orderId: "seven" }, []],
  ["a number as it is written elsewhere", "byNumber", { orderId: "7e0" }, []],
  ["what only a program takes for a number", "byNumber", { orderId: "0x7" }, []],
  ["a number with a blank", "byNumber", { orderId: "7 " }, []],
  ["a number too large", "byNumber", { orderId: "1e126" }, []],
  ["a number of too many digits", "byNumber", { orderId: "1".repeat(39) }, []],
  ["what an index of keys alone has", "byTicket", { ticket: "t-7" }, ["u-1"]],
  ["what that index does not have", "byTicket", { ticket: "t-9" }, []],
])("whose a row is follows from its parent by %s", async (_, entity, fields, owners) => {
  if (!("model" in reading)) throw new Error(JSON.stringify(reading.faults));
  const { model } = reading;
  const { aws } = local;
  const names = { region: aws.region, buckets: {}, tables: {}, websiteOrigins: [] };
  const declaration = declarationOf(model, names, {});
  const store = dynamodbStore({ aws, model, declaration, signal: new AbortController().signal });
  expect(await ownersOf({ model, store }, [{ entity, fields }])).toEqual([owners]);
});
