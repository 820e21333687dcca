import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import { CliError } from "../../errors.ts";
import type { PolicyStatement } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { httpStatus, reading, type Reading, type WaitOptions } from "../setting.ts";
import { settled } from "./bucket.ts";
import { abortable } from "./objects.ts";

/** A bucket policy as stored; statements of others are kept as they are. */
export interface PolicyDocument {
  readonly Statement: readonly StoredStatement[];
  readonly [other: string]: unknown;
}

export type StoredStatement = PolicyStatement | Readonly<Record<string, unknown>>;

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
