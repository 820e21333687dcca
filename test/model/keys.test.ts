import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { avatarKey, documentKey, heroId, heroKey, parseKey, pluralFileType } from "../../src/model/keys.ts";
import { userIdFault } from "../../src/model/user-id.ts";

const time = fc.integer({ min: 0, max: 999_999_999_999_999 });
const random = fc.stringMatching(/^[0-9a-f]{8}$/);
const ext = fc.constantFrom("jpg", "png", "webp", "avif", "pdf", "docx");
const userId = fc.string({ unit: "grapheme", maxLength: 40 }).filter((id) => userIdFault(id) === undefined);

describe("the key of a hero image", () => {
  it("says what it was built from", () => {
    const role = fc.constantFrom("default", "hover");
    fc.assert(
      fc.property(time, random, role, ext, (timestampMs, random, role, ext) => {
        const image = { timestampMs, random, role, ext };
        expect(parseKey(heroKey(image))).toEqual({
          layout: "hero",
          id: heroId(image),
          timestampMs,
          role,
          ext,
        });
      }),
    );
  });

  it("says the width of a variant, which shares the picture's id", () => {
    fc.assert(
      fc.property(time, random, fc.integer({ min: 1, max: 999_999 }), (timestampMs, random, width) => {
        const image = { timestampMs, random, role: "hover" as const, ext: "avif" };
        expect(parseKey(heroKey(image, width))).toMatchObject({ id: heroId(image), role: "hover", width });
      }),
    );
  });

  it.each([
    ["1734384121711-4f9c2a1b.jpg", { id: "1734384121711-4f9c2a1b", role: "default" }],
    ["1734384121711-4f9c2a1bw640.webp", { id: "1734384121711-4f9c2a1b", role: "default", width: 640 }],
    ["1734384121711-hover4f9c2a1b.jpg", { id: "1734384121711-hover4f9c2a1b", role: "hover" }],
    ["1734384121711-abc123.jpg", { id: "1734384121711-abc123", role: "unknown" }],
    ["1734384121711-hover.jpg", { id: "1734384121711-hover", role: "hover" }],
    ["1734384121711-abc123w640.jpg", { id: "1734384121711-abc123w640", role: "unknown" }],
    ["1734384121711-my.photo.jpg", { id: "1734384121711-my.photo", role: "unknown", ext: "jpg" }],
  ])("%s is read, whoever wrote it", (name, said) => {
    const parsed = parseKey(`public/profile-images/owner/${name}`);
    expect(parsed).toEqual({
      layout: "hero",
      timestampMs: 1_734_384_121_711,
      ext: name.split(".").at(-1),
      ...said,
    });
  });

  it.each([
    { random: "4F9C2A1B" },
    { random: "4f9c" },
    { random: "../../aa" },
    { ext: "" },
    { ext: "j/g" },
    { timestampMs: -1 },
    { timestampMs: 1.5 },
    { timestampMs: Number.NaN },
  ])("is not built from %o", (fault) => {
    const image = { timestampMs: 1, random: "4f9c2a1b", role: "default" as const, ext: "jpg", ...fault };
    expect(() => heroKey(image)).toThrow(RangeError);
  });
});

describe("keys of users", () => {
  it("say whose avatar it is", () => {
    fc.assert(
      fc.property(userId, time, random, ext, (userId, timestampMs, random, ext) => {
        const avatar = { userId, timestampMs, random, ext };
        expect(parseKey(avatarKey(avatar))).toEqual({ layout: "avatar", ...avatar });
      }),
    );
  });

  it("say whose document of which type it is, the type in its plural form", () => {
    const type = fc.constantFrom("cv", "certificate", "certificates", "cover-letters", "references");
    fc.assert(
      fc.property(userId, type, time, random, (userId, fileType, timestampMs, random) => {
        const document = { userId, fileType, timestampMs, random, ext: "pdf" };
        const parsed = { layout: "document", ...document, fileType: pluralFileType(fileType) };
        expect(parseKey(documentKey(document))).toEqual(parsed);
      }),
    );
  });

  it.each([
    [
      "public/documents/user-123/certificate/1734384121711-cv.pdf",
      { layout: "document", userId: "user-123", fileType: "certificate", random: "cv", ext: "pdf" },
    ],
    [
      "public/documents/user-123/cv/1734384121711-scan",
      { layout: "document", userId: "user-123", fileType: "cv", random: "scan", ext: "" },
    ],
    [
      "users/user-123/documents/cv/1734384121711-Mein Lebenslauf (1).pdf",
      { layout: "old-document", userId: "user-123", fileType: "cv", fileName: "Mein Lebenslauf (1).pdf" },
    ],
    [
      "profile-images/user-123/avatar-1734384121711.png",
      { layout: "old-avatar", userId: "user-123", ext: "png" },
    ],
    [
      "public/profile-images/user-123/1734384121711-xyz789.jpg",
      { layout: "avatar", userId: "user-123", random: "xyz789", ext: "jpg" },
    ],
  ])("of the website's own making are read: %s", (key, said) => {
    expect(parseKey(key)).toEqual({ timestampMs: 1_734_384_121_711, ...said });
  });

  it.each([
    "",
    "index.html",
    "public/",
    "public/profile-images/owner/",
    "public/profile-images/owner/photo.jpg",
    "public/profile-images/owner/a/1734384121711-abc123.jpg",
    "public/documents/user-123/1734384121711-cv.pdf",
    "users/user-123/1734384121711-cv.pdf",
  ])("that nobody wrote say nothing: %j", (key) => {
    expect(parseKey(key)).toBeUndefined();
  });

  it("never make the parser fail", () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom("public", "profile-images", "documents", "owner", "1-a.b"),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        expect(() => parseKey(parts.join("/"))).not.toThrow();
      }),
    );
  });

  it.each([
    ["", "is empty"],
    ["owner", "is reserved for the owner of the site"],
    ["Owner", "is reserved for the owner of the site"],
    ["a/b", "holds a slash"],
    ["a\\b", "holds a slash"],
    ["..", "holds dots that stand for a folder"],
    [".", "holds dots that stand for a folder"],
    ["a..b", "holds dots that stand for a folder"],
    ["a\nb", "holds a space or a control character"],
    ["a b", "holds a space or a control character"],
    ["a\u202Eb", "holds a space or a control character"],
    ["a".repeat(129), "has more than 128 characters"],
  ])("are not built for a user id that %j is", (id, fault) => {
    expect(userIdFault(id)).toBe(fault);
    expect(() => avatarKey({ userId: id, timestampMs: 1, random: "4f9c2a1b", ext: "jpg" })).toThrow(fault);
    const document = { userId: id, fileType: "cv", timestampMs: 1, random: "4f9c2a1b", ext: "pdf" };
    expect(() => documentKey(document)).toThrow(fault);
  });

  it.each(["user-123", "f1b2c3d4-0000-4000-8000-123456789abc", "jürgen@example.com", "a.b"])(
    "are built for the user id %s",
    (id) => {
      expect(userIdFault(id)).toBeUndefined();
    },
  );

  it.each(["", "..", "a/b", "CV", "cv ", "-cv"])("are not built for a document type %j", (fileType) => {
    const document = { userId: "u", fileType, timestampMs: 1, random: "4f9c2a1b", ext: "pdf" };
    expect(() => documentKey(document)).toThrow(RangeError);
  });
});
