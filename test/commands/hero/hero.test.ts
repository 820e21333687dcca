import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { getObjectBytes, headObject, putObject } from "../../../src/aws/s3/objects.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { findMetadata } from "../../../src/images/metadata.ts";
import { insert, jpegSegment } from "../../fixtures/picture-parts.ts";
import { plainPicture } from "../../fixtures/pictures.ts";
import {
  foreignAttributes,
  ownerItem,
  ownerKey,
  putOwnerItem,
  type Shape,
} from "../../support/owner-item.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

const bucket = "manuel-weiss-public-media";
const table = "mawps-user-profiles";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  const photo = (r: number) =>
    sharp({ create: { width: 800, height: 600, channels: 3, background: { r, g: 90, b: 60 } } });
  const gps = { IFD0: { Make: "Kamera" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "47/1 25/1 16/1" } };
  await writeFile(join(home.folder, "photo.jpg"), await photo(200).withExif(gps).jpeg().toBuffer());
  await writeFile(join(home.folder, "second.jpg"), await photo(20).jpeg().toBuffer());
  await writeFile(join(home.folder, "hover.png"), await photo(120).png().toBuffer());
});

afterEach(() => home.remove());

function json(outcome: Outcome): Record<string, unknown> {
  expect(outcome.stderr).toBe("");
  expect(outcome.exitCode).toBe(0);
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

function jsonLines(outcome: Outcome): Record<string, unknown>[] {
  expect(outcome.exitCode).toBe(0);
  return outcome.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function keysIn(aws: Aws): Promise<string[]> {
  const keys: string[] = [];
  for await (const { objects } of listObjects(aws, { bucket })) keys.push(...objects.map(({ key }) => key));
  return keys;
}

describe.each(["simple", "composite"] as const)("hero on the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(argv, { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);

  it("sets a photo: stripped bytes, headers, pointer, and tells what it did", async () => {
    const result = json(await run("hero", "set", "photo.jpg", "--json"));
    expect(result).toMatchObject({
      bucket,
      width: 800,
      height: 600,
      previousUrl: null,
      verified: true,
      role: "default",
    });
    const key = String(result["key"]);
    expect(key).toMatch(/^public\/profile-images\/owner\/\d{13}-[0-9a-f]{8}\.jpg$/);
    const original = await readFile(join(home.folder, "photo.jpg"));
    expect(result["originalBytes"]).toBe(original.byteLength);

    await look(async (aws) => {
      const { head, bytes } = await getObjectBytes(aws, { bucket, key });
      expect(head).toMatchObject({
        contentType: "image/jpeg",
        cacheControl: "public, max-age=31536000, immutable",
        sizeBytes: result["bytes"],
      });
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(result["sha256"]);
      expect(findMetadata(original, "jpeg")).toContain("gps");
      expect(findMetadata(bytes, "jpeg")).toEqual([]);
      expect(await ownerItem(aws, table, shape)).toEqual({
        ...ownerKey(shape),
        type: { S: "website-images" },
        profileImageDefault: { S: result["url"] },
        profileImageHover: { NULL: true },
        profileImageHistory: {
          M: { default: { L: [{ S: result["url"] }] }, hover: { L: [] }, left: { L: [] } },
        },
        updatedAt: { S: result["updatedAt"] },
      });
    });
  });

  it("keeps the owner's hover image when only the default changes, and the other way round", async () => {
    const first = json(await run("hero", "set", "photo.jpg", "--hover", "hover.png", "--json"));
    const hover = first["hover"] as Record<string, unknown>;
    expect(hover["key"]).toMatch(/-hover[0-9a-f]{8}\.jpg$/);
    const second = json(await run("hero", "set", "second.jpg", "--json"));
    expect(second["previousUrl"]).toBe(first["url"]);
    expect(json(await run("hero", "show", "--json"))).toMatchObject({
      profileImageDefault: second["url"],
      profileImageHover: hover["url"],
    });
    const third = json(await run("hero", "set", "--hover", "photo.jpg", "--json"));
    expect(third).toMatchObject({ role: "hover", previousUrl: hover["url"] });
    expect(json(await run("hero", "show", "--json"))).toMatchObject({
      profileImageDefault: second["url"],
      profileImageHover: third["url"],
    });
  });

  it("leaves every foreign attribute byte for byte through every command", async () => {
    await look((aws) => putOwnerItem(aws, table, { type: { S: "website-images" }, ...foreignAttributes }));
    // As the service gives it back: it may write a number in another form than it was sent.
    const before = await look((aws) => ownerItem(aws, table, shape));
    expect(Object.keys(before ?? {})).toEqual(expect.arrayContaining(Object.keys(foreignAttributes)));
    const commands = [
      ["hero", "set", "photo.jpg", "--responsive"],
      ["hero", "set", "second.jpg", "--hover", "hover.png"],
      ["hero", "rollback"],
      ["hero", "rm", "--hover", "--yes"],
      ["hero", "rm", "--yes"],
      ["hero", "rollback"],
      ["hero", "show"],
      ["hero", "list"],
    ];
    for (const command of commands) {
      const { exitCode, stderr } = await run(...command);
      expect({ command, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
        command,
        exitCode: 0,
        stderr: "",
      });
      const item = await look((aws) => ownerItem(aws, table, shape));
      for (const name of Object.keys(foreignAttributes)) expect(item?.[name]).toEqual(before?.[name]);
      expect(item?.["type"]).toEqual({ S: "website-images" });
    }
  });

  it("goes back and forth in the history without an upload", async () => {
    const [first, second, third] = [
      json(await run("hero", "set", "photo.jpg", "--json")),
      json(await run("hero", "set", "second.jpg", "--hover", "hover.png", "--json")),
      json(await run("hero", "set", "photo.jpg", "--json")),
    ];
    const before = await look(keysIn);
    expect(json(await run("hero", "rollback", "--json"))).toMatchObject({
      url: second?.["url"],
      changed: true,
    });
    expect(json(await run("hero", "rollback", "--json"))).toMatchObject({
      url: first?.["url"],
      changed: true,
    });
    const oldest = await run("hero", "rollback");
    expect([oldest.exitCode, oldest.stdout]).toEqual([1, ""]);
    expect(oldest.stderr).toContain("nothing tells of an older hero image");

    const list = jsonLines(await run("hero", "list", "--json"));
    const mains = list.filter(({ role }) => role === "default").map(({ url }) => url);
    expect(mains).toEqual([third?.["url"], second?.["url"], first?.["url"]]);
    expect(list).toHaveLength(4);
    expect(list.filter(({ current }) => current === "default").map(({ url }) => url)).toEqual([
      first?.["url"],
    ]);

    const id = String(list.find(({ url }) => url === third?.["url"])?.["id"]);
    expect(json(await run("hero", "rollback", id, "--json"))).toMatchObject({
      url: third?.["url"],
      changed: true,
    });
    expect(json(await run("hero", "rollback", id, "--json"))).toMatchObject({ changed: false });
    expect(await look(keysIn)).toEqual(before);
  });

  it("takes a picture off the website and brings it back; the object stays", async () => {
    const set = json(await run("hero", "set", "photo.jpg", "--json"));
    expect(json(await run("hero", "rm", "--yes", "--json"))).toMatchObject({
      previousUrl: set["url"],
      changed: true,
    });
    expect((await look((aws) => ownerItem(aws, table, shape)))?.["profileImageDefault"]).toEqual({
      NULL: true,
    });
    expect(json(await run("hero", "show", "--json"))).toMatchObject({ profileImageDefault: null });
    expect(json(await run("hero", "rm", "--json"))).toMatchObject({ changed: false });
    expect(json(await run("hero", "rollback", "--json"))).toMatchObject({ url: set["url"], changed: true });
  });

  it("records responsive variants, takes them along on rollback and drops them with a plain picture", async () => {
    const set = json(await run("hero", "set", "photo.jpg", "--responsive", "--json"));
    const variants = set["variants"] as { key: string; type: string; width: number; bytes: number }[];
    // The photo is 800 pixels wide: 1280 and 1920 fall together into its own width.
    expect(variants.map(({ type, width }) => `${type} ${width}`).sort()).toEqual([
      "image/avif 640",
      "image/avif 800",
      "image/webp 640",
      "image/webp 800",
    ]);
    await look(async (aws) => {
      for (const { key, bytes, type } of variants) {
        expect(await headObject(aws, { bucket, key })).toMatchObject({ sizeBytes: bytes, contentType: type });
      }
    });
    const { stdout } = await run("hero", "show", "--html");
    expect(stdout).toContain("<picture>");
    expect(stdout.indexOf("image/avif")).toBeLessThan(stdout.indexOf("image/webp"));
    for (const { key } of variants) expect(stdout).toContain(key);

    json(await run("hero", "set", "second.jpg", "--json"));
    expect((await look((aws) => ownerItem(aws, table, shape)))?.["profileImageVariants"]).toBeUndefined();
    json(await run("hero", "rollback", "--json"));
    const shown = json(await run("hero", "show", "--json"))["profileImageVariants"] as { default: unknown[] };
    expect(shown.default).toHaveLength(4);
  });

  it("changes nothing with --dry-run, and says what it would do", async () => {
    json(await run("hero", "set", "photo.jpg", "--json"));
    const before = await look(async (aws) => [await keysIn(aws), await ownerItem(aws, table, shape)]);
    home.calls.length = 0;
    for (const command of [["set", "second.jpg"], ["rollback"], ["rm"]]) {
      await home.run(["hero", ...command, "--dry-run", "--json"], { env });
    }
    expect(home.calls.filter(({ command }) => /^(Put|Delete|Update|Create|Copy)/.test(command))).toEqual([]);
    expect(await look(async (aws) => [await keysIn(aws), await ownerItem(aws, table, shape)])).toEqual(
      before,
    );
  });
});

describe("hero set", () => {
  const run = (...argv: string[]) => home.run(argv);

  it("reads an image from stdin", async () => {
    const stdin = await readFile(join(home.folder, "photo.jpg"));
    const outcome = await home.run(["hero", "set", "-", "--json"], { stdin });
    expect(json(outcome)["originalBytes"]).toBe(stdin.byteLength);
  });

  it.each([
    { name: "no image at all", argv: [], exitCode: 2, says: "no image given" },
    { name: "stdin twice", argv: ["-", "--hover", "-"], exitCode: 2, says: "only once" },
    { name: "a missing file", argv: ["nothing.jpg"], exitCode: 1, says: "does not exist" },
    { name: "a folder", argv: ["."], exitCode: 1, says: "is a folder" },
    { name: "a text", argv: ["mawps.txt"], exitCode: 1, says: "mawps.txt" },
    { name: "an SVG named .jpg", argv: ["script.jpg"], exitCode: 1, says: "SVG" },
    {
      name: "a bad hover image beside a good one",
      argv: ["photo.jpg", "--hover", "script.jpg"],
      exitCode: 1,
      says: "SVG",
    },
    { name: "a cut-off JPEG", argv: ["cut.jpg"], exitCode: 1, says: "cut.jpg" },
    { name: "a width of nothing", argv: ["photo.jpg", "--max-width", "0"], exitCode: 2, says: "16 to 16384" },
  ])("refuses $name before anything is written", async ({ argv, exitCode, says }) => {
    await writeFile(join(home.folder, "mawps.txt"), "no picture");
    await writeFile(
      join(home.folder, "script.jpg"),
      '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    );
    const photo = await readFile(join(home.folder, "photo.jpg"));
    await writeFile(join(home.folder, "cut.jpg"), photo.subarray(0, photo.byteLength / 2));
    const outcome = await run("hero", "set", ...argv);
    expect([outcome.exitCode, outcome.stdout]).toEqual([exitCode, ""]);
    expect(outcome.stderr).toContain(says);
    expect(await home.look(keysIn)).toEqual([]);
    expect(await home.look((aws) => ownerItem(aws, table, "simple"))).toBeUndefined();
  });

  it("uploads the very bytes with --keep-original and says which metadata stays", async () => {
    const outcome = await run("hero", "set", "photo.jpg", "--keep-original", "--json");
    expect(outcome.exitCode).toBe(0);
    expect(JSON.parse(outcome.stderr)).toMatchObject({ warning: expect.stringContaining("gps") as string });
    const { key } = JSON.parse(outcome.stdout) as { key: string };
    const stored = await home.look((aws) => getObjectBytes(aws, { bucket, key }));
    expect(stored.bytes.equals(await readFile(join(home.folder, "photo.jpg")))).toBe(true);
  });

  it.each([
    [
      "the film of a motion photo",
      (jpeg: Buffer) => Buffer.concat([jpeg, Buffer.from("\0\0\0\x18ftypmp42")]),
      "video",
    ],
    ["a maker's own segment", (jpeg: Buffer) => insert(jpeg, 2, jpegSegment(0xe4, "secret")), "APP4"],
  ])("says with --keep-original that %s becomes public", async (_what, make, says) => {
    await writeFile(join(home.folder, "more.jpg"), make(await plainPicture([9, 9, 9]).jpeg().toBuffer()));
    const outcome = await run("hero", "set", "more.jpg", "--keep-original");
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).toMatch(new RegExp(`readable for everybody: .*${says}`));
  });

  it("sets a foreign type to website-images in the simple shape and says what it was", async () => {
    await home.look((aws) =>
      putOwnerItem(aws, table, { type: { S: "user-profile" }, name: { S: "Manuel" } }),
    );
    const outcome = await run("hero", "set", "photo.jpg");
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).toContain('"user-profile"');
    expect(await home.look((aws) => ownerItem(aws, table, "simple"))).toMatchObject({
      type: { S: "website-images" },
      name: { S: "Manuel" },
    });
  });

  it("refuses an owner item that has no room left, before anything is uploaded", async () => {
    const notes = { S: "x".repeat(409_400) };
    await home.look((aws) => putOwnerItem(aws, table, { type: { S: "website-images" }, notes }));
    const outcome = await run("hero", "set", "photo.jpg");
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(/400 KB[^]*notes/);
    expect(await home.look(keysIn)).toEqual([]);
  });

  it("stores and prints URLs of the CDN when one is configured", async () => {
    const env = { MAWPS_PUBLIC_BASE_URL: "https://cdn.example.com/media/" };
    const set = json(await home.run(["hero", "set", "photo.jpg", "--json"], { env }));
    expect(set["url"]).toBe(`https://cdn.example.com/media/${String(set["key"])}`);
    const [listed] = jsonLines(await home.run(["hero", "list", "--json"], { env }));
    expect(listed).toMatchObject({ current: "default", url: set["url"] });
  });

  it("recognises what the website uploaded itself", async () => {
    const key = "public/profile-images/owner/1734384121711-abc123.jpg";
    const url = `https://${bucket}.s3.eu-central-1.amazonaws.com/${key}`;
    await home.look(async (aws) => {
      await putObject(aws, { bucket, key, body: new Uint8Array([1]), contentType: "image/jpeg" });
      await putOwnerItem(aws, table, { type: { S: "website-images" }, profileImageDefault: { S: url } });
    });
    expect(json(await run("hero", "set", "photo.jpg", "--json"))["previousUrl"]).toBe(url);
    const list = jsonLines(await run("hero", "list", "--json"));
    expect(list.map(({ id, role }) => [id, role])).toEqual([
      [expect.stringMatching(/^\d+-[0-9a-f]{8}$/), "default"],
      ["1734384121711-abc123", "unknown"],
    ]);
    expect(json(await run("hero", "rollback", "--json"))["key"]).toBe(key);
  });

  it("warns of a picture that is too small for the home page, and sets it", async () => {
    const small = sharp({ create: { width: 300, height: 200, channels: 3, background: "#345" } });
    await writeFile(join(home.folder, "small.jpg"), await small.jpeg().toBuffer());
    const outcome = await run("hero", "set", "small.jpg", "--json");
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).toContain("the default picture is only 300 x 200 pixels");
    expect(await home.look(keysIn)).toHaveLength(1);
  });

  it("opens the live picture in the browser", async () => {
    expect((await run("hero", "show", "--open")).exitCode).toBe(1);
    const set = json(await run("hero", "set", "photo.jpg", "--json"));
    expect((await run("hero", "show", "--open")).exitCode).toBe(0);
    expect(home.opened).toEqual([set["url"]]);
  });
});

