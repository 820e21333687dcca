import { listUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { uploadedBytes } from "../aws/s3/upload-size.ts";
import type { Noticed } from "./find-documents.ts";
import { ownerOfKey } from "./find-objects.ts";
import type { UploadDue } from "./plan-entry.ts";
import { day, agesOf, isPast } from "./rules.ts";
import { lifecycleRule, type RetentionSite } from "./site.ts";

/** Multipart uploads of a bucket that were begun longer ago than the period and never completed. */
export async function* findUploads(
  site: RetentionSite,
  bucket: string,
  noticed: Noticed,
): AsyncGenerator<UploadDue> {
  const { aws, rules, signal } = site;
  const rule = lifecycleRule(site, bucket, "abort-upload");
  if (rule === undefined) return;
  for await (const upload of listUnfinishedUploads(aws, { bucket, signal })) {
    noticed.there += 1;
    const begunMs = upload.begunAt?.getTime();
    if (begunMs === undefined || !isPast(rule, begunMs, rules)) continue;
    yield {
      kind: "upload",
      action: "abort-upload",
      rule: rule.id,
      by: rule.by,
      reason: `begun on ${day(begunMs)} and never completed`,
      userId: ownerOfKey(site, bucket, upload.key),
      bucket,
      key: upload.key,
      uploadId: upload.uploadId,
      initiated: new Date(begunMs).toISOString(),
      bytes: await uploadedBytes(aws, upload, signal),
      ...agesOf({ rule, sinceMs: begunMs }, rules),
    };
  }
}
