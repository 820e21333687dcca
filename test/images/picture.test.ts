import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { CliError } from "../../src/errors.ts";
import { findMetadata } from "../../src/images/metadata.ts";
import { renderJpeg, renderVariants } from "../../src/images/picture.ts";
import { makePhoto } from "../../src/demo/photo.ts";
import { adobeRgbProfile, insert, pngChunk, withJpegProfile } from "../fixtures/picture-parts.ts";
import {
  colourAt,
  colourDistance,
  noisyPicture,
  plainPicture,
  quarterPicture,
  quarters,
  storedQuarters,
} from "../fixtures/pictures.ts";
import type { Rgb } from "../fixtures/pictures.ts";

const web = { maxWidth: 2560, quality: 90 };

/** 16 bits a channel with a Display P3 profile put in by hand: sharp would convert the pixels on the way out. */
async function deepP3(colour: Rgb): Promise<Buffer> {
  const { icc } = await sharp(await plainPicture(colour).withIccProfile("p3").png().toBuffer()).metadata();
  const png = await plainPicture(colour).toColourspace("rgb16").png().toBuffer();
  const packed = deflateSync(icc ?? Buffer.alloc(0));
  return insert(png, 33, pngChunk("iCCP", Buffer.concat([Buffer.from("p3\0\0", "latin1"), packed])));
}

async function expectUpright(bytes: Uint8Array): Promise<void> {
  expect(colourDistance(await colourAt(bytes, 0.2, 0.2), quarters.topLeft)).toBeLessThan(8);
  expect(colourDistance(await colourAt(bytes, 0.8, 0.2), quarters.topRight)).toBeLessThan(8);
  expect(colourDistance(await colourAt(bytes, 0.2, 0.8), quarters.bottomLeft)).toBeLessThan(8);
  expect(colourDistance(await colourAt(bytes, 0.8, 0.8), quarters.bottomRight)).toBeLessThan(8);
}

describe("formats", () => {
  test.each([
    ["baseline JPEG", () => quarterPicture().jpeg().toBuffer()],
    ["progressive JPEG", () => quarterPicture().jpeg({ progressive: true }).toBuffer()],
    ["PNG", () => quarterPicture().png().toBuffer()],
    ["interlaced PNG", () => quarterPicture().png({ progressive: true }).toBuffer()],
    ["palette PNG", () => quarterPicture().png({ palette: true }).toBuffer()],
    ["lossy WebP", () => quarterPicture().webp({ quality: 95 }).toBuffer()],
    ["lossless WebP", () => quarterPicture().webp({ lossless: true }).toBuffer()],
    ["AVIF", () => quarterPicture().avif({ quality: 90 }).toBuffer()],
    ["TIFF", () => quarterPicture().tiff({ compression: "lzw" }).toBuffer()],
    ["GIF", () => quarterPicture().gif().toBuffer()],
  ])("%s becomes a progressive JPEG with the same picture", async (_name, make) => {
    const picture = await renderJpeg(await make(), web);
    expect(picture).toMatchObject({ width: 120, height: 80, contentType: "image/jpeg", extension: "jpg" });
    expect(await sharp(picture.bytes).metadata()).toMatchObject({
      format: "jpeg",
      isProgressive: true,
      chromaSubsampling: "4:2:0",
      channels: 3,
    });
    await expectUpright(picture.bytes);
  });

  test("an animation gives its first frame", async () => {
    const frames = await Promise.all(
      [quarters.topLeft, quarters.bottomLeft].map((colour) => plainPicture(colour).png().toBuffer()),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const picture = await renderJpeg(animation, web);
    expect(picture).toMatchObject({ width: 64, height: 48 });
    expect(colourDistance(await colourAt(picture.bytes, 0.5, 0.5), quarters.topLeft)).toBeLessThan(8);
  });
});

describe("orientation", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "EXIF orientation %i ends upright, whole or cropped",
    async (orientation) => {
      const stored = await storedQuarters(orientation);
      const whole = await renderJpeg(stored, web);
      expect(whole).toMatchObject({ width: 120, height: 80 });
      await expectUpright(whole.bytes);
      const cropped = await renderJpeg(stored, { ...web, crop: { width: 40, height: 40 } });
      expect(cropped).toMatchObject({ width: 40, height: 40 });
      await expectUpright(cropped.bytes);
    },
  );

  test("the width limit counts after turning", async () => {
    const stored = await storedQuarters(6, { width: 400, height: 900 });
    expect(await renderJpeg(stored, { ...web, maxWidth: 200 })).toMatchObject({ width: 200, height: 450 });
  });
});

