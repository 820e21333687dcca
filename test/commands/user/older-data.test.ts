import { CreateTableCommand, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeHome, type TestHome } from "../../support/world.ts";

const TableName = "mawps-user-data";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const shapes = [
  { keys: ["userId"], itemOf: (user: string) => ({ userId: { S: user } }) },
  {
    keys: ["userId", "sk"],
    itemOf: (user: string) => ({ userId: { S: user }, sk: { S: "bewerbungsprofil" } }),
  },
  { keys: ["pk", "sk"], itemOf: (user: string) => ({ pk: { S: `USER#${user}` }, sk: { S: "DATA" } }) },
] as const;

it.each(shapes)(
  "what an older backend keeps by $keys is known, and erased of one person alone",
  async (shape) => {
    const { keys, itemOf } = shape;
    await home.run(["setup", "--yes"]);
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(
        new CreateTableCommand({
          TableName,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: keys.map((AttributeName, at) => ({
            AttributeName,
            KeyType: at === 0 ? "HASH" : "RANGE",
          })),
          AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        }),
      );
      for (const user of ["u-1", "u-12"])
        await dynamodb.send(new PutItemCommand({ TableName, Item: itemOf(user) }));
    });
    const check = await home.run(["model", "check", "--live"]);
    expect([check.exitCode, check.stdout]).toEqual([
      0,
      expect.stringMatching(/^table mawps-user-data: userData(Pairs)?, 2$/m),
    ]);
    const erase = await home.run(["user", "erase", "u-1", "--yes"]);
    expect(erase.exitCode).toBe(0);
    const { Items } = await home.look(async (aws) =>
      (await aws.dynamodb()).send(new ScanCommand({ TableName })),
    );
    expect(Items).toEqual([itemOf("u-12")]);
  },
);
