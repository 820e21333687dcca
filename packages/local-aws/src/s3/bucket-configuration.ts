import type { LocalResponse } from "../service.ts";
import { changeBucket } from "./buckets.ts";
import { type Call, bucketOf, respond, respondXml } from "./call.ts";
import { checkCors } from "./cors.ts";
import { type FaultCode, S3Fault } from "./fault.ts";
import { checkLifecycle } from "./lifecycle.ts";
import { aclDocument, putAcl } from "./object-properties.ts";
import { isPublic, parsePolicy } from "./policy.ts";
import { bringsDigest, receiveText } from "./receive.ts";
import type { Bucket, Encryption, ObjectOwnership, PublicAccessBlock } from "./records.ts";
import { maxBucketTags, parseTagging, taggingDocument } from "./tags.ts";
import { type XmlElement, childOf, el, markupOf, optional, parseXml, textOf, xmlDocument } from "./xml.ts";

const maxPolicyBytes = 20 * 1024;

export async function getVersioning(call: Call): Promise<LocalResponse> {
  const { versioning } = bucketOf(call);
  return respondXml(xmlDocument("VersioningConfiguration", optional("Status", versioning)));
}

export async function putVersioning(call: Call): Promise<LocalResponse> {
  const document = await receiveDocument(call, "VersioningConfiguration");
  const versioning = textOf(document, "Status");
  if (versioning !== "Enabled" && versioning !== "Suspended") {
    throw new S3Fault(versioning === undefined ? "IllegalVersioningConfigurationException" : "MalformedXML");
  }
  if (textOf(document, "MfaDelete") === "Enabled") {
    throw new S3Fault("NotImplemented", { message: "MFA delete is not supported by the local store" });
  }
  await changeBucket(call, (bucket) => {
    if (versioning === "Suspended" && bucket.objectLock === true) {
      throw new S3Fault("InvalidBucketState", {
        message:
          "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
      });
    }
    return { ...bucket, versioning };
  });
  return respond(200);
}

/** GetObjectLockConfiguration. */
export async function getObjectLock(call: Call): Promise<LocalResponse> {
  if (bucketOf(call).objectLock !== true) throw new S3Fault("ObjectLockConfigurationNotFoundError");
  return respondXml(xmlDocument("ObjectLockConfiguration", el("ObjectLockEnabled", "Enabled")));
}

/** PutObjectLockConfiguration: of a versioned bucket, for good. A retention by default is not offered. */
export async function putObjectLock(call: Call): Promise<LocalResponse> {
  const document = await receiveDocument(call, "ObjectLockConfiguration");
  if (textOf(document, "ObjectLockEnabled") !== "Enabled") throw new S3Fault("MalformedXML");
  if (childOf(document, "Rule") !== undefined) {
    throw new S3Fault("NotImplemented", {
      message: "A retention by default is not supported by the local store",
    });
  }
  await changeBucket(call, (bucket) => {
    if (bucket.versioning !== "Enabled") {
      throw new S3Fault("InvalidBucketState", {
        message: "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
      });
    }
    return { ...bucket, objectLock: true };
  });
  return respond(200);
}

export async function getPolicy(call: Call): Promise<LocalResponse> {
  const { policy, name } = bucketOf(call);
  if (policy === undefined) throw new S3Fault("NoSuchBucketPolicy", { fields: { BucketName: name } });
  return respond(200, { "content-type": "application/json" }, policy);
}

/** PutBucketPolicy. A public one is refused while the bucket blocks them. */
export async function putPolicy(call: Call): Promise<LocalResponse> {
  const policy = await receiveText(call);
  if (Buffer.byteLength(policy) > maxPolicyBytes) {
    throw new S3Fault("MalformedPolicy", { message: `Policies must not exceed ${maxPolicyBytes} bytes` });
  }
  await changeBucket(call, (bucket) => {
    const statements = parsePolicy(policy, bucket.name);
    if (bucket.publicAccessBlock?.BlockPublicPolicy === true && isPublic(statements)) {
      throw new S3Fault("AccessDenied", {
        message:
          "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy block public access setting.",
      });
    }
    return { ...bucket, policy };
  });
  return respond(204);
}

