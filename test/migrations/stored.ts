import { PutItemCommand, ScanCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { listObjects, listVersions } from "../../src/aws/s3/listing.ts";
import { getObjectBytes, objectTags } from "../../src/aws/s3/objects.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { documentBucket as bucket, profileTable } from "../support/documents.ts";
import { foreignAttributes, type Shape } from "../support/owner-item.ts";
import { asBeforeThisTool } from "../support/old-store.ts";
import type { Outcome, TestHome } from "../support/world.ts";

export type Item = Record<string, AttributeValue>;

const s = (text: string): AttributeValue => ({ S: text });

/** An entry as the website writes it, with attributes that nobody knows. */
export function websiteEntry(id: string, s3Key: string, more: Item = {}): AttributeValue {
  return {
    M: {
      id: s(id),
      name: s(`Lebenslauf ${id}.pdf`),
      type: s("cv"),
      s3Key: s(s3Key),
      size: { N: "17" },
      weight: { N: "1.2345678901234567890123456789012345678" },
      marks: { NS: ["1", "22222222222222222222222222222222222222"] },
      empty: s(""),
      ...more,
    },
  };
}

/** Data as the website has left it over the years, in both shapes of the table. */
export async function putWebsiteData(aws: Aws, shape: Shape): Promise<void> {
  const at = (userId: string, type: string): Item =>
    shape === "simple" ? { userId: s(userId) } : { userId: s(userId), type: s(type) };
  const profile = (userId: string): Item => ({ ...at(userId, "user-profile"), type: s("user-profile") });
  const doc = (userId: string, name: string) => `public/documents/${userId}/cv/1734384121711-${name}`;
  const old = "users/user-2/documents/certificate/1734384121712-Zeugnis Müller.PDF";
  const singular = "public/documents/user-2/certificate/1734384121713-abc.pdf";
  const avatar = "profile-images/user-2/avatar-1734384121714.JPG";
  await asBeforeThisTool(aws);
  await putObjectOf(aws, doc("user-1", "cv.pdf"), "%PDF-1 eins", "application/pdf");
  await putObjectOf(aws, doc("user-1", "brief.txt"), "zwei", "application/octet-stream");
  await putObjectOf(aws, old, "%PDF-1 alt", "application/pdf");
  await putObjectOf(aws, old, "%PDF-1 Zeugnis", "application/pdf");
  await putObjectOf(aws, singular, "%PDF-1 zwei", "application/pdf");
  await putObjectOf(aws, avatar, "JPEG", "image/jpeg");
  await putObjectOf(aws, doc("user-3", "a.pdf"), "%PDF-1 drei", "application/pdf");
  const items: Item[] = [
    {
      ...at("owner", "website-images"),
      ...(shape === "composite" ? { type: s("website-images") } : {}),
      profileImageDefault: s("https://example.com/a.jpg"),
      ...foreignAttributes,
    },
    {
      ...profile("user-1"),
      ...foreignAttributes,
      documents: {
        L: [
          websiteEntry("doc-1", doc("user-1", "cv.pdf")),
          websiteEntry("doc-2", doc("user-1", "brief.txt"), {
            name: s("brief.txt"),
            contentType: { NULL: true },
          }),
          websiteEntry("doc-3", doc("user-1", "verloren.pdf")),
          { S: "no entry at all" },
        ],
      },
    },
    {
      ...profile("user-2"),
      profileImage: s(`https://${bucket}.s3.eu-central-1.amazonaws.com/${avatar}`),
      progressData: { M: { pages: { M: {} }, total: { N: "98765432109876543210987654321098765432" } } },
      documents: {
        L: [
          websiteEntry("doc-4", old, { type: s("certificate") }),
          websiteEntry("doc-5", singular, { type: s("certificate") }),
        ],
      },
    },
    {
      ...at("user-3", "user-profile"),
      ...(shape === "composite" ? { type: s("user-profile") } : {}),
      name: s("Änne"),
    },
    { ...profile("user-4"), documents: { NULL: true }, ...foreignAttributes },
  ];
  if (shape === "composite") {
    items.push(
      {
        ...at("user-3", "document"),
        note: s("bleibt"),
        documents: { L: [websiteEntry("doc-6", doc("user-3", "a.pdf"))] },
      },
      {
        ...at("user-1", "document"),
        documents: {
          L: [
            websiteEntry("doc-1", doc("user-1", "cv.pdf"), { olderOnly: s("x"), size: { N: "16" } }),
            websiteEntry("doc-7", doc("user-1", "brief.txt"), { name: s("brief.txt") }),
          ],
        },
      },
      { ...at("user-9", "document"), documents: { L: [websiteEntry("doc-9", doc("user-9", "x.pdf"))] } },
    );
  }
  const dynamodb = await aws.dynamodb();
  for (const Item of items) await dynamodb.send(new PutItemCommand({ TableName: profileTable, Item }));
}

export async function putObjectOf(aws: Aws, key: string, body: string, type?: string): Promise<void> {
  const s3 = await aws.s3();
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: Buffer.from(body),
      ContentType: type,
      CacheControl: "no-store",
      Metadata: { "from-website": "yes" },
      Tagging: "kind=test",
    }),
  );
}

/** Everything that is stored of people: items in typed JSON, objects with their bytes, headers and tags. */
export async function everything(aws: Aws): Promise<{ items: Item[]; objects: Record<string, unknown> }> {
  const { Items = [] } = await (await aws.dynamodb()).send(new ScanCommand({ TableName: profileTable }));
  const name = (item: Item) => `${item["userId"]?.S} ${item["type"]?.S}`;
  const objects: Record<string, unknown> = {};
  for await (const page of listObjects(aws, { bucket })) {
    for (const { key } of page.objects.filter((each) => !each.key.startsWith("audit/"))) {
      const { bytes, head } = await getObjectBytes(aws, { bucket, key });
      const { contentType, cacheControl, metadata, version, etag } = head;
      const tags = await objectTags(aws, { bucket, key });
      objects[key] = { text: String(bytes), contentType, cacheControl, metadata, version, etag, tags };
    }
  }
  return { items: Items.toSorted((one, other) => (name(one) < name(other) ? -1 : 1)), objects };
}

/** Every version and marker of the private bucket but the audit trail's, sorted. */
export async function versions(aws: Aws): Promise<string[]> {
  const all: string[] = [];
  for await (const page of listVersions(aws, { bucket })) {
    for (const { key, version, isDeleteMarker } of page)
      if (!key.startsWith("audit/")) all.push(`${key} ${isDeleteMarker ? "marker" : version}`);
  }
  return all.toSorted();
}

/** Command lines and looks on the store of a home, whose table has this shape. */
export function storeOf(home: TestHome, shape: Shape) {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  return {
    env,
    look: <T>(look: (aws: Aws) => Promise<T>) => home.look(look, env),
    run: (...argv: string[]): Promise<Outcome> => home.run(argv, { env }),
    json: async (...argv: string[]): Promise<Record<string, unknown>> => {
      const { exitCode, stdout, stderr } = await home.run([...argv, "--json", "--yes"], { env });
      if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
  };
}
