import type { AuditTrail } from "../audit/trail.ts";
import { objectTags, setObjectTags } from "../aws/s3/objects.ts";
import { errorName } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import { dueTag } from "../model/handed-over.ts";
import type { DueEntry } from "./plan-entry.ts";
import type { RetentionSite } from "./site.ts";

/** Versions that are looked at side by side. */
const sideBySide = 8;

interface Tagged {
  readonly due: DueEntry;
  readonly object: { readonly bucket: string; readonly key: string; readonly version: string };
  /** Without that by which S3 expires it. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Takes the tag by which S3 expires it off every version of these entries that has it; other tags stay, and so does what is gone already.
 * Resolves to the number of versions, which a dry run only counts. May be called as often as wished.
 */
export async function takeBack(
  { aws, signal }: RetentionSite,
  dues: readonly DueEntry[],
  { audit, dryRun }: { readonly audit: AuditTrail; readonly dryRun: boolean },
): Promise<number> {
  const versions = dues.flatMap((due) => {
    if (!("versions" in due) || !("bucket" in due)) return [];
    const { bucket, key } = due;
    if (bucket === undefined || key === undefined) return [];
    return due.versions
      .filter(({ deleteMarker }) => deleteMarker !== true)
      .map(({ version }) => ({ due, object: { bucket, key, version } }));
  });
  const looked = await inParallel(versions, sideBySide, async ({ due, object }): Promise<Tagged[]> => {
    const { [dueTag.key]: tag, ...tags } = await objectTags(aws, object, signal).catch(noneWhereGone);
    return tag === dueTag.value ? [{ due, object, tags }] : [];
  });
  const tagged = looked.flat();
  if (dryRun || tagged.length === 0) return tagged.length;
  const events = [...new Set(tagged.map(({ due }) => due))].map((due) => ({
    action: "retention.taken-back" as const,
    userId: due.userId ?? undefined,
    details: {
      rule: due.rule,
      ...("bucket" in due && { bucket: due.bucket }),
      ...("key" in due && { key: due.key }),
      versions: tagged.filter((each) => each.due === due).length,
    },
  }));
  await audit.change(events, async () => {
    await inParallel(tagged, sideBySide, ({ object, tags }) => setObjectTags(aws, object, tags));
  });
  return tagged.length;
}

function noneWhereGone(error: unknown): Record<string, string> {
  if (["NoSuchKey", "NoSuchVersion"].includes(errorName(error) ?? "")) return {};
  throw error;
}
