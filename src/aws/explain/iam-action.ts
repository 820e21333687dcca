import type { ErrorOrigin } from "./error-origin.ts";

/** Calls of S3 whose permission is not named like the call. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const s3Actions: Readonly<Record<string, string>> = {
  CompleteMultipartUpload: "PutObject",
  CopyObject: "GetObject (source) and s3:PutObject (target)",
  CreateMultipartUpload: "PutObject",
  DeleteBucketCors: "PutBucketCORS",
  DeleteBucketEncryption: "PutEncryptionConfiguration",
  DeleteBucketLifecycle: "PutLifecycleConfiguration",
  DeleteBucketTagging: "PutBucketTagging",
  DeleteObjects: "DeleteObject",
  DeletePublicAccessBlock: "PutBucketPublicAccessBlock",
  GetBucketCors: "GetBucketCORS",
  GetBucketEncryption: "GetEncryptionConfiguration",
  GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  HeadBucket: "ListBucket",
  HeadObject: "GetObject",
  ListBuckets: "ListAllMyBuckets",
  ListMultipartUploads: "ListBucketMultipartUploads",
  ListObjects: "ListBucket",
  ListObjectsV2: "ListBucket",
  ListObjectVersions: "ListBucketVersions",
  ListParts: "ListMultipartUploadParts",
  PutBucketCors: "PutBucketCORS",
  PutBucketEncryption: "PutEncryptionConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
  UploadPart: "PutObject",
  UploadPartCopy: "GetObject (source) and s3:PutObject (target)",
};

const prefixes = {
  s3: "s3",
  dynamodb: "dynamodb",
  cognito: "cognito-idp",
  cloudwatch: "cloudwatch",
  autoscaling: "application-autoscaling",
  sts: "sts",
  kms: "kms",
  iam: "iam",
} as const;

/** The permission that a call needs, as a policy writes it. */
export function iamAction({ service, operation }: Pick<ErrorOrigin, "service" | "operation">): string {
  return `${prefixes[service]}:${(service === "s3" ? s3Actions[operation] : undefined) ?? operation}`;
}
