import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { CliError } from "../../src/errors.ts";
import { checkDecodes, inspectImage } from "../../src/images/inspect.ts";
import { renderJpeg } from "../../src/images/picture.ts";
import { makePhoto } from "../../src/demo/photo.ts";
import { gifExtension, insert, jpegSegment, pngChunk, withPngSize } from "../fixtures/picture-parts.ts";
import { noisyPicture, plainPicture, quarterPicture, storedQuarters } from "../fixtures/pictures.ts";

describe("facts", () => {
  test.each([
    ["jpeg", () => quarterPicture().jpeg().toBuffer(), "image/jpeg", "jpg"],
    ["png", () => quarterPicture().png().toBuffer(), "image/png", "png"],
    ["webp", () => quarterPicture().webp().toBuffer(), "image/webp", "webp"],
    ["avif", () => quarterPicture().avif().toBuffer(), "image/avif", "avif"],
    ["tiff", () => quarterPicture().tiff().toBuffer(), "image/tiff", "tif"],
    ["gif", () => quarterPicture().gif().toBuffer(), "image/gif", "gif"],
  ])("a plain %s is known by its content", async (format, make, contentType, extension) => {
    const facts = await inspectImage(await make());
    expect(facts).toMatchObject({
      format,
      contentType,
      extension,
      width: 120,
      height: 80,
      orientation: 1,
      pages: 1,
    });
    expect(facts.metadata).toEqual([]);
  });

  test("width and height are those of the upright picture", async () => {
    const facts = await inspectImage(await storedQuarters(6));
    expect(facts).toMatchObject({
      width: 120,
      height: 80,
      orientation: 6,
      metadata: ["exif", "icc"],
    });
  });

  test("a phone's photo says where it was taken", async () => {
    const facts = await inspectImage(await makePhoto({ width: 320, height: 240 }));
    expect(facts.metadata).toEqual(["exif", "gps", "xmp", "icc"]);
  });

  test("frames and alpha are counted, comments are seen", async () => {
    const layer = { width: 20, height: 10, channels: 4, background: "#ff000080" } as const;
    const frame = await sharp({ create: layer }).png().toBuffer();
    const other = await sharp({ create: { ...layer, background: "#00ff0080" } })
      .png()
      .toBuffer();
    const animation = await sharp([frame, other], { join: { animated: true } })
      .gif()
      .toBuffer();
    const commented = insert(animation, animation.length - 1, gifExtension(0xfe, "by me"));
    expect(await inspectImage(commented)).toMatchObject({
      width: 20,
      height: 10,
      pages: 2,
      hasAlpha: true,
      metadata: ["comment"],
    });
  });
});

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const utf16be = Buffer.from(`\ufeff${svg}`, "utf16le").swap16();

