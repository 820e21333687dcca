import type {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { answerText, isWhole } from "./answer-text.ts";
import { learnPost, signedPost } from "./signed-post.ts";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";

type Command = BatchGetItemCommand | BatchWriteItemCommand | TransactWriteItemsCommand;

interface Request {
  body: unknown;
  readonly headers: Record<string, string>;
}

/**
 * Sends DynamoDB a body that the caller has written, and gives the answer as it came. The SDK neither serialises nor parses
 * items then, which costs more than all the rest, and no text of an item changes on its way; it signs and repeats as
 * always, and errors are its own. The command tells the operation; its input names the table, for messages.
 */
export async function sendText(
  aws: Aws,
  command: Command,
  { body, signal }: { readonly body: string | Buffer; readonly signal?: AbortSignal },
): Promise<Buffer> {
  const dynamodb = await aws.dynamodb();
  const posted = await signedPost(dynamodb, command, { body, signal });
  if (posted !== undefined && isWhole(posted.bytes, posted.headers["x-amz-crc32"])) return posted.bytes;
  learnPost(dynamodb, command);
  // The commands' stacks differ in their inputs, which are not looked at here.
  const { middlewareStack } = command as BatchWriteItemCommand;
  middlewareStack.add(
    (next) => (args) => {
      const request = args.request as Request;
      request.body = body;
      request.headers["content-length"] = String(Buffer.byteLength(body));
      return next(args);
    },
    { step: "build", name: "sendText", priority: "high" },
  );
  const answered = answerText({ middlewareStack } as unknown as ScanCommand);
  await dynamodb.send(command as BatchWriteItemCommand, abortable(signal));
  return answered();
}
