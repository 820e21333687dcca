import { createHash } from "node:crypto";
import type { LocalOptions, LocalRequest } from "./service.ts";
import { verify } from "./sigv4.ts";

/** What the services refuse a request with that is not signed as it must be; the names are AWS's own. */
export interface SignatureFault {
  readonly type: string;
  readonly message: string;
}

/** The body of a request; undefined when it has more bytes than are taken. */
export async function readBody(request: LocalRequest, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What is wrong with the signature of a JSON request, in the words that DynamoDB and Cognito share. */
export function signatureFault(
  request: LocalRequest,
  body: Buffer,
  { service, credentials, now }: Pick<LocalOptions, "credentials" | "now"> & { readonly service: string },
): SignatureFault | undefined {
  const bodySha256 = createHash("sha256").update(body).digest("hex");
  const verdict = verify(request, { credentials, now, service, bodySha256 });
  if (verdict.kind === "authenticated") return undefined;
  if (verdict.kind === "anonymous") {
    return { type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" };
  }
  const { code, message } = verdict;
  if (code === "InvalidAccessKeyId") {
    const text = "The security token included in the request is invalid.";
    return { type: "UnrecognizedClientException", message: text };
  }
  if (code === "RequestTimeTooSkewed") {
    const text = `Signature expired or not yet current: ${message}`;
    return { type: "InvalidSignatureException", message: text };
  }
  const isIncomplete = code.startsWith("Authorization") || code === "InvalidRequest";
  return { type: isIncomplete ? "IncompleteSignatureException" : "InvalidSignatureException", message };
}
