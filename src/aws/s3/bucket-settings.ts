import {
  type BucketLocationConstraint,
  type CORSRule,
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  GetObjectCommand,
  type LifecycleRule as SdkLifecycleRule,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type TransitionDefaultMinimumObjectSize,
} from "@aws-sdk/client-s3";
import { CliError } from "../../errors.ts";
import type { PolicyStatement, PublicAccessBlock } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { abortable } from "./objects.ts";
import {
  errorName,
  httpStatus,
  isDenied,
  type Reading,
  reading,
  type WaitOptions,
  settling,
} from "../setting.ts";
import { retry } from "../../retry.ts";

/** `denied`: there is such a bucket, but it is another account's, or the caller may not list it. */
export type BucketPresence =
  | { readonly state: "here" }
  | { readonly state: "missing" }
  | { readonly state: "denied" }
  | { readonly state: "elsewhere"; readonly region: string };

/** A bucket policy as stored; statements of others are kept as they are. */
export interface PolicyDocument {
  readonly Statement: readonly StoredStatement[];
  readonly [other: string]: unknown;
}

export type StoredStatement = PolicyStatement | Readonly<Record<string, unknown>>;

export type StoredLifecycleRule = SdkLifecycleRule;

export type StoredCorsRule = CORSRule;

export interface Lifecycle {
  readonly rules: readonly StoredLifecycleRule[];
  /** Goes with the rules; is written back as it was read. */
  readonly transitionDefaultMinimumObjectSize?: string;
}

/** Looks whether a bucket is there and in the region of the clients. */
export async function findBucket(aws: Aws, bucket: string, signal?: AbortSignal): Promise<BucketPresence> {
  const s3 = await aws.s3();
  try {
    const { BucketRegion } = await s3.send(new HeadBucketCommand({ Bucket: bucket }), abortable(signal));
    // A server in AWS's place may know no regions.
    const strayed =
      BucketRegion !== undefined && BucketRegion !== aws.region && aws.endpointUrl === undefined;
    return strayed ? { state: "elsewhere", region: BucketRegion } : { state: "here" };
  } catch (error) {
    const status = httpStatus(error);
    if (status === 404) return { state: "missing" };
    const region = regionOf(error);
    if (region !== undefined && region !== aws.region) return { state: "elsewhere", region };
    if (status === 403) return presenceByListing(aws, bucket);
    throw error;
  }
}

/** A HEAD has no body: whether permission, credentials or clock are wrong is only told by a GET. */
async function presenceByListing(aws: Aws, bucket: string): Promise<BucketPresence> {
  const s3 = await aws.s3();
  try {
    await s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    return { state: "here" };
  } catch (error) {
    if (isDenied(error)) return { state: "denied" };
    throw error;
  }
}

/** S3 answers a request at the wrong region (301, 400, 403) with the right one in a header. */
function regionOf(error: unknown): string | undefined {
  const { $response } = error as { $response?: { headers?: Record<string, string> } };
  return $response?.headers?.["x-amz-bucket-region"];
}

/**
 * Makes a bucket in the region of the clients. One that is the caller's own already is fine.
 * @throws BucketAlreadyExists when the name, of which there is one in the world, is another account's.
 */
export async function createBucket(aws: Aws, bucket: string, wait: WaitOptions = {}): Promise<void> {
  const s3 = await aws.s3();
  // us-east-1 is the one region that must not be named.
  const where =
    aws.region === "us-east-1"
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: aws.region as BucketLocationConstraint } };
  try {
    await settled(() => s3.send(new CreateBucketCommand({ Bucket: bucket, ...where })), wait);
  } catch (error) {
    if (errorName(error) !== "BucketAlreadyOwnedByYou") throw error;
  }
}

/** `Enabled`, `Suspended`, or undefined for a bucket that never had versions. */
export async function readVersioning(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<"Enabled" | "Suspended">> {
  const s3 = await aws.s3();
  return reading(
    async () => (await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }), abortable(signal))).Status,
    "NoSuchVersioningConfiguration",
  );
}

