import type { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createHmac } from "node:crypto";
import { CliError } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import type { ObjectName } from "./objects.ts";

/** S3's limit of a presigned link. */
const maxLinkSeconds = 7 * 24 * 3600;

export interface Link {
  /** A secret: whoever has it has the access. Never log it. */
  readonly url: string;
  /** When it really stops working: as asked, or earlier with the session that signed it. */
  readonly expiresAt: Date;
  /** Whether the session's end is the earlier one; `perhaps` when nothing tells when the session ends. */
  readonly endsWithSession: EndsWithSession;
}

export type EndsWithSession = boolean | "perhaps";

interface Validity {
  readonly expiresInSeconds: number;
  /** The time to sign for, so that callers keep their own clock. */
  readonly now: Date;
}

export interface PresignGet extends ObjectName, Validity {
  /** The name under which a browser saves the object. */
  readonly fileName?: string;
  /** Shows the object in the browser instead of saving it. */
  readonly inline?: boolean;
  readonly contentType?: string;
}

/** A link that reads one object. Nothing is sent; that the object exists is not checked. */
export async function presignGet(aws: Aws, link: PresignGet): Promise<Link> {
  const { GetObjectCommand } = await import("./sdk.ts");
  const command = new GetObjectCommand({
    Bucket: link.bucket,
    Key: link.key,
    VersionId: link.version,
    ResponseContentType: link.contentType,
    ResponseContentDisposition:
      link.fileName === undefined && link.inline === undefined
        ? undefined
        : contentDisposition(link.inline === true ? "inline" : "attachment", link.fileName),
  });
  return presign(aws, command, link);
}

export interface PresignPut extends Validity {
  readonly bucket: string;
  readonly key: string;
  /** Signed: the request must carry exactly this `Content-Type`. */
  readonly contentType: string;
  /** Signed as well: the body must have exactly this length. */
  readonly sizeBytes?: number;
  /** Signed as well: the request must carry it, and S3 refuses it where there is an object. */
  readonly ifNoneMatch?: "*" | undefined;
}

/** A link that writes one object by PUT. No checksum is asked of the sender, who may be a browser. */
export async function presignPut(aws: Aws, link: PresignPut): Promise<Link> {
  const { PutObjectCommand } = await import("./sdk.ts");
  const command = new PutObjectCommand({
    Bucket: link.bucket,
    Key: link.key,
    ContentType: link.contentType,
    ContentLength: link.sizeBytes,
    IfNoneMatch: link.ifNoneMatch,
  });
  return presign(aws, command, link);
}

async function presign(
  aws: Aws,
  command: GetObjectCommand | PutObjectCommand,
  validity: Validity,
): Promise<Link> {
  const { expiresInSeconds, now } = validity;
  assertValidity(expiresInSeconds);
  const [s3, { getSignedUrl }] = await Promise.all([aws.s3(), import("@aws-sdk/s3-request-presigner")]);
  // Asked for once, so that the end told is that of the credentials which sign.
  const credentials = await s3.config.credentials();
  const signing = Object.create(s3, {
    config: {
      value: {
        ...s3.config,
        credentials: async () => credentials,
        // The SDK's default would put the checksum of an empty body into the link.
        requestChecksumCalculation: async () => "WHEN_REQUIRED" as const,
        responseChecksumValidation: async () => "WHEN_REQUIRED" as const,
      },
    },
  }) as S3Client;
  const url = await getSignedUrl(signing, command, {
    expiresIn: expiresInSeconds,
    signingDate: now,
    signableHeaders: new Set(["host", "content-type", "content-length", "if-none-match"]),
  });
  return { url, ...effectiveEnd(validity, credentials) };
}

