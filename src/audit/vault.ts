import { readObjectLock } from "../aws/s3/bucket-settings.ts";
import { isDenied } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { both } from "../model/sentences.ts";
import { readAnchor } from "./anchor.ts";
import { readHead } from "./entries.ts";
import { readEvidence } from "./evidence.ts";
import { trailPrefix, type TrailPlace } from "./place.ts";

interface LockFault {
  readonly lock: NonNullable<TrailPlace["lock"]>;
  readonly bucket: string;
  /** The command that makes it able to. */
  readonly enable: string;
}

/** That S3 would lock no anchor in its bucket. */
export const notLocked = both<LockFault>(
  ({ lock, bucket, enable }) => [
    `anchorLock is ${lock}, and ${bucket} has no S3 Object Lock`,
    `give it versioning, then ${enable}; or MAWPS_ANCHOR_LOCK=off`,
  ],
  ({ lock, bucket, enable }) => [
    `anchorLock ist ${lock}, und ${bucket} hat kein S3 Object Lock`,
    `ihm Versionierung geben, dann ${enable}; oder MAWPS_ANCHOR_LOCK=off`,
  ],
);

/** Why S3 would lock no anchor in its bucket; undefined where it would, or nobody asks it to. */
export async function lockFault({
  aws,
  bucket,
  lock,
  signal,
}: Pick<TrailPlace, "aws" | "bucket" | "lock" | "signal">): Promise<LockFault | undefined> {
  const found = lock && (await readObjectLock(aws, bucket, signal));
  if (lock === undefined || (found !== undefined && found !== "unsupported")) return undefined;
  const enable = `aws s3api put-object-lock-configuration --bucket ${bucket} --object-lock-configuration ObjectLockEnabled=Enabled`;
  return { lock, bucket, enable };
}

/**
 * Finds out before a change whether its anchor could be locked. Who may not ask is told when the anchor is written.
 * @throws CliError where it could not.
 */
export async function assertLockable(site: TrailPlace): Promise<void> {
  const fault = await lockFault(site).catch((error: unknown) => {
    if (isDenied(error)) return undefined;
    throw error;
  });
  if (fault === undefined) return;
  const [message, hint] = notLocked.en(fault);
  throw new CliError(`nothing was changed: ${message}`, { hint });
}

/** @throws CliError where the trail has entries, and the bucket holds nothing that ever anchored one. */
export async function assertNotMoved(site: TrailPlace): Promise<void> {
  const { table, bucket } = site;
  if ((await readAnchor(site)) !== undefined) return;
  const [{ sequence }, { anchored, anchor }] = await Promise.all([readHead(site), readEvidence(site)]);
  if (sequence === 0 || anchored !== undefined || anchor !== "missing") return;
  throw new CliError(
    `nothing was changed: the trail in ${table} has entries, and ${bucket} (anchorBucket) holds none of its anchors`,
    {
      hint: `copy them first: aws s3 sync s3://<bucket that has them>/${trailPrefix(site)} s3://${bucket}/${trailPrefix(site)}; if they are lost: docs/audit-trail.md`,
    },
  );
}
