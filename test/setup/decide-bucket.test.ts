import { describe, expect, it } from "vitest";
import type { PolicyDocument, StoredStatement } from "../../src/aws/s3/bucket-policy.ts";
import type { StoredLifecycleRule } from "../../src/aws/s3/bucket-settings.ts";
import type { BucketDeclaration } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import type { ActualBucket, BucketSettings } from "../../src/setup/actual.ts";
import { decideBucket } from "../../src/setup/decide-bucket.ts";
import { mergedCors } from "../../src/setup/cors.ts";
import { mergedLifecycle } from "../../src/setup/lifecycle.ts";
import { mergedPolicy } from "../../src/setup/policy.ts";
import type { Step } from "../../src/setup/step.ts";

const aws = { region: "eu-central-1", isPlainHttp: false };
const { buckets } = mawps(defaultNames);

function bucketFor(access: "public" | "private"): BucketDeclaration {
  const found = buckets.find((bucket) => bucket.access === access);
  if (found === undefined) throw new Error(`no ${access} bucket`);
  return found;
}

const open = bucketFor("public");
const closed = bucketFor("private");

function asDeclared(bucket: BucketDeclaration, differing: Partial<BucketSettings> = {}): ActualBucket {
  return {
    presence: { state: "here" },
    settings: {
      publicAccessBlock: bucket.publicAccessBlock,
      policy: mergedPolicy(undefined, bucket.policy),
      ownership: "BucketOwnerEnforced",
      versioning: "Enabled",
      encryption: "AES256",
      lifecycle: mergedLifecycle(undefined, bucket.lifecycle),
      cors: mergedCors([], bucket.cors),
      ...differing,
    },
  };
}

function off(steps: readonly Step[]): string[] {
  return steps.filter(({ kind }) => kind !== "ok").map(({ kind, aspect }) => `${kind} ${aspect}`);
}

/** The policy or the rules that the steps would write. */
function written(steps: readonly Step[]): {
  policy?: PolicyDocument;
  rules?: readonly StoredLifecycleRule[];
} {
  const result: { policy?: PolicyDocument; rules?: readonly StoredLifecycleRule[] } = {};
  for (const { write } of steps) {
    if (write?.do === "write-policy") result.policy = write.policy;
    if (write?.do === "write-lifecycle") result.rules = write.lifecycle.rules;
  }
  return result;
}

describe("a bucket", () => {
  it.each([open, closed])("as declared needs nothing: $role", (bucket) => {
    expect(off(decideBucket(bucket, asDeclared(bucket), aws))).toEqual([]);
  });

  it.each([open, closed])(
    "that is missing is made, its public access block before its policy: $role",
    (bucket) => {
      expect(off(decideBucket(bucket, { presence: { state: "missing" } }, aws))).toEqual([
        "create bucket",
        "add public access block",
        "add policy",
        "add ownership",
        "add versioning",
        "add encryption",
        "add lifecycle",
        "add cors",
      ]);
    },
  );

  it.each<[string, Partial<BucketSettings>, string]>([
    ["no public access block", { publicAccessBlock: undefined }, "add public access block"],
    ["another block", { publicAccessBlock: open.publicAccessBlock }, "change public access block"],
    ["no policy", { policy: undefined }, "add policy"],
    ["another policy", { policy: { Statement: [] } }, "change policy"],
    ["ACLs that count", { ownership: undefined }, "change ownership"],
    ["another ownership", { ownership: "ObjectWriter" }, "change ownership"],
    ["no versions ever", { versioning: undefined }, "add versioning"],
    ["versions suspended", { versioning: "Suspended" }, "change versioning"],
    ["no encryption", { encryption: undefined }, "add encryption"],
    ["no lifecycle", { lifecycle: undefined }, "add lifecycle"],
    ["other rules", { lifecycle: { rules: [] } }, "change lifecycle"],
    ["a setting its server lacks", { ownership: "unsupported" }, "note ownership"],
    ["a setting that may not be read", { policy: "denied" }, "problem policy"],
  ])("with %s", (_name, differing, step) => {
    expect(off(decideBucket(closed, asDeclared(closed, differing), aws))).toEqual([step]);
  });

  it("may have keys of KMS", () => {
    expect(off(decideBucket(closed, asDeclared(closed, { encryption: "aws:kms" }), aws))).toEqual([]);
  });

  it("in another region is a problem that names the region", () => {
    const actual: ActualBucket = { presence: { state: "elsewhere", region: "us-east-1" } };
    const [step, ...others] = decideBucket(closed, actual, aws);
    expect(step).toMatchObject({ kind: "problem", from: "us-east-1" });
    expect(step?.remedy).toContain("--region us-east-1");
    expect(others).toEqual([]);
  });

  it("of somebody else is a problem, and nothing is tried on it", () => {
    const steps = decideBucket(closed, { presence: { state: "denied" } }, aws);
    expect(off(steps)).toEqual(["problem bucket"]);
    expect(steps[0]?.write).toBeUndefined();
  });
});

