import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { makePhoto } from "../../src/demo/photo.ts";
import { colourAt } from "../fixtures/pictures.ts";

const small = { width: 400, height: 300 };

describe("the demo's photo", () => {
  test("is stored turned, like a phone's, and measures what was asked for when upright", async () => {
    const photo = await sharp(await makePhoto(small)).metadata();
    expect(photo).toMatchObject({
      format: "jpeg",
      orientation: 6,
      width: 300,
      height: 400,
      autoOrient: small,
      hasProfile: true,
    });
  });

  test("has its sky above when upright", async () => {
    const upright = await sharp(await makePhoto(small))
      .autoOrient()
      .png()
      .toBuffer();
    const sky = await colourAt(upright, 0.5, 0.05);
    const meadow = await colourAt(upright, 0.05, 0.97);
    expect(sky[2]).toBeGreaterThan(120);
    expect(Math.max(...meadow)).toBeLessThan(110);
  });

  test("carries camera, date and the position of the Zugspitze", async () => {
    const { exif = Buffer.alloc(0), xmpAsString } = await sharp(await makePhoto(small)).metadata();
    expect(exif.includes("Feldspat")).toBe(true);
    expect(exif.includes("2025:06:21")).toBe(true);
    expect(xmpAsString).toContain("Feldspat");
    const position = readPosition(exif.subarray(6));
    expect(position.latitude).toBeCloseTo(47.4211, 3);
    expect(position.longitude).toBeCloseTo(10.9853, 3);
  });

  test("is the same for the same seed and another for another", async () => {
    const photo = await makePhoto(small);
    expect(photo.equals(await makePhoto(small))).toBe(true);
    expect(photo.equals(await makePhoto({ ...small, seed: 8 }))).toBe(false);
  });

  test("is a 12-megapixel photo of a photo's weight unless told otherwise", async () => {
    const photo = await makePhoto();
    expect((await sharp(photo).metadata()).autoOrient).toEqual({ width: 4032, height: 3024 });
    expect(photo.length).toBeGreaterThan(2_000_000);
  });
});

/** Latitude and longitude in degrees from a little-endian EXIF block, by the tags of EXIF 2.3, 4.6.6. */
function readPosition(block: Buffer): { latitude: number; longitude: number } {
  const entry = (directory: number, tag: number): number => {
    const count = block.readUInt16LE(directory);
    for (let index = 0; index < count; index++) {
      const at = directory + 2 + index * 12;
      if (block.readUInt16LE(at) === tag) return block.readUInt32LE(at + 8);
    }
    throw new Error(`no tag ${tag}`);
  };
  const gps = entry(block.readUInt32LE(4), 0x8825);
  const degrees = (tag: number): number => {
    const at = entry(gps, tag);
    const part = (index: number): number =>
      block.readUInt32LE(at + index * 8) / block.readUInt32LE(at + index * 8 + 4);
    return part(0) + part(1) / 60 + part(2) / 3600;
  };
  return { latitude: degrees(2), longitude: degrees(4) };
}
