import * as fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { makePhoto } from "../../src/demo/photo.ts";
import { readJpegSegments } from "../../src/images/containers.ts";
import { CliError } from "../../src/errors.ts";
import { detectFormat, type ImageFormat } from "../../src/images/format.ts";
import { findMetadata, isComplete } from "../../src/images/metadata.ts";
import { renderJpeg } from "../../src/images/picture.ts";
import {
  appendWebpChunk,
  gifExtension,
  insert,
  isoBox,
  jpegSegment,
  pngChunk,
} from "../fixtures/picture-parts.ts";
import { quarterPicture, plainPicture } from "../fixtures/pictures.ts";

const plain: Readonly<Record<Exclude<ImageFormat, "heic">, Buffer>> = {
  jpeg: (await renderJpeg(await quarterPicture().png().toBuffer(), { maxWidth: 120, quality: 80 })).bytes,
  png: await quarterPicture().png().toBuffer(),
  webp: await quarterPicture().webp().toBuffer(),
  avif: await quarterPicture().avif().toBuffer(),
  gif: await quarterPicture().gif().toBuffer(),
  tiff: await quarterPicture().tiff().toBuffer(),
};

/** EXIF with a GPS directory and, behind it, a directory with a thumbnail. */
const exifBlock = Buffer.from(
  "49492a0008000000" +
    "0100" +
    "2588" +
    "0400" +
    "01000000" +
    "1a000000" +
    "1a000000" +
    "0100" +
    "0102" +
    "0400" +
    "01000000" +
    "00000000" +
    "00000000",
  "hex",
);
const jfif = (thumbnail: string): Buffer =>
  jpegSegment(0xe0, Buffer.from(`4a4649460001020000480048${thumbnail}`, "hex"));

test.each(Object.entries(plain))("a plain %s holds nothing but the picture", (format, bytes) => {
  expect(findMetadata(bytes, format as ImageFormat)).toEqual([]);
});

describe("JPEG segments", () => {
  test.each([
    [
      "EXIF",
      jpegSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), exifBlock])),
      ["exif", "gps", "thumbnail"],
    ],
    ["EXIF that is broken", jpegSegment(0xe1, "Exif\0\0II"), ["exif"]],
    ["XMP", jpegSegment(0xe1, "http://ns.adobe.com/xap/1.0/\0<x/>"), ["xmp"]],
    ["extended XMP", jpegSegment(0xe1, "http://ns.adobe.com/xmp/extension/\0"), ["xmp"]],
    ["ICC profile", jpegSegment(0xe2, "ICC_PROFILE\0\x01\x01rest"), ["icc"]],
    ["Photoshop resources with IPTC", jpegSegment(0xed, "Photoshop 3.0\x008BIM"), ["iptc"]],
    ["comment", jpegSegment(0xfe, "by me"), ["comment"]],
    ["empty comment", jpegSegment(0xfe, ""), ["comment"]],
    ["JFIF header without thumbnail", jfif("0000"), []],
    ["JFIF header with thumbnail", jfif("0101ff0000"), ["thumbnail"]],
    ["JFIF header with bytes behind it", jfif("0000ff"), ["thumbnail"]],
    ["JFXX thumbnail", jpegSegment(0xe0, "JFXX\0\x10"), ["thumbnail"]],
    ["multi-picture index", jpegSegment(0xe2, "MPF\0"), ["APP2"]],
    ["Huawei's and others' own segment", jpegSegment(0xe4, "secret"), ["APP4"]],
    [
      "content credentials",
      jpegSegment(0xeb, "JP\0\x01\0\0\0\x01\0\0\0\x20jumb\0\0\0\x18jumdc2pa"),
      ["c2pa"],
    ],
    ["another box in that segment", jpegSegment(0xeb, "JP\0\x01 xt"), ["APP11"]],
    ["Adobe marker", jpegSegment(0xee, "Adobe\0"), ["APP14"]],
    ["reserved marker", jpegSegment(0xf3, "x"), ["marker F3"]],
    ["bytes between segments", Buffer.from([0, 1, 2]), ["stray bytes"]],
  ])("%s", (_name, segment, expected) => {
    expect(findMetadata(insert(plain.jpeg, 2, segment), "jpeg")).toEqual(expected);
  });

  test("a segment anywhere between the others is found, whatever it holds", () => {
    let at = 2;
    const borders = readJpegSegments(plain.jpeg).parts.flatMap(({ data }) => {
      at = data.byteOffset - plain.jpeg.byteOffset + data.length;
      return [data.byteOffset - plain.jpeg.byteOffset - 4];
    });
    expect(at).toBeGreaterThan(2);
    expect(borders.length).toBeGreaterThan(10);
    const marker = fc.oneof(fc.integer({ min: 0xe1, max: 0xef }), fc.constant(0xfe));
    const payload = fc.uint8Array({ maxLength: 2000 });
    fc.assert(
      fc.property(fc.constantFrom(...borders), marker, payload, (border, code, content) => {
        expect(findMetadata(insert(plain.jpeg, border, jpegSegment(code, content)), "jpeg")).not.toEqual([]);
      }),
    );
  });

  test("a JPEG inside an EXIF thumbnail does not end the picture", () => {
    const nested = insert(
      plain.jpeg,
      2,
      jpegSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), plain.jpeg])),
    );
    expect(findMetadata(insert(nested, nested.length - 2, jpegSegment(0xfe, "late")), "jpeg")).toEqual([
      "exif",
      "comment",
    ]);
  });
});

