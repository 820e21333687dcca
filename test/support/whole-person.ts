import { CreateBucketCommand, CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { deleteObject, putObject } from "../../src/aws/s3/objects.ts";
import { documentBucket, putAvatar, putDocument, putProfile } from "./documents.ts";

const uploads = "mawps-profile-images";
const apiTable = "mawps-user-documents";

/** What the website itself makes: the table of documents-api, and the bucket of its uploads of today. */
export async function makeSitePlaces(aws: Aws): Promise<void> {
  const names = ["userId", "documentId"] as const;
  await (await aws.s3()).send(new CreateBucketCommand({ Bucket: uploads }));
  await (
    await aws.dynamodb()
  ).send(
    new CreateTableCommand({
      TableName: apiTable,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: names.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" })),
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    }),
  );
}

/** Something in each place in which the site keeps what is a person's: two versions, a delete marker, an open upload. */
export async function putEverything(aws: Aws, userId: string, email: string): Promise<void> {
  const put = async (TableName: string, item: Record<string, unknown>) =>
    (await aws.dynamodb()).send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
  const documents = [
    await putDocument(aws, { userId, id: "doc-1", body: "eins" }),
    await putDocument(aws, { userId, id: "doc-2", body: "zwei" }),
  ];
  const profileImage = await putAvatar(aws, userId);
  await putProfile(aws, userId, { email, documents, profileImage, progressData: { pages: {} } });
  await put("mawps-user-profiles", { userId: email, access: { features: {} } });
  await put("mawps-digital-twin", { userId, type: "digital-twin", traits: "ruhig" });
  const s3Key = `users/${userId}/documents/cv/1748790000001-Lebenslauf.pdf`;
  await put(apiTable, { userId, documentId: "api-1", s3Key });
  const keys = [
    [documentBucket, s3Key],
    [documentBucket, `profile-images/${userId}/avatar-1748785000001.jpg`],
    [uploads, `profile/${userId}/1757000000003-avatar.jpg`],
    [uploads, `document/${userId}/1757000000001-lebenslauf.pdf`],
    [uploads, `resume/${userId}/1757000000002-resume.pdf`],
    [uploads, `voice/${userId}/1757000000006-probe.webm`],
  ] as const;
  for (const [bucket, key] of keys) {
    await putObject(aws, { bucket, key, body: Buffer.from("alt") });
    await putObject(aws, { bucket, key, body: Buffer.from("neu") });
  }
  await deleteObject(aws, { bucket: documentBucket, key: s3Key });
  const upload = { Bucket: documentBucket, Key: `public/documents/${userId}/cv/open.pdf` };
  await (await aws.s3()).send(new CreateMultipartUploadCommand(upload));
}
