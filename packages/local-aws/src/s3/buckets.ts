import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, isoTime, numberOf, ownerId, respond, respondXml } from "./call.ts";
import { requestedAcl } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { checkBucketName } from "./names.ts";
import { type Change, bucketRecord, partRecord, uploadRecord } from "./object-index.ts";
import { receiveText } from "./receive.ts";
import type { Bucket, ObjectOwnership, PublicAccessBlock, Segment } from "./records.ts";
import { parseBucketTags } from "./tags.ts";
import { commit } from "./versions.ts";
import { childOf, childrenOf, el, optional, parseXml, textOf, xmlDocument } from "./xml.ts";

const freshBlock: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

const ownerships: ReadonlySet<string> = new Set<ObjectOwnership>([
  "BucketOwnerEnforced",
  "BucketOwnerPreferred",
  "ObjectWriter",
]);

/** CreateBucket. As on AWS the owner is enforced (no ACLs) and public access blocked, unless told otherwise. */
export async function createBucket(call: Call): Promise<LocalResponse> {
  const name = call.target.bucket ?? "";
  checkBucketName(name);
  const region = await requestedRegion(call);
  const ownership = call.headers["x-amz-object-ownership"];
  if (ownership !== undefined && !ownerships.has(ownership)) {
    throw new S3Fault("InvalidArgument", { message: "Invalid x-amz-object-ownership header: " + ownership });
  }
  const isLocking = call.headers["x-amz-bucket-object-lock-enabled"]?.toLowerCase() === "true";
  const { store } = call;
  return await store.locks.exclusive(name, async () => {
    if (store.index.bucket(name) !== undefined) {
      throw new S3Fault("BucketAlreadyOwnedByYou", { fields: { BucketName: name } });
    }
    const plain: Bucket = {
      name,
      createdMs: call.now.getTime(),
      region: region.name,
      publicAccessBlock: freshBlock,
      ownership: (ownership as ObjectOwnership | undefined) ?? "BucketOwnerEnforced",
      ...(isLocking ? { objectLock: true, versioning: "Enabled" } : {}),
      ...(region.tags.length === 0 ? {} : { tags: region.tags }),
    };
    const acl = requestedAcl(call.headers, plain);
    await saveBucket(call, acl === undefined ? plain : { ...plain, acl });
    return respond(200, { location: `/${name}`, "x-amz-bucket-arn": `arn:aws:s3:::${name}` });
  });
}

async function requestedRegion(
  call: Call,
): Promise<{ name: string; tags: ReturnType<typeof parseBucketTags> }> {
  // Some clients send neither a body nor its length.
  const empty = call.headers["content-length"] === undefined || call.headers["content-length"] === "0";
  const text = empty && call.headers["transfer-encoding"] === undefined ? "" : await receiveText(call);
  // Whoever names no region means us-east-1, and gets where the store says it lies.
  if (text.trim() === "") return { name: call.store.options.region, tags: [] };
  const document = await parseXml(text, "CreateBucketConfiguration");
  const own = call.store.options.region;
  const name = textOf(document, "LocationConstraint") || own;
  if (!/^[a-z]{2}(-[a-z]+)+-\d$|^EU$/.test(name)) {
    throw new S3Fault("InvalidLocationConstraint", { fields: { LocationConstraint: name } });
  }
  if (name !== own) {
    throw new S3Fault("IllegalLocationConstraintException", {
      message: `The ${name} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    });
  }
  return {
    name,
    tags: parseBucketTags(childrenOf(childOf(document, "Tags"), "Tag")),
  };
}

/** HeadBucket. */
export async function headBucket(call: Call): Promise<LocalResponse> {
  const { region, name } = bucketOf(call);
  return respond(200, {
    "content-type": "application/xml",
    "x-amz-bucket-region": region,
    "x-amz-bucket-arn": `arn:aws:s3:::${name}`,
    "x-amz-access-point-alias": "false",
  });
}

/** DeleteBucket: without objects, versions and delete markers; unfinished uploads go with it. */
export async function deleteBucket(call: Call): Promise<LocalResponse> {
  const { store } = call;
  const { name } = bucketOf(call);
  return await store.locks.exclusive(name, async () => {
    bucketOf(call);
    const versions = store.index.versions(name);
    const left = await versions.next();
    await versions.close();
    if (left !== undefined) throw new S3Fault("BucketNotEmpty", { fields: { BucketName: name } });
    const changes: Change[] = [{ type: "del", key: bucketRecord(name) }];
    const freed: Segment[] = [];
    const uploads = store.index.uploads(name);
    for (let found = await uploads.next(); found !== undefined; found = await uploads.next()) {
      const { uploadId } = found.value;
      changes.push({ type: "del", key: uploadRecord(name, found.key, uploadId) });
      for await (const part of store.index.parts(uploadId)) {
        changes.push({ type: "del", key: partRecord(uploadId, part.number) });
        freed.push(...part.segments);
      }
    }
    await uploads.close();
    await commit(store, [{ changes, freed }]);
    return respond(204);
  });
}

/** ListBuckets, by name. */
export async function listBuckets(call: Call): Promise<LocalResponse> {
  const limit = numberOf(call, "max-buckets", { missing: 10_000, min: 1, max: 10_000 });
  const prefix = call.query.get("prefix") ?? "";
  const region = call.query.get("bucket-region");
  const token = call.query.get("continuation-token");
  const behind = token === undefined ? "" : Buffer.from(token, "base64url").toString();
  const listed: Bucket[] = [];
  for await (const bucket of call.store.index.buckets()) {
    const wanted = bucket.name.startsWith(prefix) && bucket.name > behind;
    if (wanted && (region === undefined || bucket.region === region)) listed.push(bucket);
    if (listed.length > limit) break;
  }
  const page = listed.slice(0, limit);
  const last = page.at(-1);
  return respondXml(
    xmlDocument(
      "ListAllMyBucketsResult",
      el("Owner", el("ID", ownerId)),
      el(
        "Buckets",
        page.map(({ name, createdMs, region }) =>
          el(
            "Bucket",
            el("Name", name),
            el("CreationDate", isoTime(createdMs)),
            el("BucketRegion", region),
            el("BucketArn", `arn:aws:s3:::${name}`),
          ),
        ),
      ),
      listed.length > limit && last !== undefined
        ? el("ContinuationToken", Buffer.from(last.name).toString("base64url"))
        : undefined,
      optional("Prefix", call.query.get("prefix")),
    ),
  );
}

/** GetBucketLocation: us-east-1 is the empty text. */
export async function getBucketLocation(call: Call): Promise<LocalResponse> {
  const { region } = bucketOf(call);
  return respondXml(xmlDocument("LocationConstraint", region === "us-east-1" ? "" : region));
}

async function saveBucket(call: Call, bucket: Bucket): Promise<void> {
  const put = { type: "put" as const, key: bucketRecord(bucket.name), value: bucket };
  await call.store.index.write([put], { durable: true });
}

/** Changes a bucket's record alone with it. Throws NoSuchBucket. */
export async function changeBucket(call: Call, change: (bucket: Bucket) => Bucket): Promise<void> {
  await call.store.locks.exclusive(call.target.bucket ?? "", async () => {
    await saveBucket(call, change(bucketOf(call)));
  });
}
