import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayHold, remapItem, remapObject, remapText } from "../../src/backup/remap.ts";

const old = "11111111-aaaa-4aaa-8aaa-000000000001";
const fresh = "99999999-bbbb-4bbb-8bbb-000000000009";
const other = "22222222-aaaa-4aaa-8aaa-000000000002";
const newIds = new Map([[old, fresh]]);

describe("a text", () => {
  it.each([
    ["the id alone", old, fresh],
    ["a document's key", `public/documents/${old}/cv/1-a.pdf`, `public/documents/${fresh}/cv/1-a.pdf`],
    ["an older key", `users/${old}/documents/cv/1-a.pdf`, `users/${fresh}/documents/cv/1-a.pdf`],
    [
      "an URL with a query",
      `https://b.s3.eu-central-1.amazonaws.com/public/profile-images/${old}/1-a.jpg?v=${old}`,
      `https://b.s3.eu-central-1.amazonaws.com/public/profile-images/${fresh}/1-a.jpg?v=${old}`,
    ],
    ["the id as a path's end", `/users/${old}`, `/users/${fresh}`],
    ["the id before a query", `/users/${old}?tab=1#top`, `/users/${fresh}?tab=1#top`],
    ["every place it stands in", `${old}/${old}`, `${fresh}/${fresh}`],
    ["nothing of a longer word", `public/x${old}/${old}x`, `public/x${old}/${old}x`],
    ["nothing of a sentence", `see ${old} there`, `see ${old} there`],
    ["nobody else's id", `public/documents/${other}/cv/1-a.pdf`, `public/documents/${other}/cv/1-a.pdf`],
  ])("%s", (_name, text, expected) => {
    expect(remapText(text, newIds)).toBe(expected);
  });

  it("without an old id stays as it is, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(remapText(text, newIds)).toBe(text);
      }),
    );
  });

  it("comes back by the map the other way round", () => {
    const back = new Map([[fresh, old]]);
    const parts = fc.array(fc.oneof(fc.constant(old), fc.string()), { minLength: 1 });
    fc.assert(
      fc.property(parts, (segments) => {
        const text = segments.join("/");
        fc.pre(!text.includes(fresh));
        expect(remapText(remapText(text, newIds), back)).toBe(text);
      }),
    );
  });
});

describe("an item", () => {
  const key = (id: string) => `public/documents/${id}/cv/1-a.pdf`;
  const url = (id: string) => `https://files.s3.eu-central-1.amazonaws.com/${key(id)}`;
  const item = (id: string) => ({
    userId: { S: id },
    type: { S: "user-profile" },
    profileImage: { S: `https://files.s3.eu-central-1.amazonaws.com/public/profile-images/${id}/1-b.jpg` },
    documents: { L: [{ M: { id: { S: "doc-1" }, s3Key: { S: key(id) }, s3Url: { S: url(id) } } }] },
    friends: { SS: [other, id] },
    [old]: { S: "a name of an attribute" },
    number: { N: "12345678901234567890123456789012345678" },
    bytes: { B: Buffer.from(old).toString("base64") },
    numbers: { NS: ["1", "2"] },
    empty: { S: "" },
    nothing: { NULL: true },
    yes: { BOOL: true },
  });

  it("has the new id as its key, in paths, lists, maps and sets, and nowhere else", () => {
    const before = item(old);
    const copy = structuredClone(before);
    expect(remapItem(before, newIds)).toEqual(item(fresh));
    expect(before).toEqual(copy);
  });

  it("of somebody else is the very same object", () => {
    const before = { userId: { S: other }, documents: { L: [{ M: { s3Key: { S: key(other) } } }] } };
    expect(remapItem(before, newIds)).toBe(before);
  });

  it("keeps an attribute that is called __proto__", () => {
    const before = JSON.parse(`{"userId":{"S":"${old}"},"__proto__":{"S":"${old}"}}`) as Record<
      string,
      unknown
    >;
    expect(JSON.stringify(remapItem(before, newIds))).toBe(
      `{"userId":{"S":"${fresh}"},"__proto__":{"S":"${fresh}"}}`,
    );
  });

  it("is looked at only where its line holds an old id", () => {
    expect(mayHold(JSON.stringify(item(old)), newIds)).toBe(true);
    expect(mayHold(`{"userId":{"S":"${other}"}}`, newIds)).toBe(false);
    expect(mayHold('{"userId":{"S":"owner"}}', newIds)).toBe(false);
  });
});

it("an object gets the new id in its key and its own metadata, and keeps the rest", () => {
  const put = {
    Key: `public/documents/${old}/cv/1-a.pdf`,
    ContentType: "application/pdf",
    Metadata: { "uploaded-by": old, "original-name": "Lebenslauf.pdf" },
  };
  expect(remapObject(put, newIds)).toEqual({
    Key: `public/documents/${fresh}/cv/1-a.pdf`,
    ContentType: "application/pdf",
    Metadata: { "uploaded-by": fresh, "original-name": "Lebenslauf.pdf" },
  });
  expect(remapObject({ Key: "a" }, newIds)).toEqual({ Key: "a" });
});
