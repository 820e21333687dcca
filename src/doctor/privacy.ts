import { readPolicyIsPublic } from "../aws/s3/bucket-settings.ts";
import type { Aws } from "../aws/clients.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { publicUrl } from "../model/urls.ts";
import type { Finding } from "./finding.ts";
import type { Outside } from "./outside.ts";

/**
 * Tries to list a private bucket, and to read an object that is really in it, as anybody out there; and asks S3
 * whether it counts the policy as public. Each of the three must be refused.
 */
export async function privacyFindings(
  { aws, outside, isDeclaredClosed }: { aws: Aws; outside: Outside; isDeclaredClosed: boolean },
  bucket: string,
): Promise<Finding[]> {
  const { region, endpointUrl } = aws;
  const [key, isPublic] = await Promise.all([
    anyKey(aws, bucket, outside.signal),
    readPolicyIsPublic(aws, bucket, outside.signal),
  ]);
  const listing = await outside.anonymousGet(
    `${publicUrl({ bucket, key: "", region, endpointUrl })}?list-type=2&max-keys=1`,
  );
  const reading =
    key === undefined
      ? undefined
      : await outside.anonymousGet(publicUrl({ bucket, key, region, endpointUrl }));
  const faults = [
    ...(isPublic === true ? ["S3 counts its policy as public"] : []),
    ...(isRefusal(listing.status) ? [] : [`anybody can list it (HTTP ${listing.status})`]),
    ...(reading === undefined || isRefusal(reading.status)
      ? []
      : [`anybody can read its objects (HTTP ${reading.status})`]),
  ];
  const finding = { check: "privacy", subject: bucket };
  if (faults.length > 0 && isPublic !== true && isDeclaredClosed && isOnThisComputer(endpointUrl)) {
    const message = `${faults.join("; ")}: this server in AWS's place does not enforce its settings`;
    return [{ ...finding, status: "warning", message, remedy: "keep real documents away from this server" }];
  }
  if (faults.length > 0) {
    const remedy = "mawps setup --fix, then take public statements out of its policy";
    return [{ ...finding, status: "problem", message: faults.join("; "), remedy }];
  }
  const tried = reading === undefined ? "listing (it is empty)" : "listing and reading an object";
  return [{ ...finding, status: "ok", message: `without credentials, ${tried} is refused` }];
}

/** Such a server keeps nobody out, and nobody but this computer can reach it. */
function isOnThisComputer(endpointUrl: string | undefined): boolean {
  return (
    endpointUrl !== undefined && /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/.test(endpointUrl)
  );
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

async function anyKey(
  aws: Aws,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for await (const { objects } of listObjects(aws, { bucket, pageSize: 1, signal })) return objects[0]?.key;
  return undefined;
}
