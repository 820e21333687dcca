import type { Repository } from "./repository.ts";
import type {
  BucketSnapshot,
  Manifest,
  Part,
  TableDescription,
  TableSnapshot,
  UsersSnapshot,
} from "./snapshot.ts";
import type { Recovery } from "./snapshots.ts";

/**
 * How to get a backup out with a POSIX shell, gzip, sed and the AWS CLI; for somebody in need, who has nothing else. In an
 * encrypted repository the open text says only how to decrypt the other one.
 */
export function recoveryText({
  manifest,
  repository,
}: {
  readonly manifest: Manifest;
  readonly repository: Pick<Repository, "encryption" | "store">;
}): Recovery {
  const { encryption } = repository;
  const details = [
    heading(manifest),
    encryption === "none" ? whereToBegin(repository.store.where) : "",
    checking,
    scratch,
    ...manifest.tables.map(tableText),
    ...manifest.buckets.map((bucket) => bucketText(bucket)),
    manifest.userPool === undefined ? "" : usersText(manifest.userPool),
  ];
  const text = `${details.filter((each) => each !== "").join("\n\n")}\n`;
  return encryption === "none" ? { open: text } : { open: decrypting(manifest.id), sealed: text };
}

function heading({ id, model, tool, region, startedAt, endedAt, target, account }: Manifest): string {
  const where =
    target === "local" ? "a local store" : `AWS account ${account ?? "unknown"}, region ${region}`;
  return `# Backup ${id} of ${model}

Read from ${where}, between ${startedAt} and ${endedAt}, by ${tool}.

This page brings it back without mawps: with a POSIX shell, gzip, sed and the AWS CLI. Nothing here looks at what is
there already; items and objects of the same key are overwritten. Go through it on empty tables and buckets.`;
}

function whereToBegin(where: string): string {
  const s3 = where.startsWith("s3://");
  return `Begin in the folder of the repository, the one with \`mawps-repository.json\` in it.${
    s3 ? ` It lies in S3:\n\n    aws s3 sync ${where} repository && cd repository` : ""
  }`;
}

const checking = `Every file below \`data/\` is named by the SHA-256 of its bytes. This prints those that are damaged:

    for file in data/*/*; do
      [ "$(sha256sum < "$file" | cut -c1-64)" = "\${file##*/}" ] || echo "damaged: $file"
    done`;

/** The AWS CLI reads a file of input twice: it cannot be a pipe. */
const scratch = `A file for what the AWS CLI is to be told:

    json=$(mktemp)`;

function tableText(table: TableSnapshot): string {
  const { name, items, description } = table;
  const made = `## Table ${name}: ${items} items

If the table is lost, make it and wait for it:

    aws dynamodb create-table --cli-input-json ${quoted(JSON.stringify(tableInput(name, description)))}
    aws dynamodb wait table-exists --table-name ${name}`;
  const settings = settingsText(name, description);
  return [made, settings, table.export === undefined ? itemsText(table) : exportText(table)]
    .filter((each) => each !== "")
    .join("\n\n");
}

function itemsText({ name, parts }: TableSnapshot): string {
  if (parts.length === 0) return "It was empty.";
  return `Its items, a line each, as DynamoDB gave them:

${eachLine(
  parts,
  `printf '%s\\n' "$line" > "$json"`,
  `aws dynamodb put-item --table-name ${name} --cli-input-json "file://$json"`,
)}`;
}

