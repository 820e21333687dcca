import { readPolicyIsPublic } from "../aws/s3/bucket-settings.ts";
import type { Aws } from "../aws/clients.ts";
import type { Reading } from "../aws/setting.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { publicUrl } from "../model/urls.ts";
import type { Finding } from "./finding.ts";
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
): Finding[] {
  const tries = [
    { what: "list it", answer: listing },
    ...(reading === undefined ? [] : [{ what: "read its objects", answer: reading }]),
  ];
  const faults = [
    ...(isPublic === true ? ["S3 counts its policy as public"] : []),
    ...tries.flatMap(({ what, answer }) =>
      isOpen(answer.status) ? [`anybody can ${what} (HTTP ${answer.status})`] : [],
    ),
  ];
  const unknown = tries.flatMap(({ what, answer }) =>
    isOpen(answer.status) || isRefusal(answer.status)
      ? []
      : [`whether anybody can ${what} is not known: ${reasonOf(answer)}`],
  );
  const finding = { check: "privacy", subject: bucket };
  const message = [...faults, ...unknown].join("; ");
  if (faults.length > 0 && isPublic !== true && isDeclaredClosed && isOnThisComputer(endpointUrl)) {
    return [
      {
        ...finding,
        status: "warning",
        message: `${message}: this server in AWS's place does not enforce its settings`,
        remedy: "keep real documents away from this server",
      },
    ];
  }
  if (faults.length > 0) {
    const remedy = "mawps setup --fix, then take public statements out of its policy";
    return [{ ...finding, status: "problem", message, remedy }];
  }
  if (unknown.length > 0) {
    const hints = tries.flatMap(({ answer }) => (answer.status === undefined ? (answer.hint ?? []) : []));
    return [{ ...finding, status: "warning", message, remedy: hints[0] ?? "run mawps doctor again later" }];
  }
  const tried = reading === undefined ? "listing (it is empty)" : "listing and reading an object";
  return [{ ...finding, status: "ok", message: `without credentials, ${tried} is refused` }];
}

function reasonOf(answer: AnonymousAnswer): string {
  return answer.status === undefined ? answer.why : `HTTP ${answer.status}`;
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
