import { describe, expect, it } from "vitest";
import { bucketFindings, type BucketAccess } from "../../src/access/check-bucket.ts";
import { roleFindings } from "../../src/access/check-role.ts";
import { iamDetails } from "../../src/access/iam-details.ts";
import type { AccessSite } from "../../src/access/place.ts";
import { policiesFor, roles } from "../../src/access/roles.ts";
import { gitHubTrust } from "../../src/access/trust.ts";
import type { StoredStatement } from "../../src/aws/s3/bucket-policy.ts";
import { declarationOf } from "../../src/model/declare.ts";
import { mawpsModel } from "../../src/model/mawps.ts";

const account = "123456789012";
const names = { region: "eu-central-1", buckets: {}, tables: {}, websiteOrigins: ["*"] };
const declaration = declarationOf(mawpsModel, { ...names, userPoolId: "eu-central-1_Pool00000" }, {});
const site: AccessSite = {
  model: mawpsModel,
  declaration,
  account: "*",
  repository: { bucket: "kept", prefix: "nightly/" },
};
const bucketOf = (role: string) => {
  const found = declaration.buckets.find((bucket) => bucket.role === role);
  if (found === undefined) throw new Error(`no bucket ${role}`);
  return found;
};
const [closed, open] = [bucketOf("userFiles"), bucketOf("publicMedia")];
const arn = `arn:aws:s3:::${closed.name}`;

describe("a bucket", () => {
  const extra = (statement: StoredStatement, block = closed.publicAccessBlock): BucketAccess => ({
    policy: { Statement: [...closed.policy, statement] },
    block,
  });
  const reading = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `${arn}/public/*` };
  const unblocked = { ...closed.publicAccessBlock, restrictPublicBuckets: false };

  it.each<[string, typeof closed, BucketAccess, readonly string[]]>([
    [
      "closed, as declared",
      closed,
      { policy: { Statement: closed.policy }, block: closed.publicAccessBlock },
      ["ok bucket: closed to the public"],
    ],
    [
      "open below a folder, as declared",
      open,
      { policy: { Statement: open.policy }, block: open.publicAccessBlock },
      [`ok bucket: anybody may read arn:aws:s3:::${open.name}/public/*, as declared`],
    ],
    [
      "without a policy",
      closed,
      { policy: undefined, block: closed.publicAccessBlock },
      ["problem TLS: requests without TLS are not turned away"],
    ],
    [
      "whose TLS is demanded of reading alone",
      closed,
      {
        policy: { Statement: [{ ...closed.policy[0], Action: "s3:GetObject" }] },
        block: closed.publicAccessBlock,
      },
      ["problem TLS: requests without TLS are not turned away"],
    ],
    [
      "whose TLS is demanded of one account alone",
      closed,
      {
        policy: { Statement: [{ ...closed.policy[0], Principal: { AWS: account } }] },
        block: closed.publicAccessBlock,
      },
      ["problem TLS: requests without TLS are not turned away"],
    ],
    [
      "open by a folder to all the world",
      closed,
      extra(reading, unblocked),
      [
        "problem public access: public access is not blocked: restrictPublicBuckets",
        `problem policy: anybody may s3:GetObject on ${arn}/public/*`,
      ],
    ],
    [
      "open, were it not blocked",
      closed,
      extra({ ...reading, Principal: { AWS: ["*"] } }),
      [`warning policy: anybody may s3:GetObject on ${arn}/public/*, were public access not blocked`],
    ],
    [
      "open to an address",
      closed,
      extra({ ...reading, Condition: { IpAddress: { "aws:SourceIp": "192.0.2.1" } } }),
      [`warning policy: anybody may s3:GetObject on ${arn}/public/* under a condition`],
    ],
    [
      "open to all but one",
      closed,
      extra({ ...reading, Principal: undefined, NotPrincipal: { AWS: account } }, unblocked),
      [
        "problem public access: public access is not blocked: restrictPublicBuckets",
        `problem policy: anybody may s3:GetObject on ${arn}/public/*`,
      ],
    ],
    [
      "in which one account may do everything",
      closed,
      extra({ ...reading, Principal: { AWS: account }, Action: ["s3:GetObject", "s3:*"] }),
      ["problem policy: lets somebody do everything, or all but a few things"],
    ],
    [
      "of another account that reads",
      closed,
      extra({ ...reading, Principal: { AWS: account } }),
      ["ok bucket: closed to the public"],
    ],
    [
      "public, open beyond its folder",
      open,
      {
        policy: { Statement: [...open.policy, { ...reading, Resource: `arn:aws:s3:::${open.name}/*` }] },
        block: open.publicAccessBlock,
      },
      [`problem policy: anybody may s3:GetObject on arn:aws:s3:::${open.name}/*`],
    ],
    [
      "of a server that keeps no policies",
      closed,
      { policy: "unsupported", block: undefined },
      ["skipped bucket: the server keeps no policies of buckets"],
    ],
  ])("%s", (_name, wanted, seen, said) => {
    const findings = bucketFindings(wanted, seen, false);
    expect(findings.map(({ status, check, message }) => `${status} ${check}: ${message}`)).toEqual(said);
  });

  it("on a server that speaks plain HTTP is not to turn that away", () => {
    const seen = { policy: undefined, block: closed.publicAccessBlock };
    expect(bucketFindings(closed, seen, true).map(({ status }) => status)).toEqual(["skipped"]);
  });
});

