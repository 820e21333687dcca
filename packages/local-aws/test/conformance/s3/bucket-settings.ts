import assert from "node:assert/strict";
import { refused, refusedRaw, tag, type Check, type Trial } from "./trial.ts";

const allBlocked = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

export const bucketSettingChecks: readonly Check[] = [
  {
    name: "keeps a bucket policy as it was written, until it is deleted",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.getBucketPolicy({ Bucket }), 404, "NoSuchBucketPolicy");
      const policy = {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:DeleteBucketWebsite",
            Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      };
      await t.s3.putBucketPolicy({ Bucket, Policy: JSON.stringify(policy) });
      const { Policy } = await t.s3.getBucketPolicy({ Bucket });
      assert.deepEqual(JSON.parse(Policy ?? ""), policy);
      const gone = await t.s3.deleteBucketPolicy({ Bucket });
      assert.equal(gone.$metadata.httpStatusCode, 204);
      await refused(t.s3.getBucketPolicy({ Bucket }), 404, "NoSuchBucketPolicy");
    },
  },
  {
    name: "refuses a bucket policy that is not JSON",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.putBucketPolicy({ Bucket, Policy: "{" }), 400, "MalformedPolicy");
      await refused(t.s3.getBucketPolicy({ Bucket }), 404, "NoSuchBucketPolicy");
    },
  },
  {
    name: "refuses a bucket policy about another bucket",
    async run(t) {
      const Bucket = await t.bucket();
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:GetObject",
            Resource: "arn:aws:s3:::another-bucket/*",
          },
        ],
      });
      await refused(t.s3.putBucketPolicy({ Bucket, Policy }), 400, "MalformedPolicy");
    },
  },
  {
    name: "blocks all public access to a new bucket",
    async run(t) {
      const { PublicAccessBlockConfiguration } = await t.s3.getPublicAccessBlock({
        Bucket: await t.bucket(),
      });
      assert.deepEqual(PublicAccessBlockConfiguration, allBlocked);
    },
  },
  {
    name: "keeps the public access block that was put, until it is deleted",
    async run(t) {
      const Bucket = await t.bucket();
      const wanted = { ...allBlocked, BlockPublicPolicy: false };
      await t.s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: wanted });
      const got = await t.s3.getPublicAccessBlock({ Bucket });
      assert.deepEqual(got.PublicAccessBlockConfiguration, wanted);
      await t.s3.deletePublicAccessBlock({ Bucket });
      await refused(t.s3.getPublicAccessBlock({ Bucket }), 404, "NoSuchPublicAccessBlockConfiguration");
    },
  },
  {
    name: "refuses a public bucket policy while BlockPublicPolicy is on, as it is on a new bucket",
    async run(t) {
      const Bucket = await t.bucket();
      const reported = await t.s3.getPublicAccessBlock({ Bucket });
      assert.deepEqual(reported.PublicAccessBlockConfiguration, allBlocked);
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` },
        ],
      });
      await refused(t.s3.putBucketPolicy({ Bucket, Policy }), 403, "AccessDenied");
      await refused(t.s3.getBucketPolicy({ Bucket }), 404, "NoSuchBucketPolicy");
      await t.s3.deletePublicAccessBlock({ Bucket });
      await t.s3.putBucketPolicy({ Bucket, Policy });
      const { PolicyStatus } = await t.s3.getBucketPolicyStatus({ Bucket });
      assert.equal(PolicyStatus?.IsPublic, true);
      const answer = await t.signed({ method: "GET", bucket: Bucket, query: { policyStatus: "" } });
      assert.equal(tag(answer.text, "IsPublic"), "true");
    },
  },
  {
    name: "calls a policy that only denies not public",
    async run(t) {
      const Bucket = await t.bucket();
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:PutObject",
            Resource: `arn:aws:s3:::${Bucket}/never/*`,
          },
        ],
      });
      await t.s3.putBucketPolicy({ Bucket, Policy });
      const { PolicyStatus } = await t.s3.getBucketPolicyStatus({ Bucket });
      assert.equal(PolicyStatus?.IsPublic, false);
    },
  },
  {
    name: "gives a new bucket to its owner alone (BucketOwnerEnforced)",
    async run(t) {
      const { OwnershipControls } = await t.s3.getBucketOwnershipControls({ Bucket: await t.bucket() });
      assert.deepEqual(OwnershipControls?.Rules, [{ ObjectOwnership: "BucketOwnerEnforced" }]);
    },
  },
  {
    name: "refuses an upload that sends an ACL, and stores nothing",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(
        t.putWith(Bucket, "key", { Body: "x", ACL: "public-read" }),
        400,
        "AccessControlListNotSupported",
      );
      await refused(
        t.s3.createMultipartUpload({ Bucket, Key: "key", ACL: "public-read" }),
        400,
        "AccessControlListNotSupported",
      );
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "takes an upload whose ACL gives the bucket's owner full control",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "x", ACL: "bucket-owner-full-control" });
      assert.equal(await t.read(Bucket, "key"), "x");
    },
  },
  {
    name: "refuses to change the ACL of a bucket or an object",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "x");
      await refused(t.s3.putBucketAcl({ Bucket, ACL: "public-read" }), 400, "AccessControlListNotSupported");
      await refused(
        t.s3.putObjectAcl({ Bucket, Key: "key", ACL: "public-read" }),
        400,
        "AccessControlListNotSupported",
      );
    },
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    name: "keeps an object's ACL, answers it, and lets everybody read what it opens",
    async run(t) {
      const Bucket = await t.bucket();
      await takesAcls(t, Bucket);
      await t.putWith(Bucket, "open", { Body: "x", ACL: "public-read" });
      await t.put(Bucket, "closed", "x");
      assert.deepEqual(await grantsOf(t, Bucket, "open"), [everybodyReads, "owner FULL_CONTROL"]);
      assert.deepEqual(await grantsOf(t, Bucket, "closed"), ["owner FULL_CONTROL"]);
      assert.equal((await t.anonymous("GET", `/${Bucket}/open`)).status, 200);
      refusedRaw(await t.anonymous("GET", `/${Bucket}/closed`), 403, "AccessDenied");
      await t.s3.putObjectAcl({ Bucket, Key: "open", ACL: "private" });
      assert.deepEqual(await grantsOf(t, Bucket, "open"), ["owner FULL_CONTROL"]);
      refusedRaw(await t.anonymous("GET", `/${Bucket}/open`), 403, "AccessDenied");
    },
  },
  {
    // "Requests to read ACLs are still supported": they answer the owner's full control. Existing ACLs count again later.
    name: "switches ACLs off with an enforced owner, and on again as they were",
    async run(t) {
      const Bucket = await t.bucket();
      await takesAcls(t, Bucket);
      await t.putWith(Bucket, "open", { Body: "x", ACL: "public-read" });
      await owns(t, Bucket, "BucketOwnerEnforced");
      assert.deepEqual(await grantsOf(t, Bucket, "open"), ["owner FULL_CONTROL"]);
      refusedRaw(await t.anonymous("GET", `/${Bucket}/open`), 403, "AccessDenied");
      await owns(t, Bucket, "BucketOwnerPreferred");
      assert.deepEqual(await grantsOf(t, Bucket, "open"), [everybodyReads, "owner FULL_CONTROL"]);
      assert.equal((await t.anonymous("GET", `/${Bucket}/open`)).status, 200);
    },
  },
  {
    name: "encrypts with AES256 unless told otherwise, and says so",
    async run(t) {
      const Bucket = await t.bucket();
      const { ServerSideEncryptionConfiguration } = await t.s3.getBucketEncryption({ Bucket });
      const rule = ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      assert.equal(rule?.SSEAlgorithm, "AES256");
      const put = await t.putWith(Bucket, "key", { Body: "x" });
      assert.equal(put.ServerSideEncryption, "AES256");
      const head = await t.s3.headObject({ Bucket, Key: "key" });
      assert.equal(head.ServerSideEncryption, "AES256");
    },
  },
  {
    name: "keeps the encryption that was put",
    async run(t) {
      const Bucket = await t.bucket();
      const Rules = [
        { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const }, BucketKeyEnabled: false },
      ];
      await t.s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
      const got = await t.s3.getBucketEncryption({ Bucket });
      const rule = got.ServerSideEncryptionConfiguration?.Rules?.[0];
      assert.equal(rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, "AES256");
      assert.equal(rule.BucketKeyEnabled, false);
    },
  },
  {
    name: "refuses an encryption that it does not know",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.putWith(Bucket, "key", { Body: "x", ServerSideEncryption: "ROT13" as never }), 400);
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "keeps a lifecycle configuration, until it is deleted",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.getBucketLifecycleConfiguration({ Bucket }), 404, "NoSuchLifecycleConfiguration");
      const Rules = [
        {
          ID: "abort-uploads",
          Status: "Enabled" as const,
          Filter: { Prefix: "" },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
        },
        {
          ID: "old-versions",
          Status: "Disabled" as const,
          Filter: { And: { Prefix: "public/", Tags: [{ Key: "kind", Value: "größe" }] } },
          NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: 3 },
        },
        { ID: "expire", Status: "Enabled" as const, Filter: { Prefix: "tmp/" }, Expiration: { Days: 1 } },
      ];
      await t.s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules } });
      const got = await t.s3.getBucketLifecycleConfiguration({ Bucket });
      const byId = new Map(got.Rules?.map((rule) => [rule.ID, rule]));
      assert.equal(byId.size, 3);
      for (const rule of Rules) assert.deepEqual(byId.get(rule.ID), rule);
      await t.s3.deleteBucketLifecycle({ Bucket });
      await refused(t.s3.getBucketLifecycleConfiguration({ Bucket }), 404, "NoSuchLifecycleConfiguration");
    },
  },
  {
    name: "refuses a lifecycle configuration with a rule twice, and keeps the old one",
    async run(t) {
      const Bucket = await t.bucket();
      const rule = (ID: string, Prefix: string) => ({
        ID,
        Status: "Enabled" as const,
        Filter: { Prefix },
        Expiration: { Days: 3 },
      });
      await t.s3.putBucketLifecycleConfiguration({
        Bucket,
        LifecycleConfiguration: { Rules: [rule("one", "a/")] },
      });
      await refused(
        t.s3.putBucketLifecycleConfiguration({
          Bucket,
          LifecycleConfiguration: { Rules: [rule("two", "b/"), rule("two", "c/")] },
        }),
        400,
        "InvalidArgument",
      );
      const got = await t.s3.getBucketLifecycleConfiguration({ Bucket });
      assert.deepEqual(
        got.Rules?.map((each) => each.ID),
        ["one"],
      );
    },
  },
  {
    name: "keeps the tags of a bucket, until they are deleted",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.getBucketTagging({ Bucket }), 404, "NoSuchTagSet");
      const TagSet = [
        { Key: "project", Value: "mawps" },
        { Key: "straße", Value: "größer + 1 @ a/b" },
      ];
      await t.s3.putBucketTagging({ Bucket, Tagging: { TagSet } });
      const got = await t.s3.getBucketTagging({ Bucket });
      assert.deepEqual(
        new Set(got.TagSet?.map((each) => `${each.Key ?? ""}=${each.Value ?? ""}`)),
        new Set(["project=mawps", "straße=größer + 1 @ a/b"]),
      );
      await t.s3.deleteBucketTagging({ Bucket });
      await refused(t.s3.getBucketTagging({ Bucket }), 404, "NoSuchTagSet");
    },
  },
  {
    name: "refuses a bucket tag twice",
    async run(t) {
      const Bucket = await t.bucket();
      const TagSet = [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ];
      await refused(t.s3.putBucketTagging({ Bucket, Tagging: { TagSet } }), 400, "InvalidTag");
      await refused(t.s3.getBucketTagging({ Bucket }), 404, "NoSuchTagSet");
    },
  },
  {
    name: "keeps inventory configurations by their ids, until they are deleted",
    async run(t) {
      const Bucket = await t.bucket();
      const inventory = (Id: string) => ({
        Id,
        IsEnabled: true,
        IncludedObjectVersions: "All" as const,
        Schedule: { Frequency: "Weekly" as const },
        OptionalFields: ["Size" as const, "StorageClass" as const],
        Destination: {
          S3BucketDestination: { Bucket: `arn:aws:s3:::${Bucket}`, Format: "CSV" as const, Prefix: "lists" },
        },
      });
      const listed = async () =>
        (await t.s3.listBucketInventoryConfigurations({ Bucket })).InventoryConfigurationList ?? [];
      assert.deepEqual(await listed(), []);
      await refused(t.s3.getBucketInventoryConfiguration({ Bucket, Id: "all" }), 404, "NoSuchConfiguration");
      for (const Id of ["nightly", "all", "all"]) {
        const InventoryConfiguration = inventory(Id);
        await t.s3.putBucketInventoryConfiguration({ Bucket, Id, InventoryConfiguration });
      }
      const { InventoryConfiguration } = await t.s3.getBucketInventoryConfiguration({ Bucket, Id: "all" });
      assert.deepEqual(InventoryConfiguration, inventory("all"));
      assert.deepEqual((await listed()).map(({ Id }) => String(Id)).sort(), ["all", "nightly"]);
      await t.s3.deleteBucketInventoryConfiguration({ Bucket, Id: "all" });
      assert.deepEqual(
        (await listed()).map(({ Id }) => Id),
        ["nightly"],
      );
    },
  },
  {
    name: "refuses an inventory configuration under the id of another",
    async run(t) {
      const Bucket = await t.bucket();
      const InventoryConfiguration = {
        Id: "one",
        IsEnabled: true,
        IncludedObjectVersions: "All" as const,
        Schedule: { Frequency: "Daily" as const },
        Destination: {
          S3BucketDestination: { Bucket: `arn:aws:s3:::${Bucket}`, Format: "Parquet" as const },
        },
      };
      await refused(
        t.s3.putBucketInventoryConfiguration({ Bucket, Id: "two", InventoryConfiguration }),
        400,
        "InvalidArgument",
        "MalformedXML",
      );
      const { InventoryConfigurationList = [] } = await t.s3.listBucketInventoryConfigurations({ Bucket });
      assert.deepEqual(InventoryConfigurationList, []);
    },
  },
  {
    name: "starts without versioning, turns it on, and only suspends it",
    async run(t) {
      const Bucket = await t.bucket();
      assert.equal((await t.s3.getBucketVersioning({ Bucket })).Status, undefined);
      for (const Status of ["Enabled", "Suspended"] as const) {
        await t.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } });
        assert.equal((await t.s3.getBucketVersioning({ Bucket })).Status, Status);
      }
    },
  },
  {
    name: "refuses a versioning status that does not exist",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(
        t.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Off" as never } }),
        400,
        "IllegalVersioningConfigurationException",
        "MalformedXML",
      );
      assert.equal((await t.s3.getBucketVersioning({ Bucket })).Status, undefined);
    },
  },
];

const everybodyReads = "http://acs.amazonaws.com/groups/global/AllUsers READ";

async function owns(
  t: Trial,
  Bucket: string,
  ObjectOwnership: "BucketOwnerEnforced" | "BucketOwnerPreferred",
) {
  await t.s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } });
}

/** Lets the bucket take ACLs, public ones too. */
async function takesAcls(t: Trial, Bucket: string): Promise<void> {
  await owns(t, Bucket, "BucketOwnerPreferred");
  await t.s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: {} });
}

async function grantsOf(t: Trial, Bucket: string, Key: string): Promise<string[]> {
  const { Grants = [], Owner } = await t.s3.getObjectAcl({ Bucket, Key });
  const named = Grants.map(({ Grantee, Permission }) => {
    const who = Grantee?.URI ?? (Grantee?.ID === Owner?.ID ? "owner" : (Grantee?.ID ?? "nobody"));
    return `${who} ${Permission ?? ""}`;
  });
  return named.sort();
}
