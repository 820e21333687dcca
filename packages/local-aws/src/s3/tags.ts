import { S3Fault } from "./fault.ts";
import type { Tag } from "./records.ts";
import { type XmlElement, childOf, childrenOf, el, xmlDocument } from "./xml.ts";

export const maxObjectTags = 10;
export const maxBucketTags = 50;

/** Tags of a `Tagging` document. Throws MalformedXML, InvalidTag, BadRequest. */
export function parseTagging(document: XmlElement, maxTags: number): Tag[] {
  const set = childOf(document, "TagSet");
  if (set === undefined) throw new S3Fault("MalformedXML");
  return checkTags(childrenOf(set, "Tag").map(parseTag), maxTags);
}

/** The tags a new bucket is to have from the start. */
export function parseBucketTags(elements: readonly XmlElement[]): Tag[] {
  return checkTags(elements.map(parseTag), maxBucketTags);
}

function parseTag(element: XmlElement): Tag {
  const key = childOf(element, "Key")?.text;
  const value = childOf(element, "Value")?.text;
  if (key === undefined || value === undefined) throw new S3Fault("MalformedXML");
  return [key, value];
}

/** Tags of an `x-amz-tagging` header: a query string. */
export function parseTagHeader(header: string | undefined): Tag[] {
  if (header === undefined || header === "") return [];
  const tags = header.split("&").map((pair): Tag => {
    const [key = "", value = "", ...more] = pair.split("=");
    if (more.length > 0) throw invalidHeader();
    return [decode(key), decode(value)];
  });
  return checkTags(tags, maxObjectTags);
}

export function taggingDocument(tags: readonly Tag[]): string {
  return xmlDocument(
    "Tagging",
    el(
      "TagSet",
      tags.map(([key, value]) => el("Tag", el("Key", key), el("Value", value))),
    ),
  );
}

function checkTags(tags: Tag[], maxTags: number): Tag[] {
  if (tags.length > maxTags) {
    throw new S3Fault("BadRequest", {
      message: `${maxTags === maxObjectTags ? "Object" : "Bucket"} tags cannot be greater than ${maxTags}`,
    });
  }
  const keys = new Set<string>();
  for (const [key, value] of tags) {
    if (key === "" || key.length > 128 || !allowed.test(key))
      throw invalid("The TagKey you have provided is invalid", key);
    if (value.length > 256 || !allowed.test(value)) {
      throw invalid("The TagValue you have provided is invalid", key);
    }
    if (key.toLowerCase().startsWith("aws:")) {
      throw invalid("System tags cannot be added/updated by requester", key);
    }
    if (keys.has(key)) throw invalid("Cannot provide multiple Tags with the same key", key);
    keys.add(key);
  }
  return tags;
}

const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function invalid(message: string, key: string): S3Fault {
  return new S3Fault("InvalidTag", { message, fields: { TagKey: key } });
}

function invalidHeader(): S3Fault {
  return new S3Fault("InvalidArgument", {
    message:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    fields: { ArgumentName: "x-amz-tagging" },
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    throw invalidHeader();
  }
}
