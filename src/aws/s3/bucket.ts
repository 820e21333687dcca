import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { retry } from "../../retry.ts";
import type { Aws } from "../clients.ts";
import { errorName, httpStatus, isDenied, settling, type WaitOptions } from "../setting.ts";
import { abortable } from "./objects.ts";

/** `denied`: there is such a bucket, but it is another account's, or the caller may not list it. */
export type BucketPresence =
  | { readonly state: "here" }
  | { readonly state: "missing" }
  | { readonly state: "denied" }
  | { readonly state: "elsewhere"; readonly region: string };

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
