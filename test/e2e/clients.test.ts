import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { type Aws, connect } from "../../src/aws/clients.ts";
import { parseUserLine } from "../../src/backup/user-line.ts";
import { readUsers } from "../../src/backup/users-read.ts";
import { serve, type Served } from "@mawps/local-aws/src/serve.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { installed, type Outcome, run } from "./programs.ts";

const region = "eu-central-1";
const bucket = "client-files";

/** Names that clients escape in different ways; each is one key, byte for byte. */
const oddNames = [
  "Lebenslauf – größer & schöner (2).pdf",
  "Ordner mit Leerzeichen/Übung #1 50%.txt",
  "plus+equals=at@comma,semi;colon.txt",
  "zerlegt-u\u0308.txt",
  "emoji-\u{1F600}/leer.bin",
];

let folder: string;
let served: Served;
let aws: Aws;
let s3: S3Client;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-clients-"));
  const dir = join(folder, "store");
  const now = () => new Date();
  const store = await openStore(dir, { region, now });
  served = await serve(store, { dir, region, port: 0, now });
  aws = connect({ region, endpointUrl: served.endpoint, credentials: store.credentials });
  s3 = await aws.s3();
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  env = await cleanEnvironment(store.credentials);
});

afterEach(async () => {
  aws.close();
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

/** No proxies and none of the developer's own settings: home and configuration lie in the test's folder. */
async function cleanEnvironment(keys: {
  accessKeyId: string;
  secretAccessKey: string;
}): Promise<Record<string, string>> {
  const home = join(folder, "home");
  await mkdir(home);
  const host = new URL(served.endpoint).host;
  await writeFile(
    join(home, ".s3cfg"),
    [
      "[default]",
      `access_key = ${keys.accessKeyId}`,
      `secret_key = ${keys.secretAccessKey}`,
      `host_base = ${host}`,
      `host_bucket = ${host}`,
      `bucket_location = ${region}`,
      "use_https = False",
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  return {
    PATH: "/usr/bin:/bin",
    HOME: home,
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_CONFIG_FILE: join(home, "aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(home, "aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    RCLONE_CONFIG: join(home, "rclone.conf"),
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Other",
    RCLONE_CONFIG_STORE_ENDPOINT: served.endpoint,
    RCLONE_CONFIG_STORE_REGION: region,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: keys.accessKeyId,
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
}

type Client = (...args: readonly string[]) => Promise<string>;

async function client(name: "aws" | "rclone" | "s3cmd", context: TestContext): Promise<Client> {
  const program = await installed(name, context);
  const fixed = name === "aws" ? ["--endpoint-url", served.endpoint, "--output", "json"] : [];
  return async (...args) => done(await run(program, [...args, ...fixed], { env, cwd: folder }));
}

function done({ code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`ended with ${String(code)}: ${stderr}${stdout}`);
  return stdout;
}

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function stored(key: string): Promise<Buffer> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await body?.transformToByteArray()) ?? []);
}

async function keys(prefix = ""): Promise<string[]> {
  const { Contents: contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }),
  );
  return contents.map(({ Key: key = "" }) => key).toSorted();
}

async function filesIn(name: string): Promise<string[]> {
  const root = join(folder, name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

async function writeOddFiles(name: string): Promise<void> {
  for (const odd of oddNames) await write(`${name}/${odd}`, `content of ${odd}`);
}

async function expectOddObjects(prefix: string): Promise<void> {
  expect(await keys(prefix)).toEqual(oddNames.map((name) => `${prefix}${name}`).toSorted());
  for (const name of oddNames)
    expect((await stored(`${prefix}${name}`)).toString()).toBe(`content of ${name}`);
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function httpGet(url: string): Promise<{ status: number | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent: false }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    request.on("error", reject);
    request.end();
  });
}

describe("Debian's awscli", () => {
  test("puts, lists, copies, moves and deletes objects with type and metadata", async (context) => {
    const cli = await client("aws", context);
    const path = await write("notes.txt", "Grüße");
    await cli(
      "s3",
      "cp",
      path,
      `s3://${bucket}/a/notes.txt`,
      "--content-type",
      "text/markdown",
      "--cache-control",
      "no-cache",
      "--metadata",
      "owner=max,stage=1",
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "a/notes.txt" }));
    expect(head).toMatchObject({
      ContentLength: 7,
      ContentType: "text/markdown",
      CacheControl: "no-cache",
      Metadata: { owner: "max", stage: "1" },
    });
    await cli("s3", "cp", `s3://${bucket}/a/notes.txt`, `s3://${bucket}/b/copy.txt`);
    await cli("s3", "mv", `s3://${bucket}/a/notes.txt`, `s3://${bucket}/b/moved.txt`);
    expect(await keys()).toEqual(["b/copy.txt", "b/moved.txt"]);
    expect((await stored("b/moved.txt")).toString()).toBe("Grüße");
    expect((await cli("s3", "ls", `s3://${bucket}/b/`)).match(/copy\.txt|moved\.txt/g)).toEqual([
      "copy.txt",
      "moved.txt",
    ]);
    await cli("s3", "rm", `s3://${bucket}/b/`, "--recursive");
    expect(await keys()).toEqual([]);
    await cli("s3", "rb", `s3://${bucket}`);
    expect(JSON.parse(await cli("s3api", "list-buckets"))).toMatchObject({ Buckets: [] });
  });

  test("sends 20 MB in parts and reads them back", async (context) => {
    const cli = await client("aws", context);
    const bytes = randomBytes(20_000_000);
    await cli("s3", "cp", await write("large.bin", bytes), `s3://${bucket}/large.bin`);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "large.bin" }));
    expect(head.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(sha256(await stored("large.bin"))).toBe(sha256(bytes));
    await cli("s3", "cp", `s3://${bucket}/large.bin`, join(folder, "back.bin"));
    expect(sha256(await readFile(join(folder, "back.bin")))).toBe(sha256(bytes));
  });

  test("syncs folders of odd names up and down, deletions included", async (context) => {
    const cli = await client("aws", context);
    await writeOddFiles("up");
    await cli("s3", "sync", join(folder, "up"), `s3://${bucket}/sync`);
    await expectOddObjects("sync/");
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "sync/später dazu.txt", Body: "von mawps" }));
    await write("down/verwaist.txt", "goes");
    await cli("s3", "sync", `s3://${bucket}/sync`, join(folder, "down"), "--delete");
    expect(await filesIn("down")).toEqual([...oddNames, "später dazu.txt"].toSorted());
    expect(await readFile(join(folder, "down", "später dazu.txt"), "utf8")).toBe("von mawps");
    await rm(join(folder, "up", oddNames[0] ?? ""));
    await cli("s3", "sync", join(folder, "up"), `s3://${bucket}/sync`, "--delete");
    expect(await keys("sync/")).toEqual(
      oddNames
        .slice(1)
        .map((name) => `sync/${name}`)
        .toSorted(),
    );
  });

  test("presigns a link that opens by plain HTTP, until it is changed", async (context) => {
    const cli = await client("aws", context);
    const key = oddNames[0] ?? "";
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: "private" }));
    const link = (await cli("s3", "presign", `s3://${bucket}/${key}`, "--expires-in", "60")).trim();
    const opened = await httpGet(link);
    expect([opened.status, opened.body.toString()]).toEqual([200, "private"]);
    expect((await httpGet(link.replace("Expires=60", "Expires=61"))).status).toBe(403);
    expect((await httpGet(link.split("?")[0] ?? "")).status).toBe(403);
  });

  test("makes a table, and writes, finds, changes and deletes items that mawps reads", async (context) => {
    const cli = await client("aws", context);
    const table = ["--table-name", "users"];
    await cli(
      "dynamodb",
      "create-table",
      ...table,
      "--billing-mode",
      "PAY_PER_REQUEST",
      "--attribute-definitions",
      "AttributeName=userId,AttributeType=S",
      "AttributeName=type,AttributeType=S",
      "--key-schema",
      "AttributeName=userId,KeyType=HASH",
      "AttributeName=type,KeyType=RANGE",
    );
    await cli("dynamodb", "wait", "table-exists", ...table);
    const key = { userId: { S: "user-äöü" }, type: { S: "user-profile" } };
    const item = { ...key, long: { N: "12345678901234567890123456789012345678" }, tags: { SS: ["a"] } };
    await cli("dynamodb", "put-item", ...table, "--item", JSON.stringify(item));
    const dynamodb = await aws.dynamodb();
    const read = async () =>
      (await dynamodb.send(new GetItemCommand({ TableName: "users", Key: key, ConsistentRead: true }))).Item;
    expect(await read()).toEqual(item);
    await cli(
      "dynamodb",
      "update-item",
      ...table,
      "--key",
      JSON.stringify(key),
      "--update-expression",
      "SET #n = :n REMOVE tags",
      "--expression-attribute-names",
      '{"#n":"name"}',
      "--expression-attribute-values",
      '{":n":{"S":"Größe"}}',
    );
    expect(await read()).toEqual({ ...key, long: item.long, name: { S: "Größe" } });
    const other = { ...key, type: { S: "document" }, bytes: { B: Uint8Array.of(0, 255) } };
    await dynamodb.send(new PutItemCommand({ TableName: "users", Item: other }));
    const found = await cli(
      "dynamodb",
      "query",
      ...table,
      "--key-condition-expression",
      "userId = :u",
      "--expression-attribute-values",
      JSON.stringify({ ":u": key.userId }),
    );
    expect(JSON.parse(found)).toMatchObject({
      Count: 2,
      Items: [{ type: { S: "document" }, bytes: { B: "AP8=" } }, { name: { S: "Größe" } }],
    });
    expect(JSON.parse(await cli("dynamodb", "scan", ...table))).toMatchObject({ Count: 2, ScannedCount: 2 });
    await cli("dynamodb", "delete-item", ...table, "--key", JSON.stringify(key));
    expect(await read()).toBeUndefined();
    const gone = await cli("dynamodb", "get-item", ...table, "--key", JSON.stringify(key));
    expect(gone.trim()).toBe("");
  });

  test("makes users and groups that mawps reads, and users out of what mawps backed up", async (context) => {
    const cli = await client("aws", context);
    const idp = async (verb: string, ...args: readonly string[]) => {
      const answer = await cli("cognito-idp", verb, "--user-pool-id", pool, ...args);
      return answer === "" ? {} : (JSON.parse(answer) as Record<string, unknown>);
    };
    const pool = localPoolId(region);
    const name = "max@example.com";
    await idp("create-group", "--group-name", "staff", "--description", "Those who work here");
    const attributes = [
      `Name=email,Value=${name}`,
      "Name=email_verified,Value=true",
      "Name=name,Value=Max Müller",
    ];
    await idp(
      "admin-create-user",
      "--username",
      name,
      "--message-action",
      "SUPPRESS",
      "--user-attributes",
      ...attributes,
    );
    await idp("admin-add-user-to-group", "--username", name, "--group-name", "staff");
    await idp("admin-disable-user", "--username", name);
    const lines: string[] = [];
    const add = async (text: Buffer) => void lines.push(...text.toString().trimEnd().split("\n"));
    const read = await readUsers({ aws, poolId: pool, add, now: () => new Date() });
    expect(read).toEqual({ users: 1, groups: [{ name: "staff", description: "Those who work here" }] });
    expect(parseUserLine(lines[0] ?? "")).toMatchObject({ seen: { enabled: false, groups: ["staff"] } });
    await idp("admin-delete-user", "--username", name);
    expect(await idp("list-users")).toEqual({ Users: [] });
    const put = await run(
      "/bin/sed",
      ["-E", 's/^\\{"seen":\\{[^{}]*\\},"put":(.*)\\}$/\\1/', await write("line", `${lines[0]}\n`)],
      {
        env,
        cwd: folder,
      },
    );
    await idp(
      "admin-create-user",
      "--cli-input-json",
      `file://${await write("put.json", put.stdout)}`,
      "--message-action",
      "SUPPRESS",
    );
    const again = await idp("admin-get-user", "--username", name);
    expect(again["UserAttributes"]).toEqual(
      expect.arrayContaining([
        { Name: "email", Value: name },
        { Name: "email_verified", Value: "true" },
        { Name: "name", Value: "Max Müller" },
      ]),
    );
  });

  test("is told who it is, and nothing with other keys", async (context) => {
    const cli = await client("aws", context);
    expect(JSON.parse(await cli("sts", "get-caller-identity"))).toMatchObject({ Account: "000000000000" });
    env["AWS_SECRET_ACCESS_KEY"] = "wrong";
    await expect(cli("sts", "get-caller-identity")).rejects.toThrow("SignatureDoesNotMatch");
    await expect(cli("s3", "ls", `s3://${bucket}`)).rejects.toThrow("SignatureDoesNotMatch");
    await expect(cli("dynamodb", "list-tables")).rejects.toThrow("InvalidSignatureException");
  });
});

