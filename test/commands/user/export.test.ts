import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { AdminCreateUserCommand } from "@aws-sdk/client-cognito-identity-provider";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { deleteObject, getObjectBytes, putObject } from "../../../src/aws/s3/objects.ts";
import { listVersions } from "../../../src/aws/s3/listing.ts";
import { pictureOf } from "../../site/picture.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { makeSitePlaces, putEverything } from "../../support/whole-person.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const UserPoolId = localPoolId("eu-central-1");
const address = "max@example.com";
const secret = "sk-geheim-12345";
const neighbour = "neighbour@example.com";

let full: TestHome;
let home: TestHome;
let sub: string;

beforeAll(async () => {
  full = await makeHome();
  await full.run(["setup", "--yes"]);
  await full.look(async (aws) => {
    await makeSitePlaces(aws);
    const account = {
      UserPoolId,
      Username: address,
      MessageAction: "SUPPRESS" as const,
      UserAttributes: [
        { Name: "email", Value: address },
        { Name: "email_verified", Value: "true" },
      ],
    };
    const { User } = await (await aws.cognito()).send(new AdminCreateUserCommand(account));
    sub = User?.Username ?? "";
    await putEverything(aws, sub, address);
    await putEverything(aws, `${sub}2`, neighbour);
    const documents = [
      {
        id: "doc-in",
        name: "inline.txt",
        url: `data:text/plain;base64,${Buffer.from("mitten drin").toString("base64")}`,
      },
      {
        id: "doc-other",
        name: "other.pdf",
        s3Key: `public/documents/${sub}2/cv/forged.pdf`,
        uploadedBy: "local:admin",
      },
      {
        id: "doc-open",
        name: "open.pdf",
        s3Key: `public/documents/${sub}/cv/not-yet.pdf`,
        status: "UPLOADING",
      },
    ];
    const name = "<script>alert(1)</script>\u202e=1+1";
    await putProfile(aws, sub, {
      name,
      email: address,
      apiKey: secret,
      settings: { apiKeys: { openai: secret } },
      documents,
      progressData: { pages: {} },
    });
  });
  await full.run(["user", "set", address, "locale=de"]);
});

afterAll(() => full.remove());

beforeEach(async () => {
  home = await full.copy();
});
afterEach(() => home.remove());

/** What another program finds in a zip file: the bytes of each part. */
function unzipped(file: string): Map<string, Buffer> {
  const program =
    "import zipfile,sys,json,base64\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps({n:base64.b64encode(z.read(n)).decode() for n in z.namelist()}))";
  const found = JSON.parse(
    execFileSync("python3", ["-c", program, file], { maxBuffer: 1e9 }).toString(),
  ) as Record<string, string>;
  return new Map(Object.entries(found).map(([name, text]) => [name, Buffer.from(text, "base64")]));
}

const textOf = (parts: Map<string, Buffer>, name: string) => parts.get(name)?.toString() ?? "";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Manifest {
  readonly parts: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly from?: { readonly bucket: string; readonly key: string; readonly version: string };
  }[];
  readonly leftOut: readonly object[];
  readonly missing: readonly object[];
}

/** Each version of each object whose key names somebody, as the store gives it. */
async function versionsOf(pattern: RegExp): Promise<Record<string, string>> {
  return home.look(async (aws) => {
    const found: Record<string, string> = {};
    for (const bucket of [documentBucket, "mawps-profile-images"]) {
      for await (const page of listVersions(aws, { bucket })) {
        for (const { key, version, isDeleteMarker } of page) {
          if (isDeleteMarker || !pattern.test(key)) continue;
          const { bytes } = await getObjectBytes(aws, { bucket, key, version });
          found[`${bucket} ${key} ${version}`] = sha256(bytes);
        }
      }
    }
    return found;
  });
}

/** What the trail tells of exports of somebody's data, the newest first. */
async function exports(user: string): Promise<object[]> {
  const { stdout } = await home.run(["audit", "list", "--action", "user.exported", "--user", user, "--json"]);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as object]));
}

