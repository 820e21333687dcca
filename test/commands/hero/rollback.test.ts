import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { deleteObject, getObjectBytes, putObject } from "../../../src/aws/s3/objects.ts";
import { ownerItem, ownerKey, putOwnerItem } from "../../support/owner-item.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

const bucket = "manuel-weiss-public-media";
const websiteBucket = "mawps-profile-images";
const table = "mawps-user-profiles";
const folder = "public/profile-images/owner/";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  for (const [at, name] of ["a.jpg", "b.jpg", "c.jpg"].entries()) {
    const create = { width: 800, height: 600, channels: 3, background: { r: 70 * at, g: 9, b: 60 } } as const;
    await writeFile(join(home.folder, name), await sharp({ create }).jpeg().toBuffer());
  }
});

afterEach(() => home.remove());

const run = (...argv: string[]) => home.run(["hero", ...argv]);

async function urlOf(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(...argv, "--json");
  expect([exitCode, stderr]).toEqual([0, ""]);
  return (JSON.parse(stdout) as { url: string }).url;
}

async function live(): Promise<(string | null | undefined)[]> {
  const item = await home.look((aws) => ownerItem(aws, table, "simple"));
  return ["profileImageDefault", "profileImageHover"].map((name) =>
    item?.[name]?.NULL === true ? null : item?.[name]?.S,
  );
}

const httpsUrl = (key: string, of = bucket) => `https://${of}.s3.eu-central-1.amazonaws.com/${key}`;

/** What the website's POST /website-images does: the whole item is another one. */
function post(url: string): Promise<void> {
  return home.look((aws) =>
    putOwnerItem(aws, table, {
      type: { S: "website-images" },
      profileImageDefault: { S: url },
      profileImageHover: { S: url },
      updatedAt: { S: "2026-02-01T00:00:00.000Z" },
    }),
  );
}

async function put(key: string, into = bucket): Promise<void> {
  await home.look(async (aws) => {
    if (into === websiteBucket) await makeWebsiteBucket(aws);
    await putObject(aws, { bucket: into, key, body: Buffer.from(key), contentType: "image/png" });
  });
}

async function makeWebsiteBucket(aws: Aws): Promise<void> {
  await (
    await aws.s3()
  )
    .send(new CreateBucketCommand({ Bucket: websiteBucket }))
    .catch((error: Error) => expect(error.name).toBe("BucketAlreadyOwnedByYou"));
}

/** Every object of the public bucket with the hash of its bytes. */
function objects(): Promise<string[]> {
  return home.look(async (aws) => {
    const found: string[] = [];
    for await (const page of listObjects(aws, { bucket })) {
      for (const { key } of page.objects) {
        const { bytes } = await getObjectBytes(aws, { bucket, key });
        found.push(`${key} ${createHash("sha256").update(bytes).digest("hex")}`);
      }
    }
    return found;
  });
}

