import { CliError } from "../../errors.ts";
import { errorOrigin, type ErrorOrigin } from "./error-origin.ts";
import { explainBackups } from "./explain-backups.ts";
import { isUnreadable, isUnsupported } from "../setting.ts";
import { explainCredentials, isAboutTime } from "./explain-credentials.ts";
import { explainNetwork, noAws } from "./explain-network.ts";
import { isForeignAnswer, type ExplainContext, type Explanation, type Facts } from "./facts.ts";
import { iamAction } from "./iam-action.ts";

/**
 * What an SDK error means for the user and what to do next; undefined for everything that is not understood, and for
 * aborts. The error stays the `cause`, with the request id, for `--verbose`. Where several causes look alike the
 * answer's own words come before the status: S3 answers 403 also for a wrong clock or key.
 */
export function explain(error: unknown, context: ExplainContext): CliError | undefined {
  if (!(error instanceof Error) || error.name === "AbortError") return undefined;
  const facts = factsOf(error, context);
  for (const look of [
    explainCredentials,
    noAws,
    clock,
    region,
    missing,
    archived,
    explainBackups,
    unoffered,
    throttled,
    conflict,
    size,
    integrity,
    denied,
    outage,
  ]) {
    const explanation = look(facts);
    if (explanation !== undefined) return asCliError(explanation, error);
  }
  const other = explainNetwork(facts) ?? unreadable(facts);
  return other === undefined ? undefined : asCliError(other, error);
}

function asCliError([message, hint]: Explanation, cause: Error): CliError {
  return new CliError(message, hint === undefined ? { cause } : { hint, cause });
}

function factsOf(error: Error, context: ExplainContext): Facts {
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  return {
    error,
    name: error.name,
    message: error.message,
    status: $metadata?.httpStatusCode,
    fields: error as unknown as Record<string, unknown>,
    headers: $response?.headers ?? {},
    origin: errorOrigin(error),
    context,
  };
}

function clock({ name, message }: Facts): Explanation | undefined {
  const skewed =
    name === "RequestTimeTooSkewed" || name === "RequestExpired" || name === "RequestInTheFuture";
  if (!skewed && !(name === "InvalidSignatureException" && isAboutTime(message))) return undefined;
  return [
    "the clock of this computer differs too much from AWS's",
    "Set it by the network (timedatectl set-ntp true) and try again; mawps doctor shows the difference.",
  ];
}

function region({ name, message, status, fields, headers, origin, context }: Facts): Explanation | undefined {
  if (name === "TemporaryRedirect" || status === 307) {
    return [
      `S3 sends requests for bucket ${origin?.bucket ?? ""} elsewhere for now, as it does while a bucket is new`,
      "Try again in an hour, or pass --region if the bucket is in another one.",
    ];
  }
  const told =
    headers["x-amz-bucket-region"] ??
    (typeof fields["Region"] === "string" ? fields["Region"] : /expecting '([a-z0-9-]+)'/.exec(message)?.[1]);
  const redirected =
    name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed" || status === 301;
  // A HEAD answer has no body: there the header alone tells.
  const elsewhere =
    status === 400 && told !== undefined && told !== context.region && origin?.service === "s3";
  if (!redirected && !elsewhere) return undefined;
  const bucket = origin?.bucket === undefined ? "the bucket" : `bucket ${origin.bucket}`;
  return told === undefined
    ? [
        `${bucket} is not in region ${context.region ?? "configured"}`,
        "Pass the bucket's region with --region.",
      ]
    : [
        `${bucket} is in region ${told}, not ${context.region ?? "the one configured"}`,
        `Pass --region ${told}.`,
      ];
}

function missing({ name, status, fields, origin }: Facts): Explanation | undefined {
  if (name === "NoSuchBucket" || (origin?.operation === "HeadBucket" && status === 404)) {
    const bucket = origin?.bucket ?? fields["BucketName"];
    return [
      `bucket ${String(bucket)} does not exist`,
      "Check its name, the account and the profile; `mawps setup` makes the site's own buckets.",
    ];
  }
  if (name === "NoSuchKey" || name === "NoSuchVersion") {
    return [`no object ${origin?.key ?? ""} in bucket ${origin?.bucket ?? ""}`];
  }
  if (name === "NoSuchUpload") {
    return [
      `the unfinished upload of ${origin?.key ?? "the object"} is gone: finished, removed or expired meanwhile`,
      "Run the upload again.",
    ];
  }
  if (name === "ResourceNotFoundException" && origin?.service === "dynamodb") {
    return [
      `table ${origin.table ?? ""} does not exist`,
      "Check its name, the region and the profile; `mawps setup` makes the site's own tables.",
    ];
  }
  if (name === "ResourceNotFoundException" && origin?.service === "cognito") {
    return ["the Cognito user pool does not exist", "Check userPoolId, the region and the profile."];
  }
  return undefined;
}

const services = {
  s3: "S3",
  dynamodb: "DynamoDB",
  cognito: "Cognito",
  cloudwatch: "CloudWatch",
  autoscaling: "Application Auto Scaling",
  sts: "STS",
  kms: "KMS",
  iam: "IAM",
} as const;

function unoffered({ error, origin, context }: Facts): Explanation | undefined {
  if (origin === undefined || !isUnsupported(error)) return undefined;
  const who = origin.endpoint ?? context.endpointUrl ?? "the server";
  return [
    `${who} does not offer the action ${origin.operation} of ${services[origin.service]}`,
    "This command needs it, and does not work on that server; on AWS it does. `mawps doctor` shows what else is missing.",
  ];
}