export async function getPolicyStatus(call: Call): Promise<LocalResponse> {
  const { policy, name } = bucketOf(call);
  if (policy === undefined) throw new S3Fault("NoSuchBucketPolicy", { fields: { BucketName: name } });
  const status = isPublic(parsePolicy(policy, name));
  return respondXml(xmlDocument("PolicyStatus", el("IsPublic", status)));
}

const blockNames = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const;

export async function getPublicAccessBlock(call: Call): Promise<LocalResponse> {
  const { publicAccessBlock: block, name } = bucketOf(call);
  if (block === undefined) {
    throw new S3Fault("NoSuchPublicAccessBlockConfiguration", { fields: { BucketName: name } });
  }
  return respondXml(
    xmlDocument(
      "PublicAccessBlockConfiguration",
      blockNames.map((setting) => el(setting, block[setting])),
    ),
  );
}

export async function putPublicAccessBlock(call: Call): Promise<LocalResponse> {
  const document = await receiveDocument(call, "PublicAccessBlockConfiguration");
  const setting = (name: keyof PublicAccessBlock) => textOf(document, name)?.toLowerCase() === "true";
  const publicAccessBlock: PublicAccessBlock = {
    BlockPublicAcls: setting("BlockPublicAcls"),
    IgnorePublicAcls: setting("IgnorePublicAcls"),
    BlockPublicPolicy: setting("BlockPublicPolicy"),
    RestrictPublicBuckets: setting("RestrictPublicBuckets"),
  };
  await changeBucket(call, (bucket) => ({ ...bucket, publicAccessBlock }));
  return respond(200);
}

export async function getOwnershipControls(call: Call): Promise<LocalResponse> {
  const { ownership, name } = bucketOf(call);
  if (ownership === undefined) {
    throw new S3Fault("OwnershipControlsNotFoundError", { fields: { BucketName: name } });
  }
  return respondXml(xmlDocument("OwnershipControls", el("Rule", el("ObjectOwnership", ownership))));
}

export async function putOwnershipControls(call: Call): Promise<LocalResponse> {
  const document = await receiveDocument(call, "OwnershipControls");
  const ownership = textOf(childOf(document, "Rule"), "ObjectOwnership");
  if (
    ownership !== "BucketOwnerEnforced" &&
    ownership !== "BucketOwnerPreferred" &&
    ownership !== "ObjectWriter"
  ) {
    throw new S3Fault("MalformedXML");
  }
  const chosen: ObjectOwnership = ownership;
  await changeBucket(call, (bucket) => ({ ...bucket, ownership: chosen }));
  return respond(200);
}

export async function getEncryption(call: Call): Promise<LocalResponse> {
  const { algorithm, kmsKeyId, bucketKey } = bucketOf(call).encryption ?? {
    algorithm: "AES256",
    bucketKey: false,
  };
  return respondXml(
    xmlDocument(
      "ServerSideEncryptionConfiguration",
      el(
        "Rule",
        el(
          "ApplyServerSideEncryptionByDefault",
          el("SSEAlgorithm", algorithm),
          optional("KMSMasterKeyID", kmsKeyId),
        ),
        el("BucketKeyEnabled", bucketKey),
      ),
    ),
  );
}

export async function putEncryption(call: Call): Promise<LocalResponse> {
  const document = await receiveDocument(call, "ServerSideEncryptionConfiguration");
  const rule = childOf(document, "Rule");
  const standard = childOf(rule, "ApplyServerSideEncryptionByDefault");
  const algorithm = textOf(standard, "SSEAlgorithm");
  const kmsKeyId = textOf(standard, "KMSMasterKeyID");
  if (algorithm === undefined || !["AES256", "aws:kms", "aws:kms:dsse"].includes(algorithm)) {
    throw new S3Fault("MalformedXML");
  }
  if (algorithm === "AES256" && kmsKeyId !== undefined) {
    throw new S3Fault("InvalidArgument", {
      message:
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
    });
  }
  const encryption: Encryption = { algorithm, kmsKeyId };
  const bucketKey = textOf(rule, "BucketKeyEnabled") === "true";
  await changeBucket(call, (bucket) => ({ ...bucket, encryption: { ...encryption, bucketKey } }));
  return respond(200);
}

