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

/** A line for each job that `jobScript` creates: its manifest, the hash of that, and what its lines name. Pure. */
export function jobLines(manifests: readonly Manifest[]): string {
  const lines = manifests.map(({ bucket, isVersioned, sha256 }) => {
    const fields = ["Bucket", "Key", ...(isVersioned ? ["VersionId"] : [])].map((field) => `"${field}"`);
    return `${bucket}.csv ${sha256} ${fields.join(",")}\n`;
  });
  return lines.join("");
}

/**
 * A script that has the manifests looked at again, brings them to S3 and creates a job of S3 Batch Operations for each, which begins at once:
 * what would be held while it waits, it would tag all the same. Run twice it makes no second one: the token of each is the hash of its
 * manifest. Pure.
 */
export function jobScript(region: string): string {
  const operation = { S3PutObjectTagging: { TagSet: [{ Key: dueTag.key, Value: dueTag.value }] } };
  return `#!/bin/sh
# sh start.sh <account> <bucket for the manifests> <ARN of the role>
# Takes from the lists what is held or was brought back since they were made, brings them to S3 and creates the jobs, which begin at once.
# From where mawps finds the site's configuration; MAWPS is how it is called, where that is not mawps.
set -eu
account=\${1:?the number of the account} manifests=\${2:?a bucket for the manifests} role=\${3:?the ARN of the role}
folder=$(cd "$(dirname "$0")" && pwd)
\${MAWPS:-mawps} retention recheck "$folder"
cd "$folder"
[ -e jobs ] || { echo "nothing is left to be handed over"; exit 0; }
create() {
  key="${prefix}/$2.csv"
  aws s3 cp --only-show-errors "$1" "s3://$manifests/$key"
  etag=$(aws s3api head-object --bucket "$manifests" --key "$key" --query ETag --output text | tr -d '"')
  aws s3control create-job --region ${region} --account-id "$account" --role-arn "$role" --priority 10 \\
    --client-request-token "$2" --description "mawps retention: $1" --no-confirmation-required \\
    --operation '${JSON.stringify(operation)}' \\
    --manifest "{\\"Spec\\":{\\"Format\\":\\"S3BatchOperations_CSV_20180820\\",\\"Fields\\":[$3]},\\"Location\\":{\\"ObjectArn\\":\\"arn:aws:s3:::$manifests/$key\\",\\"ETag\\":\\"$etag\\"}}" \\
    --report "{\\"Bucket\\":\\"arn:aws:s3:::$manifests\\",\\"Prefix\\":\\"${prefix}/reports\\",\\"Format\\":\\"Report_CSV_20180820\\",\\"Enabled\\":true,\\"ReportScope\\":\\"FailedTasksOnly\\"}"
}
while read -r list token fields; do create "$list" "$token" "$fields" </dev/null; done <jobs
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