describe("what is no picture is refused by name", () => {
  test.each<[string, Buffer | string, string]>([
    ["an empty file", "", "is empty"],
    ["text", "hello", "is not a picture"],
    ["zero bytes", Buffer.alloc(64), "is not a picture"],
    ["SVG", svg, "SVG"],
    ["SVG behind a byte order mark", `\ufeff${svg}`, "SVG"],
    ["SVG behind white space", ` \r\n\t${svg}`, "SVG"],
    ["SVG behind an XML prolog", `<?xml version="1.0"?>\n${svg}`, "SVG"],
    ["SVG behind comments", `<!-- <html> --><!-- > -->${svg}`, "SVG"],
    ["SVG behind a long comment", `<!--${"x".repeat(200_000)}-->${svg}`, "SVG"],
    ["SVG behind a doctype", `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">${svg}`, "SVG"],
    ["SVG behind a doctype with a subset", `<!DOCTYPE svg [<!ENTITY a "<b>">]>${svg}`, "SVG"],
    ["SVG with a name space prefix", '<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', "SVG"],
    ["SVG in capitals", svg.toUpperCase(), "SVG"],
    ["SVG in UTF-16", Buffer.from(`\ufeff${svg}`, "utf16le"), "SVG"],
    ["SVG in UTF-16, the other way round", utf16be, "SVG"],
    ["SVG in UTF-16 without a mark", Buffer.from(svg, "utf16le"), "SVG"],
    ["SVG behind an unfinished comment", `<!-- ${svg}`, "SVG"],
    ["gzipped SVG", gzipSync(`<?xml version="1.0"?>${svg}`), "SVG"],
    ["another gzip", gzipSync("hello"), "a gzip archive"],
    ["a gzip bomb", gzipSync(Buffer.alloc(20_000_000)), "a gzip archive"],
    ["HTML", "<!doctype html><title>x</title>", "an HTML page"],
    ["HTML without a doctype", "<HTML><body></body></HTML>", "an HTML page"],
    ["XML", "<?xml version='1.0'?><note/>", "an XML document"],
    ["PDF", "%PDF-1.7\n", "a PDF"],
    ["zip", Buffer.from("PK\x03\x04rest"), "a zip archive"],
    ["MP4", Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isommp41", "latin1"), "a video"],
    ["BMP", Buffer.from("BM\x36\0\0\0\0\0\0\0", "latin1"), "a BMP"],
    [
      "a raw file of Canon",
      Buffer.from("II*\0\x10\0\0\0CR\x02\0\0\0\0\0\0\0", "latin1"),
      "a camera's raw file",
    ],
    [
      "a raw file in DNG",
      Buffer.from("49492a0008000000010012c60100040000000104000000000000", "hex"),
      "a camera's raw file",
    ],
    [
      "a raw file behind its preview",
      Buffer.from("4d4d002a00000008000100fe0004000000010000000100000000", "hex"),
      "a camera's raw file",
    ],
    ["only the start of a JPEG", Buffer.from([0xff, 0xd8, 0xff]), "is damaged: it ends in the middle"],
    [
      "only the signature of a PNG",
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
      "is damaged: it ends in the middle",
    ],
    ["an image name for a media box", Buffer.from("\0\0\0\x10ftypavif\0\0\0\0", "latin1"), "is damaged"],
  ])("%s", async (_name, content, message) => {
    const inspecting = inspectImage(Buffer.from(content), { name: "me.jpg" });
    await expect(inspecting).rejects.toThrow(CliError);
    await expect(inspecting).rejects.toThrow(`me.jpg `);
    await expect(inspecting).rejects.toThrow(message);
    await expect(inspecting).rejects.toHaveProperty("hint", expect.stringMatching(/\w/));
  });

  test("a picture with the brand of HEIC and a codec that is not there says how to convert it", async () => {
    const avif = (await quarterPicture().avif().toBuffer()).toString("latin1");
    const heic = avif.replaceAll("avif", "heic").replaceAll("av01", "hvc1").replaceAll("av1C", "hvcC");
    const inspecting = inspectImage(Buffer.from(heic, "latin1"));
    await expect(inspecting).rejects.toThrow("HEIC, which this installation cannot decode");
    await expect(inspecting).rejects.toHaveProperty("hint", expect.stringContaining("heif-convert"));
  });

  test("a picture with the brand of HEIC that can be decoded is taken", async () => {
    const avif = (await quarterPicture().avif().toBuffer()).toString("latin1");
    const facts = await inspectImage(Buffer.from(avif.replaceAll("avif", "heic"), "latin1"));
    expect(facts).toMatchObject({ format: "heic", width: 120, height: 80, contentType: "image/heic" });
  });
});

describe("size limits, from the header alone", () => {
  test.each([
    ["one pixel row too many", 10_000, 5001, "50 megapixels; at most 50 are taken"],
    ["a bomb", 60_000, 60_000, "3600 megapixels"],
  ])("%s is refused", async (_name, width, height, message) => {
    const png = withPngSize(await plainPicture([1, 2, 3]).png().toBuffer(), width, height);
    await expect(inspectImage(png)).rejects.toThrow(message);
  });

  test("the limit can be set, and what just fits is taken", async () => {
    const png = await quarterPicture().png().toBuffer();
    expect(await inspectImage(png, { maxPixels: 9600 })).toMatchObject({ width: 120 });
    await expect(inspectImage(png, { maxPixels: 9599 })).rejects.toThrow("120 x 80 pixels");
    await expect(renderJpeg(png, { maxWidth: 100, quality: 80, maxPixels: 9599 })).rejects.toThrow(
      "120 x 80 pixels",
    );
  });

  test("a side of zero pixels is refused", async () => {
    const png = withPngSize(await plainPicture([1, 2, 3]).png().toBuffer(), 0, 10);
    await expect(inspectImage(png)).rejects.toThrow(CliError);
  });

  test("an animation counts all its frames against a wider limit", async () => {
    const frames = await Promise.all(
      Array.from({ length: 12 }, (_, shade) =>
        plainPicture([shade * 20, 0, 0])
          .png()
          .toBuffer(),
      ),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const onePicture = 64 * 48;
    await expect(inspectImage(animation, { maxPixels: onePicture })).rejects.toThrow("12 frames of 64 x 48");
    expect(await inspectImage(animation, { maxPixels: onePicture * 2 })).toMatchObject({ pages: 12 });
  });
});

describe("a file cut off anywhere is refused", () => {
  test.each([
    ["baseline JPEG", () => noisyPicture().jpeg().toBuffer()],
    ["progressive JPEG", () => noisyPicture().jpeg({ progressive: true }).toBuffer()],
    ["PNG", () => noisyPicture().png().toBuffer()],
    ["interlaced PNG", () => noisyPicture().png({ progressive: true }).toBuffer()],
    ["lossy WebP", () => noisyPicture().webp().toBuffer()],
    ["lossless WebP", () => noisyPicture().webp({ lossless: true }).toBuffer()],
    ["GIF", async () => (await noisyPicture().gif().toBuffer()).subarray(0, -1)], // Its trailer is not needed.
    ["AVIF", () => noisyPicture().avif({ effort: 0 }).toBuffer()],
    ["TIFF", () => noisyPicture().tiff({ compression: "deflate" }).toBuffer()],
  ])("%s", async (_name, make) => {
    const whole = await make();
    const refused = async (length: number): Promise<void> => {
      const cut = whole.subarray(0, length);
      await expect(renderJpeg(cut, { maxWidth: 100, quality: 80 })).rejects.toThrow(CliError);
      await expect(inspectImage(cut).then(() => checkDecodes(cut))).rejects.toThrow(CliError);
    };
    for (const missing of [1, 2, 3, 4, 8, 12, 13, 100]) await refused(whole.length - missing);
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), refused), {
      numRuns: 40,
    });
  });
});

