import { dueTag } from "../model/handed-over.ts";

/** What S3 is to tag in one bucket: a list as S3 Batch Operations reads it. */
export interface Manifest {
  readonly bucket: string;
  readonly file: string;
  readonly versions: number;
  readonly bytes: number;
  /** Whether its lines name versions. */
  readonly isVersioned: boolean;
  readonly sha256: string;
}

const prefix = "mawps-hand-over";

/**
 * A script that brings manifests to S3 and creates a job of S3 Batch Operations for each, which waits until somebody confirms it. Run twice it
 * makes no second one: the token of each is the hash of its manifest. Pure.
 */
export function jobScript(manifests: readonly Manifest[], region: string): string {
  const operation = { S3PutObjectTagging: { TagSet: [{ Key: dueTag.key, Value: dueTag.value }] } };
  const jobs = manifests.map(({ bucket, isVersioned, sha256 }) => {
    const fields = ["Bucket", "Key", ...(isVersioned ? ["VersionId"] : [])]
      .map((field) => `"${field}"`)
      .join(",");
    return `create ${bucket}.csv ${sha256} '${fields}'`;
  });
  return `#!/bin/sh
# sh start.sh <account> <bucket for the manifests> <ARN of the role>
# Brings the manifests to S3 and creates the jobs, each of which waits to be confirmed (S3 console, or aws s3control update-job-status).
set -eu
account=\${1:?the number of the account} manifests=\${2:?a bucket for the manifests} role=\${3:?the ARN of the role}
cd "$(dirname "$0")"
create() {
  key="${prefix}/$2.csv"
  aws s3 cp --only-show-errors "$1" "s3://$manifests/$key"
  etag=$(aws s3api head-object --bucket "$manifests" --key "$key" --query ETag --output text | tr -d '"')
  aws s3control create-job --region ${region} --account-id "$account" --role-arn "$role" --priority 10 \\
    --client-request-token "$2" --description "mawps retention: $1" --confirmation-required \\
    --operation '${JSON.stringify(operation)}' \\
    --manifest "{\\"Spec\\":{\\"Format\\":\\"S3BatchOperations_CSV_20180820\\",\\"Fields\\":[$3]},\\"Location\\":{\\"ObjectArn\\":\\"arn:aws:s3:::$manifests/$key\\",\\"ETag\\":\\"$etag\\"}}" \\
    --report "{\\"Bucket\\":\\"arn:aws:s3:::$manifests\\",\\"Prefix\\":\\"${prefix}/reports\\",\\"Format\\":\\"Report_CSV_20180820\\",\\"Enabled\\":true,\\"ReportScope\\":\\"FailedTasksOnly\\"}"
}
${jobs.join("\n")}
`;
}

/** Who may take the role of the jobs, and what it may, as files; `MANIFESTS` stands for the bucket of the manifests. Pure. */
export function rolePolicies(manifests: readonly Manifest[]): Readonly<Record<string, object>> {
  const objects = manifests.map(({ bucket }) => `arn:aws:s3:::${bucket}/*`);
  const lists = [`arn:aws:s3:::MANIFESTS/${prefix}/*`];
  return {
    "trust.json": {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "batchoperations.s3.amazonaws.com" },
          Action: "sts:AssumeRole",
        },
      ],
    },
    "policy.json": {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Tag",
          Effect: "Allow",
          Action: ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
          Resource: objects,
        },
        {
          Sid: "ReadManifests",
          Effect: "Allow",
          Action: ["s3:GetObject", "s3:GetObjectVersion"],
          Resource: lists,
        },
        { Sid: "WriteReports", Effect: "Allow", Action: ["s3:PutObject"], Resource: lists },
      ],
    },
  };
}
