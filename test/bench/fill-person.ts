// Fills a local store with the documents of one person: node fill-person.mjs <folder> <documents> <versions of each> <bytes of each>
import { randomBytes } from "node:crypto";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { connect } from "../../src/aws/clients.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { putObject } from "../../src/aws/s3/objects.ts";

const [, , folder = "", count = "", versions = "", size = ""] = process.argv;
const userId = "user-000001";
const bucket = "mawps-user-files-1760106396";
const region = "eu-central-1";
const store = await openStore(folder, { region, now: () => new Date() });
const aws = connect({
  region,
  endpointUrl: "http://127.0.0.1",
  credentials: store.credentials,
  end: async (service) => requestHandler(await (service === "s3" ? store.s3() : store.dynamodb())),
});
const uploadedAt = new Date().toISOString();
const documents = Array.from({ length: Number(count) }, (_, at) => ({
  id: `doc-${at}`,
  name: "Lebenslauf.pdf",
  type: "cv",
  s3Key: `public/documents/${userId}/cv/1700000000000-${String(at).padStart(8, "0")}.pdf`,
  size: Number(size),
  uploadedAt,
}));
for (let start = 0; start < documents.length; start += 8) {
  const some = documents.slice(start, start + 8);
  for (let version = 0; version < Number(versions); version += 1)
    await Promise.all(
      some.map(({ s3Key }) => putObject(aws, { bucket, key: s3Key, body: randomBytes(Number(size)) })),
    );
}
const profile = { userId, type: "user-profile", name: "Max Mustermann", documents };
await (
  await aws.dynamodb()
).send(new PutItemCommand({ TableName: "mawps-user-profiles", Item: typed(profile).M ?? {} }));
aws.close();
await store.close();
