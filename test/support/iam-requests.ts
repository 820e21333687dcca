import type { RecordedRequest } from "./world.ts";
import { iamAction } from "../../src/aws/explain/iam-action.ts";

/** A request as IAM judges it. */
export interface IamRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

const account = "123456789012";

/** What of S3 is told apart by the query alone: the API's name of `GET /bucket?versioning`. */
const bucketQueries: Readonly<Record<string, string>> = {
  acl: "BucketAcl",
  cors: "BucketCors",
  encryption: "BucketEncryption",
  lifecycle: "BucketLifecycleConfiguration",
  location: "BucketLocation",
  notification: "BucketNotificationConfiguration",
  ownershipControls: "BucketOwnershipControls",
  policy: "BucketPolicy",
  policyStatus: "BucketPolicyStatus",
  publicAccessBlock: "PublicAccessBlock",
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
};

/** What IAM is asked for one request, by what went over the wire; several where one call needs several permissions. */
export function iamRequests(request: RecordedRequest): IamRequest[] {
  const { service, target, body, region } = request;
  if (service === "s3") return s3Requests(request);
  const operation = target?.replace(/^.*\./, "") ?? "";
  const input = body === undefined ? {} : (JSON.parse(body) as Record<string, unknown>);
  if (service === "dynamodb") return dynamodbRequests(operation, input, region);
  const action = iamAction({ service, operation });
  const { Namespace: namespace } = input;
  if (service === "cloudwatch" && typeof namespace === "string")
    return [{ action, resource: "*", context: { "cloudwatch:namespace": namespace } }];
  const pool = input["UserPoolId"];
  return [
    {
      action,
      resource: typeof pool === "string" ? `arn:aws:cognito-idp:${region}:${account}:userpool/${pool}` : "*",
    },
  ];
}

function dynamodbRequests(operation: string, input: Record<string, unknown>, region: string): IamRequest[] {
  const table = (name: string) => `arn:aws:dynamodb:${region}:${account}:table/${name}`;
  const one = (name: string, action = operation) => ({ action: `dynamodb:${action}`, resource: table(name) });
  const { TableName, IndexName, RequestItems, TransactItems, ResourceArn } = input;
  if (typeof ResourceArn === "string") return [one(ResourceArn.replace(/^.*table\//, ""))];
  if (typeof RequestItems === "object" && RequestItems !== null)
    return Object.keys(RequestItems).map((name) => one(name));
  if (Array.isArray(TransactItems)) {
    return (TransactItems as Record<string, { TableName: string }>[]).flatMap((item) =>
      Object.entries(item).map(([kind, { TableName: name }]) =>
        one(name, kind === "ConditionCheck" ? "ConditionCheckItem" : `${kind}Item`),
      ),
    );
  }
  if (typeof TableName !== "string") return [{ action: `dynamodb:${operation}`, resource: "*" }];
  const base = one(TableName);
  return [
    typeof IndexName === "string" ? { ...base, resource: `${base.resource}/index/${IndexName}` } : base,
  ];
}

function s3Requests(request: RecordedRequest): IamRequest[] {
  const { method, hostname, path, query, headers, body = "" } = request;
  const inHost = /^(.+)\.s3[.-]/.exec(hostname)?.[1];
  const whole = decodeURIComponent(path).replace(/^\//, "");
  const slash = whole.indexOf("/");
  const bucket = inHost ?? (slash === -1 ? whole : whole.slice(0, slash));
  const key = inHost === undefined ? (slash === -1 ? "" : whole.slice(slash + 1)) : whole;
  if (bucket === "") return [{ action: "s3:ListAllMyBuckets", resource: "*" }];
  const onBucket = `arn:aws:s3:::${bucket}`;
  const has = (name: string) => Object.hasOwn(query, name);
  const verb = { GET: "Get", HEAD: "Get", PUT: "Put", DELETE: "Delete", POST: "Post" }[method] ?? method;
  if (key === "" && has("delete")) {
    // Of several keys at once IAM is asked for each.
    return [...body.matchAll(/<Object>(.*?)<\/Object>/gs)].map(([, object = ""]) => ({
      action: `s3:DeleteObject${object.includes("<VersionId>") ? "Version" : ""}`,
      resource: `${onBucket}/${/<Key>(.*?)<\/Key>/s.exec(object)?.[1] ?? ""}`,
    }));
  }
  if (key === "") {
    const listed = Object.keys(bucketQueries).find(has);
    const operation =
      listed !== undefined
        ? `${verb}${bucketQueries[listed] ?? ""}`
        : has("versions")
          ? "ListObjectVersions"
          : has("uploads")
            ? "ListMultipartUploads"
            : method === "HEAD"
              ? "HeadBucket"
              : method === "PUT"
                ? "CreateBucket"
                : "ListObjectsV2";
    return [{ action: iamAction({ service: "s3", operation }), resource: onBucket }];
  }
  const resource = `${onBucket}/${key}`;
  const versioned = has("versionId") ? "Version" : "";
  const on = (action: string) => ({ action: `s3:${action}`, resource });
  if (has("tagging")) return [on(`${verb}Object${versioned}Tagging`)];
  if (has("acl")) return [on(`${verb}Object${versioned}Acl`)];
  if (has("attributes")) return [on(`GetObject${versioned}Attributes`), on(`GetObject${versioned}`)];
  if (has("uploadId") && method === "GET") return [on("ListMultipartUploadParts")];
  if (has("uploadId") && method === "DELETE") return [on("AbortMultipartUpload")];
  const source = headers["x-amz-copy-source"];
  const copied =
    source === undefined
      ? []
      : [
          {
            action: `s3:GetObject${source.includes("versionId=") ? "Version" : ""}`,
            resource: `arn:aws:s3:::${decodeURIComponent(source.replace(/^\//, "").replace(/\?.*$/, ""))}`,
          },
        ];
  if (method === "PUT" || method === "POST") return [on("PutObject"), ...copied];
  return [on(`${verb}Object${versioned}`)];
}
