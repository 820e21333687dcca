import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { LocalOptions, LocalRequest, LocalResponse, LocalService } from "../service.ts";
import { verify } from "../sigv4.ts";
import { isAllowed } from "./access.ts";
import { openBlobs } from "./blobs.ts";
import { type Call, type Store, accountId, bucketOf, respond } from "./call.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { S3Fault } from "./fault.ts";
import { createLocks } from "./locks.ts";
import { openObjectIndex } from "./object-index.ts";
import { type Operation, operationOf } from "./operations.ts";
import { postObject } from "./post-object.ts";
import { type InsidePut, putInside } from "./put-inside.ts";
import { parametersOf, targetOf } from "./target.ts";
import { el, errorDocument } from "./xml.ts";

/**
 * Opens the S3 end of a local store in `folder`, which is made when it is not there. One process at a time: the
 * index refuses a second. What a crash left behind is cleaned up first, in time that does not grow with the store.
 */
export async function openS3(
  folder: string,
  options: LocalOptions,
): Promise<LocalService & { put(put: InsidePut): Promise<void> }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const index = await openObjectIndex(join(folder, "index"));
  const blobs = await openBlobs(join(folder, "blobs"), index);
  const store: Store = { index, blobs, locks: createLocks(), options };
  return {
    handle: (request) => handle(store, request),
    put: (put) => putInside(store, put),
    async close() {
      await blobs.close();
      await index.close();
    },
  };
}

async function handle(store: Store, request: LocalRequest): Promise<LocalResponse> {
  const ids = {
    "x-amz-request-id": randomBytes(8).toString("hex").toUpperCase(),
    "x-amz-id-2": randomBytes(48).toString("base64"),
  };
  const common = { ...ids, date: store.options.now().toUTCString(), server: "AmazonS3" };
  let cors: Record<string, string> = {};
  let response: LocalResponse;
  try {
    const target = targetOf(request);
    const bucket = target.bucket === undefined ? undefined : store.index.bucket(target.bucket);
    cors = corsHeaders(bucket, { headers: request.headers, request });
    response = await answer(store, request, target);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    response = refusal(error, request, ids);
  }
  const headers = { ...common, ...cors, ...response.headers };
  return request.method === "HEAD"
    ? { ...response, headers, body: new Uint8Array() }
    : { ...response, headers };
}

async function answer(store: Store, request: LocalRequest, target: Call["target"]): Promise<LocalResponse> {
  const query = parametersOf(request);
  const anonymous = callOf(store, request, { target, query, sender: { kind: "anonymous" } });
  if (request.method === "OPTIONS") return await preflight(anonymous);
  if (isForm(request) && target.bucket !== undefined && target.key === undefined) {
    return await postObject(anonymous);
  }
  const verdict = verify(request, {
    credentials: store.options.credentials,
    now: store.options.now,
    service: "s3",
    region: store.options.region,
  });
  if (verdict.kind === "fault") {
    const { code, message, region } = verdict;
    // In a header too, as S3 does: the answer to a HEAD has no body.
    const told =
      region === undefined ? {} : { fields: { Region: region }, headers: { "x-amz-bucket-region": region } };
    throw new S3Fault(code, { message, ...told });
  }
  const call = callOf(store, request, { target, query, sender: verdict });
  const operation = operationOf(call);
  await authorise(call, operation);
  return await operation.run(call);
}

function callOf(store: Store, request: LocalRequest, parts: Pick<Call, "target" | "query" | "sender">): Call {
  const call: Call = {
    store,
    request,
    headers: { ...linkHeaders(parts), ...request.headers },
    ...parts,
    now: store.options.now(),
    may(action, place = {}) {
      const asked = { store, request, query: parts.query, sender: parts.sender };
      return isAllowed({ ...asked, bucket: place.bucket ?? bucketOf(call) }, action, { key: place.key });
    },
  };
  return call;
}

/** A presigned link carries in its query what its maker wanted said in headers of the upload. */
function linkHeaders({ sender, query }: Pick<Call, "sender" | "query">): Record<string, string> {
  if (sender.kind === "anonymous" || sender.by !== "query") return {};
  return Object.fromEntries(
    [...query]
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) =>
        /^x-amz-(meta-|tagging|storage-class|acl|server-side-encryption|website)/.test(name),
      ),
  );
}

/** Throws AccessDenied, NoSuchBucket. */
async function authorise(call: Call, operation: Operation): Promise<void> {
  const { sender, store, target, headers } = call;
  const expected = headers["x-amz-expected-bucket-owner"];
  if (expected !== undefined && expected !== accountId) throw new S3Fault("AccessDenied");
  if (target.bucket === undefined || operation.action === "CreateBucket") {
    if (sender.kind === "anonymous") throw new S3Fault("AccessDenied");
    return;
  }
  const bucket = bucketOf(call);
  if (operation.decidesItself === true) return;
  // Only a few policies and ACLs look at the object itself.
  const looks = /existingobjecttag/i.test(bucket.policy ?? "") || bucket.ownership !== "BucketOwnerEnforced";
  const newest =
    looks && target.key !== undefined ? await store.index.newest(bucket.name, target.key) : undefined;
  const object = newest?.deleteMarker === true ? undefined : newest;
  const asked = { store, request: call.request, query: call.query, sender, bucket };
  if (!isAllowed(asked, `s3:${operation.action}`, { key: target.key, object })) {
    throw new S3Fault("AccessDenied");
  }
}

function isForm(request: LocalRequest): boolean {
  return request.method === "POST" && /^multipart\/form-data\b/i.test(request.headers["content-type"] ?? "");
}

function refusal(fault: S3Fault, request: LocalRequest, ids: Record<string, string>): LocalResponse {
  if (fault.status === 304) return respond(304, fault.headers);
  const document = errorDocument(
    el("Code", fault.code),
    el("Message", fault.message),
    Object.entries(fault.fields).map(([name, value]) => el(name, value)),
    el("Resource", request.path),
    el("RequestId", ids["x-amz-request-id"]),
    el("HostId", ids["x-amz-id-2"]),
  );
  return respond(fault.status, { ...fault.headers, "content-type": "application/xml" }, document);
}
