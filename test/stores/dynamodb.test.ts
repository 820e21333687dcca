import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { declarationOf } from "../../src/model/declare.ts";
import { readModel } from "../../src/model/read.ts";
import { dynamodbStore } from "../../src/stores/dynamodb.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

const table = "tasks";
const reading = readModel(
  JSON.stringify({
    name: "tasks",
    region: "eu-central-1",
    buckets: {},
    tables: { tasks: { name: table, key: "PK" } },
    subjects: { user: { what: "user", ids: ["userId"] } },
    entities: {
      open: {
        what: "open tasks",
        from: { table: "tasks" },
        key: { PK: "TASK#{taskId}" },
        when: { state: "open" },
        fields: { state: "text", userId: "text" },
        links: [{ subject: "user", role: "subject", by: "userId", find: "scan", erase: "delete" }],
      },
    },
  }),
);
const key = { PK: { S: "TASK#1" } };
let local: LocalAws;

beforeAll(async () => {
  local = await openLocalAws();
  const dynamodb = await local.aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "PK", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "PK", KeyType: "HASH" }],
    }),
  );
});
afterAll(() => local.close());

test.each([
  ["", undefined],
  [", and known as ours where its answer was lost", "lose the answer"],
] as const)("a change after which the model knows the thing no more is told as done%s", async (_, fault) => {
  if (!("model" in reading)) throw new Error(JSON.stringify(reading.faults));
  const { model } = reading;
  const { server, aws } = await local.faulty("dynamodb");
  const declaration = declarationOf(
    model,
    { region: aws.region, buckets: {}, tables: {}, websiteOrigins: [] },
    {},
  );
  const store = dynamodbStore({ aws, model, declaration, signal: new AbortController().signal });
  const Item = { ...key, state: { S: "open" }, userId: { S: "u-1" }, note: { S: "n" } };
  await (await local.aws.dynamodb()).send(new PutItemCommand({ TableName: table, Item }));
  const stored = await store.get("tasks", { PK: "TASK#1" });
  expect(stored).toMatchObject({ entity: "open", fields: { taskId: "1", note: "n" } });
  if (stored === undefined) return;
  const before = server.requests.length;
  server.fault = () => (server.requests.length === before + 1 ? fault : undefined);
  const changed = await store.changeIf(stored, {
    set: { state: "done" },
    remove: ["note"],
    unchanged: ["state"],
  });
  expect(server.requests.length - before).toBe(fault === undefined ? 1 : 2);
  const { note: _note, ...rest } = Item;
  const raw = { ...rest, state: { S: "done" } };
  const fields = { PK: "TASK#1", taskId: "1", state: "done", userId: "u-1" };
  expect(changed).toMatchObject({ entity: "open", key: stored.key, raw });
  expect(changed).toHaveProperty("fields", fields);
  expect(await getItem(local.aws, { table, key })).toEqual(raw);
});
