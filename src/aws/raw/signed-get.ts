import { createHash } from "node:crypto";
import { encodeKey } from "../../model/urls.ts";
import { answerParts, type EndAnswer } from "../anonymous.ts";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { bucketEndpoint } from "../s3/presign.ts";

/** A whole object by one request; undefined when S3 answers anything but 200. Rejects when no answer comes. */
export type SignedGet = (
  key: string,
  signal: AbortSignal | undefined,
) => Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined>;

const noBytes = createHash("sha256").digest("hex");

/**
 * GETs for many objects of a bucket, signed by the client's own signer and sent through its own end, but past the SDK's
 * middleware, which takes longer for a call than a megabyte takes to arrive. Nothing is sent twice and no error is explained:
 * what does not succeed is to be asked for again by the SDK. Undefined where a plain signature is not enough (access points
 * of several regions, directory buckets).
 */
export async function signedGets(aws: Aws, bucket: string): Promise<SignedGet | undefined> {
  const s3 = await aws.s3();
  const { config } = s3;
  const { url, authScheme } = await bucketEndpoint(s3, bucket);
  if (authScheme?.name !== "sigv4") return undefined;
  const signer = await config.signer(authScheme);
  const { signingRegion } = authScheme;
  const base = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;

  return async (key, signal) => {
    const request = {
      method: "GET",
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === "" ? {} : { port: Number(url.port) }),
      path: base + encodeKey(key),
      query: {},
      headers: { host: url.host, "user-agent": "mawps", "x-amz-content-sha256": noBytes },
    };
    const signingDate = new Date(Date.now() + config.systemClockOffset);
    const signed = await signer.sign(request, { signingDate, ...(signingRegion && { signingRegion }) });
    // Handlers read the fields of a request only; the class would have to be loaded for nothing.
    const { response } = await config.requestHandler.handle(signed as never, abortable(signal));
    const { statusCode, body } = response as unknown as EndAnswer;
    if (statusCode === 200) return answerParts(body);
    for await (const _part of answerParts(body)) break;
    return undefined;
  };
}
