import {
  AdminListGroupsForUserCommand,
  ListGroupsCommand,
  ListUsersCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTablesCommand,
  ScanCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import {
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { openObjectIndex } from "@mawps/local-aws/src/s3/object-index.ts";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Aws } from "../../src/aws/clients.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import type { TestHome } from "../support/world.ts";

/** All that a store holds, one line a thing: its name, and its exact state as text. */
export type Picture = ReadonlyMap<string, string>;

/** States of versions by their name and the text of their record in the store: with the same record all of a version is the same. */
const states = new Map<string, string>();

/** The same of a home's store, in which only those versions are read that are not known by their record. */
export async function pictureOf(
  home: TestHome,
  poolId: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Picture> {
  const records = await recordsIn(env["MAWPS_HOME"] ?? join(home.folder, "store"));
  return home.look((aws) => takePicture(aws, poolId, records), { ...env });
}

/** Of each version and delete marker of the store in a folder, with its bucket's, which says who owns it: read without a call. */
async function recordsIn(store: string): Promise<Records> {
  const index = await openObjectIndex(join(store, "s3", "index"));
  try {
    const records = new Map<string, string>();
    for await (const bucket of index.buckets()) {
      const { name } = bucket;
      const walk = index.versions(name);
      for (let found = await walk.next(); found !== undefined; found = await walk.next())
        records.set(
          `object ${name} ${found.key} ${found.value.versionId}`,
          JSON.stringify([bucket, found.value]),
        );
      await walk.close();
    }
    return records;
  } finally {
    await index.close();
  }
}

/**
 * Takes a picture of everything: each item with its types, each version and delete marker of each object with bytes, headers,
 * metadata, ACL and tags, open uploads, the settings of each bucket and table, each account with its groups. Names:
 *
 *     item {table} {"userId":"…"}        object {bucket} {key} {version}     upload {bucket} {key}
 *     table {table} {setting}            bucket {bucket} {setting}           user {sub} · group {name}
 */
export async function takePicture(aws: Aws, poolId: string, records: Records = new Map()): Promise<Picture> {
  const lines = [...(await tables(aws)), ...(await buckets(aws, records)), ...(await accounts(aws, poolId))];
  return new Map(lines.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** What is not as it was: `gone …`, `new …`, `changed …`, each with the thing's name. Empty when all is the same. */
export function differences(before: Picture, after: Picture): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names.flatMap((name) => {
    if (before.get(name) === after.get(name)) return [];
    return [`${after.has(name) ? (before.has(name) ? "changed" : "new") : "gone"} ${name}`];
  });
}

/** Texts of the records of versions, by their name. */
type Records = ReadonlyMap<string, string>;

type Line = readonly [name: string, state: string];

async function tables(aws: Aws): Promise<Line[]> {
  const dynamodb = await aws.dynamodb();
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
  const lines = TableNames.map(async (TableName): Promise<Line[]> => {
    const [{ Table }, recovery, expiry] = await Promise.all([
      dynamodb.send(new DescribeTableCommand({ TableName })),
      dynamodb.send(new DescribeContinuousBackupsCommand({ TableName })),
      dynamodb.send(new DescribeTimeToLiveCommand({ TableName })),
    ]);
    const keys = Table?.KeySchema?.map(({ AttributeName = "" }) => AttributeName) ?? [];
    const found: Line[] = [];
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await dynamodb.send(
        new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: start }),
      );
      for (const item of page.Items ?? []) {
        const key = Object.fromEntries(keys.map((name) => [name, item[name]?.S ?? item[name]?.N]));
        found.push([`item ${TableName} ${JSON.stringify(key)}`, exact(item)]);
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return [
      ...found,
      [
        `table ${TableName} keys`,
        exact([Table?.KeySchema, Table?.AttributeDefinitions, Table?.GlobalSecondaryIndexes]),
      ],
      [`table ${TableName} capacity`, exact(Table?.BillingModeSummary?.BillingMode)],
      [`table ${TableName} protection`, exact(Table?.DeletionProtectionEnabled)],
      [
        `table ${TableName} recovery`,
        exact(
          recovery.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
        ),
      ],
      [`table ${TableName} expiry`, exact(expiry.TimeToLiveDescription)],
    ];
  });
  return (await Promise.all(lines)).flat();
}

async function buckets(aws: Aws, records: Records): Promise<Line[]> {
  const s3 = await aws.s3();
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const lines = Buckets.map(async ({ Name: Bucket = "" }): Promise<Line[]> => {
    const found = await settings(s3, Bucket);
    for await (const page of listVersions(aws, { bucket: Bucket })) {
      for (const { key, version, isDeleteMarker } of page) {
        const name = `object ${Bucket} ${key} ${version}`;
        const at = { Bucket, Key: key, VersionId: version };
        found.push([
          name,
          isDeleteMarker ? "delete marker" : await object(s3, at, { name, record: records.get(name) }),
        ]);
      }
    }
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of Uploads) found.push([`upload ${Bucket} ${Key}`, exact(UploadId)]);
    return found;
  });
  return (await Promise.all(lines)).flat();
}

interface VersionOf {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId: string;
}

async function object(
  s3: S3Client,
  at: VersionOf,
  { name, record }: { readonly name: string; readonly record: string | undefined },
): Promise<string> {
  const known = record === undefined ? undefined : states.get(`${name} ${record}`);
  if (known !== undefined) return known;
  const [{ head, sha256 }, acl, tags] = await Promise.all([
    content(s3, at),
    s3.send(new GetObjectAclCommand(at)),
    s3.send(new GetObjectTaggingCommand(at)),
  ]);
  const state = exact({ head, sha256, grants: acl.Grants, tags: tags.TagSet });
  if (record !== undefined) states.set(`${name} ${record}`, state);
  return state;
}

interface Content {
  readonly head: object;
  readonly sha256: string;
}

/** By the address with the version: what a version holds never changes, and a walk takes many pictures. */
const contents = new Map<string, Content>();

async function content(s3: S3Client, at: VersionOf): Promise<Content> {
  const address = `${at.Bucket} ${at.Key} ${at.VersionId}`;
  const known = contents.get(address);
  if (known !== undefined) return known;
  const got = await s3.send(new GetObjectCommand(at));
  // The version stands in the name: an object from before versioning tells it only when it has been turned on.
  const { Body, $metadata: _, VersionId: __, ...head } = got;
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const found = { head, sha256: createHash("sha256").update(bytes).digest("hex") };
  // Without versions an object is replaced in its place.
  if (at.VersionId !== "null") contents.set(address, found);
  return found;
}

async function settings(s3: S3Client, Bucket: string): Promise<Line[]> {
  const asked: readonly [string, () => Promise<unknown>][] = [
    ["versioning", async () => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status],
    ["policy", async () => (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy],
    [
      "public access block",
      async () => (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
    ],
    [
      "ownership",
      async () => (await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls,
    ],
    [
      "encryption",
      async () =>
        (await s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration,
    ],
    ["lifecycle", async () => (await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules],
    ["cors", async () => (await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules],
    ["tags", async () => (await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet],
    ["acl", async () => (await s3.send(new GetBucketAclCommand({ Bucket }))).Grants],
  ];
  return Promise.all(
    asked.map(async ([name, ask]): Promise<Line> => [
      `bucket ${Bucket} ${name}`,
      // A setting that was never made answers with an error of its own name.
      exact(await ask().catch((error: Error) => error.name)),
    ]),
  );
}

async function accounts(aws: Aws, UserPoolId: string): Promise<Line[]> {
  const cognito = await aws.cognito();
  const { Groups = [] } = await cognito.send(new ListGroupsCommand({ UserPoolId }));
  const groups = Groups.map(({ GroupName, ...group }): Line => [`group ${GroupName}`, exact(group)]);
  const { Users = [] } = await cognito.send(new ListUsersCommand({ UserPoolId }));
  const users = Users.map(async (user): Promise<Line> => {
    const of = await cognito.send(new AdminListGroupsForUserCommand({ UserPoolId, Username: user.Username }));
    return [`user ${user.Username}`, exact({ user, groups: of.Groups?.map(({ GroupName }) => GroupName) })];
  });
  return [...groups, ...(await Promise.all(users))];
}

/** The same text for the same value: names sorted, the bytes of binary values in base64. */
function exact(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
      if (inner instanceof Uint8Array) return Buffer.from(inner).toString("base64");
      return Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)));
    }) ?? "none"
  );
}
