import type { Repository } from "./repository.ts";
import type { RowTable } from "../sql/row-table.ts";
import {
  snapshotTables,
  type BucketSnapshot,
  type DatabaseSnapshot,
  type Manifest,
  type Part,
  type TableDescription,
  type TableSnapshot,
  type UsersSnapshot,
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
    preparing(manifest),
    ...manifest.tables.map(tableText),
    ...manifest.buckets.map((bucket) => bucketText(bucket)),
    manifest.userPool === undefined ? "" : usersText(manifest.userPool),
    ...(manifest.databases ?? []).map(databaseText),
    atTheEnd,
  ];
  const text = `${details.filter((each) => each !== "").join("\n\n")}\n`;
  return encryption === "none"
    ? { open: text }
    : { open: decrypting(manifest.id, repository.store.where), sealed: text };
}

function heading({ id, model, tool, region, startedAt, endedAt, target, account }: Manifest): string {
  const where =
    target === "local" ? "a local store" : `AWS account ${account ?? "unknown"}, region ${region}`;
  return `# Backup ${id} of ${model}

Read from ${where}, between ${startedAt} and ${endedAt}, by ${tool}.

This page brings it back without mawps: with a POSIX shell, gzip, sed and the AWS CLI, version 2. Nothing here looks at what
already exists; items and objects of the same key are overwritten. Go through it on empty tables and buckets.`;
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
function preparing({ target, region }: Manifest): string {
  const where = target === "local" ? "" : `\n    export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`;
  return `No pager, no guess at the encoding, and a file for what the AWS CLI is to be told:

    export AWS_PAGER= AWS_CLI_FILE_ENCODING=UTF-8${where}
    json=$(mktemp)`;
}

const atTheEnd = `At the end:

    rm "$json"`;

function tableText(table: TableSnapshot): string {
  const { name, items, description } = table;
  return [
    `## Table ${name}: ${items} items`,
    ...(table.export === undefined
      ? [creationText(name, description), settingsText(name, description), itemsText(table)]
      : [exportText(table), settingsText(name, description)]),
  ]
    .filter((each) => each !== "")
    .join("\n\n");
}

function creationText(name: string, description: TableDescription): string {
  const { class: tableClass, stream } = description;
  const input = {
    ...tableInput(name, description),
    ...(tableClass === undefined ? {} : { TableClass: tableClass }),
    ...(stream === undefined ? {} : { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
  };
  return `If the table is lost, make it and wait for it:

    aws dynamodb create-table --cli-input-json ${quoted(JSON.stringify(input))}
    aws dynamodb wait table-exists --table-name ${name}`;
}

function itemsText({ name, parts }: TableSnapshot): string {
  if (parts.length === 0) return "It was empty.";
  return `Its items, a line each, as DynamoDB gave them:\n\n${eachLine(parts.map(pathOf), ...putItem(name))}`;
}

function putItem(table: string): string[] {
  // Another setting of the CLI would encode binary values once more.
  const how = `--cli-binary-format base64 --cli-input-json "file://$json"`;
  return [`printf '%s\\n' "$line" > "$json"`, `aws dynamodb put-item --table-name ${table} ${how}`];
}

/** What a table made anew lacks. */
function settingsText(name: string, description: TableDescription): string {
  const { expiryAttribute, recoveryDays, tags, deletionProtection, encryption } = description;
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
  const besides = [
    ...(Object.keys(tags).length === 0 ? [] : [`Its tags were ${JSON.stringify(tags)}.`]),
    ...(deletionProtection ? ["It was protected from deletion."] : []),
    ...(encryption?.keyArn === undefined ? [] : [`It was encrypted with the key ${encryption.keyArn}.`]),
  ].join(" ");
  if (commands.length === 0) return besides;
  const settings = `Its settings:\n\n${commands.map((command) => `    ${command}`).join("\n")}`;
  return besides === "" ? settings : `${settings}\n\n${besides}`;
}

/** An import makes no local indexes: such a table is made before and written item by item. */
function exportText({ name, description, export: exported }: TableSnapshot): string {
  const { bucket = "", files = [] } = exported ?? {};
  const prefix = (exported?.manifest ?? "").replace(/[^/]*$/, "data/");
  const where = `DynamoDB exported its items itself; they lie in s3://${bucket}/${prefix}.`;
  if (description.localIndexes.length > 0) {
    const names = files.map(({ key }) => `"${name}-export/${key.slice(prefix.length)}"`);
    return `${where}

    aws s3 sync ${quoted(`s3://${bucket}/${prefix}`)} ${name}-export

${creationText(name, description)}

${names.length === 0 ? "It was empty." : `The items:\n\n${eachLine(names, ...putItem(name))}`}`;
  }
  return `${where} If the table is lost, DynamoDB makes it of them:

    aws dynamodb import-table --input-format DYNAMODB_JSON --input-compression-type GZIP \\
      --s3-bucket-source ${quoted(`S3Bucket=${bucket},S3KeyPrefix=${prefix}`)} \\
      --table-creation-parameters ${quoted(JSON.stringify(tableInput(name, description)))}

It can take hours; \`aws dynamodb list-imports\` tells how it stands. What follows is for when it is done.`;
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

function bucketText({ name, objects, parts, changed, cors = [] }: BucketSnapshot): string {
  const rules =
    cors.length === 0
      ? ""
      : `

What browsers may do from the website's pages (its CORS rules):

    aws s3api put-bucket-cors --bucket ${name} --cors-configuration ${quoted(JSON.stringify({ CORSRules: cors }))}`;
  const missing =
    changed.length === 0
      ? ""
      : `\n\n${changed.length} objects changed while they were read, or could not be read, and are not in it; manifest.json names them.`;
  if (parts.length === 0) return `## Bucket ${name}\n\nIt was empty.${missing}${rules}`;
  return `## Bucket ${name}: ${objects} objects

If the bucket is lost, \`aws s3 mb s3://${name}\` makes one that nobody else can read. Each object with its headers, metadata and tags
(more than 5 GB are refused so: \`aws s3 cp\` takes these):

${eachLine(
  parts.map(pathOf),
  `content=$(printf '%s\\n' "$line" | sed 's/^{"content":"\\([0-9a-f]*\\)".*/\\1/')`,
  `printf '%s\\n' "$line" | sed 's/^{"content":"[0-9a-f]*","seen":{[^}]*},"put":\\(.*\\)}$/\\1/' > "$json"`,
  `aws s3api put-object --bucket ${name} --cli-input-json "file://$json" \\`,
  `  --body "data/$(printf '%s' "$content" | cut -c1-2)/$content"`,
)}${missing}${rules}`;
}

function usersText({ id, users, parts, groups }: UsersSnapshot): string {
  const made = groups.map(({ name, description, precedence, roleArn }) =>
    [
      `    aws cognito-idp create-group --user-pool-id ${id} --group-name ${quoted(name)}`,
      // A line break would end the line of the command.
      ...(description === undefined ? [] : [`--description ${quoted(description.replaceAll(/\s+/g, " "))}`]),
      ...(precedence === undefined ? [] : [`--precedence ${precedence}`]),
      ...(roleArn === undefined ? [] : [`--role-arn ${quoted(roleArn)}`]),
    ].join(" "),
  );
  const groupsText = made.length === 0 ? "" : `Its groups:\n\n${made.join("\n")}\n\n`;
  if (parts.length === 0) return `## User pool ${id}: no users\n\n${groupsText}`.trimEnd();
  return `## User pool ${id}: ${users} users

In a new pool replace ${id} by its id. A password cannot be brought back, and every user gets a new \`sub\`: items and objects
stay under the old one, which is in each line under \`seen\`.

${groupsText}The users, and whether they were disabled:

${eachLine(
  parts.map(pathOf),
  `printf '%s\\n' "$line" | sed 's/^{"seen":{[^}]*},"put":\\(.*\\)}$/\\1/' > "$json"`,
  `username=$(sed 's/^{"Username":"\\([^"]*\\)".*/\\1/' "$json")`,
  `aws cognito-idp admin-create-user --user-pool-id ${id} --message-action SUPPRESS --cli-input-json "file://$json"`,
  // In a text within the line these quotes would have a backslash before them.
  `case $line in *'"enabled":false'*)`,
  `  aws cognito-idp admin-disable-user --user-pool-id ${id} --username "$username" ;;`,
  "esac",
  ...(groups.length === 0 ? [] : membership(id)),
)}`;
}

function membership(pool: string): string[] {
  return [
    `printf '%s\\n' "$line" | sed 's/^{"seen":{[^}]*"groups":\\[\\([^]]*\\)\\].*/\\1/' | tr ',' '\\n' |`,
    `  sed -n 's/^"\\(.*\\)"$/\\1/p' | while IFS= read -r group; do`,
    `    aws cognito-idp admin-add-user-to-group --user-pool-id ${pool} --username "$username" --group-name "$group"`,
    "  done",
  ];
}

function databaseText(database: DatabaseSnapshot): string {
  const { name, engine, rows, file, tables } = database;
  const columnsOf = new Map(snapshotTables(database).map((table) => [table.name, table]));
  const [create, load] =
    engine === "mysql"
      ? [
          `mysql -e ${quoted(`CREATE DATABASE ${sqlName(name, engine)} CHARACTER SET utf8mb4`)}`,
          `mysql ${quoted(name)}`,
        ]
      : [`createdb ${quoted(name)}`, `psql -q -v ON_ERROR_STOP=1 ${quoted(name)}`];
  const each = tables.flatMap(({ name: table, parts }) => {
    const known = columnsOf.get(table);
    if (parts.length === 0 || known === undefined) return [];
    const lines = parts.map(
      (part) =>
        `    gzip -dc ${pathOf(part)} | ${engine === "mysql" ? mysqlLoad(name, known) : postgresLoad(name, known)}`,
    );
    return [`Table ${table}:\n\n${lines.join("\n")}`];
  });
  const how =
    engine === "mysql"
      ? "The server has to allow `LOAD DATA LOCAL` (`SET GLOBAL local_infile = 1`); put the address and the user into ~/.my.cnf."
      : "Put the address and the user into PGHOST and PGUSER.";
  return [
    `## Database ${name}: ${rows} rows`,
    `With the ${engine === "mysql" ? "`mysql`" : "`psql`"} client alone. ${how} Its tables are in the file of the model, which makes things and inserts rows, some of the backup's; if it does anything else, somebody has changed it: do not run it:`,
    [
      `    ${create}`,
      `    ${load} < ${pathOf({ ...file, lines: 0 })}`,
      ...seedless(name, engine, tables),
    ].join("\n"),
    "Its rows, a line each, parents before their children:",
    ...each,
  ].join("\n\n");
}

/** Rows that the file puts in come from the backup as they were. */
function seedless(
  name: string,
  engine: DatabaseSnapshot["engine"],
  tables: DatabaseSnapshot["tables"],
): string[] {
  const statements = tables
    .toReversed()
    .map(({ name: table }) => `DELETE FROM ${sqlName(table, engine)};`)
    .join(" ");
  const client = engine === "mysql" ? `mysql ${quoted(name)} -e` : `psql -q ${quoted(name)} -c`;
  return [`    ${client} ${quoted(statements)}`];
}

function sqlName(name: string, engine: DatabaseSnapshot["engine"]): string {
  const mark = engine === "mysql" ? "`" : '"';
  return `${mark}${name.replaceAll(mark, mark + mark)}${mark}`;
}

function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function mysqlLoad(database: string, { name, columns }: RowTable): string {
  const value = (column: string) => `JSON_EXTRACT(line, ${sqlText(`$.Row.${JSON.stringify(column)}`)})`;
  const values = columns.map(({ name: column, as }) => {
    const text = `JSON_UNQUOTE(${value(column)})`;
    return `IF(JSON_TYPE(${value(column)}) = 'NULL', NULL, ${as === "hex" ? `UNHEX(${text})` : text})`;
  });
  const statements = [
    "SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "CREATE TEMPORARY TABLE mawps_lines (line LONGTEXT CHARACTER SET utf8mb4)",
    // No control character stands in a line of JSON.
    "LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE mawps_lines CHARACTER SET utf8mb4 FIELDS TERMINATED BY 0x01 ESCAPED BY ''",
    `INSERT INTO ${sqlName(name, "mysql")} (${columns.map((column) => sqlName(column.name, "mysql")).join(", ")}) SELECT ${values.join(", ")} FROM mawps_lines`,
  ];
  return `mysql --local-infile=1 --default-character-set=utf8mb4 ${quoted(database)} -e ${quoted(statements.join("; "))}`;
}

function postgresLoad(database: string, { name, columns }: RowTable): string {
  const names = columns.map((column) => sqlName(column.name, "postgres")).join(", ");
  const values = columns.map(({ name: column, type }) => `(line->'Row'->>${sqlText(column)})::${type}`);
  const statements = [
    "SET TIME ZONE 'UTC'",
    "CREATE TEMPORARY TABLE mawps_lines (line jsonb)",
    `\\copy mawps_lines FROM pstdin WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`,
    `INSERT INTO ${sqlName(name, "postgres")} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values.join(", ")} FROM mawps_lines`,
  ];
  return `psql -q -v ON_ERROR_STOP=1 ${quoted(database)} ${statements.map((each) => `-c ${quoted(each)}`).join(" ")}`;
}

/** A loop over all lines of gzipped files; `$line` is the line. It may be pasted with or without the indentation. */
function eachLine(files: readonly string[], ...commands: readonly string[]): string {
  return [
    "    for part in \\",
    ...files.map((file, at) => `      ${file}${at === files.length - 1 ? "" : " \\"}`),
    "    do",
    `      gzip -dc "$part" | while IFS= read -r line; do`,
    ...commands.map((command) => `        ${command}`),
    "      done",
    "    done",
  ].join("\n");
}

function pathOf({ sha256 }: Part): string {
  return `data/${sha256.slice(0, 2)}/${sha256}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function decrypting(id: string, where: string): string {
  return `# Backup ${id}, encrypted

All of it is encrypted with age (https://age-encryption.org). What opens it is an identity, in a file \`identity.txt\`. Where a
passphrase was chosen, the identity lies in the repository: \`age -d keys/identity.age > identity.txt\` asks for it.

${whereToBegin(where)}

This makes a readable copy in the folder \`plain\`:

    umask 077
    mkdir -p plain/data
    for file in data/*/*; do
      if age -d -i identity.txt "$file" > plain/content; then
        name=$(sha256sum < plain/content | cut -c1-64)
        mkdir -p "plain/data/$(printf '%s' "$name" | cut -c1-2)"
        mv plain/content "plain/data/$(printf '%s' "$name" | cut -c1-2)/$name"
      else
        echo "damaged: $file"
      fi
    done
    age -d -i identity.txt snapshots/${id}/manifest.json.age > plain/manifest.json
    age -d -i identity.txt snapshots/${id}/RECOVERY.md.age > plain/RECOVERY.md
    cd plain

\`RECOVERY.md\` in that folder says how to go on there.
`;
}
