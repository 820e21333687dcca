import type { AuditTrail } from "../audit/trail.ts";
import { setObjectTags } from "../aws/s3/objects.ts";
import { inParallel } from "../concurrency.ts";
import { tagsWithoutDue } from "../documents/due-tag.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { DueEntry } from "./plan-entry.ts";
import type { Failure } from "./run.ts";
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
 * Resolves to the number of versions, which a dry run only counts, and to what failed: one that cannot be taken back holds no other up. May be
 * called as often as wished.
 */
export async function takeBack(
  { aws, signal }: RetentionSite,
  dues: readonly DueEntry[],
  { audit, dryRun }: { readonly audit: AuditTrail; readonly dryRun: boolean },
): Promise<{ readonly untagged: number; readonly failures: readonly Failure[] }> {
  const versions = dues.flatMap((due) => {
    if (!("versions" in due) || !("bucket" in due)) return [];
    const { bucket, key } = due;
    if (bucket === undefined || key === undefined) return [];
    return due.versions
      .filter(({ deleteMarker }) => deleteMarker !== true)
      .map(({ version }) => ({ due, object: { bucket, key, version } }));
  });
  const failed = new Map<DueEntry, string>();
  const each = <T extends { readonly due: DueEntry }, R>(all: readonly T[], act: (one: T) => Promise<R[]>) =>
    inParallel(all, sideBySide, async (one) => {
      try {
        return await act(one);
      } catch (error) {
        signal.throwIfAborted();
        failed.set(one.due, error instanceof Error ? error.message : String(error));
        return [];
      }
    }).then((done) => done.flat());
  const tagged = await each(versions, async ({ due, object }): Promise<Tagged[]> => {
    const tags = await tagsWithoutDue(aws, object, signal);
    return tags === undefined ? [] : [{ due, object, tags }];
  });
  const untagged =
    dryRun || tagged.length === 0
      ? tagged
      : await audit.change(
          eventsOf(tagged),
          () =>
            each(tagged, async (one) => {
              await setObjectTags(aws, one.object, one.tags);
              return [one];
            }),
          eventsOf,
        );
  return { untagged: untagged.length, failures: [...failed].map(([due, why]) => ({ due, why })) };
}

function eventsOf(tagged: readonly Tagged[]): AuditEvent[] {
  return [...new Set(tagged.map(({ due }) => due))].map((due) => ({
    action: "retention.taken-back",
    userId: due.userId ?? undefined,
    details: {
      rule: due.rule,
      ...("bucket" in due && { bucket: due.bucket }),
      ...("key" in due && { key: due.key }),
      versions: tagged.filter((each) => each.due === due).length,
    },
  }));
}
