import type { Place } from "./place.ts";

/** One action of IAM that a command needs. */
export interface Call {
  readonly action: string;
  readonly on: Place;
  /** When it is needed, where a plain run has no need of it. */
  readonly rare?: string;
}

const call = (action: string, on: Place): Call => ({ action, on });
const rare = (when: string, action: string, on: Place): Call => ({ action, on, rare: when });

/** What each command writes into the audit trail, and reads of it to go on. */
const audited = [
  call("dynamodb:PutItem", "trail"),
  rare("the trail is long, or somebody else writes it", "dynamodb:Query", "trail"),
  call("s3:GetObject", "anchors"),
  call("s3:PutObject", "anchors"),
];

const repositoryRead = [call("s3:ListBucket", "backupBucket"), call("s3:GetObject", "backups")];

const retentionRead = [
  call("dynamodb:DescribeTable", "tables"),
  call("dynamodb:GetItem", "tables"),
  call("dynamodb:Query", "tables"),
  call("dynamodb:Query", "trailIndexes"),
  call("dynamodb:Scan", "tables"),
  call("s3:ListBucket", "buckets"),
  call("s3:ListBucketMultipartUploads", "buckets"),
  call("s3:ListBucketVersions", "buckets"),
  rare("uploads lie unfinished", "s3:ListMultipartUploadParts", "objects"),
];

/** What the commands that CI runs ask of AWS, as a test records it: nothing more, and nothing less. */
export const calls: Readonly<Record<string, readonly Call[]>> = {
  "backup create": [
    ...audited,
    ...repositoryRead,
    call("s3:PutObject", "backups"),
    call("s3:DeleteObject", "backups"),
    rare("a content is sent in parts and broken off", "s3:AbortMultipartUpload", "backups"),
    call("s3:ListBucket", "buckets"),
    call("s3:GetBucketCORS", "buckets"),
    call("s3:GetObject", "objects"),
    rare("an object was replaced meanwhile", "s3:GetObjectVersion", "objects"),
    call("s3:GetObjectVersionTagging", "objects"),
    rare("a bucket is not versioned", "s3:GetObjectTagging", "objects"),
    rare("a bucket still has ACLs", "s3:GetObjectAcl", "objects"),
    call("dynamodb:DescribeTable", "tables"),
    call("dynamodb:DescribeContinuousBackups", "tables"),
    call("dynamodb:DescribeTimeToLive", "tables"),
    call("dynamodb:ListTagsOfResource", "tables"),
    call("dynamodb:Scan", "tables"),
    call("dynamodb:GetItem", "journal"),
    call("cognito-idp:DescribeUserPool", "pool"),
    call("cognito-idp:ListGroups", "pool"),
    call("cognito-idp:ListUsers", "pool"),
    call("cognito-idp:ListUsersInGroup", "pool"),
  ],
  "backup list": repositoryRead,
  "backup verify": [...repositoryRead, call("s3:PutObject", "backups")],
  "backup drill": [...audited, ...repositoryRead, call("s3:PutObject", "backups")],
  "backup prune": [
    ...audited,
    ...repositoryRead,
    call("s3:PutObject", "backups"),
    call("s3:DeleteObject", "backups"),
  ],
  "retention plan": [
    ...retentionRead,
    call("dynamodb:DescribeTimeToLive", "trail"),
    call("s3:GetLifecycleConfiguration", "buckets"),
  ],
  "retention run": [
    ...audited,
    ...retentionRead,
    call("dynamodb:UpdateItem", "siteTables"),
    rare("an entry lies in a table of its own", "dynamodb:DeleteItem", "siteTables"),
    rare("several items change together", "dynamodb:ConditionCheckItem", "siteTables"),
    call("s3:GetBucketVersioning", "buckets"),
    rare("a bucket is not versioned", "s3:DeleteObject", "objects"),
    call("s3:DeleteObjectVersion", "objects"),
    rare("what is deleted is looked at once more", "s3:GetObject", "objects"),
    rare("uploads lie unfinished", "s3:AbortMultipartUpload", "objects"),
  ],
  "audit verify": [
    call("dynamodb:Query", "trail"),
    call("s3:GetObjectVersion", "anchors"),
    call("s3:ListBucketVersions", "buckets"),
  ],
};