export async function enableVersioning(aws: Aws, bucket: string, wait: WaitOptions = {}): Promise<void> {
  const s3 = await aws.s3();
  const input = { Bucket: bucket, VersioningConfiguration: { Status: "Enabled" as const } };
  await settled(() => s3.send(new PutBucketVersioningCommand(input)), wait);
}

/** Whether objects of a bucket can be locked one by one; undefined where it has no Object Lock. */
export async function readObjectLock(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<"Enabled">> {
  const s3 = await aws.s3();
  return reading(async () => {
    const input = { Bucket: bucket };
    const answer = await s3.send(new GetObjectLockConfigurationCommand(input), abortable(signal));
    return answer.ObjectLockConfiguration?.ObjectLockEnabled;
  }, "ObjectLockConfigurationNotFoundError");
}

export async function readPublicAccessBlock(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<PublicAccessBlock>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(new GetPublicAccessBlockCommand({ Bucket: bucket }), abortable(signal));
    const block = answer.PublicAccessBlockConfiguration ?? {};
    return {
      blockPublicAcls: block.BlockPublicAcls ?? false,
      ignorePublicAcls: block.IgnorePublicAcls ?? false,
      blockPublicPolicy: block.BlockPublicPolicy ?? false,
      restrictPublicBuckets: block.RestrictPublicBuckets ?? false,
    };
  }, "NoSuchPublicAccessBlockConfiguration");
}

export async function writePublicAccessBlock(
  aws: Aws,
  bucket: string,
  block: PublicAccessBlock,
  wait: WaitOptions = {},
): Promise<void> {
  const s3 = await aws.s3();
  const input = {
    Bucket: bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: block.blockPublicAcls,
      IgnorePublicAcls: block.ignorePublicAcls,
      BlockPublicPolicy: block.blockPublicPolicy,
      RestrictPublicBuckets: block.restrictPublicBuckets,
    },
  };
  await settled(() => s3.send(new PutPublicAccessBlockCommand(input)), wait);
}

export async function readPolicy(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<PolicyDocument>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const { Policy = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }), abortable(signal));
    const document = policyDocument(bucket, Policy);
    // A single statement may stand without the list around it.
    const statements = [document["Statement"] ?? []].flat() as StoredStatement[];
    return { ...document, Statement: statements };
  }, "NoSuchBucketPolicy");
}

/** S3 only stores valid JSON: anything else was answered by something that is not S3. */
function policyDocument(bucket: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new CliError(`what was answered as the policy of ${bucket} is not JSON`, {
      hint: "check that --endpoint-url is right",
      cause,
    });
  }
}

/** Replaces the whole policy; one without statements, which S3 refuses, is deleted. A lifted block on public policies takes some seconds to be known everywhere. */
export async function writePolicy(
  aws: Aws,
  bucket: string,
  policy: PolicyDocument,
  wait: WaitOptions = {},
): Promise<void> {
  const s3 = await aws.s3();
  if (policy.Statement.length === 0) {
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    return;
  }
  const input = { Bucket: bucket, Policy: JSON.stringify(policy) };
  await settled(() => s3.send(new PutBucketPolicyCommand(input)), wait);
}

/** Of a statement that stands in a policy for a moment only, or after a crash in that moment. */
export const probeSid = "MawpsProbe";

/**
 * Whether the clients, which speak plain HTTP to a server in AWS's place, would still be let in if the bucket's policy
 * demanded TLS. Found out with a policy that demands it for one key nobody uses; the policy has to be written anew
 * afterwards.
 */
