import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  ListTablesCommand,
  PutItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, createInput, get, put, refused, text, untilActive, untilGone } from "./check.ts";

/** Making, describing, changing and deleting tables. */
export const tableChecks: readonly Check[] = [
  {
    name: "describes a new on-demand table with its simple key",
    async run({ client, newName }) {
      const name = newName();
      const { TableDescription: made } = await client.send(new CreateTableCommand(createInput(name)));
      expect(made?.TableName).toBe(name);
      expect(["CREATING", "ACTIVE"]).toContain(made?.TableStatus);
      await untilActive(client, name);
      const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(table).toMatchObject({
        TableName: name,
        TableStatus: "ACTIVE",
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
        ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
        ItemCount: 0,
        TableSizeBytes: 0,
      });
      expect(table?.TableArn).toMatch(new RegExp(`^arn:aws:dynamodb:[a-z0-9-]+:[0-9]+:table/${name}$`));
      expect(table?.CreationDateTime).toBeInstanceOf(Date);
      expect(table?.TableId).toMatch(/^[0-9a-f-]{36}$/);
    },
  },
  {
    name: "describes a composite key with its types in order",
    async run({ client, table }) {
      const name = await table({ sort: "N" });
      const { Table: described } = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(described?.KeySchema).toEqual([
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ]);
      expect(described?.AttributeDefinitions).toEqual(
        expect.arrayContaining([
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "N" },
        ]),
      );
    },
  },
  {
    name: "keeps provisioned throughput as it was asked for",
    async run({ client, table }) {
      const name = await table({
        BillingMode: "PROVISIONED",
        ProvisionedThroughput: { ReadCapacityUnits: 3, WriteCapacityUnits: 2 },
      });
      const { Table: described } = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(described?.ProvisionedThroughput).toMatchObject({ ReadCapacityUnits: 3, WriteCapacityUnits: 2 });
    },
  },
  {
    name: "refuses a second table of the same name and keeps the first",
    async run(scope) {
      const name = await scope.table();
      await put(scope, name, { pk: text("a") });
      await refused(scope.client.send(new CreateTableCommand(createInput(name))), "ResourceInUseException");
      expect(await get(scope, name, { pk: text("a") })).toEqual({ pk: text("a") });
    },
  },
  {
    name: "refuses a key without attribute definition, and a definition that is no key",
    async run({ client, newName }) {
      const name = newName();
      await refused(
        client.send(new CreateTableCommand(createInput(name, { AttributeDefinitions: [] }))),
        "ValidationException",
      );
      await refused(
        client.send(
          new CreateTableCommand(
            createInput(name, { attributes: [{ AttributeName: "extra", AttributeType: "S" }] }),
          ),
        ),
        "ValidationException",
      );
      await refused(client.send(new DescribeTableCommand({ TableName: name })), "ResourceNotFoundException");
    },
  },
  {
    name: "refuses table names that are too short or hold other characters",
    async run({ client }) {
      for (const name of ["ab", "with space", "slash/name", "ümlaut", "x".repeat(256)])
        await refused(client.send(new CreateTableCommand(createInput(name))), "ValidationException");
    },
  },
  {
    name: "refuses capacity units for an on-demand table and their absence for a provisioned one",
    async run({ client, newName }) {
      const name = newName();
      await refused(
        client.send(
          new CreateTableCommand(
            createInput(name, { ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } }),
          ),
        ),
        "ValidationException",
      );
      await refused(
        client.send(new CreateTableCommand(createInput(name, { BillingMode: "PROVISIONED" }))),
        "ValidationException",
      );
      await refused(client.send(new DescribeTableCommand({ TableName: name })), "ResourceNotFoundException");
    },
  },
  {
    name: "refuses a local index on a table without sort key",
    async run({ client, newName }) {
      await refused(
        client.send(
          new CreateTableCommand(
            createInput(newName(), {
              attributes: [{ AttributeName: "lk", AttributeType: "S" }],
              LocalSecondaryIndexes: [
                {
                  IndexName: "local",
                  KeySchema: [
                    { AttributeName: "pk", KeyType: "HASH" },
                    { AttributeName: "lk", KeyType: "RANGE" },
                  ],
                  Projection: { ProjectionType: "ALL" },
                },
              ],
            }),
          ),
        ),
        "ValidationException",
        /range key/i,
      );
    },
  },
  {
    name: "describes global and local indexes with their projections",
    async run({ client, table }) {
      const name = await table({
        sort: "S",
        attributes: [
          { AttributeName: "gk", AttributeType: "S" },
          { AttributeName: "lk", AttributeType: "N" },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: "global",
            KeySchema: [{ AttributeName: "gk", KeyType: "HASH" }],
            Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
          },
        ],
        LocalSecondaryIndexes: [
          {
            IndexName: "local",
            KeySchema: [
              { AttributeName: "pk", KeyType: "HASH" },
              { AttributeName: "lk", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
      });
      const { Table: described } = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(described?.GlobalSecondaryIndexes).toMatchObject([
        {
          IndexName: "global",
          IndexStatus: "ACTIVE",
          KeySchema: [{ AttributeName: "gk", KeyType: "HASH" }],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
        },
      ]);
      expect(described?.GlobalSecondaryIndexes?.[0]?.IndexArn).toBe(`${described?.TableArn}/index/global`);
      expect(described?.LocalSecondaryIndexes).toMatchObject([
        { IndexName: "local", Projection: { ProjectionType: "KEYS_ONLY" } },
      ]);
    },
  },
  {
    name: "deletes a table with everything on it, and a table of the same name starts empty",
    async run(scope) {
      const name = await scope.table();
      await put(scope, name, { pk: text("a") });
      const { TableDescription: gone } = await scope.client.send(new DeleteTableCommand({ TableName: name }));
      expect(gone?.TableName).toBe(name);
      await untilGone(scope.client, name);
      await refused(
        scope.client.send(new DescribeTableCommand({ TableName: name })),
        "ResourceNotFoundException",
        new RegExp(name),
      );
      await scope.client.send(new CreateTableCommand(createInput(name)));
      await untilActive(scope.client, name);
      expect(await get(scope, name, { pk: text("a") })).toBeUndefined();
    },
  },
  {
    name: "says ResourceNotFoundException for every call on a table that is not there",
    async run({ client, newName }) {
      const TableName = newName();
      await refused(client.send(new DescribeTableCommand({ TableName })), "ResourceNotFoundException");
      await refused(client.send(new DeleteTableCommand({ TableName })), "ResourceNotFoundException");
      await refused(
        client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true })),
        "ResourceNotFoundException",
      );
      const error = await refused(
        client.send(new PutItemCommand({ TableName, Item: { pk: text("a") } })),
        "ResourceNotFoundException",
      );
      expect(error.$metadata.httpStatusCode).toBe(400);
    },
  },
  {
    name: "does not delete a protected table until the protection is taken off",
    async run(scope) {
      const name = await scope.table({ DeletionProtectionEnabled: true });
      await put(scope, name, { pk: text("a") });
      const described = await scope.client.send(new DescribeTableCommand({ TableName: name }));
      expect(described.Table?.DeletionProtectionEnabled).toBe(true);
      await refused(
        scope.client.send(new DeleteTableCommand({ TableName: name })),
        "ValidationException",
        /deletion protection/i,
      );
      expect(await get(scope, name, { pk: text("a") })).toEqual({ pk: text("a") });
      await scope.client.send(new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: false }));
      await untilActive(scope.client, name);
      await scope.client.send(new DeleteTableCommand({ TableName: name }));
      await untilGone(scope.client, name);
    },
  },
  {
    name: "protects an existing table by an update",
    async run({ client, table }) {
      const name = await table();
      const before = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(before.Table?.DeletionProtectionEnabled).toBe(false);
      await client.send(new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: true }));
      await untilActive(client, name);
      const after = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(after.Table?.DeletionProtectionEnabled).toBe(true);
      await refused(client.send(new DeleteTableCommand({ TableName: name })), "ValidationException");
    },
  },
  {
    name: "switches a provisioned table to on demand",
    async run({ client, table }) {
      const name = await table({
        BillingMode: "PROVISIONED",
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
      });
      await client.send(new UpdateTableCommand({ TableName: name, BillingMode: "PAY_PER_REQUEST" }));
      await untilActive(client, name);
      const { Table: after } = await client.send(new DescribeTableCommand({ TableName: name }));
      expect(after?.BillingModeSummary?.BillingMode).toBe("PAY_PER_REQUEST");
      expect(after?.ProvisionedThroughput).toMatchObject({ ReadCapacityUnits: 0, WriteCapacityUnits: 0 });
    },
  },
  {
    name: "refuses an update that asks for nothing",
    async run({ client, table }) {
      const name = await table();
      await refused(client.send(new UpdateTableCommand({ TableName: name })), "ValidationException");
    },
  },
  {
    name: "lists every table once, page by page",
    async run({ client, table }) {
      const names = [await table(), await table(), await table()];
      const seen: string[] = [];
      let start: string | undefined;
      do {
        const page = await client.send(new ListTablesCommand({ Limit: 2, ExclusiveStartTableName: start }));
        expect(page.TableNames?.length).toBeLessThanOrEqual(2);
        seen.push(...(page.TableNames ?? []));
        start = page.LastEvaluatedTableName;
      } while (start !== undefined);
      expect(seen.filter((name) => names.includes(name)).toSorted()).toEqual(names.toSorted());
      expect(new Set(seen).size).toBe(seen.length);
    },
  },
];
