import type { LocalRequest } from "../service.ts";
import { type Sender, type Store, accountId } from "./call.ts";
import { isPublic, judgePolicy, parsePolicy } from "./policy.ts";
import type { Bucket, StoredObject } from "./records.ts";

export interface AccessRequest {
  readonly store: Store;
  readonly request: LocalRequest;
  readonly query: ReadonlyMap<string, string>;
  readonly sender: Sender;
  readonly bucket: Bucket;
}

/** The account itself can always repair a policy that locks everybody out, as AWS's root user can. */
const rescueActions = new Set(["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]);

/**
 * Whether the sender may do `action` on the bucket or one of its keys. The owner may do what no statement denies;
 * anybody else only what a statement allows, unless the public access block takes that away. `object` is the one
 * concerned, where its tags or its ACL matter.
 */
export function isAllowed(
  asked: AccessRequest,
  action: string,
  about: { readonly key?: string; readonly object?: StoredObject },
): boolean {
  const { bucket, sender } = asked;
  const owner = sender.kind === "authenticated";
  if (owner && rescueActions.has(action)) return true;
  const statements = bucket.policy === undefined ? [] : parsePolicy(bucket.policy, bucket.name);
  const verdict = judgePolicy(statements, {
    action,
    resource: `arn:aws:s3:::${bucket.name}${about.key === undefined ? "" : `/${about.key}`}`,
    account: owner ? accountId : undefined,
    context: contextOf(asked, about.object),
  });
  if (verdict === "deny") return false;
  if (owner) return true;
  const block = bucket.publicAccessBlock;
  // A public policy then serves nobody but the owner and AWS's own services.
  const restricted = block?.RestrictPublicBuckets === true && isPublic(statements);
  if (verdict === "allow" && !restricted) return true;
  return block?.IgnorePublicAcls !== true && aclAllows(action, bucket, about.object);
}

function aclAllows(action: string, bucket: Bucket, object: StoredObject | undefined): boolean {
  if ((bucket.ownership ?? "BucketOwnerEnforced") === "BucketOwnerEnforced") return false;
  const open = (acl: string | undefined) => acl === "public-read" || acl === "public-read-write";
  switch (action) {
    case "s3:GetObject":
    case "s3:GetObjectVersion":
      return open(object?.acl);
    case "s3:ListBucket":
    case "s3:ListBucketVersions":
    case "s3:ListBucketMultipartUploads":
      return open(bucket.acl);
    case "s3:PutObject":
    case "s3:DeleteObject":
      return bucket.acl === "public-read-write";
    default:
      return false;
  }
}

function contextOf(asked: AccessRequest, object: StoredObject | undefined): Record<string, string[]> {
  const { request, query, sender, store } = asked;
  const context: Record<string, string[]> = {
    // Nothing leaves this machine, so every request counts as made over TLS: the policies a site needs deny all
    // others, and would lock everybody out of the local store.
    "aws:securetransport": ["true"],
    "s3:tlsversion": ["1.3"],
    "aws:sourceip": ["127.0.0.1"],
    "aws:currenttime": [store.options.now().toISOString()],
    "aws:epochtime": [String(Math.floor(store.options.now().getTime() / 1000))],
    "aws:requestedregion": [store.options.region],
  };
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined) context[name] = [value];
  };
  put("aws:referer", request.headers["referer"]);
  put("aws:useragent", request.headers["user-agent"]);
  if (sender.kind === "authenticated") {
    put("s3:authtype", sender.by === "query" ? "REST-QUERY-STRING" : "REST-HEADER");
    put("s3:signatureversion", "AWS4-HMAC-SHA256");
    put("aws:principalaccount", accountId);
    put("aws:principalarn", `arn:aws:iam::${accountId}:root`);
    put("aws:principaltype", "Account");
  }
  for (const name of ["prefix", "delimiter", "max-keys", "versionid"]) {
    put(`s3:${name}`, query.get(name === "versionid" ? "versionId" : name));
  }
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith("x-amz-")) put(`s3:${name}`, value);
  }
  for (const [key, value] of object?.tags ?? []) put(`s3:existingobjecttag/${key.toLowerCase()}`, value);
  return context;
}
