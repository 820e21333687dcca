import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { ScanCommand } from "@aws-sdk/client-dynamodb";

interface Response {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

/**
 * Takes the bytes of a DynamoDB command's answer and leaves the SDK an empty one, whose deserialising costs more than all the
 * rest; errors stay the SDK's. To be called before the command is sent; the function it answers, after. The CRC32 that
 * DynamoDB sends with every answer is compared: one that does not fit is asked for again, as any passing fault.
 */
export function answerText(command: Pick<ScanCommand, "middlewareStack">): () => Buffer {
  let text: Buffer = Buffer.alloc(0);
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as Response;
      if (response.statusCode !== 200) return result;
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      text = Buffer.concat(chunks);
      if (!isWhole(text, response.headers["x-amz-crc32"]))
        throw Object.assign(new Error("an answer of DynamoDB was changed on its way"), { $retryable: {} });
      response.body = Readable.from([Buffer.from("{}")]);
      return result;
    },
    { step: "deserialize", name: "answerText", priority: "low" },
  );
  return () => text;
}

/** By the checksum that DynamoDB sends with its answers, where there is one. */
export function isWhole(bytes: Buffer, expected: string | undefined): boolean {
  return expected === undefined || crc32(bytes) === Number(expected);
}
