import { createHash } from "node:crypto";
import { getObject, headObject } from "../aws/s3/objects.ts";
import { errorName } from "../aws/setting.ts";
import type { MigrationSite } from "./migration.ts";

export interface Content {
  /** Hex, of the bytes. */
  readonly sha256: string;
  /** Undefined where S3 was told none, or one that says nothing. */
  readonly contentType: string | undefined;
}

/** What clients send that know no better. */
const meaningless = new Set(["", "application/octet-stream", "binary/octet-stream"]);

/** Reads an object of the private bucket to its end; undefined when there is none. A plan does not read it. */
export async function readContent(site: MigrationSite, key: string): Promise<Content | undefined> {
  const { aws, bucket, signal } = site;
  if (site.hashes === "foreseen") {
    const head = await headObject(aws, { bucket, key }, signal);
    return head && { sha256: "0".repeat(64), contentType: meaningful(head.contentType) };
  }
  try {
    const { head, body } = await getObject(aws, { bucket, key, signal });
    const hash = createHash("sha256");
    for await (const chunk of body) hash.update(chunk);
    return { sha256: hash.digest("hex"), contentType: meaningful(head.contentType) };
  } catch (error) {
    if (errorName(error) === "NoSuchKey") return undefined;
    throw error;
  }
}

function meaningful(contentType: string | undefined): string | undefined {
  return meaningless.has(contentType ?? "") ? undefined : contentType;
}
