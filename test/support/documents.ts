import { createHash } from "node:crypto";
import { GetItemCommand, PutItemCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { listObjects } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import { objectMetadata } from "../../src/model/documents.ts";
import type { Shape } from "./owner-item.ts";

export const documentBucket = "mawps-user-files-1760106396";
export const profileTable = "mawps-user-profiles";

/** Key of a user's item. */
export function userKey(
  userId: string,
  shape: Shape,
  type: "user-profile" | "document" = "user-profile",
): Record<string, AttributeValue> {
  return shape === "simple" ? { userId: { S: userId } } : { userId: { S: userId }, type: { S: type } };
}

/** Puts a profile as the website would have written it, with these attributes besides. */
export async function putProfile(
  aws: Aws,
  userId: string,
  attributes: Readonly<Record<string, unknown>> = {},
  type: "user-profile" | "document" = "user-profile",
): Promise<void> {
  const item = typed({ userId, type, ...attributes }).M ?? {};
  await (await aws.dynamodb()).send(new PutItemCommand({ TableName: profileTable, Item: item }));
}

export async function readItem(
  aws: Aws,
  userId: string,
  shape: Shape,
  type: "user-profile" | "document" = "user-profile",
): Promise<Record<string, AttributeValue> | undefined> {
  const { Item } = await (
    await aws.dynamodb()
  ).send(
    new GetItemCommand({ TableName: profileTable, Key: userKey(userId, shape, type), ConsistentRead: true }),
  );
  return Item;
}

/** The entries of a user's item, in plain values. */
export async function readEntries(
  aws: Aws,
  userId: string,
  shape: Shape,
  type: "user-profile" | "document" = "user-profile",
): Promise<Record<string, unknown>[]> {
  const item = await readItem(aws, userId, shape, type);
  return item === undefined
    ? []
    : ((plain(item)["documents"] as Record<string, unknown>[] | undefined) ?? []);
}

/** Every key of the private bucket that is a document's. */
export async function documentKeys(aws: Aws): Promise<string[]> {
  const keys: string[] = [];
  for await (const { objects } of listObjects(aws, { bucket: documentBucket })) {
    keys.push(...objects.map(({ key }) => key).filter((key) => !key.startsWith("audit/")));
  }
  return keys;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Puts the object of a document with the metadata that the tool gives it, and answers its entry. */
export async function putDocument(
  aws: Aws,
  { userId, id, body, status = "READY" }: { userId: string; id: string; body: string; status?: string },
): Promise<Record<string, unknown>> {
  const bytes = Buffer.from(body);
  const s3Key = `public/documents/${userId}/cv/1734384121711-${sha256(Buffer.from(id)).slice(0, 8)}.txt`;
  const entry = {
    id,
    name: `${id}.txt`,
    type: "cv",
    s3Key,
    size: bytes.byteLength,
    uploadedAt: "2026-02-01T00:00:00.000Z",
    contentType: "text/plain",
    sha256: sha256(bytes),
    status,
    scanResult: "CLEAN",
    scannedAt: "2026-02-01T00:00:00.000Z",
    uploadedBy: "somebody",
    tags: [],
    ...(status === "DELETED" ? { deletedAt: "2026-02-20T00:00:00.000Z", deletedBy: "somebody" } : {}),
  };
  await putObject(aws, {
    bucket: documentBucket,
    key: s3Key,
    body: bytes,
    contentType: "text/plain",
    metadata: objectMetadata({ ...entry, uploadedBy: "somebody" }),
  });
  return entry;
}

/** Puts a picture in a user's folder, and answers what the profile says of it. */
export async function putAvatar(aws: Aws, userId: string): Promise<string> {
  const key = `public/profile-images/${userId}/1734384121711-4f9c2a1b.jpg`;
  await putObject(aws, { bucket: documentBucket, key, body: Buffer.from("JPEG"), contentType: "image/jpeg" });
  return `https://${documentBucket}.s3.eu-central-1.amazonaws.com/${key}`;
}
