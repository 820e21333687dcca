import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anonymousGet } from "../../src/aws/anonymous.ts";
import { connect, type Aws } from "../../src/aws/clients.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { examine } from "../../src/doctor/doctor.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import type { Outside } from "../../src/doctor/outside.ts";
import { stoppable } from "../../src/concurrency.ts";
import { CliError } from "../../src/errors.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import type { Declaration } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { publicUrl } from "../../src/model/urls.ts";
import { applySetup } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";
import { openSite, region, type Site } from "../setup/site.ts";

const simple = mawps(defaultNames);
const composite = mawps({ ...defaultNames, newTableShape: "composite" });
const { publicMedia, userFiles } = defaultNames.buckets;
const heroKey = "public/profile-images/owner/1734384121711-4f9c2a1b.jpg";
const heroUrl = publicUrl({ bucket: publicMedia, key: heroKey, region });

const goodScanner = {
  engine: "ClamAV 1.4.6/27461/Sat Feb 28 09:31:00 2026",
  engineVersion: "1.4.6",
  signatures: { version: 27461, date: "2026-02-28" },
  takesSize: true,
  tellsLimits: true,
  tellsEncrypted: true,
};

let site: Site;
let aws: Aws;

beforeEach(async () => {
  site = await openSite();
  aws = site.aws;
});
afterEach(() => site.close());

async function setUp(declaration: Declaration): Promise<void> {
  await applySetup(aws, await planSetup(aws, declaration), { fix: false, firstDelayMs: 1 });
}

async function findings(
  declaration: Declaration,
  differing: Partial<Outside> = {},
  at = aws,
): Promise<Finding[]> {
  const outside: Outside = {
    now: () => new Date("2026-03-01T12:00:00.000Z"),
    signal: stoppable(undefined).signal,
    tool: { nodeVersion: "v20.19.0", images: { version: "0.35.5", readsHeic: false } },
    caller: undefined,
    scanner: async () => ({ where: "/run/clamd.sock", maxBytes: 100_000_000, trial: goodScanner }),
    anonymousGet: (url) => anonymousGet(at, url),
    explain: (error) => (error instanceof Error ? new CliError(`explained: ${error.name}`) : undefined),
    ...differing,
  };
  const found: Finding[] = [];
  for await (const finding of examine(at, declaration, outside)) found.push(finding);
  return found;
}

function notOk(found: readonly Finding[]): string[] {
  return found
    .filter(({ status }) => status !== "ok")
    .map(({ status, check, message }) => `${status} ${check}: ${message}`);
}

async function putHeroImage(contentType = "image/jpeg"): Promise<void> {
  await putObject(aws, { bucket: publicMedia, key: heroKey, body: Buffer.from("a picture"), contentType });
}

async function putOwner(attributes: Readonly<Record<string, string | null>>): Promise<void> {
  const Item = Object.fromEntries(
    Object.entries({ userId: "owner", type: "website-images", ...attributes }).map(([name, value]) => [
      name,
      value === null ? { NULL: true as const } : { S: value },
    ]),
  );
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(new PutItemCommand({ TableName: defaultNames.tables.userProfiles, Item }));
}

async function putDocument(): Promise<void> {
  const key = "public/documents/user-123/cv/1734384121711-0a1b2c3d.pdf";
  await putObject(aws, {
    bucket: userFiles,
    key,
    body: Buffer.from("private"),
    contentType: "application/pdf",
  });
}

describe.each([
  ["simple", simple, "one item per user; the digital twin goes to mawps-digital-twin"],
  ["composite", composite, "one item per user and type"],
])("on a table of %s keys", (_shape, declaration, consequence) => {
  it("a site with its hero image and a document has nothing wrong", async () => {
    await setUp(declaration);
    await Promise.all([putHeroImage(), putDocument()]);
    await putOwner({ profileImageDefault: heroUrl, profileImageHover: null });
    const found = await findings(declaration);
    expect(notOk(found)).toEqual([]);
    expect(found.find(({ check }) => check === "table shape")?.message).toContain(consequence);
    expect(found.find(({ check }) => check === "hero image")?.message).toBe(
      `http://127.0.0.1:9700 gives it to anybody (image/jpeg); its own address, at https://${publicMedia}.s3.${region}.amazonaws.com, was not asked`,
    );
    expect(found.find(({ check }) => check === "privacy")?.message).toContain("reading an object is refused");
  });

  it("a site before its first hero image is only warned", async () => {
    await setUp(declaration);
    expect(notOk(await findings(declaration))).toEqual(["warning hero images: not set yet"]);
  });
});

describe("an empty account", () => {
  it("has one problem for each bucket and table, each with the command that helps", async () => {
    const found = await findings(simple);
    const problems = found.filter(({ status }) => status === "problem");
    expect(problems.map(({ subject }) => subject)).toEqual([
      publicMedia,
      userFiles,
      ...simple.tables.filter(({ keptBy }) => keptBy !== "site").map(({ name }) => name),
    ]);
    expect(new Set(problems.map(({ remedy }) => remedy))).toEqual(new Set(["mawps setup"]));
  });
});