describe("a policy", () => {
  const [tlsOnly, publicRead] = open.policy;
  const foreign: StoredStatement = {
    Sid: "Cdn",
    Effect: "Allow",
    Principal: { Service: "cloudfront.amazonaws.com" },
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${open.name}/*`,
    Condition: { StringEquals: { "AWS:SourceArn": "arn:aws:cloudfront::1:distribution/X" } },
  };
  const nameless: StoredStatement = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObjectAcl",
    Resource: "*",
  };

  it("keeps its id, version and the statements of others, in order", () => {
    const policy = { Version: "2008-10-17", Id: "mine", Statement: [foreign, nameless] };
    const steps = decideBucket(open, asDeclared(open, { policy }), aws);
    expect(written(steps).policy).toEqual({ ...policy, Statement: [foreign, nameless, tlsOnly, publicRead] });
  });

  it("gets its own statement back where it was changed", () => {
    const weakened = { ...publicRead, Action: ["s3:GetObjectVersion"] };
    const policy = { Version: "2012-10-17", Statement: [weakened, foreign, { ...tlsOnly }] };
    const steps = decideBucket(open, asDeclared(open, { policy }), aws);
    expect(written(steps).policy?.Statement).toEqual([foreign, tlsOnly, publicRead]);
  });

  const tlsUnderAnotherName: StoredStatement = {
    Sid: "AllowSSLRequestsOnly",
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: "S3:*",
    Resource: [`arn:aws:s3:::${open.name}/*`, `arn:aws:s3:::${open.name}`],
    Condition: { Bool: { "aws:SecureTransport": [false] } },
  };
  const read = (Resource: unknown, more: object = {}): StoredStatement => ({
    Sid: "PublicReadGetObject",
    Effect: "Allow",
    Principal: "*",
    Action: ["s3:Get*"],
    Resource,
    ...more,
  });

  it.each<[string, StoredStatement[], string[]]>([
    ["the same under another name", [tlsUnderAnotherName, read(`arn:aws:s3:::${open.name}/public/*`)], []],
    ["a wider permission", [tlsUnderAnotherName, read([`arn:aws:s3:::${open.name}/*`])], []],
    [
      "a narrower permission",
      [tlsUnderAnotherName, read(`arn:aws:s3:::${open.name}/public/a/*`)],
      ["MawpsPublicRead"],
    ],
    [
      "a permission on conditions",
      [tlsUnderAnotherName, read(`arn:aws:s3:::${open.name}/*`, { Condition: { Bool: { a: "b" } } })],
      ["MawpsPublicRead"],
    ],
    [
      "a denial of one action",
      [{ ...tlsUnderAnotherName, Action: "s3:PutObject" }],
      ["MawpsTlsOnly", "MawpsPublicRead"],
    ],
    [
      "all but some",
      [tlsUnderAnotherName, read(undefined, { NotResource: "arn:aws:s3:::other/*" })],
      ["MawpsPublicRead"],
    ],
  ])("with %s", (_name, Statement, added) => {
    const steps = decideBucket(open, asDeclared(open, { policy: { Statement } }), aws);
    const sids = (written(steps).policy?.Statement ?? Statement)
      .slice(Statement.length)
      .map(({ Sid }) => Sid);
    expect(sids).toEqual(added);
  });
});

describe("a policy over plain HTTP", () => {
  const place = { ...aws, isPlainHttp: true };
  const [tlsOnly, publicRead] = open.policy;

  it("that lacks only the demand for TLS does no harm", () => {
    const policy = { Statement: [{ ...publicRead }] };
    const step = decideBucket(open, asDeclared(open, { policy }), place).find(
      ({ aspect }) => aspect === "policy",
    );
    expect(step).toMatchObject({ kind: "change", isMinor: true });
  });

  it("that lacks more has a second form without the demand", () => {
    const policy = { Statement: [] };
    const step = decideBucket(open, asDeclared(open, { policy }), place).find(
      ({ aspect }) => aspect === "policy",
    );
    expect(step?.isMinor).toBeUndefined();
    expect(step?.write).toMatchObject({
      policy: { Statement: [tlsOnly, publicRead] },
      withoutTls: { Statement: [publicRead] },
    });
  });
});

describe("a lifecycle", () => {
  const foreign: StoredLifecycleRule = {
    ID: "glacier",
    Status: "Enabled",
    Prefix: "archive/",
    Transitions: [{ Days: 90, StorageClass: "GLACIER" }],
  };
  const whole = { Status: "Enabled", Filter: {} } as const;

  it("keeps the rules of others, in the form that S3 takes beside ours", () => {
    const lifecycle = { rules: [foreign], transitionDefaultMinimumObjectSize: "varies_by_storage_class" };
    const lifecycleStep = decideBucket(closed, asDeclared(closed, { lifecycle }), aws).find(
      ({ aspect }) => aspect === "lifecycle",
    );
    const { Prefix, ...rest } = foreign;
    expect(lifecycleStep?.write).toEqual({
      do: "write-lifecycle",
      lifecycle: {
        transitionDefaultMinimumObjectSize: "varies_by_storage_class",
        rules: [{ ...rest, Filter: { Prefix } }, ...mergedLifecycle(undefined, closed.lifecycle).rules],
      },
    });
  });

  it.each<[string, StoredLifecycleRule, string[]]>([
    [
      "one rule of another name that does all of it sooner",
      {
        ...whole,
        ID: "x",
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
      [],
    ],
    [
      "a rule that does it later",
      { ...whole, ID: "x", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 8 } },
      ["mawps-abort-multipart", "mawps-expire-old-versions"],
    ],
    [
      "a rule that is switched off",
      { ...whole, Status: "Disabled", ID: "x", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ["mawps-abort-multipart", "mawps-expire-old-versions"],
    ],
    [
      "a rule for some objects",
      {
        ...whole,
        Filter: { Prefix: "a/" },
        ID: "x",
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
      ["mawps-abort-multipart", "mawps-expire-old-versions"],
    ],
    [
      "a rule that keeps some versions for good",
      {
        ...whole,
        ID: "x",
        NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 3 },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
      ["mawps-abort-multipart", "mawps-expire-old-versions"],
    ],
  ])("with %s", (_name, rule, added) => {
    const steps = decideBucket(closed, asDeclared(closed, { lifecycle: { rules: [rule] } }), aws);
    expect((written(steps).rules ?? [rule]).slice(1).map(({ ID }) => ID)).toEqual(added);
  });

  it("gets its own rule back where its days were changed", () => {
    const rules = mergedLifecycle(undefined, closed.lifecycle).rules.map((rule): StoredLifecycleRule =>
      rule.ID === "mawps-abort-multipart"
        ? Object.assign({}, rule, { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } })
        : rule,
    );
    const steps = decideBucket(closed, asDeclared(closed, { lifecycle: { rules } }), aws);
    expect(off(steps)).toEqual(["change lifecycle"]);
    const days = written(steps).rules?.map(
      (rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    );
    expect(days).toEqual([undefined, 7]);
  });
});

describe("what may close something off", () => {
  const everything = closed.publicAccessBlock;
  const nothing = { ...everything, blockPublicAcls: false, ignorePublicAcls: false };
  const closing = (actual: ActualBucket) =>
    decideBucket(closed, actual, aws).flatMap(({ aspect, mayCloseOff }) => (mayCloseOff ? [aspect] : []));

  it.each<{ name: string; settings: Partial<BucketSettings>; gives: string[] }>([
    { name: "another ownership", settings: { ownership: "ObjectWriter" }, gives: ["ownership"] },
    { name: "no ownership setting", settings: { ownership: undefined }, gives: ["ownership"] },
    {
      name: "a block that lets ACLs through",
      settings: { publicAccessBlock: nothing },
      gives: ["public access block"],
    },
    { name: "no block at all", settings: { publicAccessBlock: undefined }, gives: ["public access block"] },
    {
      name: "other settings",
      settings: { versioning: undefined, cors: undefined, lifecycle: undefined },
      gives: [],
    },
  ])("is $name of a bucket that is there: $gives", ({ settings, gives }) => {
    expect(closing(asDeclared(closed, settings))).toEqual(gives);
  });

  it("is nothing on a bucket that is yet to be made, or where a block only loosens", () => {
    expect(closing({ presence: { state: "missing" } })).toEqual([]);
    const steps = decideBucket(open, asDeclared(open, { publicAccessBlock: everything }), aws);
    expect(steps.filter(({ kind }) => kind !== "ok").map(({ mayCloseOff }) => mayCloseOff)).toEqual([
      undefined,
    ]);
  });
});