describe("PNG chunks", () => {
  test.each([
    ["EXIF", pngChunk("eXIf", exifBlock), ["exif", "gps", "thumbnail"]],
    ["text", pngChunk("tEXt", "Author\0me"), ["comment"]],
    ["EXIF as ImageMagick used to pack it", pngChunk("zTXt", "Raw profile type exif\0\0"), ["exif"]],
    ["packed text", pngChunk("zTXt", "Comment\0\0"), ["comment"]],
    ["XMP", pngChunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0<x/>"), ["xmp"]],
    ["time", pngChunk("tIME", Buffer.alloc(7)), ["chunk tIME"]],
    ["profile", pngChunk("iCCP", "p\0\0"), ["icc"]],
    ["content credentials", pngChunk("caBX", "x"), ["c2pa"]],
    ["private chunk", pngChunk("prVt", "x"), ["chunk prVt"]],
    [
      "density and gamma, which are the picture's",
      Buffer.concat([pngChunk("pHYs", Buffer.alloc(9)), pngChunk("gAMA", Buffer.alloc(4))]),
      [],
    ],
  ])("%s", (_name, chunk, expected) => {
    expect(findMetadata(insert(plain.png, 33, chunk), "png")).toEqual(expected);
  });
});

describe("WebP chunks", () => {
  test.each([
    ["EXIF", "EXIF", exifBlock, ["exif", "gps", "thumbnail"]],
    [
      "EXIF with the prefix of JPEG",
      "EXIF",
      Buffer.concat([Buffer.from("Exif\0\0"), exifBlock]),
      ["exif", "gps", "thumbnail"],
    ],
    ["XMP", "XMP ", Buffer.from("<x/>"), ["xmp"]],
    ["profile", "ICCP", Buffer.from("odd"), ["icc"]],
    ["content credentials", "C2PA", Buffer.from("x"), ["c2pa"]],
    ["unknown chunk", "note", Buffer.from("x"), ["chunk note"]],
  ])("%s", (_name, type, payload, expected) => {
    expect(findMetadata(appendWebpChunk(plain.webp, type, payload), "webp")).toEqual(expected);
  });
});

describe("GIF blocks", () => {
  test.each([
    ["comment", gifExtension(0xfe, "x".repeat(600)), ["comment"]],
    ["plain text", gifExtension(0x01, "x".repeat(12)), ["comment"]],
    ["XMP", gifExtension(0xff, "XMP DataXMP"), ["xmp"]],
    ["profile", gifExtension(0xff, "ICCRGBG1012"), ["icc"]],
    ["unknown application", gifExtension(0xff, "MYCAMERA1.0"), ["extension MYCAMERA1.0"]],
    ["loop count", gifExtension(0xff, "NETSCAPE2.0"), []],
    [
      "loop count that hides words",
      gifExtension(0xff, "NETSCAPE2.0 and twenty more"),
      ["extension NETSCAPE2.0"],
    ],
  ])("%s", (_name, extension, expected) => {
    expect(findMetadata(insert(plain.gif, plain.gif.length - 1, extension), "gif")).toEqual(expected);
  });
});

describe("AVIF boxes", () => {
  test("EXIF with a position, XMP and a profile are items and properties of the picture", async () => {
    const photo = await makePhoto({ width: 64, height: 48 });
    expect(findMetadata(await sharp(photo).keepMetadata().avif({ effort: 0 }).toBuffer(), "avif")).toEqual(
      expect.arrayContaining(["exif", "gps", "xmp", "icc"]),
    );
  });

  test.each([
    ["own box", isoBox("uuid", "0123456789abcdefsecret"), ["box uuid"]],
    ["padding with words in it", isoBox("free", "secret"), ["box free"]],
    ["padding", isoBox("free", Buffer.alloc(9)), []],
    ["bytes that are no box", Buffer.from("\0\0\0\0\0\0\0\0secret", "latin1"), ["trailing data"]],
  ])("%s", (_name, box, expected) => {
    expect(findMetadata(Buffer.concat([plain.avif, box]), "avif")).toEqual(expected);
  });
});

test("the tags of a TIFF that tell of more than pixels are named", async () => {
  const photo = await makePhoto({ width: 64, height: 48 });
  const tiff = await sharp(photo).keepMetadata().tiff().toBuffer();
  expect(findMetadata(tiff, "tiff")).toEqual(["xmp", "icc"]);
  expect(findMetadata(exifBlock, "tiff")).toEqual(["gps"]);
});

test.each(["png", "webp"] as const)("everything sharp carries over into %s is found", async (format) => {
  const photo = await makePhoto({ width: 64, height: 48 });
  const kept = await sharp(photo).keepMetadata().toFormat(format).toBuffer();
  expect(new Set(findMetadata(kept, format))).toEqual(new Set(["exif", "gps", "xmp", "icc"]));
});

describe("bytes behind the picture's end", () => {
  test.each([
    [
      "a motion photo's film",
      Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0", "latin1"),
      ["trailing data", "video"],
    ],
    ["a second picture", plain.jpeg, ["trailing data", "further pictures"]],
    [
      "a film and pictures",
      Buffer.concat([plain.jpeg, Buffer.from("\0\0\0\x18ftypmp42", "latin1")]),
      ["trailing data", "video", "further pictures"],
    ],
    ["anything else", Buffer.from("SEFH"), ["trailing data"]],
  ])("%s", (_name, rest, expected) => {
    expect(findMetadata(Buffer.concat([plain.jpeg, rest]), "jpeg")).toEqual(expected);
  });

  test("in a WebP, too few for a chunk", () => {
    const grown = Buffer.concat([plain.webp, Buffer.from("abc")]);
    grown.writeUInt32LE(grown.length - 8, 4);
    expect(findMetadata(grown, "webp")).toEqual(["stray bytes"]);
  });

  test.each(["jpeg", "png", "webp", "gif", "avif"] as const)("%s", (format) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (extra) => {
        expect(findMetadata(Buffer.concat([plain[format], extra]), format)).not.toEqual([]);
      }),
    );
  });
});