describe("colours", () => {
  const muted: Rgb = [150, 110, 90];
  const toBuffer = { quality: 100, chromaSubsampling: "4:4:4" } as const;
  test.each<[string, Rgb, number, () => Promise<Buffer>]>([
    ["sRGB", muted, 2, () => plainPicture(muted).jpeg(toBuffer).toBuffer()],
    ["Display P3", muted, 3, () => plainPicture(muted).withIccProfile("p3").jpeg(toBuffer).toBuffer()],
    // Display P3 (144, 112, 93) is sRGB (150, 110, 90).
    ["Display P3 with 16 bits", muted, 3, () => deepP3([144, 112, 93])],
    ["CMYK", muted, 12, () => plainPicture(muted).toColourspace("cmyk").jpeg(toBuffer).toBuffer()],
    [
      "CMYK paper white",
      [255, 255, 255],
      3,
      () => plainPicture([255, 255, 255]).toColourspace("cmyk").jpeg(toBuffer).toBuffer(),
    ],
    ["16 bits", muted, 2, () => plainPicture(muted).toColourspace("rgb16").png().toBuffer()],
    [
      "grey",
      [118, 118, 118],
      3,
      () => plainPicture([118, 118, 118]).toColourspace("b-w").jpeg(toBuffer).toBuffer(),
    ],
    [
      "grey with 16 bits",
      [118, 118, 118],
      3,
      () => plainPicture([118, 118, 118]).toColourspace("grey16").tiff().toBuffer(),
    ],
    // Adobe RGB (144, 255, 60) is sRGB's pure green, (219, 0, 0) its pure red.
    [
      "Adobe RGB green",
      [0, 255, 0],
      6,
      async () =>
        withJpegProfile(await plainPicture([144, 255, 60]).jpeg(toBuffer).toBuffer(), adobeRgbProfile()),
    ],
    [
      "Adobe RGB red",
      [255, 0, 0],
      6,
      async () =>
        withJpegProfile(await plainPicture([219, 0, 0]).jpeg(toBuffer).toBuffer(), adobeRgbProfile()),
    ],
  ])("%s looks the same in sRGB", async (_name, expected, tolerance, make) => {
    const source = await make();
    const jpeg = await renderJpeg(source, { ...web, quality: 100 });
    expect(colourDistance(await colourAt(jpeg.bytes, 0.5, 0.5), expected)).toBeLessThanOrEqual(tolerance);
    const [webp] = await renderVariants(source, { widths: [64], formats: ["webp"], quality: 95 });
    expect(
      colourDistance(await colourAt(webp?.bytes ?? Buffer.alloc(0), 0.5, 0.5), expected),
    ).toBeLessThanOrEqual(tolerance + 4);
  });

  test.each([
    ["all transparent", 0, [255, 255, 255]],
    ["half transparent", 0.5, [155, 155, 155]],
    ["opaque", 1, [55, 55, 55]],
  ] as const)("%s pixels lie on white", async (_name, alpha, expected) => {
    const layer = { width: 30, height: 20, channels: 4, background: { r: 55, g: 55, b: 55, alpha } } as const;
    const picture = await renderJpeg(await sharp({ create: layer }).png().toBuffer(), web);
    expect(colourDistance(await colourAt(picture.bytes, 0.5, 0.5), expected)).toBeLessThanOrEqual(2);
  });
});

