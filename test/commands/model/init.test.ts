import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { readModel } from "../../../src/model/read.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

it("writes a draft of what is there, which is a model, marks every guess, and shows nothing of what is in it", async () => {
  await home.look(async (aws) => {
    const [s3, dynamodb] = await Promise.all([aws.s3(), aws.dynamodb()]);
    await s3.send(new CreateBucketCommand({ Bucket: "shop-files" }));
    for (const key of ["invoices/7f3a-1/max.pdf", "invoices/9c2b-4/eva.pdf", "logos/logo.png", "readme.txt"])
      await putObject(aws, { bucket: "shop-files", key, body: Buffer.from("x") });
    const text = (AttributeName: string) => ({ AttributeName, AttributeType: "S" as const });
    await dynamodb.send(
      new CreateTableCommand({
        TableName: "shop-data",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [text("PK"), text("SK"), text("GSI1PK")],
        KeySchema: [
          { AttributeName: "PK", KeyType: "HASH" },
          { AttributeName: "SK", KeyType: "RANGE" },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: "OrdersOfUser",
            KeySchema: [{ AttributeName: "GSI1PK", KeyType: "HASH" }],
            Projection: { ProjectionType: "ALL" },
          },
        ],
      }),
    );
    const items = [
      { PK: "USER#max", SK: "PROFILE", email: "max@example.com" },
      { PK: "ORDER#1", SK: "METADATA", GSI1PK: "USER#max", placedAt: "2026-01-01T00:00:00Z" },
    ];
    for (const item of items) {
      const Item = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, { S: value }]));
      await dynamodb.send(new PutItemCommand({ TableName: "shop-data", Item }));
    }
  });
  const { exitCode, stdout } = await home.run([
    "model",
    "init",
    "shop.model.jsonc",
    "--name",
    "shop",
    "--only",
    "shop-",
    "--json",
  ]);
  expect(exitCode).toBe(0);
  const text = await readFile(join(home.folder, "shop.model.jsonc"), "utf8");
  expect(text).not.toMatch(/max|eva|7f3a|2026-01/);
  const guesses = text.match(/^ *\/\/ GUESS: /gm) ?? [];
  expect(JSON.parse(stdout)).toMatchObject({
    buckets: 1,
    tables: 1,
    guesses: guesses.length,
    faults: 0,
    written: true,
  });
  const reading = readModel(text);
  expect(reading).toMatchObject({
    model: {
      buckets: { files: { name: "shop-files", access: "private" } },
      tables: {
        data: { name: "shop-data", key: ["PK", "SK"], indexes: { OrdersOfUser: { key: ["GSI1PK"] } } },
      },
      entities: {
        filesInvoicesFiles: { key: "invoices/{userId}/{path+}", links: [{ by: "userId", find: "prefix" }] },
        filesLogosFiles: { key: "logos/{path+}", personal: false },
        filesOthers: { key: "{path+}" },
        dataUserProfile: {
          key: { PK: "USER#{userId}", SK: "PROFILE" },
          links: [{ by: "userId", find: "key" }],
        },
        dataOrderMetadata: {
          key: { PK: "ORDER#{orderId}", SK: "METADATA", GSI1PK: "USER#{userId}" },
          fields: { placedAt: "isoTime" },
          links: [{ by: "userId", find: { index: "OrdersOfUser" } }],
        },
      },
    },
  });
  const check = await home.run(["model", "check", "shop.model.jsonc", "--json"]);
  expect([check.exitCode, JSON.parse(check.stdout)]).toMatchObject([0, { guesses: guesses.length }]);
  const again = await home.run(["model", "init", "shop.model.jsonc"]);
  expect([again.exitCode, again.stderr]).toMatchObject([
    1,
    expect.stringContaining("already exists") as string,
  ]);
  const unnamed = await home.run(["model", "init", "-"]);
  expect([unnamed.exitCode, unnamed.stderr]).toMatchObject([
    2,
    expect.stringContaining("name a file") as string,
  ]);
  expect(await readdir(home.folder)).not.toContain("-");
  const live = await home.run(["--model", "shop.model.jsonc", "model", "check", "--live", "--json"]);
  expect(live.exitCode).toBe(0);
});

it("drafts a table with units of its own as one, so that no setup makes it one on demand", async () => {
  await home.look(async (aws) =>
    (await aws.dynamodb()).send(
      new CreateTableCommand({
        TableName: "shop-orders",
        BillingMode: "PROVISIONED",
        ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 7 },
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    ),
  );
  await home.run(["model", "init", "shop.model.jsonc", "--name", "shop", "--only", "shop-"]);
  expect(readModel(await readFile(join(home.folder, "shop.model.jsonc"), "utf8"))).toMatchObject({
    model: {
      tables: {
        shopOrders: {
          capacity: { read: { min: 5, max: 50, target: 70 }, write: { min: 7, max: 70, target: 70 } },
        },
      },
    },
  });
  const plan = await home.run(["--model", "shop.model.jsonc", "setup", "--fix", "--dry-run", "--json"]);
  const steps = plan.stdout.split("\n").filter((line) => line.includes('"shop-orders"'));
  expect(steps.join("\n")).toContain("5 to 50 read units");
  expect(steps.join("\n")).not.toContain("on demand");
});
