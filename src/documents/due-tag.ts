import type { Aws } from "../aws/clients.ts";
import { objectTags, type ObjectName } from "../aws/s3/objects.ts";
import { errorName } from "../aws/setting.ts";
import { dueTag } from "../model/handed-over.ts";

/** The other tags of an object that has the one by which S3 expires it; undefined where it has not, or is gone. */
export async function tagsWithoutDue(
  aws: Aws,
  object: ObjectName,
  signal: AbortSignal | undefined,
): Promise<Record<string, string> | undefined> {
  try {
    const { [dueTag.key]: tag, ...tags } = await objectTags(aws, object, signal);
    return tag === dueTag.value ? tags : undefined;
  } catch (error) {
    if (["NoSuchKey", "NoSuchVersion"].includes(errorName(error) ?? "")) return undefined;
    throw error;
  }
}