test("a JPEG cut off and closed with an end marker is refused when its pixels are read", async () => {
  const whole = await noisyPicture().jpeg().toBuffer();
  const closed = Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.from([0xff, 0xd9])]);
  await expect(inspectImage(closed)).resolves.toMatchObject({ width: 160 });
  await expect(renderJpeg(closed, { maxWidth: 100, quality: 80 })).rejects.toThrow("cannot be decoded");
  await expect(checkDecodes(closed)).rejects.toThrow("cannot be decoded");
});

describe("a JPEG as every viewer shows it", async () => {
  const plain = await quarterPicture().jpeg({ quality: 95 }).toBuffer();
  const scanAt = plain.indexOf(Buffer.from([0xff, 0xda]));
  const changed = (at: number, bytes: readonly number[]) => {
    const copy = Buffer.from(plain);
    copy.set(bytes, at);
    return copy;
  };
  const faults: readonly (readonly [string, Buffer])[] = [
    ["with the scan parameters of Samsung's phones", changed(scanAt + 2 + 12 - 3, [0, 0, 0])],
    ["with bytes between its segments", insert(plain, scanAt, Buffer.from([0, 1, 2]))],
    ["of an unknown JFIF revision", insert(plain, 2, jpegSegment(0xe0, "JFIF\0\x05\x01\0\0\x01\0\x01\0\0"))],
    ["of an unknown Adobe transform", insert(plain, 2, jpegSegment(0xee, "Adobe\0\x64\0\0\0\0\x09"))],
  ];

  test.each(faults)("%s is taken, pixel by pixel", async (_name, bytes) => {
    expect(bytes.equals(plain)).toBe(false);
    expect(await inspectImage(bytes)).toMatchObject({ width: 120, height: 80 });
    await expect(checkDecodes(bytes)).resolves.toBeUndefined();
    const [made, likewise] = await Promise.all(
      [bytes, plain].map(async (each) => (await renderJpeg(each, { maxWidth: 120, quality: 90 })).bytes),
    );
    expect(made).toEqual(likewise);
  });

  test.each(faults)("%s and damaged pixels is refused", async (_name, bytes) => {
    const cut = Buffer.concat([bytes.subarray(0, bytes.length - 200), Buffer.from([0xff, 0xd9])]);
    await expect(checkDecodes(cut)).rejects.toThrow("its pixels cannot be decoded");
    await expect(renderJpeg(cut, { maxWidth: 120, quality: 90 })).rejects.toThrow("cannot be decoded");
  });
});

