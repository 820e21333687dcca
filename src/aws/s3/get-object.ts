import type { GetObjectCommand, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { CliError } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import { isLate, repeats } from "../cuts.ts";
import { tellOrigin } from "../explain/error-origin.ts";
import type { Verification } from "./verification.ts";

export interface GetObject {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string;
  /** First and last byte, both included; without the last one up to the end. */
  readonly range?: { readonly first: number; readonly last?: number | undefined };
  /** Answers 412 once the object has another ETag. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

/** So many bytes before nothing came any more are worth waiting for more. */
const worthBytes = 64 * 1024;

/** Asks for an object: the answer without the SDK's check of the body, which `wholeBody` gives. */
export async function requestObject(aws: Aws, get: GetObject): Promise<GetObjectCommandOutput> {
  const [s3, { GetObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const command = new GetObjectCommand({
    Bucket: get.bucket,
    Key: get.key,
    VersionId: get.version,
    IfMatch: get.ifMatch,
    Range: get.range === undefined ? undefined : `bytes=${get.range.first}-${get.range.last ?? ""}`,
    ChecksumMode: "ENABLED",
  });
  leaveBodyUnchecked(command);
  return s3.send(command, { abortSignal: get.signal });
}

/**
 * Keeps the SDK from summing up the body once more, in JavaScript and for whole objects only: what is read here is checked also
 * where a connection broke on the way. The SDK decides after the answer, by the input.
 */
function leaveBodyUnchecked(command: GetObjectCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      delete args.input.ChecksumMode;
      return next(args);
    },
    { step: "build", name: "leaveBodyUnchecked" },
  );
}

/**
 * The bytes of an answer, to be read to their end or left (which ends the answer). The SDK repeats a request that failed, but not a
 * body that broke off: here it goes on from where it broke, as long as the object is the same one (else S3's 412 passes).
 * @throws CliError in the end when the bytes are not those that S3 holds.
 */
export async function* wholeBody(
  aws: Aws,
  get: GetObject,
  { answer, verification }: { answer: GetObjectCommandOutput; verification?: Verification },
): AsyncGenerator<Uint8Array, void> {
  const { ContentLength: totalBytes, ETag: ifMatch } = answer;
  const first = get.range?.first ?? 0;
  const tries = repeats(aws.limits, get.signal);
  let part = answer;
  let receivedBytes = 0;
  for (;;) {
    const before = receivedBytes;
    let failure: unknown = brokenOff();
    try {
      for await (const chunk of bodyOf(part)) {
        receivedBytes += chunk.byteLength;
        if (totalBytes !== undefined && receivedBytes > totalBytes) throw tooLong(get.key);
        verification?.update(chunk);
        yield chunk;
      }
      if (totalBytes === undefined || receivedBytes === totalBytes) break;
    } catch (error) {
      get.signal?.throwIfAborted();
      if (receivedBytes === totalBytes) break;
      failure = error;
    }
    const gained = receivedBytes - before;
    if (gained >= worthBytes || (gained > 0 && !isLate(failure))) tries.advanced();
    if (ifMatch === undefined || !(await tries.again(failure))) throw ofGet(failure, aws, get);
    part = await requestObject(aws, {
      ...get,
      ifMatch,
      range: { first: first + receivedBytes, last: get.range?.last },
    });
    const leftBytes = totalBytes === undefined ? undefined : totalBytes - receivedBytes;
    // A server that knows no ranges begins anew.
    if (part.ContentLength !== leftBytes) throw ofGet(failure, aws, get);
  }
  if (verification === undefined || verification.matches()) return;
  throw new CliError(`${get.key}: the bytes received are not those that S3 holds (${verification.by})`, {
    hint: "Run the command again; if it happens again, the object or the way to it is damaged.",
  });
}

function brokenOff(): Error {
  return Object.assign(new Error("the answer ended before its end"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}

function tooLong(key: string): CliError {
  return new CliError(`${key}: the server sends more bytes than it said`);
}

/** As the SDK's own errors are known by what was asked. */
function ofGet(error: unknown, aws: Aws, { bucket, key }: GetObject): unknown {
  tellOrigin(error, { service: "s3", operation: "GetObject", endpoint: aws.endpointUrl, bucket, key });
  return error;
}

/** On Node the body is a Readable; the SDK types it for browsers, too. */
function bodyOf(answer: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
  return (answer.Body ?? emptyBody()) as AsyncIterable<Uint8Array>;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
