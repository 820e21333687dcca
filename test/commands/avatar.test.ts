import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportAudit } from "../../src/audit/list.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { getObjectBytes } from "../../src/aws/objects.ts";
import { updateAttributes } from "../../src/aws/update-item.ts";
import { findMetadata } from "../../src/images/metadata.ts";
import {
  documentBucket as bucket,
  documentKeys,
  profileTable as table,
  putAvatar,
  putProfile,
  readItem,
  sha256,
  userKey,
} from "../support/documents.ts";
import { foreignAttributes, type Shape } from "../support/owner-item.ts";
import { makeHome, type Outcome, type TestHome } from "../support/world.ts";

const userId = "user-1";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  const photo = sharp({ create: { width: 800, height: 600, channels: 3, background: "#c85a3c" } });
  const gps = { IFD0: { Make: "Kamera" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "47/1 25/1 16/1" } };
  await writeFile(join(home.folder, "photo.jpg"), await photo.withExif(gps).jpeg().toBuffer());
});

afterEach(() => home.remove());

function json(outcome: Outcome): Record<string, unknown> {
  expect([outcome.exitCode, outcome.stderr]).toEqual([0, ""]);
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

async function auditActions(aws: Aws): Promise<string[]> {
  const actions: string[] = [];
  for await (const { action } of exportAudit({ aws, table: "mawps-audit-log", bucket }, {})) {
    actions.push(String(action));
  }
  return actions;
}

describe.each(["simple", "composite"] as const)("avatar on the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(["avatar", ...argv], { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const item = () => look((aws) => readItem(aws, userId, shape));

  it("sets a square picture without metadata, and changes two attributes of the profile", async () => {
    await look((aws) => putProfile(aws, userId, foreignAttributes));
    const before = await item();
    home.calls.length = 0;
    const set = json(await run("set", userId, "photo.jpg", "--json"));
    expect(set).toMatchObject({ userId, bucket, width: 512, height: 512, previousImage: null });
    const updates = home.calls.filter(({ command }) => command === "UpdateItemCommand");
    expect(updates).toHaveLength(1);
    const key = String(set["key"]);
    expect(key).toMatch(/^public\/profile-images\/user-1\/\d{13}-[0-9a-f]{8}\.jpg$/);
    const after = await item();
    expect(after).toEqual({
      ...before,
      profileImage: { S: `http://127.0.0.1:9700/${bucket}/${key}` },
      updatedAt: { S: expect.stringMatching(/^2026-03-01T12:/) },
    });
    await look(async (aws) => {
      const { bytes } = await getObjectBytes(aws, { bucket, key });
      expect(sha256(bytes)).toBe(set["sha256"]);
      expect(findMetadata(bytes, "jpeg")).toEqual([]);
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 512, height: 512, format: "jpeg" });
      expect(await auditActions(aws)).toEqual(["avatar.changed"]);
    });
  });

  it("keeps the former picture's object, and takes the size that is asked for", async () => {
    const former = await look((aws) => putAvatar(aws, userId));
    await look((aws) => putProfile(aws, userId, { profileImage: former }));
    const set = json(await run("set", userId, "photo.jpg", "--size", "64", "--json"));
    expect(set).toMatchObject({ width: 64, height: 64, previousImage: former });
    const keys = await look(documentKeys);
    expect(new Set(keys)).toEqual(new Set([former.slice(former.indexOf("public/")), set["key"]]));
  });

  it("takes the upload away when somebody else changes the picture meanwhile, and theirs stays", async () => {
    await look((aws) => putProfile(aws, userId));
    home.beforeUpdate = async (aws) => {
      const set = [{ path: "profileImage", value: { S: "https://example.com/theirs.jpg" } }];
      await updateAttributes(aws, { table, key: userKey(userId, shape), set });
    };
    const outcome = await run("set", userId, "photo.jpg");
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain("somebody else changed the picture of user-1 meanwhile");
    expect((await item())?.["profileImage"]).toEqual({ S: "https://example.com/theirs.jpg" });
    expect(await look(documentKeys)).toEqual([]);
    expect(await look(auditActions)).toEqual([]);
  });

  it.each(["owner", "nobody", "../user-1"])("refuses %s, and makes nothing", async (user) => {
    await look((aws) => putProfile(aws, userId));
    for (const argv of [
      ["set", user, "photo.jpg"],
      ["url", user],
      ["rm", user, "--yes"],
    ]) {
      expect([argv, (await run(...argv)).exitCode]).toEqual([argv, 1]);
    }
    expect(await look(documentKeys)).toEqual([]);
    expect(await look((aws) => readItem(aws, user, shape))).toBeUndefined();
    expect(await look(auditActions)).toEqual([]);
  });

  it("hands out a link with its end, and records it without the link", async () => {
    const former = await look((aws) => putAvatar(aws, userId));
    await look((aws) => putProfile(aws, userId, { profileImage: former }));
    const outcome = await run("url", userId, "--expires", "1h", "--json");
    expect(outcome.exitCode).toBe(0);
    const { url, expiresAt } = JSON.parse(outcome.stdout) as { url: string; expiresAt: string };
    const query = new URL(url).searchParams;
    expect(query.get("X-Amz-Expires")).toBe("3600");
    const signed = (query.get("X-Amz-Date") ?? "").replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:");
    expect(Date.parse(expiresAt) - Date.parse(signed)).toBe(3_600_000);
    expect(await look(auditActions)).toEqual(["avatar.link-created"]);
  });

  it("opens no picture that is not the user's own", async () => {
    const foreign = await look((aws) => putAvatar(aws, "user-2"));
    await look((aws) => putProfile(aws, userId, { profileImage: foreign }));
    const outcome = await run("url", userId);
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(await look(auditActions)).toEqual([]);
  });

  it("sets the picture to null on the profile, and leaves the object to retention", async () => {
    const former = await look((aws) => putAvatar(aws, userId));
    await look((aws) => putProfile(aws, userId, { ...foreignAttributes, profileImage: former }));
    const before = await item();
    expect((await run("rm", userId)).exitCode).toBe(1);
    expect(await item()).toEqual(before);
    expect(json(await run("rm", userId, "--yes", "--json"))).toMatchObject({
      previousImage: former,
      changed: true,
    });
    expect(await item()).toEqual({
      ...before,
      profileImage: { NULL: true },
      updatedAt: { S: expect.stringMatching(/^2026-03-01T12:/) },
    });
    expect(await look(documentKeys)).toHaveLength(1);
    expect(json(await run("rm", userId, "--yes", "--json"))).toMatchObject({
      previousImage: null,
      changed: false,
    });
    expect(json(await run("set", userId, "photo.jpg", "--json"))).toMatchObject({ previousImage: null });
  });
});