/** What a table made anew lacks. */
function settingsText(name: string, { expiryAttribute, recoveryDays, tags }: TableDescription): string {
  const commands = [
    ...(expiryAttribute === undefined
      ? []
      : [
          `aws dynamodb update-time-to-live --table-name ${name} --time-to-live-specification ${quoted(
            `Enabled=true,AttributeName=${expiryAttribute}`,
          )}`,
        ]),
    ...(recoveryDays === undefined
      ? []
      : [
          `aws dynamodb update-continuous-backups --table-name ${name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
        ]),
  ];
  const tagText = Object.keys(tags).length === 0 ? "" : `\n\nIts tags were ${JSON.stringify(tags)}.`;
  if (commands.length === 0) return tagText.trim();
  return `Its settings:\n\n${commands.map((command) => `    ${command}`).join("\n")}${tagText}`;
}

function exportText({ name, description, export: exported }: TableSnapshot): string {
  const { bucket = "", manifest = "" } = exported ?? {};
  const prefix = manifest.replace(/[^/]*$/, "data/");
  const creation = JSON.stringify(tableInput(`${name}-restored`, description));
  return `DynamoDB exported its items itself; they lie in s3://${bucket}/${prefix}. DynamoDB imports them into a new table:

    aws dynamodb import-table --input-format DYNAMODB_JSON --input-compression-type GZIP \\
      --s3-bucket-source S3Bucket=${bucket},S3KeyPrefix=${prefix} \\
      --table-creation-parameters ${quoted(creation)}`;
}

function tableInput(name: string, { keys, indexes, localIndexes, billing }: TableDescription) {
  const schema = ({ partition, sort }: TableDescription["keys"]) => [
    { AttributeName: partition.name, KeyType: "HASH" },
    ...(sort === undefined ? [] : [{ AttributeName: sort.name, KeyType: "RANGE" }]),
  ];
  const all = [keys, ...indexes.map((index) => index.keys), ...localIndexes.map((index) => index.keys)];
  const attributes = all.flatMap(({ partition, sort }) =>
    sort === undefined ? [partition] : [partition, sort],
  );
  const types = new Map(attributes.map(({ name: attribute, type }) => [attribute, type]));
  const throughput =
    billing === "on-demand"
      ? {}
      : {
          ProvisionedThroughput: {
            ReadCapacityUnits: billing.readUnits,
            WriteCapacityUnits: billing.writeUnits,
          },
        };
  const index = (each: TableDescription["indexes"][number]) => ({
    IndexName: each.name,
    KeySchema: schema(each.keys),
    Projection:
      typeof each.projection === "string"
        ? { ProjectionType: each.projection }
        : { ProjectionType: "INCLUDE", NonKeyAttributes: each.projection.include },
  });
  return {
    TableName: name,
    KeySchema: schema(keys),
    AttributeDefinitions: Array.from(types, ([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    BillingMode: billing === "on-demand" ? "PAY_PER_REQUEST" : "PROVISIONED",
    ...throughput,
    ...(indexes.length === 0
      ? {}
      : { GlobalSecondaryIndexes: indexes.map((each) => ({ ...index(each), ...throughput })) }),
    ...(localIndexes.length === 0 ? {} : { LocalSecondaryIndexes: localIndexes.map(index) }),
  };
}

function bucketText({ name, objects, parts, changed }: BucketSnapshot): string {
  const missing =
    changed.length === 0
      ? ""
      : `\n\n${changed.length} objects changed while they were read and are not in it; manifest.json names them.`;
  if (parts.length === 0) return `## Bucket ${name}\n\nIt was empty.${missing}`;
  return `## Bucket ${name}: ${objects} objects

Each with its headers, metadata and tags:

${eachLine(
  parts,
  `content=$(printf '%s\\n' "$line" | sed 's/^{"content":"\\([0-9a-f]*\\)".*/\\1/')`,
  `printf '%s\\n' "$line" | sed 's/^{"content":"[0-9a-f]*","seen":{[^}]*},"put":\\(.*\\)}$/\\1/' > "$json"`,
  `aws s3api put-object --bucket ${name} --cli-input-json "file://$json" \\`,
  `  --body "data/$(printf '%s' "$content" | cut -c1-2)/$content"`,
)}${missing}`;
}

function usersText({ id, users, parts, groups }: UsersSnapshot): string {
  const made = groups.map(
    ({ name, description, precedence }) =>
      `    aws cognito-idp create-group --user-pool-id ${id} --group-name ${quoted(name)}${
        description === undefined ? "" : ` --description ${quoted(description)}`
      }${precedence === undefined ? "" : ` --precedence ${precedence}`}`,
  );
  const groupsText = made.length === 0 ? "" : `\n\nIts groups:\n\n${made.join("\n")}`;
  if (parts.length === 0) return `## User pool ${id}\n\nIt had no users.${groupsText}`;
  return `## User pool ${id}: ${users} users

A password cannot be brought back, and every user gets a new \`sub\`: items and objects stay under the old one, which is in
each line under \`seen\`, with the groups and whether the user was enabled.

${eachLine(
  parts,
  `printf '%s\\n' "$line" | sed 's/^{"seen":{[^}]*},"put":\\(.*\\)}$/\\1/' > "$json"`,
  `aws cognito-idp admin-create-user --user-pool-id ${id} --message-action SUPPRESS --cli-input-json "file://$json"`,
)}${groupsText}`;
}

/** A loop over all lines of the parts; `$line` is the line. */
function eachLine(parts: readonly Part[], ...commands: readonly string[]): string {
  return [
    "    while read -r part; do",
    `      gzip -dc "$part" | while IFS= read -r line; do`,
    ...commands.map((command) => `        ${command}`),
    "      done",
    "    done <<'PARTS'",
    ...parts.map(({ sha256 }) => `    data/${sha256.slice(0, 2)}/${sha256}`),
    "    PARTS",
  ].join("\n");
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function decrypting(id: string): string {
  return `# Backup ${id}, encrypted

All of it is encrypted with age (https://age-encryption.org). With the identity that opens it, in a file \`identity.txt\`, this
makes a readable copy in the folder \`plain\`; begin in the folder of the repository, the one with \`mawps-repository.json\` in it.
Where a passphrase was chosen, the identity lies in the repository: \`age -d keys/identity.age > identity.txt\` asks for it.

    umask 077
    mkdir -p plain/data
    for file in data/*/*; do
      age -d -i identity.txt "$file" > plain/content || echo "damaged: $file"
      name=$(sha256sum < plain/content | cut -c1-64)
      mkdir -p "plain/data/$(printf '%s' "$name" | cut -c1-2)"
      mv plain/content "plain/data/$(printf '%s' "$name" | cut -c1-2)/$name"
    done
    age -d -i identity.txt snapshots/${id}/manifest.json.age > plain/manifest.json
    age -d -i identity.txt snapshots/${id}/RECOVERY.md.age > plain/RECOVERY.md
    cd plain

\`RECOVERY.md\` in that folder says how to go on there.
`;
}
