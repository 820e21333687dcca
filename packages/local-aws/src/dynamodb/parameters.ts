/*
 * Parameters that dynalite does not know, in its own notation for `checkTypes` and `checkValidations`.
 */

function struct(name: string, children: object): object {
  return { type: `FieldStruct<${name}>`, children };
}

function listOf(name: string, children: object): object {
  return { type: "List", children: { type: `ValueStruct<${name}>`, children } };
}

const required = { type: "String", notNull: true };
const tag = { Key: required, Value: required };

const tableSettings = {
  DeletionProtectionEnabled: "Boolean",
  TableClass: { type: "String", enum: ["STANDARD", "STANDARD_INFREQUENT_ACCESS"] },
  SSESpecification: struct("SSESpecification", {
    Enabled: "Boolean",
    SSEType: "String",
    KMSMasterKeyId: "String",
  }),
  StreamSpecification: struct("StreamSpecification", {
    StreamEnabled: { type: "Boolean", notNull: true },
    StreamViewType: {
      type: "String",
      enum: ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"],
    },
  }),
};

const failOnCheck = {
  ReturnValuesOnConditionCheckFailure: { type: "String", enum: ["ALL_OLD", "NONE"] },
};

/** What came to dynalite's own operations later. */
export const laterParameters: Readonly<Record<string, object>> = {
  createTable: { ...tableSettings, Tags: listOf("Tag", tag) },
  updateTable: {
    ...tableSettings,
    AttributeDefinitions: listOf("AttributeDefinition", {
      AttributeName: required,
      AttributeType: { ...required, enum: ["B", "N", "S"] },
    }),
  },
  deleteItem: failOnCheck,
  putItem: failOnCheck,
  updateItem: failOnCheck,
};

const backup = { BackupArn: required };
const tableName = {
  ...required,
  regex: "[a-zA-Z0-9_.-]+",
  lengthGreaterThanOrEqual: 3,
  lengthLessThanOrEqual: 255,
};
const billingMode = { type: "String", enum: ["PROVISIONED", "PAY_PER_REQUEST"] };

/** The operations that dynalite does not have. Members of a transaction are checked as the single operations are. */
export const ownParameters = {
  updateTimeToLive: {
    TableName: required,
    TimeToLiveSpecification: {
      ...struct("TimeToLiveSpecification", {
        AttributeName: { ...required, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 255 },
        Enabled: { type: "Boolean", notNull: true },
      }),
      notNull: true,
    },
  },
  describeTimeToLive: { TableName: required },
  updateContinuousBackups: {
    TableName: required,
    PointInTimeRecoverySpecification: {
      ...struct("PointInTimeRecoverySpecification", {
        PointInTimeRecoveryEnabled: { type: "Boolean", notNull: true },
        RecoveryPeriodInDays: { type: "Integer", greaterThanOrEqual: 1, lessThanOrEqual: 35 },
      }),
      notNull: true,
    },
  },
  describeContinuousBackups: { TableName: required },
  tagResource: { ResourceArn: required, Tags: { ...listOf("Tag", tag), notNull: true } },
  untagResource: { ResourceArn: required, TagKeys: { type: "List", children: "String", notNull: true } },
  listTagsOfResource: { ResourceArn: required },
  createBackup: {
    TableName: required,
    BackupName: {
      ...required,
      regex: "[a-zA-Z0-9_.-]+",
      lengthGreaterThanOrEqual: 3,
      lengthLessThanOrEqual: 255,
    },
  },
  describeBackup: backup,
  deleteBackup: backup,
  listBackups: {
    TableName: "String",
    Limit: { type: "Integer", greaterThanOrEqual: 1, lessThanOrEqual: 100 },
    TimeRangeLowerBound: "Double",
    TimeRangeUpperBound: "Double",
    ExclusiveStartBackupArn: "String",
    BackupType: { type: "String", enum: ["USER", "SYSTEM", "AWS_BACKUP", "ALL"] },
  },
  restoreTableFromBackup: {
    ...backup,
    TargetTableName: tableName,
    BillingModeOverride: billingMode,
  },
  restoreTableToPointInTime: {
    SourceTableArn: "String",
    SourceTableName: "String",
    TargetTableName: tableName,
    UseLatestRestorableTime: "Boolean",
    RestoreDateTime: "Double",
    BillingModeOverride: billingMode,
  },
  exportTableToPointInTime: {
    TableArn: required,
    ExportTime: "Double",
    ClientToken: "String",
    S3Bucket: { ...required, lengthLessThanOrEqual: 255 },
    S3BucketOwner: "String",
    S3Prefix: { type: "String", lengthLessThanOrEqual: 1024 },
    S3SseAlgorithm: { type: "String", enum: ["AES256", "KMS"] },
    S3SseKmsKeyId: "String",
    ExportFormat: { type: "String", enum: ["DYNAMODB_JSON", "ION"] },
    ExportType: { type: "String", enum: ["FULL_EXPORT", "INCREMENTAL_EXPORT"] },
  },
  describeExport: { ExportArn: required },
  listExports: {
    TableArn: "String",
    MaxResults: { type: "Integer", greaterThanOrEqual: 1, lessThanOrEqual: 25 },
    NextToken: "String",
  },
};