function archived({ name, fields, origin }: Facts): Explanation | undefined {
  if (name !== "InvalidObjectState") return undefined;
  const { bucket, key } = origin ?? {};
  // What S3 has archived by itself (Intelligent-Tiering) comes back for good.
  const request = fields["AccessTier"] === undefined ? "Days=7" : "{}";
  const where = typeof fields["StorageClass"] === "string" ? ` (${fields["StorageClass"]})` : "";
  return [
    `${key ?? "the object"} is archived${where} and cannot be read until it is brought back`,
    `aws s3api restore-object --bucket ${bucket ?? "BUCKET"} --key '${key ?? "KEY"}' --restore-request ${request} brings it back within hours.`,
  ];
}

const throttling = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "TooManyRequestsException",
]);

function throttled({ name, status, origin }: Facts): Explanation | undefined {
  if (!throttling.has(name) && status !== 429) return undefined;
  const what = origin?.table ?? origin?.bucket;
  return [
    `AWS throttles the requests${what === undefined ? "" : ` to ${what}`}, also after several attempts`,
    "Wait a little and run the command again; it goes on where it stopped.",
  ];
}

function conflict({ name, status, origin }: Facts): Explanation | undefined {
  const conditional =
    name === "PreconditionFailed" ||
    name === "ConditionalRequestConflict" ||
    name === "ConditionalCheckFailedException" ||
    name === "TransactionConflictException" ||
    status === 412;
  if (!conditional) return undefined;
  const what = origin?.key ?? (origin?.table === undefined ? "it" : `an item of ${origin.table}`);
  return [
    `somebody else changed ${what} in the meantime; nothing was overwritten`,
    "Look at it, then run the command again.",
  ];
}

function size({ name, message, origin }: Facts): Explanation | undefined {
  if (name === "EntityTooLarge")
    return [`${origin?.key ?? "the object"} is larger than S3 takes in one call (5 GiB)`];
  if (name !== "ValidationException" || !/item size.*(exceeded|exceeds)/i.test(message)) return undefined;
  return [
    `the item of ${origin?.table ?? "the table"} would be larger than the 400 KB that DynamoDB holds`,
    "Nothing was changed. Move large texts or old entries elsewhere first.",
  ];
}

function integrity({ name, origin }: Facts): Explanation | undefined {
  if (name !== "BadDigest" && name !== "InvalidDigest" && name !== "XAmzContentChecksumMismatch")
    return undefined;
  return [
    `the bytes of ${origin?.key ?? "the object"} were changed on their way; S3 refused them`,
    "Run the command again; if it happens again, look at the proxy, network card or memory in between.",
  ];
}

function denied({ name, message, status, origin }: Facts): Explanation | undefined {
  const isDenied =
    ["AccessDenied", "AccessDeniedException", "AllAccessDisabled", "NotAuthorizedException"].includes(name) ||
    (status === 403 && (name === "Unknown" || name === "Forbidden" || name === "403"));
  if (!isDenied) return undefined;
  const told = /not authorized to perform: (\S+)(?: on resource: (\S+))?/.exec(message);
  const action = told?.[1] ?? (origin === undefined ? undefined : iamAction(origin));
  const resource = told?.[2]?.replaceAll(/^"|"$/g, "") ?? resourceOf(origin);
  const on = resource === undefined ? "" : ` on ${resource}`;
  if (action === undefined) return [`AWS denies access${on}`];
  const explicit = /explicit deny/.test(message);
  return [
    `access denied: ${action}${on}`,
    explicit
      ? "A policy denies it explicitly; allowing it elsewhere does not help."
      : `Ask for a policy that allows it, or use another profile.${headNote(origin)}`,
  ];
}

/** S3 hides whether an object exists from those who may not list the bucket. */
function headNote(origin: ErrorOrigin | undefined): string {
  const reads = origin?.operation === "HeadObject" || origin?.operation === "GetObject";
  return reads ? " Without s3:ListBucket a missing object is answered the same way." : "";
}

function resourceOf(origin: ErrorOrigin | undefined): string | undefined {
  if (origin?.table !== undefined) return `table ${origin.table}`;
  if (origin?.bucket === undefined) return undefined;
  return origin.key === undefined ? `bucket ${origin.bucket}` : `${origin.bucket}/${origin.key}`;
}

function outage({ name, message, status, origin }: Facts): Explanation | undefined {
  if (status === undefined || status < 500 || status === 501) return undefined;
  const who = origin?.endpoint ?? "AWS";
  if (isForeignAnswer({ name, message })) {
    return [
      `${who} answered ${status} to ${origin?.operation ?? "the request"}, with a page that is no answer of AWS`,
      "A server in AWS's place may not offer the action, or have failed at it: its own log tells.",
    ];
  }
  return [
    `${who} answered ${status} to ${origin?.operation ?? "the request"}, also after several attempts`,
    "Try again later.",
  ];
}

/** In the words of AWS, and with what AWS never answers, such as a text for a number. */
function unreadable({ error, origin }: Facts): Explanation | undefined {
  if (!isUnreadable(error)) return undefined;
  return [
    `what ${origin?.endpoint ?? "AWS"} answered to ${origin?.operation ?? "the request"} cannot be read`,
    "A server in AWS's place may not offer the action as AWS does: its own log tells.",
  ];
}