describe("the hero image", () => {
  beforeEach(() => setUp(simple));

  it.each<[string, Record<string, string | null>, string[]]>([
    [
      "on an item of another type",
      { type: "user-profile", profileImageDefault: heroUrl },
      [
        'problem hero images: type is "user-profile", not website-images: the website answers 404 for its hero images',
      ],
    ],
    ["that was removed", { profileImageDefault: null }, ["warning hero image: not set"]],
    [
      "whose object is gone",
      { profileImageDefault: heroUrl.replace("4f9c2a1b", "00000000") },
      [`problem hero image: there is no such object in ${publicMedia}`],
    ],
    [
      "in the private bucket",
      { profileImageDefault: heroUrl.replace(publicMedia, userFiles) },
      [`problem hero image: is in ${userFiles}, not in a public bucket`],
    ],
    [
      "in the bucket of the website's uploads, where it is gone",
      { profileImageDefault: heroUrl.replace(publicMedia, "mawps-profile-images") },
      ["problem hero image: there is no such object in mawps-profile-images"],
    ],
    [
      "elsewhere",
      { profileImageDefault: `data:image/png;base64,${"A".repeat(5000)}` },
      ["warning hero image: is not in a bucket of the site"],
    ],
  ])("%s is told", async (_name, owner, expected) => {
    await putHeroImage();
    await putOwner(owner);
    const found = await findings(simple);
    expect(notOk(found)).toEqual(expected);
    expect(found.every(({ subject }) => subject.length <= 100)).toBe(true);
  });

  it("in the bucket of the website's uploads is looked for there, and found", async () => {
    const uploads = "mawps-profile-images";
    await (await aws.s3()).send(new CreateBucketCommand({ Bucket: uploads }));
    await putObject(aws, {
      bucket: uploads,
      key: heroKey,
      body: Buffer.from("a picture"),
      contentType: "image/jpeg",
    });
    await putOwner({ profileImageDefault: heroUrl.replace(publicMedia, uploads) });
    const found = await findings(simple, {
      anonymousGet: async () => ({ status: 200, headers: { "content-type": "image/jpeg" } }),
    });
    expect(found.filter(({ check }) => check === "hero image")).toMatchObject([{ status: "ok" }]);
  });

  it("that the public cannot read is told", async () => {
    await putHeroImage();
    await putOwner({ profileImageDefault: heroUrl });
    const s3 = await aws.s3();
    const policy = { Version: "2012-10-17", Statement: [simple.buckets[0]?.policy[0]] };
    await s3.send(new PutBucketPolicyCommand({ Bucket: publicMedia, Policy: JSON.stringify(policy) }));
    expect(notOk(await findings(simple))).toEqual([
      "problem bucket: policy: lacks MawpsPublicRead; should be: MawpsTlsOnly, MawpsPublicRead",
      "problem hero image: the public cannot read it: HTTP 403",
    ]);
  });

  it("that is no picture is told", async () => {
    await putHeroImage("text/html");
    await putOwner({ profileImageDefault: heroUrl });
    expect(notOk(await findings(simple))).toEqual([
      "problem hero image: the public gets text/html, not a picture",
    ]);
  });

  it("is read from AWS or the CDN under the very URL that is stored", async () => {
    await putHeroImage();
    await putOwner({ profileImageDefault: `https://cdn.example.com/${heroKey}` });
    const asked: string[] = [];
    const behindAws: Aws = { ...aws, endpointUrl: undefined };
    await findings(
      simple,
      {
        publicBaseUrl: "https://cdn.example.com",
        async anonymousGet(url) {
          asked.push(url);
          return { status: 403, headers: {} };
        },
      },
      behindAws,
    );
    expect(asked).toContain(`https://cdn.example.com/${heroKey}`);
    expect(asked).toContain(`https://${userFiles}.s3.${region}.amazonaws.com/?list-type=2&max-keys=1`);
  });
});

