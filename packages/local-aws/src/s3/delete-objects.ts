import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, keyOf, respond, respondXml, wholeSeconds } from "./call.ts";
import { S3Fault } from "./fault.ts";
import { checkNotLocked } from "./object-lock.ts";
import { failed, names } from "./preconditions.ts";
import { bringsDigest, receiveText } from "./receive.ts";
import type { Bucket, DeleteMarker } from "./records.ts";
import {
  type Plan,
  checkVersionId,
  commit,
  planRemoval,
  planVersion,
  requestedVersion,
  withKeys,
} from "./versions.ts";
import { type Markup, childrenOf, el, optional, parseXml, textOf, xmlDocument } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const maxKeys = 1000;

interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  /** `If-Match` of the request or of the entry. */
  readonly etag: string | undefined;
}

interface Outcome {
  readonly plan: Plan;
  /** The version that was taken away, or the delete marker that was put. */
  readonly versionId: string | undefined;
  readonly deleteMarker: boolean;
}

/** DeleteObject: nothing to delete is no error. In a versioned bucket it only puts a delete marker. */
export async function deleteObject(call: Call): Promise<LocalResponse> {
  const { name } = bucketOf(call);
  const deletion = {
    key: keyOf(call),
    versionId: requestedVersion(call),
    etag: call.headers["if-match"],
  };
  return await withKeys(call.store, { bucket: name, keys: [deletion.key] }, async (bucket) => {
    const outcome = await planDeletion(call, bucket, deletion);
    if (outcome.plan.changes.length > 0) await commit(call.store, [outcome.plan]);
    return respond(204, {
      "x-amz-version-id": outcome.versionId,
      "x-amz-delete-marker": outcome.deleteMarker ? "true" : undefined,
    });
  });
}

/** DeleteObjects: every key by itself, so that one that is refused stops no other. */
export async function deleteObjects(call: Call): Promise<LocalResponse> {
  const { name } = bucketOf(call);
  if (!bringsDigest(call)) {
    throw new S3Fault("InvalidRequest", {
      message: "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    });
  }
  const document = await parseXml(await receiveText(call), "Delete");
  const deletions = childrenOf(document, "Object").map((entry): Deletion => {
    const key = childrenOf(entry, "Key")[0]?.text;
    if (key === undefined || key === "") throw new S3Fault("MalformedXML");
    return { key, versionId: textOf(entry, "VersionId"), etag: textOf(entry, "ETag") };
  });
  if (deletions.length === 0 || deletions.length > maxKeys) throw new S3Fault("MalformedXML");
  const quiet = textOf(document, "Quiet") === "true";

  const results: Markup[] = [];
  for (const round of roundsOf(deletions)) {
    const keys = round.map(({ key }) => key);
    await withKeys(call.store, { bucket: name, keys }, async (bucket) => {
      const plans: Plan[] = [];
      for (const deletion of round) {
        const outcome = await planAllowedDeletion(call, bucket, deletion);
        if (outcome instanceof S3Fault) results.push(errorEntry(deletion, outcome));
        else {
          plans.push(outcome.plan);
          if (!quiet) results.push(deletedEntry(deletion, outcome));
        }
      }
      await commit(call.store, plans);
    });
  }
  return respondXml(xmlDocument("DeleteResult", results));
}

/** A key that is named twice (by two of its versions) is planned anew after the first is done. */
function roundsOf(deletions: readonly Deletion[]): Deletion[][] {
  const rounds: Map<string, Deletion>[] = [];
  for (const deletion of deletions) {
    let round = rounds.find((taken) => !taken.has(deletion.key));
    if (round === undefined) rounds.push((round = new Map()));
    round.set(deletion.key, deletion);
  }
  return rounds.map((round) => [...round.values()]);
}

async function planAllowedDeletion(
  call: Call,
  bucket: Bucket,
  deletion: Deletion,
): Promise<Outcome | S3Fault> {
  try {
    const action = deletion.versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
    if (!call.may(action, { key: deletion.key })) return new S3Fault("AccessDenied");
    if (deletion.versionId !== undefined) checkVersionId(deletion.versionId);
    return await planDeletion(call, bucket, deletion);
  } catch (error) {
    if (error instanceof S3Fault) return error;
    throw error;
  }
}

async function planDeletion(call: Call, bucket: Bucket, deletion: Deletion): Promise<Outcome> {
  const { index } = call.store;
  const { key, versionId, etag } = deletion;
  const target =
    versionId === undefined
      ? await index.newest(bucket.name, key)
      : await index.version(bucket.name, key, versionId);
  if (etag !== undefined) {
    const object = target?.deleteMarker === true ? undefined : target;
    if (object === undefined || !names(etag, object.etag)) throw failed("If-Match");
  }
  const nothing = { changes: [], freed: [] };
  if (versionId === undefined && bucket.versioning !== undefined) {
    const draft = { deleteMarker: true as const, modifiedMs: wholeSeconds(call.now) };
    const plan = await planVersion<DeleteMarker>(call.store, { bucket, key }, draft);
    return { plan, versionId: plan.version.versionId, deleteMarker: true };
  }
  if (target !== undefined) checkNotLocked(call, target);
  return {
    plan: target === undefined ? nothing : planRemoval(bucket.name, key, target),
    versionId,
    deleteMarker: target?.deleteMarker === true,
  };
}

function deletedEntry({ key, versionId }: Deletion, outcome: Outcome): Markup {
  return el(
    "Deleted",
    el("Key", key),
    optional("VersionId", versionId),
    outcome.deleteMarker
      ? [el("DeleteMarker", true), optional("DeleteMarkerVersionId", outcome.versionId)]
      : undefined,
  );
}

function errorEntry({ key, versionId }: Deletion, fault: S3Fault): Markup {
  return el(
    "Error",
    el("Key", key),
    optional("VersionId", versionId),
    el("Code", fault.code),
    el("Message", fault.message),
  );
}
