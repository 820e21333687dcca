import { describe, expect, test } from "vitest";
import { isPublic, judgePolicy, parsePolicy, type Question } from "../src/s3/policy.ts";
import { matches } from "../src/s3/wildcards.ts";

const root = "arn:aws:s3:::media";

function policy(...statements: object[]) {
  return parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }), "media");
}

const allowRead = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `${root}/*` };
const tlsOnly = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [root, `${root}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};

function question(changed: Partial<Question> = {}): Question {
  return {
    action: "s3:GetObject",
    resource: `${root}/public/a.jpg`,
    account: undefined,
    context: { "aws:securetransport": ["true"], "aws:sourceip": ["127.0.0.1"], "s3:prefix": ["public/"] },
    ...changed,
  };
}

function when(condition: object) {
  return policy({ ...allowRead, Condition: condition });
}

describe("judges", () => {
  test.each<[string, ReturnType<typeof policy>, Partial<Question>, string]>([
    ["no statement", [], {}, "silent"],
    ["a public read", policy(allowRead), {}, "allow"],
    ["a read of the bucket itself", policy(allowRead), { resource: root }, "silent"],
    ["another action", policy(allowRead), { action: "s3:PutObject" }, "silent"],
    [
      "an action in another case",
      policy({ ...allowRead, Action: "S3:getobject".replace("S3", "s3") }),
      {},
      "allow",
    ],
    ["an action with a wildcard", policy({ ...allowRead, Action: "s3:Get*" }), {}, "allow"],
    ["a prefix", policy({ ...allowRead, Resource: `${root}/private/*` }), {}, "silent"],
    ["a question mark", policy({ ...allowRead, Resource: `${root}/public/?.jpg` }), {}, "allow"],
    ["a denial beside a permission", policy(allowRead, { ...allowRead, Effect: "Deny" }), {}, "deny"],
    ["TLS only, by TLS", policy(allowRead, tlsOnly), {}, "allow"],
    [
      "TLS only, without",
      policy(allowRead, tlsOnly),
      { context: { "aws:securetransport": ["false"] } },
      "deny",
    ],
    ["NotAction", policy({ ...allowRead, Action: undefined, NotAction: "s3:Put*" }), {}, "allow"],
    [
      "NotResource",
      policy({ ...allowRead, Resource: undefined, NotResource: `${root}/public/*` }),
      {},
      "silent",
    ],
    [
      "a named account, anonymous",
      policy({ ...allowRead, Principal: { AWS: "000000000000" } }),
      {},
      "silent",
    ],
    [
      "a named account, itself",
      policy({ ...allowRead, Principal: { AWS: "arn:aws:iam::000000000000:root" } }),
      { account: "000000000000" },
      "allow",
    ],
    ["everybody as AWS: *", policy({ ...allowRead, Principal: { AWS: "*" } }), {}, "allow"],
    ["StringEquals", when({ StringEquals: { "s3:prefix": "public/" } }), {}, "allow"],
    ["StringNotEquals", when({ StringNotEquals: { "s3:prefix": ["public/", "x"] } }), {}, "silent"],
    ["StringLike", when({ StringLike: { "s3:prefix": ["x", "pub*"] } }), {}, "allow"],
    ["a key that is missing", when({ StringEquals: { "aws:referer": "x" } }), {}, "silent"],
    ["a key that is missing, IfExists", when({ StringEqualsIfExists: { "aws:referer": "x" } }), {}, "allow"],
    ["a key that is missing, negated", when({ StringNotEquals: { "aws:referer": "x" } }), {}, "allow"],
    ["Null true", when({ Null: { "aws:referer": "true" } }), {}, "allow"],
    ["Null false", when({ Null: { "aws:referer": "false" } }), {}, "silent"],
    ["IpAddress within", when({ IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }), {}, "allow"],
    ["IpAddress outside", when({ IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "::1"] } }), {}, "silent"],
    ["NotIpAddress", when({ NotIpAddress: { "aws:SourceIp": "127.0.0.1" } }), {}, "silent"],
    [
      "two operators of which one fails",
      when({ Bool: { "aws:SecureTransport": true }, StringEquals: { "s3:prefix": "x" } }),
      {},
      "silent",
    ],
    ["an unknown operator", when({ StringSounds: { "s3:prefix": "public/" } }), {}, "silent"],
  ])("%s", (_name, statements, changed, expected) => {
    expect(judgePolicy(statements, question(changed))).toBe(expected);
  });
});

describe("calls public", () => {
  test.each<[string, object, boolean]>([
    ["everybody", allowRead, true],
    ["everybody but somebody", { ...allowRead, Principal: undefined, NotPrincipal: { AWS: "1" } }, true],
    ["an account", { ...allowRead, Principal: { AWS: "000000000000" } }, false],
    ["a denial", tlsOnly, false],
    [
      "everybody from one network",
      { ...allowRead, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } },
      false,
    ],
    [
      "everybody from everywhere",
      { ...allowRead, Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } } },
      true,
    ],
    ["everybody by TLS", { ...allowRead, Condition: { Bool: { "aws:SecureTransport": "true" } } }, true],
  ])("%s: %#", (_name, statement, expected) => {
    expect(isPublic(policy(statement))).toBe(expected);
  });
});

describe("refuses a policy", () => {
  test.each([
    ["that is no JSON", "{"],
    ["that is a list", "[]"],
    ["without statements", "{}"],
    [
      "about another bucket",
      JSON.stringify({ Statement: { ...allowRead, Resource: "arn:aws:s3:::other/*" } }),
    ],
    [
      "with another service's action",
      JSON.stringify({ Statement: { ...allowRead, Action: "ec2:RunInstances" } }),
    ],
    ["without a principal", JSON.stringify({ Statement: { ...allowRead, Principal: undefined } })],
    ["with an effect that is none", JSON.stringify({ Statement: { ...allowRead, Effect: "Maybe" } })],
    ["of another version", JSON.stringify({ Version: "2020-01-01", Statement: allowRead })],
  ])("%s", (_name, text) => {
    expect(() => parsePolicy(text, "media")).toThrow(expect.objectContaining({ code: "MalformedPolicy" }));
  });
});

test.each([
  ["*", "", true],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-b-b", false],
  ["a?", "a", false],
  ["*a*a*a*a*b", "a".repeat(200), false],
])("the pattern %s on %s", (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});