test.each(Object.entries(plain))("%s of any kind of damage is read without an exception", (format, bytes) => {
  const place = fc.integer({ min: 0, max: bytes.length - 1 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { maxLength: 20 }),
      place,
      (edits, cut) => {
        const broken = Buffer.from(bytes);
        for (const [at, value] of edits) broken[at] = value;
        expect(Array.isArray(findMetadata(broken, format as ImageFormat))).toBe(true);
        expect(Array.isArray(findMetadata(broken.subarray(0, cut), format as ImageFormat))).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

/** Errors other than a refusal go through. */
function judged(bytes: Buffer): string {
  try {
    const format = detectFormat(bytes, "a.jpg");
    return `${isComplete(bytes, format) ? "complete" : "incomplete"} ${findMetadata(bytes, format).join(", ")}`;
  } catch (error) {
    if (error instanceof CliError) return `refused: ${error.message}`;
    throw error;
  }
}

test("short and random bytes behind any signature are judged, never a crash", () => {
  const starts = [
    "",
    "\xff\xd8\xff",
    "\x89PNG\r\n\x1a\n",
    "GIF89a",
    "RIFF\0\0\0\0WEBP",
    "II*\0",
    "MM\0*",
    "\0\0\0\x20ftypavif",
    "\0\0\0\x20ftypheic",
    "\x1f\x8b",
    "BM",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 80 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, "latin1"), rest]);
      expect(judged(bytes)).toMatch(/^(?:refused|complete|incomplete)/);
    }),
    { numRuns: 3000 },
  );
});

test("a large picture's restart markers and stuffed bytes are passed over", async () => {
  const jpeg = await plainPicture([10, 200, 30], { width: 900, height: 700 })
    .jpeg({ quality: 100 })
    .toBuffer();
  expect(findMetadata(jpeg, "jpeg")).toEqual([]);
});
