import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, httpTime, keyOf, ownerId, respond, respondXml } from "./call.ts";
import { requestedAcl } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { versionRecord } from "./object-index.ts";
import { receiveText } from "./receive.ts";
import type { Bucket, CannedAcl, StoredObject } from "./records.ts";
import { maxObjectTags, parseTagging, taggingDocument } from "./tags.ts";
import { commit, readVersion, versionHeader, withKeys } from "./versions.ts";
import {
  type Markup,
  type XmlElement,
  childOf,
  childrenOf,
  el,
  optional,
  parseXml,
  textOf,
  xmlDocument,
} from "./xml.ts";

/** Changes what is said of a version; its bytes, time and place stay. */
async function changeVersion(
  call: Call,
  change: (object: StoredObject, bucket: Bucket) => StoredObject,
): Promise<Record<string, string>> {
  const { name } = bucketOf(call);
  const key = keyOf(call);
  return await withKeys(call.store, { bucket: name, keys: [key] }, async (bucket) => {
    const object = await readVersion(call, bucket, key);
    const record = versionRecord(name, key, object.sequence);
    const put = { type: "put" as const, key: record, value: change(object, bucket) };
    await commit(call.store, [{ changes: [put], freed: [] }]);
    return versionHeader(bucket, object);
  });
}

export async function getObjectTagging(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const object = await readVersion(call, bucket, keyOf(call));
  return respondXml(taggingDocument(object.tags), versionHeader(bucket, object));
}

export async function putObjectTagging(call: Call): Promise<LocalResponse> {
  const tags = parseTagging(await parseXml(await receiveText(call), "Tagging"), maxObjectTags);
  return respond(200, await changeVersion(call, (object) => ({ ...object, tags })));
}

export async function deleteObjectTagging(call: Call): Promise<LocalResponse> {
  return respond(204, await changeVersion(call, (object) => ({ ...object, tags: [] })));
}

export async function getObjectAcl(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const object = await readVersion(call, bucket, keyOf(call));
  // An enforced owner switches ACLs off without taking them away: they count again when it ends.
  const isEnforced = (bucket.ownership ?? "BucketOwnerEnforced") === "BucketOwnerEnforced";
  return respondXml(aclDocument(isEnforced ? "private" : object.acl), versionHeader(bucket, object));
}

export async function putObjectAcl(call: Call): Promise<LocalResponse> {
  const acl = await putAcl(call);
  return respond(200, await changeVersion(call, (object) => ({ ...object, acl })));
}

/**
 * The ACL of a PutObjectAcl or PutBucketAcl, canned or as a document. A bucket with an enforced owner takes only
 * those that give everything to the owner and nothing to others.
 */
export async function putAcl(call: Call): Promise<CannedAcl> {
  const text = await receiveText(call);
  const canned = requestedAcl(call.headers, bucketOf(call));
  if (canned !== undefined) return canned;
  const acl = cannedForm(await parseXml(text, "AccessControlPolicy"));
  return requestedAcl({ "x-amz-acl": acl }, bucketOf(call)) ?? acl;
}

/** The canned ACL that a document amounts to; the local store knows no other grants. */
function cannedForm(document: XmlElement): CannedAcl {
  const grants = childrenOf(childOf(document, "AccessControlList"), "Grant").map((grant) => {
    const grantee = childOf(grant, "Grantee");
    const group = textOf(grantee, "URI")?.replace(/^.*\//, "");
    return `${group ?? textOf(grantee, "ID") ?? ""} ${textOf(grant, "Permission") ?? ""}`;
  });
  const others = grants.filter((grant) => grant !== `${ownerId} FULL_CONTROL`).sort();
  switch (others.join()) {
    case "":
      return "private";
    case "AllUsers READ":
      return "public-read";
    case "AllUsers READ,AllUsers WRITE":
      return "public-read-write";
    case "AuthenticatedUsers READ":
      return "authenticated-read";
    default:
      throw new S3Fault("NotImplemented", { message: "The local store knows only what canned ACLs can say" });
  }
}

export function aclDocument(acl: CannedAcl = "private"): string {
  const instance = "http://www.w3.org/2001/XMLSchema-instance";
  const grant = (kind: string, grantee: Markup, permission: string): Markup => ({
    markup: `<Grant><Grantee xmlns:xsi="${instance}" xsi:type="${kind}">${grantee.markup}</Grantee>${el("Permission", permission).markup}</Grant>`,
  });
  const group = (name: string) => el("URI", `http://acs.amazonaws.com/groups/global/${name}`);
  const grants = [grant("CanonicalUser", el("ID", ownerId), "FULL_CONTROL")];
  if (acl.startsWith("public-read")) grants.push(grant("Group", group("AllUsers"), "READ"));
  if (acl === "public-read-write") grants.push(grant("Group", group("AllUsers"), "WRITE"));
  if (acl === "authenticated-read") grants.push(grant("Group", group("AuthenticatedUsers"), "READ"));
  return xmlDocument("AccessControlPolicy", el("Owner", el("ID", ownerId)), el("AccessControlList", grants));
}

const attributeNames = new Set(["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]);

export async function getObjectAttributes(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const object = await readVersion(call, bucket, keyOf(call));
  const asked = new Set(call.headers["x-amz-object-attributes"]?.split(",").map((name) => name.trim()));
  if (asked.size === 0 || [...asked].some((name) => !attributeNames.has(name))) {
    throw new S3Fault("InvalidArgument", {
      message: "Invalid attribute name specified.",
      fields: { ArgumentName: "x-amz-object-attributes" },
    });
  }
  const { checksum } = object;
  const document = xmlDocument(
    "GetObjectAttributesResponse",
    asked.has("ETag") ? el("ETag", object.etag) : undefined,
    asked.has("Checksum") && checksum !== undefined
      ? el("Checksum", el(`Checksum${checksum.algorithm}`, checksum.value), el("ChecksumType", checksum.type))
      : undefined,
    asked.has("ObjectParts") && object.parts !== undefined ? partsElement(call, object) : undefined,
    asked.has("StorageClass") ? el("StorageClass", object.storageClass) : undefined,
    asked.has("ObjectSize") ? el("ObjectSize", object.bytes) : undefined,
  );
  const headers = { "last-modified": httpTime(object.modifiedMs), ...versionHeader(bucket, object) };
  return respondXml(document, headers);
}

function partsElement(call: Call, object: StoredObject): Markup {
  const { parts = [], checksum } = object;
  const marker = Number(call.headers["x-amz-part-number-marker"] ?? 0);
  const limit = Math.min(Number(call.headers["x-amz-max-parts"] ?? 1000), 1000);
  // S3 tells of single parts only where each bears a checksum of its own.
  const listed = checksum?.type === "COMPOSITE" ? parts.filter(({ number }) => number > marker) : [];
  const page = listed.slice(0, limit);
  return el(
    "ObjectParts",
    el("PartsCount", parts.length),
    page.length === 0
      ? undefined
      : [
          el("PartNumberMarker", marker),
          el("NextPartNumberMarker", page.at(-1)?.number),
          el("MaxParts", limit),
          el("IsTruncated", listed.length > page.length),
          page.map((part) =>
            el(
              "Part",
              el("PartNumber", part.number),
              el("Size", part.bytes),
              optional(`Checksum${checksum?.algorithm}`, part.checksum),
            ),
          ),
        ],
  );
}
