import type { LocalRequest, LocalResponse, LocalService } from "@mawps/local-aws/src/service.ts";

/**
 * What a busy DynamoDB does to a call: nothing special; takes nothing of a batch; says so of its last half (though it
 * took that too); cancels a transaction; answers 503.
 */
export type Strain = "none" | "unprocessed" | "half" | "cancelled" | "503";

/** A DynamoDB end that is busy as told; `strain` is asked for each call. */
export function throttled(
  service: LocalService,
  strain: (operation: string, call: number) => Strain,
): LocalService {
  let calls = 0;
  return {
    async handle(request) {
      const operation = (request.headers["x-amz-target"] ?? "").split(".")[1] ?? "";
      const now = strain(operation, ++calls);
      if (now === "none") return service.handle(request);
      const bytes = await bytesOf(request);
      if (now === "503") return fault(503, "ServiceUnavailable", {});
      if (now === "cancelled") {
        const CancellationReasons = [{ Code: "ThrottlingError", Message: "busy" }];
        return fault(400, "TransactionCanceledException", { CancellationReasons });
      }
      const input = JSON.parse(bytes.toString()) as { RequestItems: Record<string, object[]> };
      const [[table, requests] = ["", []]] = Object.entries(input.RequestItems);
      if (now === "unprocessed") return answer(200, { UnprocessedItems: { [table]: requests } });
      await service.handle({ ...request, body: once(bytes) });
      const rest = requests.slice(Math.floor(requests.length / 2));
      return answer(200, { UnprocessedItems: { [table]: rest } });
    },
    close: () => service.close(),
  };
}

async function bytesOf(request: LocalRequest): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function fault(status: number, name: string, more: object): LocalResponse {
  return answer(status, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name, ...more });
}

function answer(status: number, document: object): LocalResponse {
  const body = Buffer.from(JSON.stringify(document));
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.0", "content-length": String(body.length) },
    body,
  };
}