describe("rclone", () => {
  test("copies, lists, renames and deletes objects of odd names", async (context) => {
    const rclone = await client("rclone", context);
    await writeOddFiles("up");
    await rclone("copy", join(folder, "up"), `store:${bucket}/copy`);
    await expectOddObjects("copy/");
    expect(
      (await rclone("lsf", "-R", "--files-only", `store:${bucket}/copy`)).trim().split("\n").toSorted(),
    ).toEqual(oddNames.toSorted());
    await rclone("moveto", `store:${bucket}/copy/${oddNames[0]}`, `store:${bucket}/moved/neuer Name.pdf`);
    expect((await stored("moved/neuer Name.pdf")).toString()).toBe(`content of ${oddNames[0]}`);
    expect(await keys("copy/")).toHaveLength(oddNames.length - 1);
    await rclone("purge", `store:${bucket}/copy`);
    expect(await keys()).toEqual(["moved/neuer Name.pdf"]);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "von mawps.txt", Body: "Grüße" }));
    expect(await rclone("cat", `store:${bucket}/von mawps.txt`)).toBe("Grüße");
  });

  test("syncs both ways and finds both sides equal", async (context) => {
    const rclone = await client("rclone", context);
    await writeOddFiles("up");
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "sync/verwaist", Body: "goes" }));
    await rclone("sync", join(folder, "up"), `store:${bucket}/sync`);
    await expectOddObjects("sync/");
    await rclone("check", join(folder, "up"), `store:${bucket}/sync`);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "sync/später dazu.txt", Body: "von mawps" }));
    await rclone("sync", `store:${bucket}/sync`, join(folder, "up"));
    expect(await filesIn("up")).toEqual([...oddNames, "später dazu.txt"].toSorted());
  });

  test("sends 20 MB in parts and reads them back", async (context) => {
    const rclone = await client("rclone", context);
    const bytes = randomBytes(20_000_000);
    const path = await write("large.bin", bytes);
    await rclone(
      "copyto",
      "--s3-upload-cutoff",
      "5M",
      "--s3-chunk-size",
      "5M",
      path,
      `store:${bucket}/large.bin`,
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "large.bin" }));
    expect(head.ETag).toMatch(/^"[0-9a-f]{32}-4"$/);
    expect(sha256(await stored("large.bin"))).toBe(sha256(bytes));
    await rclone("copyto", `store:${bucket}/large.bin`, join(folder, "back.bin"));
    expect(sha256(await readFile(join(folder, "back.bin")))).toBe(sha256(bytes));
  });
});