describe("size", () => {
  test.each([
    ["wider than the limit", { width: 300, height: 150 }, 100, { width: 100, height: 50 }],
    ["as wide as the limit", { width: 100, height: 50 }, 100, { width: 100, height: 50 }],
    ["narrower", { width: 60, height: 90 }, 100, { width: 60, height: 90 }],
    ["one pixel", { width: 1, height: 1 }, 100, { width: 1, height: 1 }],
    ["a thread lying down", { width: 900, height: 1 }, 100, { width: 100, height: 1 }],
  ])("%s", async (_name, source, maxWidth, expected) => {
    const png = await quarterPicture(source).png().toBuffer();
    expect(await renderJpeg(png, { ...web, maxWidth })).toMatchObject(expected);
  });

  test.each([
    ["larger in both", { width: 900, height: 600 }, { width: 512, height: 512 }],
    ["too low for the square", { width: 900, height: 300 }, { width: 300, height: 300 }],
    ["smaller in both", { width: 40, height: 90 }, { width: 40, height: 40 }],
  ])("a square crop of a picture %s is never scaled up", async (_name, source, expected) => {
    const png = await quarterPicture(source).png().toBuffer();
    const picture = await renderJpeg(png, { ...web, crop: { width: 512, height: 512 } });
    expect(picture).toMatchObject(expected);
    await expectUpright(picture.bytes);
  });
});

describe("variants", () => {
  const all = { widths: [640, 1280, 1920], formats: ["webp", "avif"], quality: 80 } as const;

  test.each([
    ["wider than all", 2000, [640, 1280, 1920]],
    ["between two", 1000, [640, 1000]],
    ["narrower than all", 500, [500]],
    ["just one of them", 1280, [640, 1280]],
  ])("a source %s gives each width once", async (_name, width, expected) => {
    const png = await quarterPicture({ width, height: width / 4 })
      .png()
      .toBuffer();
    const pictures = await renderVariants(png, all);
    expect(pictures.map((picture) => picture.width)).toEqual(expected.flatMap((each) => [each, each]));
    for (const { bytes, ...facts } of pictures) {
      const { format } = await sharp(bytes).metadata();
      expect(facts).toEqual(
        format === "webp"
          ? { width: facts.width, height: facts.width / 4, contentType: "image/webp", extension: "webp" }
          : { width: facts.width, height: facts.width / 4, contentType: "image/avif", extension: "avif" },
      );
      await expectUpright(bytes);
    }
  });

  test("a picture too tall for WebP becomes narrower instead of failing", async () => {
    const png = await quarterPicture({ width: 200, height: 20_000 }).png().toBuffer();
    const [picture] = await renderVariants(png, { ...all, formats: ["webp"] });
    expect(picture).toMatchObject({ width: 163, height: 16_300 });
  });
});

describe("metadata", () => {
  test("nothing of a phone's photo is left but the picture", async () => {
    const photo = await makePhoto({ width: 400, height: 300 });
    expect(findMetadata(photo, "jpeg")).toEqual(["exif", "gps", "xmp", "icc"]);
    const jpeg = await renderJpeg(photo, web);
    const variants = await renderVariants(photo, { widths: [200], formats: ["webp", "avif"], quality: 80 });
    for (const { bytes } of [jpeg, ...variants]) {
      expect(bytes.includes("Feldspat")).toBe(false);
      const { exif, icc, xmp, iptc, orientation } = await sharp(bytes).metadata();
      expect({ exif, icc, xmp, iptc, orientation }).toEqual({});
    }
    expect(findMetadata(jpeg.bytes, "jpeg")).toEqual([]);
  });
});

describe("damaged pixels", () => {
  test("a picture whose data is overwritten in the middle is refused, not shown grey", async () => {
    const png = await noisyPicture().png().toBuffer();
    png.fill(0x5a, png.length >> 1, (png.length >> 1) + 200);
    const rendering = renderJpeg(png, { ...web, name: "portrait.png" });
    await expect(rendering).rejects.toThrow(CliError);
    await expect(rendering).rejects.toThrow("portrait.png is damaged: its pixels cannot be decoded");
  });
});
