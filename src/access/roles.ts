import { losesPartitions } from "../model/database.ts";
import { calls, type Call } from "./calls.ts";
import { resourcesOf, type AccessSite, type Place } from "./place.ts";
import { policiesOf, type Policy, type Statement } from "./policy.ts";
import { folders, ownRows, type NotExpressible } from "./rows.ts";

export const roles = ["owner", "admin", "ci-backup", "ci-retention", "website", "user"] as const;
export type Role = (typeof roles)[number];

export interface RolePolicies {
  readonly role: Role;
  /** Each short enough for a managed policy; a role takes ten of them. */
  readonly policies: readonly Policy[];
  readonly notExpressible: readonly NotExpressible[];
}

/** What the jobs of a role run. */
export const jobs = {
  "ci-backup": ["backup create", "backup list", "backup verify", "backup drill", "backup prune"],
  "ci-retention": ["retention plan", "retention run", "audit verify"],
} as const;

/** The policies of a role on a site, by the site's model. Pure: the same give the same. */
export function policiesFor(role: Role, site: AccessSite): RolePolicies {
  const { statements, notExpressible = [] } = statementsFor(role, site);
  return { role, policies: policiesOf(statements), notExpressible };
}

interface Wanted {
  readonly statements: readonly Statement[];
  readonly notExpressible?: readonly NotExpressible[];
}

function statementsFor(role: Role, site: AccessSite): Wanted {
  switch (role) {
    case "owner":
      return {
        statements: [
          ...granted(site, [...read, ...daily, ...kept]),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...metricsSeen(site),
          ...alarmsMade(site),
          ...scalingSeen(site),
          ...scalingMade(site),
        ],
      };
    case "admin":
      return {
        statements: [
          ...granted(site, [...read, ...daily]),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...metricsSeen(site),
          ...scalingSeen(site),
          ...settingsKept,
          ...recordsKept(site),
        ],
      };
    case "ci-backup":
    case "ci-retention": {
      const grants = groupedCalls(jobs[role].flatMap((command) => calls[command] ?? []));
      return {
        statements: [
          ...granted(site, grants),
          ...(role === "ci-retention" ? archivesMade(site) : []),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...recordsKept(site),
        ],
      };
    }
    case "website":
      return { statements: [...websiteStatements(site), ...trailKept(site)] };
    case "user": {
      const { statements, notExpressible } = ownRows(site);
      return { statements: [...statements, ...trailKept(site)], notExpressible };
    }
  }
}

interface Grant {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly on: readonly Place[];
}

/** Looking at everything. */
const read: readonly Grant[] = [
  {
    sid: "SeeBuckets",
    actions: [
      "s3:GetBucketCORS",
      "s3:GetBucketOwnershipControls",
      "s3:GetBucketPolicy",
      "s3:GetBucketPolicyStatus",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketVersioning",
      "s3:GetEncryptionConfiguration",
      "s3:GetInventoryConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:ListBucketVersions",
    ],
    on: ["buckets", "backupBucket"],
  },
  {
    sid: "ReadFiles",
    actions: [
      "s3:GetObject",
      "s3:GetObjectAcl",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:ListMultipartUploadParts",
    ],
    on: ["objects", "backups"],
  },
  {
    sid: "ReadTables",
    actions: [
      "dynamodb:BatchGetItem",
      "dynamodb:DescribeContinuousBackups",
      "dynamodb:DescribeTable",
      "dynamodb:DescribeTimeToLive",
      "dynamodb:GetItem",
      "dynamodb:ListTagsOfResource",
      "dynamodb:Query",
      "dynamodb:Scan",
    ],
    on: ["tables"],
  },
  { sid: "ReadIndexes", actions: ["dynamodb:Query"], on: ["trailIndexes", "siteIndexes"] },
  {
    sid: "SeeAccounts",
    actions: [
      "cognito-idp:AdminGetUser",
      "cognito-idp:AdminListGroupsForUser",
      "cognito-idp:AdminListUserAuthEvents",
      "cognito-idp:DescribeUserPool",
      "cognito-idp:DescribeUserPoolClient",
      "cognito-idp:ListGroups",
      "cognito-idp:ListUserPoolClients",
      "cognito-idp:ListUsers",
      "cognito-idp:ListUsersInGroup",
    ],
    on: ["pool"],
  },
  { sid: "SeeBackups", actions: ["dynamodb:ListBackups"], on: ["anything"] },
];

