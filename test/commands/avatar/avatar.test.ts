import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { listVersions } from "../../../src/aws/s3/listing.ts";
import { getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { findMetadata } from "../../../src/images/metadata.ts";
import {
  documentBucket as bucket,
  profileTable,
  putAvatar,
  putDocument,
  putProfile,
  readItem,
  sha256,
  userKey,
} from "../../support/documents.ts";
import { foreignAttributes, type Shape } from "../../support/owner-item.ts";
import { serveHome, type ServedHome } from "../../support/served.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

let home: TestHome;
let served: ServedHome | undefined;

beforeEach(async () => {
  home = await makeHome();
  const gps = { IFD0: { Make: "Kamera" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "47/1 25/1 16/1" } };
  const photo = sharp({ create: { width: 900, height: 600, channels: 3, background: "#c85a3c" } });
  await writeFile(join(home.folder, "photo.jpg"), await photo.withExif(gps).jpeg().toBuffer());
  await writeFile(join(home.folder, "page.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>");
});

afterEach(async () => {
  await served?.stop();
  served = undefined;
  await home.remove();
});

function printed({ exitCode, stdout, stderr }: Outcome): Record<string, unknown> {
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.each(["simple", "composite"] as const)("avatar on the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(["avatar", ...argv], { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const profile = () => look((aws) => readItem(aws, "user-1", shape));
  const put = (attributes: Record<string, unknown> = {}) =>
    look((aws) => putProfile(aws, "user-1", { ...foreignAttributes, ...attributes }));

  /** Every version and marker in the users' folders for pictures. */
  function pictures(): Promise<string[]> {
    return look(async (aws) => {
      const keys: string[] = [];
      for await (const page of listVersions(aws, { bucket, prefix: "public/profile-images/" })) {
        keys.push(...page.map(({ key }) => key));
      }
      return keys;
    });
  }

  async function trail(): Promise<unknown[]> {
    const { stdout } = await home.run(["audit", "list", "--json"], { env });
    expect(stdout).not.toMatch(/X-Amz-|base64/);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown)
      .toReversed();
  }

  it("sets a picture: square, stripped, private, and changes nothing else of the profile", async () => {
    await put({ profileImage: "data:image/png;base64,aGFsbG8=", updatedAt: "2025-01-01T00:00:00Z" });
    const before = await profile();
    home.calls.length = 0;
    const set = printed(await run("set", "user-1", "photo.jpg", "--json"));
    expect(home.calls.filter(({ command }) => command === "UpdateItemCommand")).toHaveLength(1);
    const key = String(set["key"]);
    expect(key).toMatch(/^public\/profile-images\/user-1\/\d{13}-[0-9a-f]{8}\.jpg$/);
    expect(set).toMatchObject({
      userId: "user-1",
      bucket,
      width: 512,
      height: 512,
      contentType: "image/jpeg",
    });
    expect(set["previousImage"]).toBe("a picture inside the profile");
    const after = await profile();
    expect(after).toEqual({
      ...before,
      profileImage: { S: set["profileImage"] },
      profileImageUrl: { S: set["profileImage"] },
      updatedAt: after?.["updatedAt"],
    });
    expect(after?.["updatedAt"]).not.toEqual(before?.["updatedAt"]);
    expect(String(set["profileImage"]).endsWith(`/${bucket}/${key}`)).toBe(true);
    expect(set["profileImage"]).not.toContain("?");
    await look(async (aws) => {
      const { head, bytes } = await getObjectBytes(aws, { bucket, key });
      expect(head).toMatchObject({ contentType: "image/jpeg", sizeBytes: set["bytes"] });
      expect(sha256(bytes)).toBe(set["sha256"]);
      expect(findMetadata(bytes, "jpeg")).toEqual([]);
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 512, height: 512 });
    });
    expect(await trail()).toMatchObject([
      { action: "avatar.changed", userId: "user-1", details: { key, width: 512, sha256: set["sha256"] } },
    ]);
  });

  it("takes another size, enlarges nothing, and keeps the picture before for retention", async () => {
    await put();
    const small = printed(await run("set", "user-1", "photo.jpg", "--size", "64", "--json"));
    expect(small).toMatchObject({ width: 64, height: 64, previousImage: null });
    const large = printed(await run("set", "user-1", "photo.jpg", "--size", "1024", "--json"));
    expect(large).toMatchObject({ width: 600, height: 600, previousImage: small["profileImage"] });
    expect(await pictures()).toEqual([small["key"], large["key"]]);
  });

  it("leaves a picture that somebody else sets meanwhile, and takes its own upload away", async () => {
    await put();
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      await updateAttributes(aws, {
        table: profileTable,
        key: userKey("user-1", shape),
        set: [{ path: "profileImage", value: { S: "https://elsewhere.example/theirs.jpg" } }],
      });
    };
    const outcome = await run("set", "user-1", "photo.jpg");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain("somebody else changed the picture of user-1 meanwhile");
    expect((await profile())?.["profileImage"]).toEqual({ S: "https://elsewhere.example/theirs.jpg" });
    expect(await pictures()).toEqual([]);
    expect(await trail()).toEqual([]);
  });

  it("leaves what the website changes elsewhere in the profile meanwhile", async () => {
    await put();
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      await updateAttributes(aws, {
        table: profileTable,
        key: userKey("user-1", shape),
        set: [{ path: "name", value: { S: "Anne" } }],
      });
    };
    const { profileImage } = printed(await run("set", "user-1", "photo.jpg", "--json"));
    expect(await profile()).toMatchObject({ name: { S: "Anne" }, profileImage: { S: profileImage } });
  });

  it.each([
    [["user-1", "page.svg"], "SVG"],
    [["user-1", "missing.jpg"], "does not exist"],
    [["user-2", "photo.jpg"], "unknown user"],
    [["owner", "photo.jpg"], "reserved for the owner"],
    [["../user-1", "photo.jpg"], "holds a slash"],
  ])("refuses %j, and changes nothing", async (argv, why) => {
    await put();
    const before = await profile();
    const outcome = await run("set", ...argv);
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr.toLowerCase()).toContain(why.toLowerCase());
    expect([await profile(), await pictures(), await trail()]).toEqual([before, [], []]);
  });

  it("refuses a picture for a profile that is full, before anything is uploaded", async () => {
    await look((aws) => putProfile(aws, "user-1", { notes: "x".repeat(409_500) }));
    const outcome = await run("set", "user-1", "photo.jpg");
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain("400 KB");
    expect([await pictures(), await trail()]).toEqual([[], []]);
  });

  it("gives a link that shows the picture until its end, recorded without itself", async () => {
    await put();
    served = await serveHome(home, { env });
    const set = printed(await run("set", "user-1", "photo.jpg", "--json"));
    expect((await fetch(String(set["profileImage"]))).status).toBe(403);
    const { url, expiresAt } = printed(await run("url", "user-1", "--expires", "2h", "--json"));
    const shown = await fetch(String(url));
    expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    expect(shown.headers.get("content-disposition")).toBeNull();
    expect(sha256(Buffer.from(await shown.arrayBuffer()))).toBe(set["sha256"]);
    expect((await trail()).at(-1)).toMatchObject({
      action: "avatar.link-created",
      userId: "user-1",
      details: { key: set["key"], method: "GET", expiresAt },
    });
    home.laterMs = 121 * 60_000;
    expect((await fetch(String(url))).status).toBe(403);
  });

  it.each([
    ["there is none", undefined, "user-1 has no picture"],
    ["it is a data URL", "data:image/png;base64,aGFsbG8=", "a picture inside the profile"],
    [
      "it is on another server",
      "https://elsewhere.example/p.jpg?token=geheim",
      "https://elsewhere.example/p.jpg",
    ],
    ["it is somebody else's", avatarUrl("user-2/1-2.jpg"), "none of theirs"],
    [
      "it is no picture",
      `https://${bucket}.s3.eu-central-1.amazonaws.com/public/documents/user-1/cv/1-2.pdf`,
      "none",
    ],
    ["it is not in the bucket", avatarUrl("user-1/1-2.jpg"), "is not in the bucket"],
  ])("gives no link when %s", async (_why, profileImage, told) => {
    await look(async (aws) => {
      await putDocument(aws, { userId: "user-1", id: "doc-1", body: "eins" });
      await putAvatar(aws, "user-2");
    });
    await put(profileImage === undefined ? {} : { profileImage });
    const outcome = await run("url", "user-1");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain(told);
    expect(outcome.stderr).not.toMatch(/geheim|aGFsbG8/);
    expect(await trail()).toEqual([]);
  });

  it("takes the picture off the profile, and leaves its object", async () => {
    await put();
    const { key, profileImage } = printed(await run("set", "user-1", "photo.jpg", "--json"));
    const before = await profile();
    const removed = printed(await run("rm", "user-1", "--yes", "--json"));
    expect(removed).toEqual({ userId: "user-1", previousImage: profileImage, changed: true });
    const after = await profile();
    // Null, as the hero's pointers: the website sees that there is none.
    const none = { profileImage: { NULL: true }, profileImageUrl: { NULL: true } };
    expect(after).toEqual({ ...before, ...none, updatedAt: after?.["updatedAt"] });
    expect(await pictures()).toEqual([key]);
    expect((await trail()).slice(1)).toMatchObject([
      { action: "avatar.removed", userId: "user-1", details: { phase: "begun" } },
      { action: "avatar.removed", userId: "user-1", details: { phase: "done" } },
    ]);
    expect(printed(await run("rm", "user-1", "--json"))).toEqual({
      userId: "user-1",
      previousImage: null,
      changed: false,
    });
  });
});

function avatarUrl(name: string): string {
  return `https://${bucket}.s3.eu-central-1.amazonaws.com/public/profile-images/${name}`;
}
