import type { LocalResponse } from "../service.ts";
import * as configuration from "./bucket-configuration.ts";
import * as buckets from "./buckets.ts";
import { type Call, bucketOf } from "./call.ts";
import { completeUpload } from "./complete-upload.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { S3Fault } from "./fault.ts";
import { getObject } from "./get-object.ts";
import * as inventory from "./inventory.ts";
import * as listing from "./listing.ts";
import * as multipart from "./multipart.ts";
import * as properties from "./object-properties.ts";
import { putObject } from "./put-object.ts";

export interface Operation {
  /** What a policy calls it, without `s3:`. */
  readonly action: string;
  readonly run: (call: Call) => Promise<LocalResponse>;
  /** Asked by the operation itself: of each key in the body, or of a form's policy. */
  readonly decidesItself?: boolean;
}

type Level = "service" | "bucket" | "object";
type Run = Operation["run"];

interface Row extends Operation {
  /** Query parameters that must be there; a leading `@` means a header. */
  readonly needs: readonly string[];
}

const { emptyDocument, notConfigured, removeSetting } = configuration;

/** Per level and method the first row whose needs are met. */
const table: Record<Level, Record<string, readonly Row[]>> = {
  service: {
    GET: [row("", "ListAllMyBuckets", buckets.listBuckets)],
  },
  bucket: {
    HEAD: [row("", "ListBucket", buckets.headBucket)],
    GET: [
      row("location", "GetBucketLocation", buckets.getBucketLocation),
      row("versioning", "GetBucketVersioning", configuration.getVersioning),
      row("policyStatus", "GetBucketPolicyStatus", configuration.getPolicyStatus),
      row("policy", "GetBucketPolicy", configuration.getPolicy),
      row("publicAccessBlock", "GetBucketPublicAccessBlock", configuration.getPublicAccessBlock),
      row("ownershipControls", "GetBucketOwnershipControls", configuration.getOwnershipControls),
      row("encryption", "GetEncryptionConfiguration", configuration.getEncryption),
      row("lifecycle", "GetLifecycleConfiguration", configuration.getLifecycle),
      row("tagging", "GetBucketTagging", configuration.getTagging),
      row("cors", "GetBucketCORS", configuration.getCors),
      row("acl", "GetBucketAcl", configuration.getBucketAcl),
      row("notification", "GetBucketNotification", emptyDocument("NotificationConfiguration")),
      row("logging", "GetBucketLogging", emptyDocument("BucketLoggingStatus")),
      row("accelerate", "GetAccelerateConfiguration", emptyDocument("AccelerateConfiguration")),
      row(
        "requestPayment",
        "GetBucketRequestPayment",
        emptyDocument("RequestPaymentConfiguration", { element: "Payer", value: "BucketOwner" }),
      ),
      row("website", "GetBucketWebsite", notConfigured("NoSuchWebsiteConfiguration")),
      row(
        "replication",
        "GetReplicationConfiguration",
        notConfigured("ReplicationConfigurationNotFoundError"),
      ),
      row("object-lock", "GetBucketObjectLockConfiguration", configuration.getObjectLock),
      row("inventory id", "GetInventoryConfiguration", inventory.getInventory),
      row("inventory", "GetInventoryConfiguration", inventory.listInventories),
      ...["analytics", "metrics", "intelligent-tiering"].map((name) => row(name, "", notImplemented)),
      row("versions", "ListBucketVersions", listing.listObjectVersions),
      row("uploads", "ListBucketMultipartUploads", multipart.listUploads),
      row("list-type", "ListBucket", listing.listObjectsV2),
      row("", "ListBucket", listing.listObjects),
    ],
    PUT: [
      row("versioning", "PutBucketVersioning", configuration.putVersioning),
      row("policy", "PutBucketPolicy", configuration.putPolicy),
      row("publicAccessBlock", "PutBucketPublicAccessBlock", configuration.putPublicAccessBlock),
      row("ownershipControls", "PutBucketOwnershipControls", configuration.putOwnershipControls),
      row("encryption", "PutEncryptionConfiguration", configuration.putEncryption),
      row("lifecycle", "PutLifecycleConfiguration", configuration.putLifecycle),
      row("tagging", "PutBucketTagging", configuration.putTagging),
      row("cors", "PutBucketCORS", configuration.putCors),
      row("acl", "PutBucketAcl", configuration.putBucketAcl),
      row("object-lock", "PutBucketObjectLockConfiguration", configuration.putObjectLock),
      row("inventory id", "PutInventoryConfiguration", inventory.putInventory),
      ...[
        "notification",
        "logging",
        "accelerate",
        "requestPayment",
        "website",
        "replication",
        "analytics",
        "metrics",
        "intelligent-tiering",
      ].map((name) => row(name, "", notImplemented)),
      row("", "CreateBucket", buckets.createBucket),
    ],
    DELETE: [
      row("policy", "DeleteBucketPolicy", removeSetting("policy")),
      row("publicAccessBlock", "PutBucketPublicAccessBlock", removeSetting("publicAccessBlock")),
      row("ownershipControls", "PutBucketOwnershipControls", removeSetting("ownership")),
      row("encryption", "PutEncryptionConfiguration", removeSetting("encryption")),
      row("lifecycle", "PutLifecycleConfiguration", removeSetting("lifecycle")),
      row("tagging", "PutBucketTagging", removeSetting("tags")),
      row("cors", "PutBucketCORS", removeSetting("cors")),
      row("inventory id", "PutInventoryConfiguration", inventory.deleteInventory),
      ...["website", "replication", "analytics", "metrics", "intelligent-tiering"].map((name) =>
        row(name, "", notImplemented),
      ),
      row("", "DeleteBucket", buckets.deleteBucket),
    ],
    POST: [{ ...row("delete", "DeleteObject", deleteObjects), decidesItself: true }],
  },
  object: {
    HEAD: [row("", "GetObject", getObject)],
    GET: [
      row("tagging", "GetObjectTagging", properties.getObjectTagging),
      row("acl", "GetObjectAcl", properties.getObjectAcl),
      row("attributes", "GetObjectAttributes", properties.getObjectAttributes),
      row("uploadId", "ListMultipartUploadParts", multipart.listParts),
      ...["retention", "legal-hold"].map((name) => row(name, "", noObjectLock)),
      row("torrent", "", notImplemented),
      row("", "GetObject", getObject),
    ],
    PUT: [
      row("tagging", "PutObjectTagging", properties.putObjectTagging),
      row("acl", "PutObjectAcl", properties.putObjectAcl),
      ...["retention", "legal-hold"].map((name) => row(name, "", noObjectLock)),
      row("uploadId partNumber @x-amz-copy-source", "PutObject", multipart.uploadPartCopy),
      row("uploadId partNumber", "PutObject", multipart.uploadPart),
      row("@x-amz-copy-source", "PutObject", copyObject),
      row("", "PutObject", putObject),
    ],
    DELETE: [
      row("tagging", "DeleteObjectTagging", properties.deleteObjectTagging),
      row("uploadId", "AbortMultipartUpload", multipart.abortUpload),
      row("", "DeleteObject", deleteObject),
    ],
    POST: [
      row("uploads", "PutObject", multipart.createUpload),
      row("uploadId", "PutObject", completeUpload),
      ...["restore", "select"].map((name) => row(name, "", notImplemented)),
    ],
  },
};

