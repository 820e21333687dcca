import type { Aws } from "../clients.ts";
import { abortable } from "./objects.ts";

/**
 * The time by S3's own clock, to the second, as the answer to a HEAD of the bucket tells it; undefined from a server
 * that tells none. The SDK signs with a corrected time by itself, so that the answer comes with a wrong clock too.
 */
export async function serverTime(aws: Aws, bucket: string, signal?: AbortSignal): Promise<Date | undefined> {
  const [s3, { HeadBucketCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const command = new HeadBucketCommand({ Bucket: bucket });
  let told: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers = {} } = answer.response as { headers?: Record<string, string> };
      told = headers["date"];
      return answer;
    },
    { step: "deserialize", name: "readServerTime", priority: "low" },
  );
  await s3.send(command, abortable(signal));
  const time = Date.parse(told ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}
