import type { LocalResponse } from "../service.ts";
import { policySignature, sameSignature } from "../sigv4.ts";
import { type Call, bucketOf, respond } from "./call.ts";
import { checksumAlgorithms, checksumHeader } from "./checksums.ts";
import { keepingUnlessFailed, storeBytes } from "./content.ts";
import { describe } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { readForm } from "./form.ts";
import { checkKey } from "./names.ts";
import { checkPostPolicy, parsePostPolicy } from "./post-policy.ts";
import { writtenHeaders } from "./put-object.ts";
import { receive } from "./receive.ts";
import { parseTagging, maxObjectTags } from "./tags.ts";
import { commitObject, withKeys } from "./versions.ts";
import { el, errorDocument, parseXml } from "./xml.ts";

/**
 * A browser's form upload: `multipart/form-data` with a signed policy, the file last.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export async function postObject(call: Call): Promise<LocalResponse> {
  const { name } = bucketOf(call);
  const form = await readForm(call.headers["content-type"] ?? "", call.request.body);
  const fields = new Map(form.fields);
  const pattern = fields.get("key");
  if (pattern === undefined) {
    throw new S3Fault("InvalidArgument", {
      message:
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    });
  }
  const key = pattern.replaceAll("${filename}", form.fileName);
  if (key === "") throw new S3Fault("UserKeyMustBeSpecified");
  checkKey(key);
  const limits = authorise(call, fields, { bucket: name, key });

  const headers: Record<string, string> = {};
  for (const [field, value] of fields) headers[field] = value;
  if (headers["acl"] !== undefined) headers["x-amz-acl"] = headers["acl"];
  const description = describe(headers, bucketOf(call));
  const tagging = fields.get("tagging");
  const tags =
    tagging === undefined
      ? description.tags
      : parseTagging(await parseXml(tagging, "Tagging"), maxObjectTags);

  const content = await storeBytes(call.store, call.request.signal, async (write) => {
    let bytes = 0;
    const received = await receiveFile(call, { ...form, fields }, async (piece) => {
      bytes += piece.length;
      if (bytes > limits.max) {
        throw new S3Fault("EntityTooLarge", { fields: { ProposedSize: bytes, MaxSizeAllowed: limits.max } });
      }
      await write(piece);
    });
    if (bytes < limits.min) {
      throw new S3Fault("EntityTooSmall", { fields: { ProposedSize: bytes, MinSizeAllowed: limits.min } });
    }
    return received;
  });
  return await keepingUnlessFailed(content, () =>
    withKeys(call.store, { bucket: name, keys: [key] }, async (bucket) => {
      const object = await commitObject(
        call,
        { bucket, key },
        { description: { ...description, tags }, content },
      );
      const path = encodeURIComponent(key).replaceAll("%2F", "/");
      const location = `http://${call.headers["host"] ?? "localhost"}/${name}/${path}`;
      const written = { ...writtenHeaders(bucket, object), location };
      return success(fields, { bucket: name, key, etag: content.etag, headers: written });
    }),
  );
}

/** The file as a body of its own: its length is known only at its end, its checksum comes in a field. */
async function receiveFile(
  call: Call,
  form: { readonly fields: ReadonlyMap<string, string>; readonly file: AsyncIterable<Uint8Array> },
  write: (bytes: Uint8Array) => Promise<void>,
) {
  const headers: Record<string, string> = {};
  for (const name of [...checksumAlgorithms.map(checksumHeader), "content-md5"]) {
    const value = form.fields.get(name);
    if (value !== undefined) headers[name] = value;
  }
  const request = { ...call.request, headers, body: form.file };
  const sender = { kind: "anonymous" as const };
  return await receive(
    { ...call, request, headers, sender },
    { checksum: "CRC64NVME", write, lengthUnknown: true },
  );
}

/** Checks who signed the form and what its policy permits. A form without policy is an anonymous upload. */
function authorise(
  call: Call,
  fields: ReadonlyMap<string, string>,
  place: { readonly bucket: string; readonly key: string },
): { readonly min: number; readonly max: number } {
  const text = fields.get("policy");
  if (text === undefined) {
    if (!call.may("s3:PutObject", { key: place.key })) throw new S3Fault("AccessDenied");
    return { min: 0, max: Infinity };
  }
  const { credentials, now } = call.store.options;
  const credential = fields.get("x-amz-credential") ?? "";
  const slash = credential.indexOf("/");
  const scope = credential.slice(slash + 1);
  const timestamp = fields.get("x-amz-date") ?? "";
  if (
    fields.get("x-amz-algorithm") !== "AWS4-HMAC-SHA256" ||
    slash < 1 ||
    !/^\d{8}T\d{6}Z$/.test(timestamp)
  ) {
    throw new S3Fault("InvalidArgument", {
      message:
        "Bucket POST must contain a field named 'X-Amz-Algorithm', 'X-Amz-Credential' and 'X-Amz-Date'.",
    });
  }
  if (credential.slice(0, slash) !== credentials.accessKeyId) throw new S3Fault("InvalidAccessKeyId");
  const signature = policySignature(credentials.secretAccessKey, scope, text);
  if (!sameSignature(signature, fields.get("x-amz-signature") ?? "")) {
    throw new S3Fault("SignatureDoesNotMatch");
  }
  const policy = parsePostPolicy(text);
  return checkPostPolicy(policy, new Map(fields).set("bucket", place.bucket).set("key", place.key), now());
}

function success(
  fields: ReadonlyMap<string, string>,
  done: { bucket: string; key: string; etag: string; headers: Record<string, string> },
): LocalResponse {
  const redirect = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (redirect !== undefined && URL.canParse(redirect)) {
    const target = new URL(redirect);
    target.searchParams.set("bucket", done.bucket);
    target.searchParams.set("key", done.key);
    target.searchParams.set("etag", `"${done.etag}"`);
    return respond(303, { ...done.headers, location: target.href });
  }
  const status = fields.get("success_action_status");
  if (status === "200") return respond(200, done.headers);
  if (status !== "201") return respond(204, done.headers);
  const document = errorDocument(
    el("Location", done.headers["location"]),
    el("Bucket", done.bucket),
    el("Key", done.key),
    el("ETag", `"${done.etag}"`),
  ).replaceAll(/(<\/?)Error>/g, "$1PostResponse>");
  return respond(201, { ...done.headers, "content-type": "application/xml" }, document);
}
