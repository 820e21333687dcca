import {
  CreateTableCommand,
  DynamoDBClient,
  type AttributeDefinition,
  type CreateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import { requestHandler } from "../src/request-handler.ts";
import type { LocalCredentials, LocalService } from "../src/service.ts";

export const credentials: LocalCredentials = { accessKeyId: "LOCALTEST", secretAccessKey: "of no account" };
export const region = "eu-central-1";

/** An SDK client on a local service. Retries nothing, so that each fault is seen. */
export function clientOf(service: LocalService, account: LocalCredentials = credentials): DynamoDBClient {
  return new DynamoDBClient({
    region,
    credentials: account,
    maxAttempts: 1,
    requestHandler: requestHandler(service),
  });
}

/** Makes the table with key `pk` (S), and an index on `group` (S) of the same name. */
export async function makeTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const attribute = (AttributeName: string): AttributeDefinition => ({ AttributeName, AttributeType: "S" });
  const input: CreateTableCommandInput = {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [attribute("pk"), attribute("group")],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    GlobalSecondaryIndexes: [
      {
        IndexName: "group",
        KeySchema: [{ AttributeName: "group", KeyType: "HASH" }],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  };
  await client.send(new CreateTableCommand(input));
}