describe("a public address that gives no answer", () => {
  beforeEach(async () => {
    await setUp(simple);
    await Promise.all([putHeroImage(), putDocument()]);
  });

  it("is a finding of its own, and the other things are told all the same", async () => {
    const nowhere = connect({ region, credentials: { accessKeyId: "a", secretAccessKey: "b" } });
    const publicBaseUrl = "http://127.0.0.1:1";
    await putOwner({ profileImageDefault: `${publicBaseUrl}/${heroKey}`, profileImageHover: heroUrl });
    const found = await findings(
      simple,
      {
        publicBaseUrl,
        anonymousGet: (url) => anonymousGet(url.startsWith(publicBaseUrl) ? nowhere : aws, url),
      },
      { ...aws, endpointUrl: undefined },
    );
    nowhere.close();
    expect(notOk(found)).toEqual([
      "problem hero image: could not be read as the public does: cannot reach http://127.0.0.1:1: the connection was refused (ECONNREFUSED)",
    ]);
    expect(found.map(({ check, message }) => `${check}: ${message}`)).toEqual(
      expect.arrayContaining([
        "hero images: type is website-images",
        "hover image: the public can read it (image/jpeg)",
        "privacy: without credentials, listing and reading an object is refused",
      ]),
    );
  });

  it("does not make a bucket private", async () => {
    const found = await findings(simple, {
      anonymousGet: async () => ({ status: undefined, why: "the connection was cut off" }),
    });
    expect(found.find(({ check }) => check === "privacy")).toMatchObject({
      status: "warning",
      message:
        "whether anybody can list it is not known: the connection was cut off; whether anybody can read its objects is not known: the connection was cut off",
    });
  });
});

describe("the private bucket", () => {
  beforeEach(async () => {
    await setUp(simple);
    await putDocument();
  });

  it("that the public can list and read is a problem", async () => {
    const s3 = await aws.s3();
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket: userFiles }));
    const open = {
      Effect: "Allow",
      Principal: "*",
      Action: ["s3:GetObject", "s3:ListBucket"],
      Resource: [`arn:aws:s3:::${userFiles}`, `arn:aws:s3:::${userFiles}/*`],
    };
    const policy = { Version: "2012-10-17", Statement: [...(simple.buckets[1]?.policy ?? []), open] };
    await s3.send(new PutBucketPolicyCommand({ Bucket: userFiles, Policy: JSON.stringify(policy) }));
    const found = await findings(simple);
    expect(found.find(({ check }) => check === "privacy")).toMatchObject({
      status: "problem",
      message:
        "S3 counts its policy as public; anybody can list it (HTTP 200); anybody can read its objects (HTTP 200)",
    });
  });

  it("on a server of this computer that keeps nobody out is a warning", async () => {
    const anonymousGet = () => Promise.resolve({ status: 200, headers: {} });
    const found = await findings(simple, { anonymousGet });
    expect(found.find(({ check }) => check === "privacy")?.status).toBe("warning");
  });

  it("on any other server that keeps nobody out is a problem", async () => {
    const anonymousGet = () => Promise.resolve({ status: 200, headers: {} });
    const found = await findings(simple, { anonymousGet }, { ...aws, endpointUrl: "http://s3.example.com" });
    expect(found.find(({ check }) => check === "privacy")?.status).toBe("problem");
  });
});

describe("a check that fails", () => {
  it("is told with its reason, and the others go on", async () => {
    await setUp(simple);
    const caller = () => Promise.reject(new CliError("no credentials were found", { hint: "aws configure" }));
    const found = await findings(simple, { caller });
    const [why, hint] = ["no credentials were found", "aws configure"];
    expect(found).toContainEqual({
      check: "credentials",
      subject: "AWS",
      status: "problem",
      code: "failed",
      values: { why, hint },
      message: why,
      remedy: hint,
    });
    expect(found.filter(({ check, status }) => check === "table" && status === "ok")).toHaveLength(4);
  });

  it("for want of a network is told once", async () => {
    const nowhere = connect({
      region,
      endpointUrl: "http://127.0.0.1:1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const found = await findings(simple, {}, nowhere);
    nowhere.close();
    expect(found.filter(({ status }) => status === "problem")).toHaveLength(1);
    expect(found.filter(({ status }) => status === "skipped")).toHaveLength(5);
  });

  it("because of a bug is not dressed up", async () => {
    await setUp(simple);
    const caller = () => Promise.reject(new TypeError("x is not a function"));
    await expect(findings(simple, { caller, explain: () => undefined })).rejects.toThrow(
      "x is not a function",
    );
  });

  it("by Ctrl-C ends the examination", async () => {
    const abort = new AbortController();
    abort.abort(new Error("interrupted"));
    await expect(findings(simple, { signal: abort.signal })).rejects.toThrow("interrupted");
  });
});

describe("the user pool", () => {
  const poolFindings = async (userPoolId: string) => {
    const found = await findings(mawps({ ...defaultNames, userPoolId }));
    return found.filter(({ check }) => check === "user pool");
  };

  it("is named with the number of its users", async () => {
    const id = localPoolId(region);
    expect(await poolFindings(id)).toEqual([
      { check: "user pool", subject: id, status: "ok", message: "local, about 0 users" },
    ]);
  });

  it("that is not there is a problem, with the command that lists those there are", async () => {
    const [only, ...others] = await poolFindings("eu-central-1_Nowhere00");
    expect(others).toEqual([]);
    expect(only).toMatchObject({ status: "problem", message: "there is no such user pool in eu-central-1" });
    expect(only?.remedy).toContain("list-user-pools");
  });
});
