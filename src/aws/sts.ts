import type { Aws } from "./clients.ts";
import { abortable } from "./s3/objects.ts";

/** Who the credentials belong to, and what is known of them. */
export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  /** End of temporary credentials; undefined for permanent ones. */
  readonly expiresAt: Date | undefined;
  /** Where the credentials came from, where the SDK tells. */
  readonly source: string | undefined;
  /** The local clock minus the server's, in milliseconds; HTTP tells whole seconds. */
  readonly clockSkewMs: number | undefined;
}

/**
 * Asks STS who the caller is. Needs no permission; every valid AWS credential may ask. The clock is compared with the
 * `Date` of the answer: the SDK corrects a clock that is off by itself, so that the answer comes all the same.
 */
export async function callerIdentity(aws: Aws, signal?: AbortSignal): Promise<CallerIdentity> {
  const [sts, { GetCallerIdentityCommand }] = await Promise.all([aws.sts(), import("@aws-sdk/client-sts")]);
  let clockSkewMs: number | undefined;
  const command = new GetCallerIdentityCommand({});
  command.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      clockSkewMs = skewOf(answer.response as { headers?: Record<string, string> });
      return answer;
    },
    { step: "deserialize", name: "readServerTime", priority: "low" },
  );
  const answer = await sts.send(command, abortable(signal));
  const credentials = await sts.config.credentials();
  return {
    account: answer.Account ?? "",
    arn: answer.Arn ?? "",
    userId: answer.UserId ?? "",
    expiresAt: credentials.expiration,
    source: sourceOf(credentials),
    clockSkewMs,
  };
}

/** The local clock minus the time in an answer's headers; undefined when they hold none. */
function skewOf({ headers = {} }: { headers?: Record<string, string> }): number | undefined {
  const serverTime = Date.parse(headers["date"] ?? "");
  return Number.isNaN(serverTime) ? undefined : Date.now() - serverTime;
}

/** What the SDK notes on credentials on their way through the chain; the first name that applies is the origin. */
const sources = [
  ["CREDENTIALS_ENV_VARS", "environment variables"],
  ["CREDENTIALS_SSO", "AWS SSO"],
  ["CREDENTIALS_SSO_LEGACY", "AWS SSO"],
  ["CREDENTIALS_LOGIN", "aws login"],
  ["CREDENTIALS_PROFILE_LOGIN", "aws login"],
  ["CREDENTIALS_STS_ASSUME_ROLE_WEB_ID", "a web identity token"],
  ["CREDENTIALS_STS_ASSUME_ROLE", "an assumed role"],
  ["CREDENTIALS_PROCESS", "credential_process"],
  ["CREDENTIALS_PROFILE_PROCESS", "credential_process"],
  ["CREDENTIALS_HTTP", "the container"],
  ["CREDENTIALS_IMDS", "the instance"],
  ["CREDENTIALS_PROFILE", "a profile"],
  ["CREDENTIALS_CODE", "the program"],
] as const;

function sourceOf(credentials: object): string | undefined {
  const noted = "$source" in credentials ? credentials.$source : undefined;
  if (typeof noted !== "object" || noted === null) return undefined;
  return sources.find(([name]) => name in noted)?.[1];
}