/** Actions that are another where a version is named. */
const versionActions: Record<string, string> = {
  GetObject: "GetObjectVersion",
  DeleteObject: "DeleteObjectVersion",
  GetObjectTagging: "GetObjectVersionTagging",
  PutObjectTagging: "PutObjectVersionTagging",
  DeleteObjectTagging: "DeleteObjectVersionTagging",
  GetObjectAcl: "GetObjectVersionAcl",
  PutObjectAcl: "PutObjectVersionAcl",
  GetObjectAttributes: "GetObjectVersionAttributes",
};

/** Finds what a request wants. Throws MethodNotAllowed. */
export function operationOf(call: Pick<Call, "request" | "headers" | "query" | "target">): Operation {
  const { request, headers, query, target } = call;
  const level = target.bucket === undefined ? "service" : target.key === undefined ? "bucket" : "object";
  const met = (need: string) =>
    need.startsWith("@") ? headers[need.slice(1)] !== undefined : query.has(need);
  const found = table[level][request.method]?.find(({ needs }) => needs.every(met));
  if (found === undefined) {
    throw new S3Fault("MethodNotAllowed", {
      fields: { Method: request.method, ResourceType: level.toUpperCase() },
      headers: { allow: Object.keys(table[level]).join(", ") },
    });
  }
  const action = query.has("versionId") ? (versionActions[found.action] ?? found.action) : found.action;
  return { ...found, action };
}

function row(needs: string, action: string, run: Run): Row {
  return { needs: needs === "" ? [] : needs.split(" "), action, run };
}

async function notImplemented(): Promise<LocalResponse> {
  throw new S3Fault("NotImplemented", { message: "The local store does not offer this" });
}

/** A lock is put with its object, and read with it. */
async function noObjectLock(call: Call): Promise<LocalResponse> {
  if (bucketOf(call).objectLock === true) return await notImplemented();
  throw new S3Fault("InvalidRequest", { message: "Bucket is missing Object Lock Configuration" });
}