describe("a role", () => {
  const trust = gitHubTrust({ repository: "owner/site", branch: "main", account });
  const found = (change: {
    readonly statements?: readonly object[];
    readonly without?: string;
    readonly attached?: readonly object[];
    readonly trusting?: object;
    readonly boundary?: string;
    readonly known?: readonly object[];
    readonly of?: AccessSite;
  }) => {
    const {
      statements = [],
      without,
      attached = [],
      trusting = trust,
      boundary,
      known = [],
      of = site,
    } = change;
    const needed = policiesFor("ci-backup", { ...of, account }).policies;
    const kept = needed.flatMap(({ Statement }) => Statement).filter(({ Sid }) => Sid !== without);
    const details = iamDetails.parse({
      RoleDetailList: [
        {
          RoleName: "nightly",
          Arn: `arn:aws:iam::${account}:role/nightly`,
          AssumeRolePolicyDocument: trusting,
          RolePolicyList: [{ PolicyName: "needed", PolicyDocument: { Statement: [...kept, ...statements] } }],
          AttachedManagedPolicies: attached,
          ...(boundary === undefined ? {} : { PermissionsBoundary: { PermissionsBoundaryArn: boundary } }),
        },
      ],
      Policies: known,
    });
    return roleFindings({ role: "ci-backup", name: "nightly" }, details, of).map(
      ({ status, message }) => `${status} ${message}`,
    );
  };
  const trail = `arn:aws:dynamodb:eu-central-1:${account}:table/mawps-audit-log`;

  it("that has what it needs, and nothing else, is well", () => {
    expect(found({})).toEqual(["ok may what it needs, and nothing else"]);
  });

  it("that lacks something, or may more, is told by action and resource", () => {
    expect(found({ without: "BackupBucket" })).toEqual(["problem lacks s3:ListBucket on arn:aws:s3:::kept"]);
    const putting = { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::kept/*" };
    expect(found({ statements: [putting] })).toEqual([
      "warning may more than it needs: s3:PutObject on arn:aws:s3:::kept/*",
    ]);
    const stars = { Effect: "Allow", Action: ["s3:*", "*"], Resource: "*" };
    expect(found({ statements: [stars] })).toEqual(["problem may everything of it: *, s3:* on *"]);
    expect(found({ statements: [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }] })).toEqual([
      "problem may all but a few things (NotAction, NotResource)",
    ]);
  });

  it("that may change the trail, which it must not, is a problem, unless it is denied that", () => {
    const changing = { Effect: "Allow", Action: "dynamodb:UpdateItem", Resource: trail };
    expect(found({ statements: [changing] })).toEqual(["ok may what it needs, and nothing else"]);
    expect(found({ statements: [changing], without: "TrailStays" })).toEqual([
      `problem may what it must not: dynamodb:UpdateItem on ${trail}`,
    ]);
    const among = { Effect: "Allow", Action: "dynamodb:Upd*", Resource: trail };
    expect(found({ statements: [among], without: "TrailStays" })).toEqual([
      `problem may what it must not: dynamodb:UpdateItem on ${trail}`,
      `warning may more than it needs: dynamodb:Upd* on ${trail}`,
    ]);
  });

  it("that anybody may take, or any repository, is a problem", () => {
    const open = { Statement: { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" } };
    expect(found({ trusting: open })).toEqual(["problem anybody may take it"]);
    const [statement] = trust.Statement;
    const like = (subject: string) => ({
      Statement: [
        { ...statement, Condition: { StringLike: { "token.actions.githubusercontent.com:sub": subject } } },
      ],
    });
    const others = ["problem jobs of other repositories on GitHub may take it"];
    expect(found({ trusting: like("repo:owner/*") })).toEqual(others);
    expect(found({ trusting: { Statement: [{ ...statement, Condition: {} }] } })).toEqual(others);
    expect(found({ trusting: like("repo:owner/site:*") })).toEqual([
      "ok may what it needs, and nothing else",
    ]);
  });

  it("whose policy is not in the file is not said to lack anything", () => {
    const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    expect(found({ without: "BackupBucket", attached: [{ PolicyArn }] })).toEqual([
      `skipped ${PolicyArn} is not in the file`,
    ]);
  });

  describe("with a boundary", () => {
    const arn = `arn:aws:iam::${account}:policy/Bound`;
    const bounded = (statements: readonly object[], more: Parameters<typeof found>[0] = {}) =>
      found({
        ...more,
        boundary: arn,
        known: [
          { Arn: arn, PolicyVersionList: [{ IsDefaultVersion: true, Document: { Statement: statements } }] },
        ],
      });
    const everything = { Effect: "Allow", Action: "*", Resource: "*" };

    it("that lets everything through is as without", () => {
      expect(bounded([everything])).toEqual(["ok may what it needs, and nothing else"]);
    });

    it("lacks what that does not let through", () => {
      const but = { Effect: "Deny", Action: "s3:ListBucket", Resource: "arn:aws:s3:::kept" };
      expect(bounded([everything, but])).toEqual(["problem lacks s3:ListBucket on arn:aws:s3:::kept"]);
    });

    it("may of everything what that lets through", () => {
      const all = { Effect: "Allow", Action: "s3:*", Resource: "*" };
      const some = { Effect: "Allow", Action: "s3:DeleteBucket", Resource: "*" };
      const needs = policiesFor("ci-backup", { ...site, account }).policies;
      const allows = needs.flatMap(({ Statement }) => Statement).filter(({ Effect }) => Effect === "Allow");
      expect(bounded([...allows, some], { statements: [all] })).toEqual([
        "warning may more than it needs: s3:DeleteBucket on *",
      ]);
    });

    it.each([
      ["s3:Delete*", "*", "s3:*Bucket", "arn:aws:s3:::kept", []],
      [
        "s3:DeleteBucket",
        "*",
        "s3:Delete*",
        "arn:aws:s3:::kept",
        ["warning may more than it needs: s3:DeleteBucket on arn:aws:s3:::kept"],
      ],
      [
        "s3:Delete*",
        "arn:aws:s3:::kept",
        "s3:DeleteBucket",
        "*",
        ["warning may more than it needs: s3:DeleteBucket on arn:aws:s3:::kept"],
      ],
    ])("may of %s on %s what %s on %s lets through", (mine, at, its, where, told) => {
      const needs = policiesFor("ci-backup", { ...site, account }).policies;
      const allows = needs.flatMap(({ Statement }) => Statement).filter(({ Effect }) => Effect === "Allow");
      const bound = { Effect: "Allow", Action: its, Resource: where };
      const said = told.length > 0 ? told : ["ok may what it needs, and nothing else"];
      expect(
        bounded([...allows, bound], { statements: [{ Effect: "Allow", Action: mine, Resource: at }] }),
      ).toEqual(said);
    });

    it("may not all but a few things where that names what it lets through", () => {
      const open = { Effect: "Allow", NotAction: "iam:*", Resource: "*" };
      const needs = policiesFor("ci-backup", { ...site, account }).policies;
      const allows = needs.flatMap(({ Statement }) => Statement).filter(({ Effect }) => Effect === "Allow");
      expect(bounded(allows, { statements: [open] })).toEqual(["ok may what it needs, and nothing else"]);
      expect(bounded([everything], { statements: [open] })).toEqual([
        "problem may all but a few things (NotAction, NotResource)",
      ]);
    });

    it("that is not in the file is not judged", () => {
      expect(found({ boundary: arn })).toEqual([
        `skipped its boundary, ${arn}, is not in the file: it may do less than its policies say`,
      ]);
    });
  });

  describe("with conditions", () => {
    const of = { ...site, metrics: "Site" };
    const put = (namespace: string) => ({
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringEquals: { "CloudWatch:namespace": [namespace] } },
    });

    it("is well where they are the needed ones, however they are written", () => {
      expect(found({ of })).toEqual(["ok may what it needs, and nothing else"]);
      expect(found({ of, without: "PutMetrics", statements: [put("Site")] })).toEqual([
        "ok may what it needs, and nothing else",
      ]);
    });

    it("lacks what it needs where there are none, and is not judged where there are others", () => {
      const lacks = "problem lacks cloudwatch:PutMetricData on *";
      expect(found({ of, without: "PutMetrics" })).toEqual([lacks]);
      expect(found({ of, without: "PutMetrics", statements: [put("Other")] })).toEqual([
        "skipped under another condition than the needed one: cloudwatch:PutMetricData on *",
        "skipped 1 statement with other conditions than the needed ones: not compared",
      ]);
    });

    it("may more than it needs where they are met", () => {
      const more = { ...put("Site"), Action: ["cloudwatch:DeleteAlarms", "s3:*"] };
      expect(found({ of, statements: [more] })).toEqual([
        "problem may everything of it: s3:* on *",
        "warning may more than it needs: cloudwatch:DeleteAlarms on *",
      ]);
    });

    it.each([
      ["of requests without TLS", { Bool: { "aws:SecureTransport": false } }, "s3:*", []],
      ["of what is not needed", { Bool: { "aws:MultiFactorAuthPresent": false } }, "iam:*", []],
      [
        "of what is needed",
        { Bool: { "aws:MultiFactorAuthPresent": false } },
        "s3:*",
        ["skipped 1 statement with other conditions than the needed ones: not compared"],
      ],
      [
        "of what is needed, but for some",
        { StringNotEquals: { "aws:SourceVpc": "vpc-1" } },
        "s3:*",
        ["skipped 1 statement with other conditions than the needed ones: not compared"],
      ],
    ])("may be denied things by them: %s", (_what, Condition, Action, told) => {
      const said = told.length > 0 ? told : ["ok may what it needs, and nothing else"];
      expect(found({ statements: [{ Effect: "Deny", Action, Resource: "*", Condition }] })).toEqual(said);
    });

    it("that it needs and has not is a problem", () => {
      const open = { Effect: "Allow", Action: "cloudwatch:PutMetricData", Resource: "*" };
      expect(found({ of, without: "PutMetrics", statements: [open] })).toEqual([
        "problem may without the condition that it needs: cloudwatch:PutMetricData on *",
      ]);
    });
  });

  it.each(roles)("%s is well with the policies that are printed for it", (role) => {
    const of = { ...site, metrics: "Site" };
    const details = iamDetails.parse({
      RoleDetailList: [
        {
          RoleName: "it",
          Arn: `arn:aws:iam::${account}:role/it`,
          AssumeRolePolicyDocument: trust,
          RolePolicyList: policiesFor(role, { ...of, account }).policies.map((PolicyDocument) => ({
            PolicyDocument,
          })),
        },
      ],
    });
    expect(roleFindings({ role, name: "it" }, details, of)).toMatchObject([{ status: "ok" }]);
  });

  it("that is not there is a problem", () => {
    const odd = {
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { Bool: { "aws:SecureTransport": false } },
    };
    expect(() =>
      iamDetails.parse({
        RoleDetailList: [
          {
            RoleName: "other",
            Arn: "arn:aws:iam::1:role/other",
            AssumeRolePolicyDocument: { Statement: [odd] },
          },
        ],
      }),
    ).not.toThrow();
    const none = iamDetails.parse({ RoleDetailList: [] });
    expect(roleFindings({ role: "admin", name: "boss" }, none, site)).toMatchObject([
      { status: "problem", message: "there is no such role" },
    ]);
  });
});
