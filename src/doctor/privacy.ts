import { readPolicyIsPublic } from "../aws/s3/bucket-policy.ts";
import type { Aws } from "../aws/clients.ts";
import type { Reading } from "../aws/setting.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { publicUrl } from "../model/urls.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";
import type { AnonymousAnswer, Outside } from "./outside.ts";

/** What came of trying to get into a private bucket. */
export interface PrivacyFacts {
  /** Whether S3 counts the policy as public. */
  readonly isPublic: Reading<boolean>;
  readonly listing: AnonymousAnswer;
  /** Of an object that is really in it; undefined where it is empty. */
  readonly reading: AnonymousAnswer | undefined;
}

/**
 * Tries to list a private bucket, and to read an object that is really in it, as anybody out there; and asks S3
 * whether it counts the policy as public.
 */
export async function tryPrivacy(
  { aws, outside }: { aws: Aws; outside: Outside },
  bucket: string,
): Promise<PrivacyFacts> {
  const { region, endpointUrl } = aws;
  const addressOf = (key: string) => publicUrl({ bucket, key, region, endpointUrl });
  const [reading, isPublic, listing] = await Promise.all([
    anyKey(aws, bucket, outside.signal).then((key) =>
      key === undefined ? undefined : outside.anonymousGet(addressOf(key)),
    ),
    readPolicyIsPublic(aws, bucket, outside.signal),
    outside.anonymousGet(`${addressOf("")}?list-type=2&max-keys=1`),
  ]);
  return { isPublic, listing, reading };
}

/**
 * Each of the three must be refused. Anything but content and a refusal, such as a redirect, a server's failure or no answer,
 * says neither that the bucket is open nor that it is closed. `isDeclaredClosed`: the settings that keep the public out are as
 * declared.
 */
export function privacyFindings(
  bucket: string,
  { isPublic, listing, reading }: PrivacyFacts,
  { isDeclaredClosed, endpointUrl }: { isDeclaredClosed: boolean; endpointUrl: string | undefined },
): DoctorFinding[] {
  const tries = [
    { what: "list" as const, answer: listing },
    ...(reading === undefined ? [] : [{ what: "read" as const, answer: reading }]),
  ];
  const isPolicyPublic = isPublic === true;
  const open = tries.filter(({ answer }) => isOpen(answer.status)).map(tried);
  const unknown = tries
    .filter(({ answer }) => !isOpen(answer.status) && !isRefusal(answer.status))
    .map(tried);
  const finding: About = { check: "privacy", subject: bucket };
  const values = { isPolicyPublic, open, unknown };
  if (open.length > 0 && !isPolicyPublic && isDeclaredClosed && isOnThisComputer(endpointUrl))
    return [{ ...finding, ...told("warning", "bucket-open-here", values) }];
  if (isPolicyPublic || open.length > 0) return [{ ...finding, ...told("problem", "bucket-open", values) }];
  if (unknown.length > 0) {
    const hints = tries.flatMap(({ answer }) => (answer.status === undefined ? (answer.hint ?? []) : []));
    return [{ ...finding, ...told("warning", "bucket-unknown", { ...values, hint: hints[0] }) }];
  }
  const refused = reading === undefined ? "listing (it is empty)" : "listing and reading an object";
  return [{ ...finding, status: "ok", message: `without credentials, ${refused} is refused` }];
}

function tried<What>({ what, answer }: { readonly what: What; readonly answer: AnonymousAnswer }) {
  return { what, by: answer.status === undefined ? answer.why : `HTTP ${answer.status}` };
}

/** Such a server keeps nobody out, and nobody but this computer can reach it. */
function isOnThisComputer(endpointUrl: string | undefined): boolean {
  return (
    endpointUrl !== undefined && /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/.test(endpointUrl)
  );
}

function isRefusal(status: number | undefined): boolean {
  return status === 401 || status === 403;
}

function isOpen(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

async function anyKey(
  aws: Aws,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for await (const { objects } of listObjects(aws, { bucket, pageSize: 1, signal })) return objects[0]?.key;
  return undefined;
}
