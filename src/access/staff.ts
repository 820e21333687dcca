import type { Statement } from "./policy.ts";
import type { Grant } from "./statements.ts";

/** Looking at everything. */
export const read: readonly Grant[] = [
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
export const daily: readonly Grant[] = [
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
export const kept: readonly Grant[] = [
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

/** An admin works on what is there and leaves how it is set up, and whom it is open to, to the owner. */
export const settingsKept: readonly Statement[] = [
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
