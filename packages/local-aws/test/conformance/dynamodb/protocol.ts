import { type DynamoDBClient, GetItemCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, put, refused, type Scope, text } from "./check.ts";

/** Signatures, and what is said of requests that no SDK would send. */
export const protocolChecks: readonly Check[] = [
  {
    name: "refuses a signature made with a wrong secret",
    async run(scope) {
      const stranger = scope.connect({
        ...scope.credentials,
        secretAccessKey: `${scope.credentials.secretAccessKey}x`,
      });
      const error = await refused(stranger.send(new ListTablesCommand({})), "InvalidSignatureException");
      expect(error.$metadata.httpStatusCode).toBe(400);
    },
  },
  {
    name: "refuses an access key that it does not know",
    async run(scope) {
      const stranger = scope.connect({ ...scope.credentials, accessKeyId: "AKIAUNKNOWNUNKNOWN00" });
      await refused(stranger.send(new ListTablesCommand({})), "UnrecognizedClientException");
    },
  },
  {
    name: "refuses a request without signature",
    async run(scope) {
      const answer = await scope.send({
        method: "POST",
        path: "/",
        headers: headers("ListTables"),
        body: "{}",
      });
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/MissingAuthenticationTokenException/);
    },
  },
  {
    name: "refuses a signed request whose body was changed afterwards",
    async run(scope) {
      const table = await scope.table();
      await put(scope, table, { pk: text("a") });
      const client = scope.connect(scope.credentials);
      beforeSending(client, "after signing", (request) => {
        request.body = request.body.replace('"a"', '"b"');
      });
      await refused(
        client.send(new GetItemCommand({ TableName: table, Key: { pk: text("a") } })),
        "InvalidSignatureException",
      );
      expect(await get(scope, table, { pk: text("a") })).toBeDefined();
    },
  },
  {
    name: "says SerializationException for a body that is no JSON or has values of the wrong kind",
    async run(scope) {
      for (const body of ["{", '{"Limit":"many"}', '{"Limit":{}}'])
        await refused(sendBody(scope, body), "SerializationException");
    },
  },
  {
    name: "says UnknownOperationException for an operation that does not exist",
    async run(scope) {
      const client = scope.connect(scope.credentials);
      beforeSending(client, "before signing", (request) => {
        request.headers["x-amz-target"] = "DynamoDB_20120810.NoSuchOperation";
      });
      await refused(client.send(new ListTablesCommand({})), "UnknownOperationException");
    },
  },
  {
    name: "refuses JSON of any depth as a serialization fault",
    async run(scope) {
      for (const levels of [1_000, 20_000]) {
        const nested = `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
        await refused(sendBody(scope, nested), "SerializationException");
        await refused(
          sendBody(scope, `{"TableName":${"[".repeat(levels)}${"]".repeat(levels)}}`),
          "SerializationException",
        );
      }
    },
  },
  {
    name: "answers with a request id, and errors as JSON with a type and a message",
    async run(scope) {
      const fine = await scope.client.send(new ListTablesCommand({}));
      expect(fine.$metadata.httpStatusCode).toBe(200);
      expect(fine.$metadata.requestId).toMatch(/^[A-Za-z0-9-]{20,}$/);
      const answer = await scope.send({
        method: "POST",
        path: "/",
        headers: headers("ListTables"),
        body: "{}",
      });
      expect(answer.headers["content-type"]).toMatch(/^application\/x-amz-json-1\.0/);
      expect(JSON.parse(answer.text)).toMatchObject({
        __type: expect.stringContaining("#"),
        message: expect.any(String),
      });
    },
  },
];

function headers(operation: string): Record<string, string> {
  return { "content-type": "application/x-amz-json-1.0", "x-amz-target": `DynamoDB_20120810.${operation}` };
}

interface WireRequest {
  headers: Record<string, string>;
  body: string;
}

/** Changes what the SDK is about to send: before it is signed, so that the signature fits, or after. */
function beforeSending(
  client: DynamoDBClient,
  moment: "before signing" | "after signing",
  change: (request: WireRequest) => void,
): void {
  if (moment === "before signing") client.middlewareStack.add(changing, { step: "build", priority: "low" });
  else client.middlewareStack.add(changing, { step: "finalizeRequest", priority: "low" });

  function changing<Args extends object, Output>(
    next: (args: Args) => Promise<Output>,
  ): (args: Args) => Promise<Output> {
    return (args) => {
      if ("request" in args) change(args.request as WireRequest);
      return next(args);
    };
  }
}

async function sendBody(scope: Scope, body: string): Promise<void> {
  const client = scope.connect(scope.credentials);
  beforeSending(client, "before signing", (request) => {
    request.body = body;
    request.headers["content-length"] = String(Buffer.byteLength(body));
  });
  await client.send(new ListTablesCommand({}));
}
