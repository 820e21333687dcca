import {
  CreateBucketCommand,
  PutBucketCorsCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { Aws } from "../../src/aws/clients.ts";
import { plainPicture } from "../fixtures/pictures.ts";
import type { People } from "./accounts.ts";

export const publicMedia = "manuel-weiss-public-media";
export const userFiles = "mawps-user-files-1760106396";
export const profileImages = "mawps-profile-images";

/** Buckets of the site that `mawps` has no part in. */
const others = [
  "mawps-resumes",
  "manuel-weiss-hero-videos",
  "manuel-weiss-website",
  "mawps-flashcard-pdfs",
] as const;

/** The one picture that is live, as default and as hover. */
export const heroKey = "public/profile-images/owner/1748766000000-k3x9q2.jpg";

/** Service and gallery pictures: nothing but browsers' localStorage knows them. */
export const serviceKeys = [
  "public/profile-images/owner/1748767000001-a1b2c3.png",
  "public/profile-images/owner/1748767000002-d4e5f6.png",
  "public/profile-images/owner/1748767000003-0a1b2c3d.png",
  "public/profile-images/owner/1748767000004-hover7.png",
  "public/profile-images/owner/1757000000005-g7h8i9.png",
  "public/profile-images/owner/service/1748767000006-j1k2l3.png",
  "public/profile-images/owner/gallery/1748767000007-m4n5o6.jpg",
] as const;

/** In the private bucket, read by everybody through their ACL. */
export const openKeys = [
  "public/rental-images/fotobox/1748770000001-r1s2t3.jpg",
  "public/rental-images/wohnmobil/1748770000002-u4v5w6.jpg",
  "public/profile-images/rentals/1748770000003-x7y8z9.jpg",
  "public/profile-images/rentals-fotobox/1748770000004-b1c2d3.jpg",
  "public/songs/1748770000005-lied.mp3",
] as const;

/** Keys of a person's documents, by where their entries are. */
export const documentKeys = {
  /** Entries of the former shape in the profile. */
  former: (userId: string) => `public/documents/${userId}/cv/1748780000001-4f9c2a1b.pdf`,
  formerCertificate: (userId: string) => `public/documents/${userId}/certificate/1748780000002-5a6b7c8d.pdf`,
  formerUsers: (userId: string) => `users/${userId}/documents/certificate/1748780000003-Zeugnis Müller.PDF`,
  /** An entry of today's shape in the profile, in the bucket of today. */
  today: (userId: string) => `document/${userId}/1757000000001-lebenslauf.pdf`,
  resume: (userId: string) => `resume/${userId}/1757000000002-resume.pdf`,
  /** In the table of documents-api. */
  api: (userId: string) => `users/${userId}/documents/cv/1748790000001-Lebenslauf 2025.pdf`,
  apiCertificate: (userId: string) => `users/${userId}/documents/certificate/1748790000002-Zeugnis.pdf`,
  /** Deleted on the site: the entry went, the object stayed. */
  deletedOnSite: (userId: string) => `public/documents/${userId}/cv/1748780000009-9e8d7c6b.pdf`,
  deletedByApi: (userId: string) => `users/${userId}/documents/general/1748790000009-Altes.pdf`,
} as const;

export const avatarKeys = {
  former: (userId: string) => `profile-images/${userId}/avatar-1748785000001.jpg`,
  formerPublic: (userId: string) => `public/profile-images/${userId}/1748785000002-xyz789.jpg`,
  today: (userId: string) => `profile/${userId}/1757000000003-avatar.jpg`,
  todayAvatar: (userId: string) => `profile-images/${userId}/avatar-1757000000004.jpg`,
} as const;

/** The address that the site stores: the key as it is, joined to the bucket's host. */
export function addressOf(bucket: string, key: string): string {
  return `https://${bucket}.s3.eu-central-1.amazonaws.com/${key}`;
}

export function pdf(text: string): Buffer {
  return Buffer.from(`%PDF-1.4\n% ${text}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n`);
}

/** Browsers send to presigned addresses, and some pictures are open through their ACLs. */
export async function makeBuckets(aws: Aws): Promise<void> {
  const s3 = await aws.s3();
  const region = { CreateBucketConfiguration: { LocationConstraint: "eu-central-1" as const } };
  for (const Bucket of [publicMedia, userFiles, profileImages, ...others]) {
    await s3.send(new CreateBucketCommand({ Bucket, ...region }));
  }
  const cors = {
    CORSRules: [
      {
        AllowedOrigins: ["https://mawps.example", "http://localhost:8000"],
        AllowedMethods: ["GET", "PUT", "HEAD"],
        AllowedHeaders: ["*"],
        ExposeHeaders: ["ETag"],
        MaxAgeSeconds: 3000,
      },
    ],
  };
  for (const Bucket of [publicMedia, userFiles, profileImages]) {
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: cors }));
  }
  await s3.send(
    new PutPublicAccessBlockCommand({
      Bucket: publicMedia,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: false,
        RestrictPublicBuckets: false,
      },
    }),
  );
  const statement = {
    Sid: "PublicReadGetObject",
    Effect: "Allow",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${publicMedia}/public/*`,
  };
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket: publicMedia,
      Policy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    }),
  );
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: publicMedia, VersioningConfiguration: { Status: "Enabled" } }),
  );
  for (const Bucket of [userFiles, profileImages]) {
    await s3.send(
      new PutBucketOwnershipControlsCommand({
        Bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] },
      }),
    );
    await s3.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: false,
          IgnorePublicAcls: false,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
      }),
    );
  }
}

interface Stored {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly type: string;
  readonly isOpen?: boolean;
  readonly metadata?: Record<string, string>;
  readonly tags?: string;
}

/** `setTime` turns the store's clock: each group is as old as the names of its keys say. */
export async function putObjects(aws: Aws, people: People, setTime: (time: string) => void): Promise<void> {
  const jpeg = await plainPicture([200, 60, 50]).jpeg().toBuffer();
  const png = await plainPicture([60, 150, 70]).png().toBuffer();
  const picture = (bucket: string, key: string): Stored =>
    key.endsWith("png")
      ? { bucket, key, body: png, type: "image/png" }
      : { bucket, key, body: jpeg, type: "image/jpeg" };
  const document = (bucket: string, key: string): Stored => ({
    bucket,
    key,
    body: pdf(key),
    type: "application/pdf",
  });
  const byApi = (key: string, userId: string, documentId: string): Stored => ({
    ...document(userFiles, key),
    metadata: { userid: userId, documentid: documentId, documenttype: "cv" },
  });
  const { lena, tomas, jonas } = people;
  setTime("2025-06-01T09:00:00.000Z");
  await put(aws, [
    picture(publicMedia, heroKey),
    ...serviceKeys.filter((key) => key.includes("/17487")).map((key) => picture(publicMedia, key)),
    ...openKeys.map((key): Stored =>
      key.endsWith("mp3")
        ? { bucket: userFiles, key, body: Buffer.from("ID3 la la"), type: "audio/mpeg", isOpen: true }
        : { ...picture(userFiles, key), isOpen: true },
    ),
    ...[lena, tomas].flatMap((userId) => [
      { ...document(userFiles, documentKeys.former(userId)), tags: "kind=cv" },
      document(userFiles, documentKeys.deletedOnSite(userId)),
    ]),
    document(userFiles, documentKeys.formerCertificate(tomas)),
    document(userFiles, documentKeys.formerUsers(tomas)),
    picture(userFiles, avatarKeys.former(tomas)),
    picture(userFiles, avatarKeys.formerPublic(lena)),
    byApi(documentKeys.api(lena), lena, "api-doc-1"),
    byApi(documentKeys.apiCertificate(jonas), jonas, "api-doc-2"),
    byApi(documentKeys.deletedByApi(jonas), jonas, "api-doc-9"),
    {
      bucket: "manuel-weiss-website",
      key: "data/services.json",
      body: Buffer.from("[]"),
      type: "application/json",
    },
    {
      bucket: "manuel-weiss-website",
      key: "training-admin/plan.json",
      body: Buffer.from("{}"),
      type: "application/json",
    },
    {
      bucket: "mawps-flashcard-pdfs",
      key: `${lena}/karten.pdf`,
      body: pdf("Karten"),
      type: "application/pdf",
    },
    {
      bucket: "mawps-resumes",
      key: `${lena}/lebenslauf.pdf`,
      body: pdf("Lebenslauf"),
      type: "application/pdf",
    },
    {
      bucket: "manuel-weiss-hero-videos",
      key: "hero/1748766000001.mp4",
      body: Buffer.from("ftyp"),
      type: "video/mp4",
    },
  ]);
  setTime("2025-09-04T15:00:00.000Z");
  await put(aws, [
    ...serviceKeys.filter((key) => key.includes("/17570")).map((key) => picture(publicMedia, key)),
    document(profileImages, documentKeys.today(lena)),
    document(profileImages, documentKeys.resume(lena)),
    picture(profileImages, avatarKeys.today(lena)),
    picture(profileImages, avatarKeys.todayAvatar(lena)),
    picture(profileImages, "profile/owner/1757000000005-hero.jpg"),
    {
      bucket: profileImages,
      key: `voice/${lena}/1757000000006-probe.webm`,
      body: Buffer.from("webm"),
      type: "audio/webm",
    },
  ]);
}

async function put(aws: Aws, objects: readonly Stored[]): Promise<void> {
  const s3 = await aws.s3();
  for (const { bucket, key, body, type, isOpen, metadata, tags } of objects) {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: type,
        ...(isOpen === true ? { ACL: "public-read" } : {}),
        Metadata: metadata,
        Tagging: tags,
      }),
    );
  }
}
