import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  documentJson,
  documentNameFault,
  documentStatuses,
  fromObjectMetadata,
  mayBecome,
  newestFirst,
  objectMetadata,
  parseDocument,
} from "../../src/model/documents.ts";

describe("parseDocument", () => {
  it.each([
    [
      "an entry of the website",
      { id: "d", name: "a.pdf" },
      { status: "READY", scanResult: undefined, tags: [] },
    ],
    ["a status that is null", { id: "d", status: null }, { status: "READY" }],
    ["a status in small letters", { id: "d", status: "deleted" }, { status: "DELETED" }],
    ["a foreign status", { id: "d", status: "ARCHIVED" }, { status: "UNKNOWN" }],
    ["an id that is a number", { id: 1734384121711 }, { id: "1734384121711" }],
    [
      "no id",
      { s3Key: "public/documents/u/cv/1-a.pdf" },
      { id: "public/documents/u/cv/1-a.pdf", name: "1-a.pdf", type: "cv" },
    ],
    ["an alias of a type", { id: "d", type: "certificate" }, { type: "certificates" }],
    ["tags that are a set", { id: "d", tags: new Set(["a", "b"]) }, { tags: ["a", "b"] }],
    ["tags that are no list", { id: "d", tags: "a" }, { tags: [] }],
    ["a size that is a text", { id: "d", size: "12" }, { size: 12 }],
    ["a size that is none", { id: "d", size: -1 }, { size: undefined }],
    ["a hash in capitals", { id: "d", sha256: "AB".repeat(32) }, { sha256: "ab".repeat(32) }],
    ["a hash that is none", { id: "d", sha256: "ab" }, { sha256: undefined }],
    ["nothing at all", {}, { id: "", name: "", type: "documents", s3Key: "" }],
  ])("reads %s", (_what, attributes, expected) => {
    expect(parseDocument(attributes)).toMatchObject(expected);
  });

  it("never fails, and keeps every attribute", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (attributes) => {
        expect(parseDocument(attributes).attributes).toEqual(attributes);
      }),
    );
  });
});

it("shows sets and binary values as JSON can, and the status that counts", () => {
  const attributes = {
    id: "d",
    tags: new Set(["a"]),
    seal: new Uint8Array([1, 2]),
    deep: { set: new Set([1]) },
  };
  expect(documentJson("u", parseDocument(attributes))).toEqual({
    userId: "u",
    id: "d",
    tags: ["a"],
    seal: "AQI=",
    deep: { set: [1] },
    type: "documents",
    status: "READY",
  });
});

it("sorts the newest first, those without a time last, always in the same order", () => {
  const entries = [
    { id: "b", uploadedAt: "2026-01-01T00:00:00Z" },
    { id: "none" },
    { id: "a", uploadedAt: "2026-01-01T00:00:00Z" },
    { id: "new", uploadedAt: "2026-01-01T00:30:00+00:00" },
    { id: "broken", uploadedAt: "gestern" },
  ].map(parseDocument);
  const ids = entries.toSorted(newestFirst).map(({ id }) => id);
  expect(ids).toEqual(["new", "a", "b", "broken", "none"]);
});

describe("the metadata of an object", () => {
  const names = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 80 })
    .filter((name) => documentNameFault(name) === undefined);

  it("is printable ASCII within S3's 2 KB, and gives everything back", () => {
    const hashes = fc.stringMatching(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(
        names,
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
        hashes,
        (name, uploadedBy, sha256) => {
          const metadata = objectMetadata({ id: "doc-1", name, uploadedBy, sha256 });
          const written = Object.entries(metadata).flat().join("");
          expect(written).toMatch(/^[!-~]*$/);
          expect(written.length).toBeLessThan(2048);
          expect(fromObjectMetadata(metadata)).toEqual({ id: "doc-1", name, uploadedBy, sha256 });
        },
      ),
    );
  });

  it("of others is read as far as it can be", () => {
    expect(fromObjectMetadata({})).toEqual({});
    expect(fromObjectMetadata({ "original-name": "100 %.pdf", sha256: "x" })).toEqual({ name: "100 %.pdf" });
    expect(fromObjectMetadata({ "original-name": "..%2f..%2fpasswd" })).toEqual({});
  });
});

describe("documentNameFault", () => {
  it.each(["", "  ", "..", "a/b", "a\\b", "a\nb", "a\u202Efdp.exe", "\ud800", "ö".repeat(128)])(
    "refuses %j",
    (name) => {
      expect(documentNameFault(name)).toBeDefined();
    },
  );

  it.each(["Lebenslauf.pdf", "Grüße (1) – Ä.docx", "ö".repeat(127)])("takes %j", (name) => {
    expect(documentNameFault(name)).toBeUndefined();
  });
});

it("lets no half-done, infected or unknown document become ready by a way around its judgement", () => {
  expect(documentStatuses.filter((to) => mayBecome("UPLOADING", to))).toEqual([
    "UPLOADING",
    "SCANNING",
    "READY",
    "INFECTED",
  ]);
  expect(documentStatuses.filter((to) => mayBecome("UNKNOWN", to))).toEqual([]);
  expect(mayBecome("SCANNING", "DELETED")).toBe(false);
  expect(mayBecome("DELETED", "UPLOADING")).toBe(false);
});