describe("s3cmd", () => {
  test("puts, lists, copies, reads and deletes objects with type and metadata", async (context) => {
    const s3cmd = await client("s3cmd", context);
    const path = await write("notes.txt", "Grüße");
    const key = oddNames[0] ?? "";
    await s3cmd(
      "put",
      path,
      `s3://${bucket}/${key}`,
      "--mime-type",
      "text/markdown",
      "--add-header",
      "x-amz-meta-owner: max",
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    expect(head).toMatchObject({
      ContentLength: 7,
      ContentType: "text/markdown",
      Metadata: { owner: "max" },
    });
    await s3cmd("cp", `s3://${bucket}/${key}`, `s3://${bucket}/Kopie von ü.txt`);
    expect(await keys()).toEqual([key, "Kopie von ü.txt"].toSorted());
    expect(await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "Kopie von ü.txt" }))).toMatchObject({
      ContentLength: 7,
      ContentType: "text/markdown",
      Metadata: { owner: "max" },
    });
    expect(await s3cmd("ls", `s3://${bucket}/`)).toContain(`s3://${bucket}/${key}`);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "von mawps.txt", Body: "von mawps" }));
    await s3cmd("get", `s3://${bucket}/von mawps.txt`, join(folder, "got.txt"));
    expect(await readFile(join(folder, "got.txt"), "utf8")).toBe("von mawps");
    await s3cmd("del", `s3://${bucket}/${key}`, `s3://${bucket}/Kopie von ü.txt`);
    expect(await keys()).toEqual(["von mawps.txt"]);
  });

  test("syncs folders of odd names up and down", async (context) => {
    const s3cmd = await client("s3cmd", context);
    await writeOddFiles("up");
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "sync/verwaist", Body: "goes" }));
    await s3cmd("sync", "--delete-removed", `${join(folder, "up")}/`, `s3://${bucket}/sync/`);
    await expectOddObjects("sync/");
    await mkdir(join(folder, "down"));
    await s3cmd("sync", `s3://${bucket}/sync/`, `${join(folder, "down")}/`);
    expect(await filesIn("down")).toEqual(oddNames.toSorted());
  });

  test("sends 20 MB in parts and reads them back", async (context) => {
    const s3cmd = await client("s3cmd", context);
    const bytes = randomBytes(20_000_000);
    const path = await write("large.bin", bytes);
    await s3cmd("put", "--multipart-chunk-size-mb=5", path, `s3://${bucket}/large.bin`);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "large.bin" }));
    expect(head.ETag).toMatch(/^"[0-9a-f]{32}-4"$/);
    expect(sha256(await stored("large.bin"))).toBe(sha256(bytes));
    await s3cmd("get", `s3://${bucket}/large.bin`, join(folder, "back.bin"));
    expect(sha256(await readFile(join(folder, "back.bin")))).toBe(sha256(bytes));
  });
});
