import { describe, expect, it } from "vitest";
import { judge, type JudgedPolicy, type Request } from "../../src/access/evaluate.ts";

type Verdict = ReturnType<typeof judge>;
type Case = readonly [name: string, request: Request, verdict: Verdict];

function cases(policy: JudgedPolicy, all: readonly Case[]): void {
  it.each(all)("%s", (_name, request, verdict) => {
    expect(judge([policy], request)).toBe(verdict);
  });
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_s3_home-directory-console.html
describe("AWS's example of a home folder for each user", () => {
  const policy: JudgedPolicy = {
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:ListAllMyBuckets", "s3:GetBucketLocation"],
        Resource: "arn:aws:s3:::*",
      },
      {
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: "arn:aws:s3:::bucket",
        Condition: { StringLike: { "s3:prefix": ["", "home/", "home/${aws:username}/*"] } },
      },
      {
        Effect: "Allow",
        Action: "s3:*",
        Resource: ["arn:aws:s3:::bucket/home/${aws:username}", "arn:aws:s3:::bucket/home/${aws:username}/*"],
      },
    ],
  };
  const max = { "aws:username": "max" };
  const list = (prefix: string) => ({
    action: "s3:ListBucket",
    resource: "arn:aws:s3:::bucket",
    context: { ...max, "s3:prefix": prefix },
  });
  const get = (key: string, context: Request["context"] = max) => ({
    action: "s3:GetObject",
    resource: `arn:aws:s3:::bucket/${key}`,
    context,
  });
  cases(policy, [
    ["the top may be listed", list(""), "allowed"],
    ["one's own folder may be listed", list("home/max/letters"), "allowed"],
    ["another's may not", list("home/eva/"), "not allowed"],
    ["one's own object", get("home/max/a.txt"), "allowed"],
    ["actions in any case", { ...get("home/max/a.txt"), action: "S3:getobject" }, "allowed"],
    ["resources in their own case only", get("HOME/max/a.txt"), "not allowed"],
    ["another's", get("home/eva/a.txt"), "not allowed"],
    ["a name that begins with one's own", get("home/maximilian/a.txt"), "not allowed"],
    ["without a name nobody's", get("home//a.txt", {}), "not allowed"],
    ["a star in a name is no pattern", get("home/eva/a.txt", { "aws:username": "*" }), "not allowed"],
  ]);
});

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
describe("AWS's example of rows by their partition key", () => {
  const policy: JudgedPolicy = {
    Statement: [
      {
        Effect: "Allow",
        Action: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        Resource: ["arn:aws:dynamodb:us-west-2:123456789012:table/GameScores"],
        Condition: {
          "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${www.amazon.com:user_id}"] },
        },
      },
    ],
  };
  const ask = (action: string, keys?: readonly string[]) => ({
    action: `dynamodb:${action}`,
    resource: "arn:aws:dynamodb:us-west-2:123456789012:table/GameScores",
    context: {
      "www.amazon.com:user_id": "42",
      ...(keys === undefined ? {} : { "dynamodb:LeadingKeys": keys }),
    },
  });
  cases(policy, [
    ["one's own row", ask("GetItem", ["42"]), "allowed"],
    ["another's", ask("GetItem", ["43"]), "not allowed"],
    ["one's own and another's", ask("Query", ["42", "43"]), "not allowed"],
    [
      "an index is another resource",
      {
        ...ask("Query", ["42"]),
        resource: "arn:aws:dynamodb:us-west-2:123456789012:table/GameScores/index/i",
      },
      "not allowed",
    ],
    // ForAllValues is true where there is no key at all: what the guard is for.
    ["a scan, which names no key", ask("Scan"), "allowed"],
  ]);
  it("with a Null guard beside it a scan is not allowed", () => {
    const both = {
      Statement: [
        {
          Effect: "Allow" as const,
          Action: "dynamodb:*",
          Resource: "*",
          Condition: {
            "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${www.amazon.com:user_id}"] },
            Null: { "dynamodb:LeadingKeys": "false" },
          },
        },
      ],
    };
    expect([judge([both], ask("Scan")), judge([both], ask("GetItem", ["42"]))]).toEqual([
      "not allowed",
      "allowed",
    ]);
  });
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-requested-region.html
describe("AWS's example of a region that is denied, but for global services", () => {
  const policy: JudgedPolicy = {
    Statement: [
      {
        Effect: "Deny",
        NotAction: ["cloudfront:*", "iam:*", "route53:*", "support:*"],
        Resource: "*",
        Condition: { StringNotEquals: { "aws:RequestedRegion": ["eu-central-1", "eu-west-1"] } },
      },
      { Effect: "Allow", Action: "*", Resource: "*" },
    ],
  };
  const ask = (action: string, region: string) => ({
    action,
    resource: "*",
    context: { "aws:RequestedRegion": region },
  });
  cases(policy, [
    ["in the region", ask("s3:GetObject", "eu-west-1"), "allowed"],
    ["elsewhere", ask("s3:GetObject", "us-east-1"), "denied"],
    ["a global service elsewhere", ask("iam:GetUser", "us-east-1"), "allowed"],
    ["without a region the negated condition holds", { action: "s3:GetObject", resource: "*" }, "denied"],
  ]);
});

describe("conditions", () => {
  const under = (Condition: object): JudgedPolicy => ({
    Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: Condition as never },
  });
  it.each<[string, object, Request["context"], Verdict]>([
    ["a key that is missing fits nothing", { StringEquals: { k: "a" } }, {}, "not allowed"],
    ["unless it may be missing", { StringEqualsIfExists: { k: "a" } }, {}, "allowed"],
    ["one value of several fits", { StringEquals: { k: ["a", "b"] } }, { k: "b" }, "allowed"],
    ["all keys must fit", { StringEquals: { k: "a", l: "a" } }, { k: "a", l: "b" }, "not allowed"],
    [
      "all operators must fit",
      { StringEquals: { k: "a" }, Bool: { l: "true" } },
      { k: "a", l: "false" },
      "not allowed",
    ],
    ["of negated values none may fit", { StringNotEquals: { k: ["a", "b"] } }, { k: "b" }, "not allowed"],
    [
      "names of keys in any case",
      { StringEquals: { "AWS:PrincipalTag/x": "a" } },
      { "aws:principaltag/x": "a" },
      "allowed",
    ],
    ["any value", { "ForAnyValue:StringLike": { k: "a*" } }, { k: ["b", "ab"] }, "allowed"],
    ["any value of none", { "ForAnyValue:StringLike": { k: "a*" } }, {}, "not allowed"],
    ["no key at all is wanted", { Null: { k: "true" } }, {}, "allowed"],
    ["a number", { NumericLessThanEquals: { "s3:max-keys": "10" } }, { "s3:max-keys": "11" }, "not allowed"],
    ["the value of another key", { StringEquals: { k: "${l}" } }, { k: "a", l: "a" }, "allowed"],
    ["the default of a variable", { StringEquals: { k: "${l, 'none'}" } }, { k: "none" }, "allowed"],
  ])("%s", (_name, condition, context, verdict) => {
    const request = { action: "s3:GetObject", resource: "*", ...(context === undefined ? {} : { context }) };
    expect(judge([under(condition)], request)).toBe(verdict);
  });

  it("that are not known are refused, not passed over", () => {
    const request = { action: "a:B", resource: "*", context: { k: "1" } };
    expect(() => judge([under({ IpAddress: { k: "1" } })], request)).toThrow("IpAddress");
  });
});
