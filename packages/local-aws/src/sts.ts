import { createHash, randomUUID } from "node:crypto";
import type { LocalOptions, LocalRequest, LocalResponse } from "./service.ts";
import { verify } from "./sigv4.ts";

/** What AWS's own documents use for an account that does not exist. */
const account = "000000000000";

/** A form of this size holds every call of STS; a longer one is none. */
const maxFormBytes = 64 * 1024;

/** STS has no name of its own in a request: its calls are forms posted to the root, and those of no other service are. */
export function isStsRequest(request: Pick<LocalRequest, "method" | "path" | "headers">): boolean {
  return (
    request.method === "POST" &&
    request.path === "/" &&
    (request.headers["content-type"] ?? "").toLowerCase().startsWith("application/x-www-form-urlencoded")
  );
}

/**
 * Answers `GetCallerIdentity`, the one call of STS that a local store can answer. Signatures are verified as by the
 * other services. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function answerSts(
  request: LocalRequest,
  options: Pick<LocalOptions, "credentials" | "now">,
): Promise<LocalResponse> {
  const form = await read(request);
  if (form === undefined) return fault(413, "RequestEntityTooLarge", "The request is too large.");
  const verdict = verify(request, {
    ...options,
    service: "sts",
    bodySha256: createHash("sha256").update(form).digest("hex"),
  });
  if (verdict.kind === "anonymous")
    return fault(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
  if (verdict.kind === "fault") {
    if (verdict.code === "InvalidAccessKeyId")
      return fault(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
    const incomplete = verdict.code.startsWith("Authorization") || verdict.code === "InvalidRequest";
    return fault(403, incomplete ? "IncompleteSignature" : "SignatureDoesNotMatch", verdict.message);
  }
  const action = new URLSearchParams(form.toString()).get("Action") ?? "";
  if (action !== "GetCallerIdentity")
    return fault(400, "InvalidAction", "The local store offers GetCallerIdentity only.");
  return respond(
    200,
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
      `<Arn>arn:aws:iam::${account}:root</Arn><UserId>${account}</UserId><Account>${account}</Account>` +
      `</GetCallerIdentityResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>` +
      `</GetCallerIdentityResponse>`,
  );
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

async function read(request: LocalRequest): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > maxFormBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function fault(status: number, code: string, message: string): LocalResponse {
  return respond(
    status,
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>` +
      `<Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function respond(status: number, xml: string): LocalResponse {
  const body = Buffer.from(xml);
  return { status, headers: { "content-type": "text/xml", "content-length": String(body.length) }, body };
}