/** What is done from day to day: pictures, documents, people, retention, backups. */
const daily: readonly Grant[] = [
  {
    sid: "ChangeFiles",
    actions: [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:PutObjectVersionTagging",
    ],
    on: ["objects", "backups"],
  },
  {
    sid: "ChangeItems",
    actions: [
      "dynamodb:BatchWriteItem",
      "dynamodb:ConditionCheckItem",
      "dynamodb:DeleteItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
    ],
    on: ["itemTables", "journal"],
  },
  {
    sid: "WriteTrail",
    actions: ["dynamodb:ConditionCheckItem", "dynamodb:PutItem"],
    on: ["trail", "siteTrail"],
  },
  {
    sid: "ChangeAccounts",
    actions: [
      "cognito-idp:AdminAddUserToGroup",
      "cognito-idp:AdminConfirmSignUp",
      "cognito-idp:AdminCreateUser",
      "cognito-idp:AdminDeleteUser",
      "cognito-idp:AdminDeleteUserAttributes",
      "cognito-idp:AdminDisableUser",
      "cognito-idp:AdminEnableUser",
      "cognito-idp:AdminRemoveUserFromGroup",
      "cognito-idp:AdminResetUserPassword",
      "cognito-idp:AdminSetUserMFAPreference",
      "cognito-idp:AdminUpdateUserAttributes",
      "cognito-idp:AdminUserGlobalSignOut",
      "cognito-idp:CreateGroup",
    ],
    on: ["pool"],
  },
];

/** Making and mending what all lies in, the site's own trail, and AWS's own backups. Never emptying it: no bucket and no table is deleted. */
const kept: readonly Grant[] = [
  {
    sid: "ChangeSiteTrail",
    actions: ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"],
    on: ["siteTrail"],
  },
  {
    sid: "SetUpBuckets",
    actions: [
      "s3:CreateBucket",
      "s3:DeleteBucketPolicy",
      "s3:PutBucketCORS",
      "s3:PutBucketOwnershipControls",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketVersioning",
      "s3:PutEncryptionConfiguration",
      "s3:PutInventoryConfiguration",
      "s3:PutLifecycleConfiguration",
    ],
    on: ["buckets", "backupBucket"],
  },
  {
    sid: "SetUpTables",
    actions: [
      "dynamodb:CreateBackup",
      "dynamodb:CreateTable",
      "dynamodb:ExportTableToPointInTime",
      "dynamodb:RestoreTableToPointInTime",
      "dynamodb:TagResource",
      "dynamodb:UntagResource",
      "dynamodb:UpdateContinuousBackups",
      "dynamodb:UpdateTable",
      "dynamodb:UpdateTimeToLive",
    ],
    on: ["tables"],
  },
  {
    sid: "KeepBackups",
    actions: [
      "dynamodb:DeleteBackup",
      "dynamodb:DescribeBackup",
      "dynamodb:DescribeExport",
      "dynamodb:ListExports",
      "dynamodb:RestoreTableFromBackup",
    ],
    on: ["anything"],
  },
  {
    sid: "Look",
    actions: [
      "cognito-idp:ListUserPools",
      "dynamodb:ListTables",
      "iam:GetAccountAuthorizationDetails",
      "s3:ListAllMyBuckets",
    ],
    on: ["anything"],
  },
];

function granted(site: AccessSite, grants: readonly Grant[]): Statement[] {
  return statementsOf(site, "Allow", grants);
}

function denied(site: AccessSite, grants: readonly Grant[]): Statement[] {
  return statementsOf(site, "Deny", grants);
}

function statementsOf(site: AccessSite, effect: Statement["Effect"], grants: readonly Grant[]): Statement[] {
  return grants.flatMap(({ sid, actions, on }): Statement[] => {
    const resources = [...new Set(on.flatMap((place) => resourcesOf(place, site)))];
    if (resources.length === 0) return [];
    return [{ Sid: sid, Effect: effect, Action: [...actions].sort(), Resource: resources }];
  });
}

/** Actions on the same places together. */
function groupedCalls(all: readonly Call[]): Grant[] {
  const places = [...new Set(all.map(({ on }) => on))];
  return places.map((place) => ({
    sid: place.replace(/^./, (letter) => letter.toUpperCase()),
    actions: [...new Set(all.filter(({ on }) => on === place).map(({ action }) => action))],
    on: [place],
  }));
}

/** CloudWatch knows no ARNs of metrics: the namespace fences them. */
function metricsPut({ metrics }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  return [
    {
      Sid: "PutMetrics",
      Effect: "Allow",
      Action: ["cloudwatch:PutMetricData"],
      Resource: ["*"],
      Condition: { StringEquals: { "cloudwatch:namespace": metrics } },
    },
  ];
}

/** Rows of partitions of databases go to the backups before they go for good. */
function archivesMade(site: AccessSite): Statement[] {
  if (!Object.values(site.model.entities).some(losesPartitions)) return [];
  return granted(site, [
    { sid: "SeeArchives", actions: ["s3:ListBucket"], on: ["backupBucket"] },
    { sid: "MakeArchives", actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], on: ["backups"] },
  ]);
}

