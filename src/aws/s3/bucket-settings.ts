import {
  type CORSRule,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  type LifecycleRule as SdkLifecycleRule,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type TransitionDefaultMinimumObjectSize,
} from "@aws-sdk/client-s3";
import type { PublicAccessBlock } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { reading, type Reading, type WaitOptions } from "../setting.ts";
import { settled } from "./bucket.ts";
import { abortable } from "./objects.ts";

export type StoredLifecycleRule = SdkLifecycleRule;

export type StoredCorsRule = CORSRule;

export interface Lifecycle {
  readonly rules: readonly StoredLifecycleRule[];
  /** Goes with the rules; is written back as it was read. */
  readonly transitionDefaultMinimumObjectSize?: string;
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
