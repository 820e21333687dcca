// Fills a local store with documents that were deleted 40 days ago: node fill-store.mjs <folder> <bucket> <users> <each>
import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { connect } from "../../src/aws/clients.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";

const [, , folder = "", bucket = "", users = "", each = ""] = process.argv;
const past = Date.now() - 40 * 86_400_000;
const region = "eu-central-1";
const store = await openStore(folder, { region, now: () => new Date(past) });
const aws = connect({
  region,
  endpointUrl: "http://127.0.0.1",
  credentials: store.credentials,
  end: async (service) => requestHandler(await (service === "s3" ? store.s3() : store.dynamodb())),
});
const [s3, dynamodb] = await Promise.all([aws.s3(), aws.dynamodb()]);
await s3.send(
  new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
);
const deletedAt = new Date(past).toISOString();
const body = Buffer.from("a small document");
for (let start = 0; start < Number(users); start += 25) {
  const batch = Array.from({ length: Math.min(25, Number(users) - start) }, (_, at) => {
    const userId = `user-${String(start + at).padStart(6, "0")}`;
    const documents = Array.from({ length: Number(each) }, (__, n) => ({
      id: `doc-${n}`,
      name: "Lebenslauf.pdf",
      type: "cv",
      s3Key: `public/documents/${userId}/cv/1700000000000-${String(n).padStart(8, "0")}.pdf`,
      size: body.byteLength,
      uploadedAt: deletedAt,
      status: "DELETED",
      deletedAt,
      deletedBy: "bench",
    }));
    return { userId, type: "user-profile", name: "Max Mustermann", documents };
  });
  const keys = batch.flatMap(({ documents }) => documents.map(({ s3Key }) => s3Key));
  await Promise.all(keys.map((key) => putObject(aws, { bucket, key, body })));
  const requests = batch.map((item) => ({ PutRequest: { Item: typed(item).M ?? {} } }));
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { "mawps-user-profiles": requests } }));
}
aws.close();
await store.close();
