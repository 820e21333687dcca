import { losesPartitions } from "../model/database.ts";
import type { AccessSite } from "./place.ts";
import type { Statement } from "./policy.ts";
import { denied, granted } from "./statements.ts";

/** Rows of partitions of databases go to the backups before they go for good. */
export function archivesMade(site: AccessSite): Statement[] {
  if (!Object.values(site.model.entities).some(losesPartitions)) return [];
  return granted(site, [
    { sid: "SeeArchives", actions: ["s3:ListBucket"], on: ["backupBucket"] },
    { sid: "MakeArchives", actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], on: ["backups"] },
  ]);
}

/** Anchors that lie in a bucket of their own, mostly of another account, and the lock that keeps them. */
export function anchorsKept(site: AccessSite): Statement[] {
  const { trail, buckets } = site.declaration;
  if (trail === undefined) return [];
  const isVault = !buckets.some(({ name }) => name === trail.bucket);
  return granted(site, [
    ...(isVault
      ? [
          { sid: "SeeAnchors", actions: ["s3:ListBucket", "s3:ListBucketVersions"], on: ["vault"] as const },
          {
            sid: "WriteAnchors",
            actions: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            on: ["anchors"] as const,
          },
        ]
      : []),
    ...(trail.lock === undefined
      ? []
      : [
          { sid: "SeeLock", actions: ["s3:GetBucketObjectLockConfiguration"], on: ["vault"] as const },
          { sid: "LockAnchors", actions: ["s3:PutObjectRetention"], on: ["anchors"] as const },
        ]),
  ]);
}

/** The audit trail and what proves it are added to, and nobody takes from them. */
export function recordsKept(site: AccessSite): Statement[] {
  return denied(site, [
    {
      sid: "AnchorsStay",
      actions: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
      on: ["anchors"],
    },
    {
      sid: "TrailStays",
      actions: ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"],
      on: ["trail"],
    },
  ]);
}

/** Whoever else a role lets in: mawps's own records are written by mawps alone, and old versions stay. */
export function trailKept(site: AccessSite): Statement[] {
  return denied(site, [
    { sid: "RecordsStay", actions: ["dynamodb:*"], on: ["trail", "trailIndexes", "journal"] },
    { sid: "AnchorsStay", actions: ["s3:*"], on: ["anchors"] },
    { sid: "VersionsStay", actions: ["s3:DeleteObjectVersion"], on: ["anything"] },
  ]);
}
