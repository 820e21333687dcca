import { BatchWriteItemCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import { connect } from "../../src/aws/clients.ts";
import { writeRawItems } from "../../src/aws/raw/write-raw-items.ts";
import { folderStore } from "../../src/backup/folder-store.ts";
import { parseItemLine } from "../../src/backup/item-line.ts";
import { partLines, partWriter } from "../../src/backup/parts.ts";
import { ensureRepository } from "../../src/backup/repository.ts";

// One table of items of 1 KB into DynamoDB, as a process of its own: out of the parts of a repository as a restore writes them,
// or by a bare loop over the SDK, from items that lie ready in memory. Prints items a second.
const [how = "", endpointUrl = "", folder = "", countText = "0"] = process.argv.slice(2);
const count = Number(countText);
const table = "bench";
const described = { partition: { name: "userId", type: "S" } } as const;
const aws = connect({
  region: "eu-central-1",
  endpointUrl,
  credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
});
const itemOf = (at: number): Record<string, AttributeValue> => ({
  userId: { S: `user-${String(at).padStart(9, "0")}` },
  type: { S: "user-profile" },
  updatedAt: { S: "2026-01-01T00:00:00.000Z" },
  visits: { N: String(at) },
  documents: { L: [{ M: { id: { S: `doc-${at}` }, size: { N: "245678" } } }] },
  text: { S: "Beratung und Begleitung ".repeat(36) },
});

async function fromRepository(): Promise<() => Promise<void>> {
  const store = folderStore(folder);
  const randomHex = (bytes: number) => Buffer.alloc(bytes, 1).toString("hex");
  const repository = await ensureRepository(
    store,
    { spool: folder, randomHex },
    { now: new Date(), encryptTo: [] },
  );
  const writer = partWriter(repository);
  for (let at = 0; at < count; at += 1)
    await writer.add(Buffer.from(`${JSON.stringify({ Item: itemOf(at) })}\n`));
  const parts = await writer.finish();
  const items = async function* () {
    for (const part of parts)
      for await (const lines of partLines(repository, part))
        yield lines.map((line) => parseItemLine(line, { name: table, described }));
  };
  return () =>
    writeRawItems(aws, {
      table,
      items: items(),
      onLeft: ({ why }) => {
        throw new Error(why);
      },
    });
}

async function bare(atOnce: number): Promise<() => Promise<void>> {
  const items = Array.from({ length: count }, (_, at) => itemOf(at));
  const dynamodb = await aws.dynamodb();
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const batch = items.slice(next, (next += 25));
      const requests = batch.map((Item) => ({ PutRequest: { Item } }));
      await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    }
  };
  return async () => void (await Promise.all(Array.from({ length: atOnce }, lane)));
}

const write = how === "restore" ? await fromRepository() : await bare(Number(how));
await aws.dynamodb();
const started = process.hrtime.bigint();
await write();
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
process.stdout.write(`${count / seconds}\n`);
aws.close();
