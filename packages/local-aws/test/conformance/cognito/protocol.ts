import {
  type CognitoIdentityProviderClient,
  ListUserPoolsCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, listNames } from "./check.ts";

const list = new ListUserPoolsCommand({ MaxResults: 1 });

/** Signatures, and what is said of requests that no SDK would send. */
export const protocolChecks: readonly Check[] = [
  {
    name: "refuses a signature that was made with a wrong secret",
    async run(scope) {
      const { credentials } = scope;
      const stranger = scope.connect({ ...credentials, secretAccessKey: `${credentials.secretAccessKey}x` });
      const error = await refused(stranger.send(list), "InvalidSignatureException");
      expect(error.$metadata.httpStatusCode).toBe(400);
    },
  },
  {
    name: "refuses an access key that nobody has",
    async run(scope) {
      const stranger = scope.connect({ ...scope.credentials, accessKeyId: "AKIAUNKNOWNUNKNOWN00" });
      await refused(stranger.send(list), "UnrecognizedClientException");
    },
  },
  {
    name: "refuses a call without signature",
    async run(scope) {
      const answer = await scope.send({
        method: "POST",
        path: "/",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "AWSCognitoIdentityProviderService.ListUserPools",
        },
        body: '{"MaxResults":1}',
      });
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/MissingAuthenticationToken/);
    },
  },
  {
    name: "does nothing for a signed call whose body was changed afterwards",
    async run(scope) {
      const pool = await scope.pool();
      const client = scope.connect(scope.credentials);
      beforeSending(client, "after signing", (request) => {
        request.body = request.body.replace("max", "eva");
      });
      await refused(createUser({ ...scope, client }, pool, "max"), "InvalidSignatureException");
      expect(await listNames(scope, pool)).toEqual([]);
    },
  },
  {
    name: "says SerializationException for a call that is no JSON or has values of the wrong kind",
    async run(scope) {
      for (const body of ["{", '{"MaxResults":{}}', '{"MaxResults":[1]}']) {
        const client = scope.connect(scope.credentials);
        beforeSending(client, "before signing", (request) => {
          request.body = body;
          request.headers["content-length"] = String(Buffer.byteLength(body));
        });
        await refused(client.send(list), "SerializationException");
      }
    },
  },
  {
    name: "says UnknownOperationException for a call that does not exist",
    async run(scope) {
      const client = scope.connect(scope.credentials);
      beforeSending(client, "before signing", (request) => {
        request.headers["x-amz-target"] = "AWSCognitoIdentityProviderService.NoSuchCall";
      });
      await refused(client.send(list), "UnknownOperationException");
    },
  },
  {
    name: "answers a call with a request id",
    async run(scope) {
      const { $metadata: about } = await scope.client.send(list);
      expect(about.httpStatusCode).toBe(200);
      expect(about.requestId).toMatch(/^[A-Za-z0-9-]{20,}$/);
    },
  },
];

interface WireRequest {
  headers: Record<string, string>;
  body: string;
}

/** Changes what the SDK is about to send: before it is signed, so that the signature fits, or after. */
function beforeSending(
  client: CognitoIdentityProviderClient,
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