export async function getTagging(call: Call): Promise<LocalResponse> {
  const { tags, name } = bucketOf(call);
  if (tags === undefined) throw new S3Fault("NoSuchTagSet", { fields: { BucketName: name } });
  return respondXml(taggingDocument(tags));
}

export async function putTagging(call: Call): Promise<LocalResponse> {
  const tags = parseTagging(await receiveDocument(call, "Tagging"), maxBucketTags);
  await changeBucket(call, (bucket) => ({ ...bucket, tags }));
  return respond(204);
}

export async function getLifecycle(call: Call): Promise<LocalResponse> {
  const { lifecycle, name } = bucketOf(call);
  if (lifecycle === undefined) {
    throw new S3Fault("NoSuchLifecycleConfiguration", { fields: { BucketName: name } });
  }
  const size = "x-amz-transition-default-minimum-object-size";
  return respondXml(storedDocument(lifecycle), { [size]: "all_storage_classes_128K" });
}

/** PutBucketLifecycleConfiguration: checked and kept. Nothing expires by itself in the local store. */
export async function putLifecycle(call: Call): Promise<LocalResponse> {
  if (!bringsDigest(call)) {
    throw new S3Fault("InvalidRequest", { message: "Missing required header for this request: Content-MD5" });
  }
  const lifecycle = checkLifecycle(await receiveDocument(call, "LifecycleConfiguration"));
  await changeBucket(call, (bucket) => ({ ...bucket, lifecycle }));
  return respond(200, { "x-amz-transition-default-minimum-object-size": "all_storage_classes_128K" });
}

export async function getCors(call: Call): Promise<LocalResponse> {
  const { cors, name } = bucketOf(call);
  if (cors === undefined) throw new S3Fault("NoSuchCORSConfiguration", { fields: { BucketName: name } });
  return respondXml(storedDocument(cors));
}

export async function putCors(call: Call): Promise<LocalResponse> {
  const cors = checkCors(await receiveDocument(call, "CORSConfiguration"));
  await changeBucket(call, (bucket) => ({ ...bucket, cors }));
  return respond(200);
}

export async function getBucketAcl(call: Call): Promise<LocalResponse> {
  return respondXml(aclDocument(bucketOf(call).acl));
}

export async function putBucketAcl(call: Call): Promise<LocalResponse> {
  const acl = await putAcl(call);
  await changeBucket(call, (bucket) => ({ ...bucket, acl }));
  return respond(200);
}

/** Takes a configuration away; where there is none, nothing happens. */
export function removeSetting(
  name: "policy" | "publicAccessBlock" | "ownership" | "encryption" | "tags" | "lifecycle" | "cors",
): (call: Call) => Promise<LocalResponse> {
  return async (call) => {
    await changeBucket(call, (bucket): Bucket => {
      const { [name]: _removed, ...rest } = bucket;
      return rest;
    });
    return respond(204);
  };
}

/** Answers as a bucket on which this was never configured. */
export function emptyDocument(root: string, text?: { element: string; value: string }) {
  return async (call: Call): Promise<LocalResponse> => {
    bucketOf(call);
    return respondXml(xmlDocument(root, text === undefined ? undefined : el(text.element, text.value)));
  };
}

/** Refuses with the fault of a bucket on which this was never configured. */
export function notConfigured(code: FaultCode) {
  return async (call: Call): Promise<LocalResponse> => {
    throw new S3Fault(code, { fields: { BucketName: bucketOf(call).name } });
  };
}

async function receiveDocument(call: Call, root: string): Promise<XmlElement> {
  bucketOf(call);
  return await parseXml(await receiveText(call), root);
}

function storedDocument(element: XmlElement): string {
  return xmlDocument(element.name, element.children.map(markupOf));
}
