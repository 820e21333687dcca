import type { Aws } from "../aws/clients.ts";
import { listUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import type { BucketDeclaration } from "../model/declaration.ts";
import { told, type DoctorFinding } from "./finding.ts";

/** So many are looked at: ten answers of S3, however many there are. */
const mostLookedAt = 10_000;
const dayMs = 86_400_000;
/** Where the site has no rule of its own: what AWS's own pages recommend. */
const usualDays = 7;

interface Looking {
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
  /** Uploads that are looked at. */
  readonly most?: number;
}

/**
 * A finding for uploads that were begun and never completed, and are past the days after which the site gives them up: they cost, and no
 * listing of objects shows them.
 */
export async function uploadFindings(
  aws: Aws,
  { name, lifecycle }: Pick<BucketDeclaration, "name" | "lifecycle">,
  { now, signal, most = mostLookedAt }: Looking,
): Promise<DoctorFinding[]> {
  const days =
    lifecycle.flatMap(({ abortMultipartAfterDays }) => abortMultipartAfterDays ?? [])[0] ?? usualDays;
  const before = now.getTime() - days * dayMs;
  let [seen, left] = [0, 0];
  for await (const { begunAt } of listUnfinishedUploads(aws, { bucket: name, ...(signal && { signal }) })) {
    seen += 1;
    if (begunAt !== undefined && begunAt.getTime() < before) left += 1;
    if (seen === most) break;
  }
  if (left === 0) return [];
  const values = { left, days, most: seen === most ? most : undefined };
  return [{ check: "uploads", subject: name, ...told("warning", "uploads-open", values) }];
}