export interface PresignPost extends Validity {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  /** S3 refuses a body outside these bounds, both included. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

export interface PostForm extends Link {
  /** The form's fields, in order, to be followed by the field `file`. Secrets, like the link. */
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * A form that uploads one object from a browser with bounds on its size, which a presigned PUT does not have.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export async function presignPost(aws: Aws, post: PresignPost): Promise<PostForm> {
  assertValidity(post.expiresInSeconds);
  const s3 = await aws.s3();
  const credentials = await s3.config.credentials();
  const region = await s3.config.region();
  const dateTime = post.now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${dateTime.slice(0, 8)}/${region}/s3/aws4_request`;
  const signed = {
    key: post.key,
    "Content-Type": post.contentType,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${credentials.accessKeyId}/${scope}`,
    "x-amz-date": dateTime,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const policy = JSON.stringify({
    expiration: new Date(post.now.getTime() + post.expiresInSeconds * 1000).toISOString(),
    conditions: [
      { bucket: post.bucket },
      ...Object.entries(signed).map(([name, value]) => ({ [name]: value })),
      ["content-length-range", post.minBytes, post.maxBytes],
    ],
  });
  const encoded = Buffer.from(policy).toString("base64");
  const signingKey = scope
    .split("/")
    .reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${credentials.secretAccessKey}`);
  return {
    url: (await bucketEndpoint(s3, post.bucket)).url.href,
    fields: { ...signed, policy: encoded, "x-amz-signature": hmac(signingKey, encoded).toString("hex") },
    ...effectiveEnd(post, credentials),
  };
}

/**
 * `Content-Disposition` with the name twice (RFC 6266): in ASCII for old clients, and in UTF-8, which wins where it is
 * understood. Control characters would break the header, slashes and backslashes name folders, half a surrogate pair is no
 * character: all become `_`.
 */
export function contentDisposition(type: "attachment" | "inline", fileName?: string): string {
  if (fileName === undefined) return type;
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  const clean = fileName.replaceAll(/[\u0000-\u001f\u007f/\\\p{Surrogate}]/gu, "_");
  // Some browsers decode a percent sign in the plain form.
  const ascii = clean.replaceAll(/[^ -~]|%/gu, "_").replaceAll('"', "'");
  if (ascii === clean) return `${type}; filename="${clean}"`;
  const encoded = encodeURIComponent(clean).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${type}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

function assertValidity(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxLinkSeconds) {
    throw new CliError(`a link cannot be valid for ${seconds} seconds`, {
      hint: `S3 allows 1 to ${maxLinkSeconds} seconds (7 days).`,
    });
  }
}

function effectiveEnd(
  { now, expiresInSeconds }: Validity,
  { expiration, sessionToken }: { readonly expiration?: Date; readonly sessionToken?: string },
): Pick<Link, "expiresAt" | "endsWithSession"> {
  const asked = new Date(now.getTime() + expiresInSeconds * 1000);
  // A session in the environment comes without its end, unless AWS_CREDENTIAL_EXPIRATION is set.
  if (expiration === undefined) {
    return { expiresAt: asked, endsWithSession: sessionToken === undefined ? false : "perhaps" };
  }
  const endsWithSession = expiration < asked;
  return { expiresAt: endsWithSession ? expiration : asked, endsWithSession };
}

/**
 * Where the SDK would send a request for the bucket, path-style or virtual-hosted, custom endpoint or AWS, and how it would
 * sign it. It is asked by a call that ends before anything is sent: only on the way of one does the SDK look for endpoints in
 * AWS_ENDPOINT_URL_S3 and in its configuration files.
 */
export async function bucketEndpoint(s3: S3Client, bucket: string) {
  const { HeadBucketCommand } = await import("./sdk.ts");
  const command = new HeadBucketCommand({ Bucket: bucket });
  const found: ReturnType<typeof s3.config.endpointProvider>[] = [];
  command.middlewareStack.add(
    (_next, context) => async () => {
      if (context.endpointV2 !== undefined) found.push(context.endpointV2);
      return { response: undefined, output: { $metadata: {} } };
    },
    { step: "build", name: "endpointOnly", priority: "high" },
  );
  await s3.send(command);
  const [endpoint] = found;
  if (endpoint === undefined) throw new Error(`the SDK knows no endpoint for the bucket ${bucket}`);
  return { url: endpoint.url, authScheme: endpoint.properties?.authSchemes?.[0] };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