describe("an animation as every viewer shows it", async () => {
  const gif = await quarterPicture().gif().toBuffer();

  test.each([
    ["without its trailer", gif.subarray(0, -1), []],
    [
      "with zeros in place of its trailer",
      Buffer.concat([gif.subarray(0, -1), Buffer.alloc(3)]),
      ["trailing data"],
    ],
  ])("%s is taken", async (_name, bytes, metadata) => {
    expect(await inspectImage(bytes)).toMatchObject({ format: "gif", width: 120, height: 80, metadata });
    await expect(checkDecodes(bytes)).resolves.toBeUndefined();
  });

  test("cut off within its only image is refused", async () => {
    await expect(inspectImage(gif.subarray(0, -20))).rejects.toThrow("it ends in the middle");
  });
});

test.each([
  ["a GIF", gifOfFrames(1_000_000)],
  [
    "a JPEG",
    Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(4_000_000, Buffer.from([0xff, 0xfe, 0, 2]))]),
  ],
  [
    "a PNG",
    Buffer.concat([
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
      Buffer.alloc(3_000_000, pngChunk("tEXt", "")),
    ]),
  ],
])("%s of a million parts is refused before it is decoded", async (_name, bytes) => {
  await expect(inspectImage(bytes)).rejects.toThrow("more than 100000 frames and other parts");
});

/** One pixel, again and again. */
function gifOfFrames(count: number): Buffer {
  const head = Buffer.from("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff", "latin1");
  const frame = Buffer.from("\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0", "latin1");
  return Buffer.concat([head, Buffer.alloc(frame.length * count, frame), Buffer.from(";")]);
}

describe("bytes that are to be used as they are", () => {
  test("a whole picture with everything it carries passes", async () => {
    const photo = await makePhoto({ width: 320, height: 240 });
    await expect(checkDecodes(photo)).resolves.toBeUndefined();
  });

  test("damage in the second frame of an animation is found", async () => {
    const frames = await Promise.all(
      [noisyPicture(), noisyPicture().negate()].map((each) => each.png().toBuffer()),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    animation.fill(0xff, animation.length - 3000, animation.length - 200);
    await expect(checkDecodes(animation)).rejects.toThrow("its pixels cannot be decoded");
  });

  test("segments that decoders skip do no harm", async () => {
    const jpeg = insert(await quarterPicture().jpeg().toBuffer(), 2, jpegSegment(0xfe, "made by hand"));
    const png = insert(
      await quarterPicture().png().toBuffer(),
      33,
      pngChunk("tEXt", "Comment\0made by hand"),
    );
    for (const bytes of [jpeg, png]) {
      expect((await inspectImage(bytes)).metadata).toEqual(["comment"]);
      await expect(checkDecodes(bytes)).resolves.toBeUndefined();
    }
  });
});