/** Anchors that lie in a bucket of their own, mostly of another account, and the lock that keeps them. */
function anchorsKept(site: AccessSite): Statement[] {
  const { trail, buckets } = site.declaration;
  if (trail === undefined) return [];
  const isVault = !buckets.some(({ name }) => name === trail.bucket);
  return granted(site, [
    ...(isVault
      ? [
          { sid: "SeeAnchors", actions: ["s3:ListBucket", "s3:ListBucketVersions"], on: ["vault"] as const },
          {
            sid: "WriteAnchors",
            actions: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            on: ["anchors"] as const,
          },
        ]
      : []),
    ...(trail.lock === undefined
      ? []
      : [
          { sid: "SeeLock", actions: ["s3:GetBucketObjectLockConfiguration"], on: ["vault"] as const },
          { sid: "LockAnchors", actions: ["s3:PutObjectRetention"], on: ["anchors"] as const },
        ]),
  ]);
}

function metricsSeen({ metrics }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  const actions = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"];
  return [{ Sid: "SeeMetrics", Effect: "Allow", Action: actions, Resource: ["*"] }];
}

/** The names of the site's alarms begin with its namespace. */
function alarmsMade({ metrics, declaration, account }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  const alarms = `arn:aws:cloudwatch:${declaration.region}:${account}:alarm:${metrics}-*`;
  return [{ Sid: "SetUpAlarms", Effect: "Allow", Action: ["cloudwatch:PutMetricAlarm"], Resource: [alarms] }];
}

function scales({ declaration }: AccessSite): boolean {
  return declaration.tables.some(({ capacity }) => capacity !== undefined);
}

function scalingSeen(site: AccessSite): Statement[] {
  if (!scales(site)) return [];
  const actions = [
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
  ];
  return [{ Sid: "SeeScaling", Effect: "Allow", Action: actions, Resource: ["*"] }];
}

/**
 * Application Auto Scaling knows no names of tables: its service fences them. The first time it makes a role of its own, and the alarms
 * by which it scales are made with the rights of who asks for them.
 * https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
 */
function scalingMade(site: AccessSite): Statement[] {
  if (!scales(site)) return [];
  const service = "dynamodb.application-autoscaling.amazonaws.com";
  const { declaration, account } = site;
  return [
    {
      Sid: "SetUpScaling",
      Effect: "Allow",
      Action: ["application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget"],
      Resource: ["*"],
      Condition: { StringEquals: { "application-autoscaling:service-namespace": "dynamodb" } },
    },
    {
      Sid: "SetUpScalingAlarms",
      Effect: "Allow",
      Action: ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
      Resource: [`arn:aws:cloudwatch:${declaration.region}:${account}:alarm:TargetTracking-table/*`],
    },
    {
      Sid: "SetUpScalingRole",
      Effect: "Allow",
      Action: ["iam:CreateServiceLinkedRole"],
      Resource: [`arn:aws:iam::*:role/aws-service-role/${service}/*`],
      Condition: { StringEquals: { "iam:AWSServiceName": service } },
    },
  ];
}

/** An admin works on what is there and leaves how it is set up, and whom it is open to, to the owner. */
const settingsKept: readonly Statement[] = [
  {
    Sid: "SettingsStay",
    Effect: "Deny",
    Action: [
      "dynamodb:DeleteTable",
      "s3:DeleteBucket",
      "s3:PutBucketAcl",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutLifecycleConfiguration",
    ],
    Resource: ["*"],
  },
];

/** The audit trail and what proves it are added to, and nobody takes from them. */
function recordsKept(site: AccessSite): Statement[] {
  return denied(site, [
    {
      sid: "AnchorsStay",
      actions: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
      on: ["anchors"],
    },
    {
      sid: "TrailStays",
      actions: ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"],
      on: ["trail"],
    },
  ]);
}

/** What the site's own backend does: its tables, and the folders of its kinds of things. It finds by keys and deletes nothing for good. */
function websiteStatements(site: AccessSite): Statement[] {
  const files = [...new Set(folders(site))];
  return [
    ...granted(site, [
      {
        sid: "Items",
        actions: [
          "dynamodb:BatchGetItem",
          "dynamodb:ConditionCheckItem",
          "dynamodb:DeleteItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ],
        on: ["itemTables"],
      },
      {
        sid: "Trail",
        actions: [
          "dynamodb:BatchGetItem",
          "dynamodb:ConditionCheckItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
        ],
        on: ["siteTrail"],
      },
      { sid: "Indexes", actions: ["dynamodb:Query"], on: ["siteIndexes"] },
      { sid: "Listing", actions: ["s3:ListBucket"], on: ["buckets"] },
    ]),
    ...(files.length === 0
      ? []
      : [
          {
            Sid: "Files",
            Effect: "Allow" as const,
            Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            Resource: files,
          },
        ]),
  ];
}

/** Whoever else a role lets in: mawps's own records are written by mawps alone, and old versions stay. */
function trailKept(site: AccessSite): Statement[] {
  return denied(site, [
    { sid: "RecordsStay", actions: ["dynamodb:*"], on: ["trail", "trailIndexes", "journal"] },
    { sid: "AnchorsStay", actions: ["s3:*"], on: ["anchors"] },
    { sid: "VersionsStay", actions: ["s3:DeleteObjectVersion"], on: ["anything"] },
  ]);
}