/** Lets somebody else change the images between our reading and our writing of the pointer. */
function changedMeanwhile(times: number) {
  let left = times;
  return async (aws: Aws) => {
    if (left === 0) return;
    left -= 1;
    const value = { S: `https://elsewhere.example/${left}.jpg` };
    await updateAttributes(aws, {
      table,
      key: ownerKey("simple"),
      set: [{ path: "profileImageDefault", value }],
    });
  };
}

describe("hero set beside somebody else", () => {
  it("removes what it uploaded when the pointer cannot be written, and leaves what is live", async () => {
    home.beforeUpdate = async () => {
      throw new Error("cut");
    };
    const outcome = await home.run(["hero", "set", "photo.jpg"]);
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain("cut");
    expect(await home.look(keysIn)).toEqual([]);
    expect(await home.look((aws) => ownerItem(aws, table, "simple"))).toBeUndefined();
  });

  it("takes it up again, over what they set, which is then the one before", async () => {
    home.beforeUpdate = changedMeanwhile(2);
    const set = json(await home.run(["hero", "set", "photo.jpg", "--json"]));
    expect(set["previousUrl"]).toBe("https://elsewhere.example/0.jpg");
    expect((await home.look((aws) => ownerItem(aws, table, "simple")))?.["profileImageDefault"]).toEqual({
      S: set["url"],
    });
    expect(await home.look(keysIn)).toEqual([set["key"]]);
  });
});