export async function toleratesTlsDemand(aws: Aws, bucket: string, policy: PolicyDocument): Promise<boolean> {
  const key = "mawps-probe";
  const probe = {
    Sid: probeSid,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${bucket}/${key}`,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
  await writePolicy(aws, bucket, { ...policy, Statement: [...policy.Statement, probe] });
  const s3 = await aws.s3();
  try {
    await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return true;
  } catch (error) {
    const status = httpStatus(error);
    if (status === 404) return true;
    if (status === 403) return false;
    throw error;
  }
}

/** Whether S3 itself counts the policy as public. Undefined without a policy. */
export async function readPolicyIsPublic(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<boolean>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(new GetBucketPolicyStatusCommand({ Bucket: bucket }), abortable(signal));
    return answer.PolicyStatus?.IsPublic ?? false;
  }, "NoSuchBucketPolicy");
}

/** The algorithm of the default encryption: `AES256`, `aws:kms`, `aws:kms:dsse`. */
export async function readEncryption(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<string>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(new GetBucketEncryptionCommand({ Bucket: bucket }), abortable(signal));
    const rule = answer.ServerSideEncryptionConfiguration?.Rules?.[0];
    return rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
  }, "ServerSideEncryptionConfigurationNotFoundError");
}

/** Default encryption by keys that S3 manages (SSE-S3). */
export async function enableEncryption(aws: Aws, bucket: string, wait: WaitOptions = {}): Promise<void> {
  const s3 = await aws.s3();
  const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const } };
  const input = { Bucket: bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } };
  await settled(() => s3.send(new PutBucketEncryptionCommand(input)), wait);
}

/** `BucketOwnerEnforced` (ACLs are off), `BucketOwnerPreferred`, `ObjectWriter`; undefined means the last. */
export async function readOwnership(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<string>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(
      new GetBucketOwnershipControlsCommand({ Bucket: bucket }),
      abortable(signal),
    );
    return answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership;
  }, "OwnershipControlsNotFoundError");
}

/** Switches ACLs off: all objects are the bucket owner's. */
export async function enforceOwnership(aws: Aws, bucket: string, wait: WaitOptions = {}): Promise<void> {
  const s3 = await aws.s3();
  const rule = { ObjectOwnership: "BucketOwnerEnforced" as const };
  const input = { Bucket: bucket, OwnershipControls: { Rules: [rule] } };
  await settled(() => s3.send(new PutBucketOwnershipControlsCommand(input)), wait);
}

/** What browsers may do from pages of other origins. */
export async function readCors(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<readonly StoredCorsRule[]>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(new GetBucketCorsCommand({ Bucket: bucket }), abortable(signal));
    return answer.CORSRules ?? [];
  }, "NoSuchCORSConfiguration");
}

/** Replaces all rules. */
export async function writeCors(
  aws: Aws,
  bucket: string,
  rules: readonly StoredCorsRule[],
  wait: WaitOptions = {},
): Promise<void> {
  const s3 = await aws.s3();
  const input = { Bucket: bucket, CORSConfiguration: { CORSRules: [...rules] } };
  await settled(() => s3.send(new PutBucketCorsCommand(input)), wait);
}

export async function readLifecycle(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<Lifecycle>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const answer = await s3.send(
      new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }),
      abortable(signal),
    );
    const size = answer.TransitionDefaultMinimumObjectSize;
    return {
      rules: answer.Rules ?? [],
      transitionDefaultMinimumObjectSize: size,
    };
  }, "NoSuchLifecycleConfiguration");
}

/** Replaces all rules. */
export async function writeLifecycle(
  aws: Aws,
  bucket: string,
  lifecycle: Lifecycle,
  wait: WaitOptions = {},
): Promise<void> {
  const s3 = await aws.s3();
  const size = lifecycle.transitionDefaultMinimumObjectSize;
  const input = {
    Bucket: bucket,
    LifecycleConfiguration: { Rules: [...lifecycle.rules] },
    ...(size === undefined
      ? {}
      : { TransitionDefaultMinimumObjectSize: size as TransitionDefaultMinimumObjectSize }),
  };
  await settled(() => s3.send(new PutBucketLifecycleConfigurationCommand(input)), wait);
}

/**
 * S3's settings follow each other with a delay: a bucket just made may not be known yet, two settings at once
 * collide, and a policy may still meet the block that was lifted before it.
 */
export function settled<T>(write: () => Promise<T>, wait: WaitOptions): Promise<T> {
  return retry(write, isUnsettled, { ...settling, ...wait });
}

function isUnsettled(error: unknown): boolean {
  const name = errorName(error);
  if (name === "OperationAborted" || name === "NoSuchBucket") return true;
  return name === "AccessDenied" && /BlockPublicPolicy|public policies are/.test((error as Error).message);
}