describe("user export", () => {
  it("holds all that the stores have of somebody, for a reader of another kind, and nothing of anybody else", async () => {
    const { exitCode, stderr } = await home.run(["user", "export", address, "-o", "max.zip"]);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const file = join(home.folder, "max.zip");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const parts = unzipped(file);
    const manifest = JSON.parse(textOf(parts, "manifest.json")) as Manifest;
    const sums = Object.fromEntries(manifest.parts.map((part) => [part.name, part.sha256]));
    const found = [...parts].filter(([name]) => name !== "manifest.json");
    expect(Object.fromEntries(found.map(([name, bytes]) => [name, sha256(bytes)]))).toEqual(sums);
    const files = manifest.parts.flatMap(({ from, sha256: sum }) =>
      from === undefined ? [] : [[`${from.bucket} ${from.key} ${from.version}`, sum] as const],
    );
    const stored = await versionsOf(new RegExp(`/${sub}/`));
    expect(Object.keys(stored).length).toBeGreaterThan(10);
    expect(Object.fromEntries(files)).toEqual(stored);
    const read = (entity: string) => JSON.parse(textOf(parts, `${entity}/${entity}.json`)) as object[];
    expect(read("twin")).toEqual([{ userId: sub, type: "digital-twin", traits: "ruhig" }]);
    expect(read("siteDocuments")).toMatchObject([{ userId: sub, documentId: "api-1" }]);
    expect(read("accessRecords")).toMatchObject([{ userId: address }]);
    expect(read("profiles")).toMatchObject([{ userId: sub, email: address }]);
    expect(read("documents")).toMatchObject([{ id: "doc-in" }, { id: "doc-other" }, { id: "doc-open" }]);
    expect(read("auditEntries")).toMatchObject([{ action: "user.changed", userId: sub }]);
    expect(JSON.parse(textOf(parts, "user-account/account.json"))).toMatchObject({
      userId: sub,
      attributes: { email: address },
    });
    expect(textOf(parts, "documents/inline/0001-file.plain")).toBe("mitten drin");
    const everything = [...parts.values()].map((bytes) => bytes.toString("latin1")).join("\n");
    expect(everything).not.toMatch(new RegExp(`${neighbour}|"${sub}2"|tester|local:admin`));
    expect(everything).not.toContain(secret);
    expect(manifest.leftOut).toEqual(
      expect.arrayContaining([
        { entity: "profiles", path: "apiKey", reason: "secret", times: 1 },
        { entity: "profiles", path: "settings.apiKeys", reason: "secret", times: 1 },
        { entity: "documents", path: "uploadedBy", reason: "others", times: 1 },
        { entity: "documents", path: "s3Key", reason: "elsewhere", times: 1 },
        { entity: "documents", path: "s3Key", reason: "unfinished", times: 1 },
        { entity: "auditEntries", path: "actor", reason: "others", times: 1 },
        {
          entity: documentBucket,
          path: `public/documents/${sub}/cv/open.pdf`,
          reason: "unfinished",
          times: 1,
        },
      ]),
    );
    const [page, english] = [textOf(parts, "index.html"), textOf(parts, "index.en.html")];
    expect([page, english]).toEqual([
      expect.stringContaining("Ihre Daten bei"),
      expect.stringContaining("Your data at"),
    ]);
    expect(page).not.toMatch(/<script|https?:\/\/(?!127)[^<]*"/);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(textOf(parts, "profiles/profiles.csv").split("\r\n")[0]).toContain("name");
  });

  it("is told to the audit trail, without contents, and verified", async () => {
    const run = await home.run(["user", "export", address, "-o", "max.zip", "--lang", "en", "--json"]);
    const told = JSON.parse(run.stdout) as {
      items: Record<string, number>;
      files: Record<string, number>;
      earlierVersions: number;
    };
    expect(Object.values(told.files).length).toBeGreaterThan(3);
    const listed = await exports("MAX@example.com");
    expect(listed).toMatchObject([
      { userId: sub, details: { versions: told.earlierVersions, method: "zip", phase: "done" } },
      { userId: sub, details: { phase: "begun" } },
    ]);
    expect(JSON.stringify(listed)).not.toContain(address);
    const nobody = await home.run(["audit", "list", "--user", "nobody@example.com"]);
    expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining("no such account")]);
    expect(textOf(unzipped(join(home.folder, "max.zip")), "index.html")).toContain("Your data at");
    const verified = await home.run(["user", "export", "verify", "max.zip"]);
    expect([verified.exitCode, verified.stdout]).toEqual([
      0,
      expect.stringContaining("are as they were written"),
    ]);
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });

  it("holds what is the owner's, under no account, and nothing of anybody else", async () => {
    const [bucket, key] = ["manuel-weiss-public-media", "public/profile-images/owner/1734384121711-a.jpg"];
    await home.look(async (aws) => {
      await putProfile(aws, "owner", { profileImageDefault: `https://${bucket}.s3.amazonaws.com/${key}` });
      const twin = typed({ userId: "owner", type: "digital-twin", personality: { traits: "ruhig" } }).M ?? {};
      await (await aws.dynamodb()).send(new PutItemCommand({ TableName: "mawps-digital-twin", Item: twin }));
      await putObject(aws, { bucket, key, body: Buffer.from("picture") });
    });
    const { exitCode, stderr } = await home.run(["user", "export", "owner", "-o", "owner.zip"]);
    expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
    const parts = unzipped(join(home.folder, "owner.zip"));
    const { parts: listed } = JSON.parse(textOf(parts, "manifest.json")) as Manifest;
    expect(listed.flatMap(({ from }) => (from === undefined ? [] : [from.key]))).toEqual([key]);
    expect(textOf(parts, "twin/twin.json")).toContain("ruhig");
    const all = [...parts.values()].map(String).join("");
    expect(all).toContain("profileImageDefault");
    expect(all).not.toMatch(new RegExp(`${sub}|example\\.com`));
  });

  it("is told as failed where the file cannot be written to its end, and leaves none", async () => {
    home.beforeCall = async (command, input) => {
      const { Key = "" } = input as { Key?: string };
      if (command === "GetObjectCommand" && Key.includes(sub)) throw new Error("the line is cut");
    };
    expect((await home.run(["user", "export", address, "-o", "max.zip"])).exitCode).toBe(1);
    home.beforeCall = undefined;
    expect(await exports(sub)).toMatchObject([
      { details: { phase: "failed" } },
      { details: { phase: "begun" } },
    ]);
    expect((await readdir(home.folder)).filter((name) => name.includes("max.zip"))).toEqual([]);
    await home.run(["audit", "report", "--html", "report.html"]);
    const report = await readFile(join(home.folder, "report.html"), "utf8");
    expect(report.match(/user\.exported[^<]*/g)).toEqual(["user.exported", "user.exported (failed)"]);
  });

  it("finds what was changed in a file", async () => {
    await home.run(["user", "export", address, "-o", "max.zip"]);
    const file = join(home.folder, "max.zip");
    const bytes = await readFile(file);
    bytes[bytes.indexOf("mitten drin")] = "M".charCodeAt(0);
    await writeFile(file, bytes);
    const verified = await home.run(["user", "export", "verify", "max.zip"]);
    expect([verified.exitCode, verified.stdout]).toEqual([
      4,
      "documents/inline/0001-file.plain is not what was written\n",
    ]);
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
    expect((await home.run(["user", "export", "verify", "max.zip"])).exitCode).toBe(4);
  });

  it("encrypts to recipients, whose identities alone open it", async () => {
    const [identity, second] = [await generateX25519Identity(), await generateX25519Identity()];
    await writeFile(join(home.folder, "key.txt"), `# a comment\n${identity}\n`);
    await writeFile(join(home.folder, "second.txt"), second);
    const argv = [
      "user",
      "export",
      address,
      "-o",
      "max.age",
      "--encrypt-to",
      await identityToRecipient(identity),
      "--encrypt-to",
      await identityToRecipient(second),
    ];
    expect((await home.run(argv)).exitCode).toBe(0);
    const sealed = await readFile(join(home.folder, "max.age"));
    expect(sealed.toString("latin1")).not.toMatch(/mitten drin|documents/);
    const verify = (...more: string[]) => home.run(["user", "export", "verify", "max.age", ...more]);
    expect((await verify()).exitCode).toBe(2);
    for (const file of ["key.txt", "second.txt"])
      expect([file, (await verify("--identity", file)).exitCode]).toEqual([file, 0]);
    await writeFile(join(home.folder, "other.txt"), await generateX25519Identity());
    expect((await verify("--identity", "other.txt")).exitCode).toBe(1);
  });

  it("tells of objects that vanish meanwhile, are archived or denied, and holds the rest", async () => {
    let gone = "";
    const refused: string[] = [];
    home.beforeCall = async (command, input, aws) => {
      if (command !== "GetObjectCommand") return;
      const {
        Bucket = "",
        Key = "",
        VersionId = "",
      } = input as { Bucket?: string; Key?: string; VersionId?: string };
      if (!Key.includes(sub) || refused.length === 2) return;
      if (gone !== "") {
        refused.push(Key);
        const name = refused.length === 1 ? "InvalidObjectState" : "AccessDenied";
        throw Object.assign(new Error("no"), { name, $metadata: { httpStatusCode: 403 } });
      }
      gone = Key;
      await deleteObject(aws, { bucket: Bucket, key: Key, version: VersionId });
    };
    const { exitCode, stderr } = await home.run(["user", "export", address, "-o", "max.zip"]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`${gone}: vanished meanwhile`)]);
    const parts = unzipped(join(home.folder, "max.zip"));
    const manifest = JSON.parse(textOf(parts, "manifest.json")) as Manifest;
    const [archived, denied] = refused;
    expect(stderr).toContain(`${archived}: archived: restore it first`);
    expect(textOf(parts, "index.html")).toContain("(archiviert)");
    expect(manifest.missing).toMatchObject([
      { name: gone, why: "vanished" },
      { name: archived, why: "archived" },
      { name: denied, why: "denied" },
    ]);
    expect((await home.run(["user", "export", "verify", "max.zip"])).exitCode).toBe(0);
  });

  it.each([
    { options: ["-o", "max.zip"], left: "max.zip", stays: "other.zip" },
    { options: [], left: "export-20260101T000000Z.zip.age", stays: "max.zip" },
  ])("takes away what a killed run left half of $left", async ({ options, left, stays }) => {
    const half = (name: string) => `${name}.123e4567-e89b-42d3-a456-426614174000.part`;
    for (const name of [left, stays]) await writeFile(join(home.folder, half(name)), "half");
    expect((await home.run(["user", "export", address, ...options])).exitCode).toBe(0);
    const found = await readdir(home.folder);
    expect(found.filter((name) => name.endsWith(".part"))).toEqual([half(stays)]);
    expect(found.length).toBe(3);
  });

  it("leaves no file where it fails", async () => {
    home.beforeCall = async (command, input) => {
      const { Key = "" } = input as { Key?: string };
      if (command === "GetObjectCommand" && Key.includes(sub))
        throw Object.assign(new Error("no"), { name: "NoSuchBucket", $metadata: { httpStatusCode: 404 } });
    };
    expect((await home.run(["user", "export", address, "-o", "max.zip"])).exitCode).not.toBe(0);
    expect(await readdir(home.folder)).toEqual(["store"]);
  });
});