describe("hero rollback", () => {
  it("goes back to what was live before, not to what was uploaded before", async () => {
    const a = await urlOf("set", "a.jpg");
    const b = await urlOf("set", "b.jpg");
    expect(await urlOf("rollback")).toBe(a);
    const c = await urlOf("set", "c.jpg");
    expect(await urlOf("rollback")).toBe(a);
    expect(await live()).toEqual([a, null]);
    for (const forward of [c, b]) {
      const id = /owner\/(.*)\.jpg$/.exec(forward)?.[1] ?? "";
      expect(await urlOf("rollback", id)).toBe(forward);
    }
    expect(await urlOf("rollback")).toBe(c);
    expect(await urlOf("rollback")).toBe(a);
    const oldest = await run("rollback");
    expect([oldest.exitCode, oldest.stdout]).toEqual([1, ""]);
    expect(oldest.stderr).toContain("nothing tells of an older hero image than the live one");
    expect(await live()).toEqual([a, null]);
  });

  it("brings back what was live after rm, whatever was uploaded later", async () => {
    const a = await urlOf("set", "a.jpg");
    await urlOf("set", "b.jpg");
    expect(await urlOf("rollback")).toBe(a);
    expect((await run("rm", "--yes")).exitCode).toBe(0);
    expect(await live()).toEqual([null, null]);
    expect(await urlOf("rollback")).toBe(a);
    expect(await live()).toEqual([a, null]);
  });

  it("goes back to the website's picture that was default and hover at once, each role by itself", async () => {
    const site = httpsUrl(`${folder}1734384121711-abc123.jpg`);
    await put(`${folder}1734384121711-abc123.jpg`);
    await post(site);
    const a = await urlOf("set", "a.jpg");
    expect(await live()).toEqual([a, site]);
    const hover = await urlOf("set", "--hover", "b.jpg");
    expect(await urlOf("rollback")).toBe(site);
    expect(await live()).toEqual([site, hover]);
    expect(await urlOf("rollback", "--hover")).toBe(site);
    expect(await live()).toEqual([site, site]);
  });

  it("knows from the audit trail what was live before the website replaced the whole item", async () => {
    const a = await urlOf("set", "a.jpg");
    const b = await urlOf("set", "b.jpg");
    const site = httpsUrl(`${folder}1734384121711-abc123.jpg`);
    await put(`${folder}1734384121711-abc123.jpg`);
    await post(site);
    expect(await urlOf("rollback")).toBe(b);
    expect(await urlOf("rollback")).toBe(a);
    // Once more, with a picture of the tool's over it: what the website set is one step back.
    await post(site);
    const c = await urlOf("set", "c.jpg");
    expect(await urlOf("rollback")).toBe(site);
    expect(await urlOf("rollback", /owner\/(.*)\.jpg$/.exec(c)?.[1] ?? "")).toBe(c);
    expect(await live()).toEqual([c, site]);
  });

  it("never makes a picture the hero of which nothing says that it was one", async () => {
    for (const key of [`${folder}1734384121711-abc123.png`, `${folder}1734384121712-4f9c2a1b.png`]) {
      await put(key);
    }
    const none = await run("rollback");
    expect([none.exitCode, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("there is no hero image to go back to");
    const byId = await run("rollback", "1734384121711-abc123");
    expect([byId.exitCode, byId.stdout]).toEqual([1, ""]);
    expect(byId.stderr).toContain(
      "nothing says that public/profile-images/owner/1734384121711-abc123.png ever",
    );
    const a = await urlOf("set", "a.jpg");
    expect((await run("rollback")).exitCode).toBe(1);
    expect(await live()).toEqual([a, null]);
  });

  it("goes back to a hero in the bucket to which the website uploads today, by its own address", async () => {
    const key = "profile/owner/1756000000000-portrait.jpg";
    await put(key, websiteBucket);
    await post(httpsUrl(key, websiteBucket));
    await urlOf("set", "a.jpg");
    expect(await urlOf("rollback")).toBe(httpsUrl(key, websiteBucket));
    expect((await live())[0]).toBe(httpsUrl(key, websiteBucket));
  });

  it("goes past a picture whose object is gone, and says so", async () => {
    const a = await urlOf("set", "a.jpg");
    const b = await urlOf("set", "b.jpg");
    await urlOf("set", "c.jpg");
    const key = `${folder}${b.slice(b.lastIndexOf("/") + 1)}`;
    await home.look((aws) => deleteObject(aws, { bucket, key }));
    const { exitCode, stderr } = await run("rollback");
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`the object of ${b}, live in between, is gone`);
    expect(await live()).toEqual([a, null]);
  });

  it("leaves what somebody else makes live meanwhile", async () => {
    await urlOf("set", "a.jpg");
    await urlOf("set", "b.jpg");
    const theirs = { S: "https://elsewhere.example/theirs.jpg" };
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      const set = [{ path: "profileImageDefault", value: theirs }];
      await updateAttributes(aws, { table, key: ownerKey("simple"), set });
    };
    const outcome = await run("rollback");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain("somebody else changed the hero images meanwhile");
    expect((await live())[0]).toBe(theirs.S);
  });

  it("goes on where somebody else changes the other role alone", async () => {
    const a = await urlOf("set", "a.jpg");
    await urlOf("set", "b.jpg");
    const theirs = { S: "https://elsewhere.example/theirs.jpg" };
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      const set = [{ path: "profileImageHover", value: theirs }];
      await updateAttributes(aws, { table, key: ownerKey("simple"), set });
    };
    expect(await urlOf("rollback")).toBe(a);
    expect(await live()).toEqual([a, theirs.S]);
  });
});

describe("hero list", () => {
  const rows = ({ exitCode, stdout }: Outcome) => {
    expect(exitCode).toBe(0);
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it("shows heroes in both buckets, and all else only when asked for it; nothing of it changes", async () => {
    const portrait = "profile/owner/1756000000000-portrait.jpg";
    await put(portrait, websiteBucket);
    await put("profile/owner/1756000000001-team.jpg", websiteBucket);
    await post(httpsUrl(portrait, websiteBucket));
    const services = [`${folder}1734384121711-abc123.png`, `${folder}gallery/1734384121712-def456.png`];
    for (const key of services) await put(key);
    const before = await objects();
    expect(rows(await run("list", "--json"))).toMatchObject([
      {
        id: "1756000000000-portrait",
        bucket: websiteBucket,
        current: "default",
        liveAs: ["default", "hover"],
      },
    ]);
    const others = rows(await run("list", "--unknown", "--json"));
    expect(others.map(({ bucket: of, key }) => `${String(of)} ${String(key)}`).sort()).toEqual([
      ...services.map((key) => `${bucket} ${key}`),
      `${websiteBucket} profile/owner/1756000000001-team.jpg`,
    ]);
    expect((await run("list")).stderr).toContain("3 more objects beside them");
    expect(await objects()).toEqual(before);
  });

  it("goes on listing a hero that was replaced, by the audit trail alone", async () => {
    const a = await urlOf("set", "a.jpg");
    await post("https://elsewhere.example/theirs.jpg");
    expect(rows(await run("list", "--json"))).toMatchObject([{ url: a, current: null }]);
    expect(rows(await run("list", "--unknown", "--json"))).toEqual([]);
  });
});
