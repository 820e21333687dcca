import type { ExplainContext, Explanation, Facts } from "./facts.ts";

/** Why there are no credentials, or none that hold: in the words of whoever should have given them. */
export function explainCredentials(facts: Facts): Explanation | undefined {
  return (
    unsendable(facts) ?? unreadableToken(facts) ?? unknownSession(facts) ?? notGiven(facts) ?? refused(facts)
  );
}

/** Node refuses to send a header with a line break in it; of those the SDK sends, only credentials come from outside. */
function unsendable({ error, message, context }: Facts): Explanation | undefined {
  if (!("code" in error) || error.code !== "ERR_INVALID_CHAR") return undefined;
  const what = message.includes("x-amz-security-token") ? "session token" : "access key";
  return [
    `the ${what}${inProfile(context)} holds a line break or another character that cannot be sent`,
    "Set it again without what was pasted or read along with it.",
  ];
}

/** On the way of a call, the SDK opens no other file that must be there. */
function unreadableToken({ error, origin }: Facts): Explanation | undefined {
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (origin === undefined || syscall !== "open" || path === undefined) return undefined;
  return [
    `cannot read the web identity token in ${path}`,
    "AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile, names it; whoever starts this program writes it.",
  ];
}

/** The SDK looks into the session without asking whether it is there. */
function unknownSession({ error, message, origin, context }: Facts): Explanation | undefined {
  if (origin === undefined || !(error instanceof TypeError) || !/'sso_(region|start_url)'/.test(message)) {
    return undefined;
  }
  return [
    `the sso_session${inProfile(context)} is not in the AWS configuration`,
    "It needs a section [sso-session NAME] in ~/.aws/config: aws configure sso writes both.",
  ];
}

/** What providers say that were not meant at all. */
const notMeant = [
  /^Not found in /,
  /^AWS_PROFILE is set, skipping/,
  /^Unable to find environment variable credentials/,
  /^Skipping SSO provider/,
  /is not configured with SSO credentials/,
  /was not found\.$/,
  /could not be found in shared credentials file/,
  /did not contain credential_process/,
  /^Web identity configuration not specified/,
  /metadata service/i,
  /not set in env, checking config file next/,
  /^(?!.*no answer within).*timed? ?out/i,
  /^connect E/,
  /^Could not load credentials from any providers/,
];

/** What only the provider of a container's credentials says. */
const ofContainer = /^URL not accepted|^Error: connect E/;

function notGiven({ name, message, origin, context }: Facts): Explanation | undefined {
  if (name !== "CredentialsProviderError" && name !== "TokenProviderError") return undefined;
  const profile = context.profile === undefined ? "" : ` --profile ${context.profile}`;
  const reasons = [...(origin?.refusals ?? []), message].filter(
    (reason) =>
      !notMeant.some((pattern) => pattern.test(reason)) &&
      !reason.includes(`[${context.profile ?? "default"}]`),
  );
  const reason = reasons.at(-1);
  if (reason !== undefined && /MFA code|multi-factor/i.test(reason)) {
    return [
      `the profile${named(context)} wants an MFA code, which mawps does not ask for`,
      `Get a session with it first: eval "$(aws configure export-credentials${profile} --format env)", then run the command without --profile.`,
    ];
  }
  if (
    reason !== undefined &&
    /SSO session|sso login|Session token not found|reauthenticate|expired/i.test(reason)
  ) {
    return [`the AWS session${inProfile(context)} has expired`, signIn(context)];
  }
  if (reason !== undefined && ofContainer.test(reason)) {
    return [
      `no credentials of the container: ${inOneLine(reason.replace("Error: ", ""))}`,
      "AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI says where to ask: mend it, or unset it.",
    ];
  }
  if (reason !== undefined) {
    return [
      `no credentials${inProfile(context)}: ${inOneLine(reason)}`,
      "Mend what the profile names, or use another one.",
    ];
  }
  if (context.profile !== undefined) {
    return [
      `no credentials found for profile "${context.profile}"`,
      `It must be in ~/.aws/config or ~/.aws/credentials, with a key and its secret or a role and its source (aws configure list-profiles shows them); with SSO: aws sso login${profile}.`,
    ];
  }
  return [
    "no AWS credentials found: no key with its secret in AWS_ACCESS_KEY_ID, ~/.aws/config or ~/.aws/credentials, and none from SSO, a web identity, the container (AWS_CONTAINER_CREDENTIALS_*) or the instance",
    "Sign in with aws sso login --profile NAME and pass --profile NAME, or run aws configure.",
  ];
}

/** A program that failed comes with its command line, then with what it said, which is the reason. */
function inOneLine(reason: string): string {
  const [, said] = /^Command failed: .*\n([^]*\S)/.exec(reason) ?? [];
  const text =
    said === undefined
      ? reason.replace(/^Command failed: [^]*/, "credential_process failed and said nothing")
      : `credential_process failed: ${said}`;
  return text.trim().replaceAll(/\s+/g, " ").slice(0, 300);
}

function refused({ name, message, context }: Facts): Explanation | undefined {
  switch (name) {
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
      return [`the AWS session${inProfile(context)} has expired`, signIn(context)];
    case "InvalidIdentityToken":
    case "InvalidIdentityTokenException":
    case "IDPRejectedClaim":
    case "IDPRejectedClaimException":
    case "IDPCommunicationErrorException":
      return [
        `AWS does not take the web identity token: ${message}`,
        "Whoever writes the token file must give a new one.",
      ];
    case "InvalidAccessKeyId":
    case "InvalidClientTokenId":
    case "InvalidToken":
    case "UnrecognizedClientException":
      return [
        `AWS does not know the access key${inProfile(context)}`,
        "It was deleted, belongs to another partition or server, or its session token is missing.",
      ];
    case "SignatureDoesNotMatch":
      return [
        `the secret access key${inProfile(context)} does not fit its access key`,
        "Check AWS_SECRET_ACCESS_KEY or the profile; a proxy that changes requests has the same effect.",
      ];
    case "InvalidSignatureException":
      if (isAboutTime(message)) return undefined;
      return [`the secret access key${inProfile(context)} does not fit its access key`];
    default:
      return message === "Region is missing"
        ? ["no AWS region is configured", "Pass --region, or set AWS_REGION."]
        : undefined;
  }
}

/** Whether a signature was refused for the time that it tells. */
export function isAboutTime(message: string): boolean {
  return /Signature (expired|not yet current)/.test(message);
}

function signIn({ profile }: ExplainContext): string {
  return `Sign in again: aws sso login${profile === undefined ? "" : ` --profile ${profile}`}, or whatever gave you these credentials.`;
}

function inProfile({ profile }: ExplainContext): string {
  return profile === undefined ? "" : ` of profile ${profile}`;
}

function named({ profile }: ExplainContext): string {
  return profile === undefined ? "" : ` ${profile}`;
}