describe("user export, not done", () => {
  it.each([
    { argv: [address, "--dry-run"], exitCode: 0, told: /documents +2 files/ },
    { argv: ["nobody@example.com"], exitCode: 1, told: /nothing is stored of/ },
    { argv: ["user-9"], exitCode: 1, told: /nothing is stored of/ },
    { argv: ["owner"], exitCode: 1, told: /of the owner of the site: no hero image, no digital twin\n$/ },
    { argv: ["global"], exitCode: 1, told: /is no user/ },
    { argv: [address, "-o", "there.zip"], exitCode: 1, told: /already exists/ },
    { argv: [address, "-o", "no/there.zip"], exitCode: 1, told: /does not exist/ },
    { argv: [address, "--encrypt-to", "age1nonsense"], exitCode: 2, told: /is no age recipient/ },
    { argv: [address, address], exitCode: 2, told: /one user at a time/ },
    { argv: ["verify"], exitCode: 2, told: /is not said/ },
    { argv: ["verify", "none.zip"], exitCode: 2, told: /cannot be read: ENOENT/ },
    { argv: ["verify", "."], exitCode: 2, told: /no regular file/ },
    { argv: ["verify", "there.zip"], exitCode: 4, told: /is no export, or is damaged/ },
  ])("ends with $exitCode for $argv, and writes nothing", async ({ argv, exitCode, told }) => {
    await writeFile(join(home.folder, "there.zip"), "x");
    await chmod(join(home.folder, "there.zip"), 0o600);
    const before = await pictureOf(home, UserPoolId);
    const run = await home.run(["user", "export", ...argv]);
    expect([run.exitCode, `${run.stdout}${run.stderr}`]).toEqual([exitCode, expect.stringMatching(told)]);
    expect((await readdir(home.folder)).toSorted()).toEqual(["store", "there.zip"]);
    expect(await pictureOf(home, UserPoolId)).toEqual(before);
  });
});
