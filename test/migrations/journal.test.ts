import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DeleteItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../src/aws/dynamodb/items.ts";
import { itemSizeBytes } from "../../src/aws/dynamodb/item-size.ts";
import { lastBatch, recordsAfter, recordsBackwards, writeJournal } from "../../src/migrations/journal.ts";
import type { JournalRecord } from "../../src/migrations/migration.ts";
import { encodeItem } from "../../src/migrations/typed-json.ts";
import { foreignAttributes } from "../support/owner-item.ts";
import { openSite, type OpenedSite } from "./open-site.ts";

let opened: OpenedSite;

beforeEach(async () => {
  opened = await openSite("simple");
});

afterEach(() => opened.close());

const migration = "0001-test";

function recordOf(userId: string, more: Item = {}): JournalRecord {
  const before = { ...more, userId: { S: userId }, ...foreignAttributes };
  const set = { big: { S: "after" } };
  // Every attribute is touched: of the others the journal keeps nothing.
  const change = {
    place: "profile" as const,
    before,
    set,
    remove: Object.keys(before).filter((name) => name !== "big"),
  };
  return { userId, changes: [change], moves: [{ from: "a", to: "b", etag: '"e"', sizeBytes: 3 }] };
}

/** As text: a Buffer and a Uint8Array are the same bytes. */
function textOf(record: JournalRecord | undefined): string {
  return JSON.stringify({
    ...record,
    changes: record?.changes.map(({ before, set, ...rest }) => ({
      ...rest,
      before: encodeItem(before),
      set: encodeItem(set),
    })),
  });
}

it("keeps records of two items of 400 KB that nothing compresses, in parts that fit, to the last byte", async () => {
  const runner = await opened.runner(opened.site);
  const big = { big: { B: randomBytes(400 * 1024 - 700) } };
  const one = recordOf("user-1", big);
  const twice = { ...one, changes: [...one.changes, ...recordOf("user-1", big).changes] };
  expect(itemSizeBytes(one.changes[0]?.before ?? {})).toBeGreaterThan(400 * 1024 - 500);
  const records = [twice, ...Array.from({ length: 120 }, (_, at) => recordOf(`user-${at + 2}`))];
  await writeJournal(opened.site, runner.lock, { migration, batch: 1, records });
  await writeJournal(opened.site, runner.lock, { migration, batch: 2, records: [recordOf("user-1")] });
  await runner.lock.release();

  expect(await lastBatch(opened.site, migration)).toBe(2);
  const found = [];
  for await (const each of recordsAfter(opened.site, migration, 0)) found.push(each);
  expect(found.map(({ record }) => textOf(record))).toEqual([...records, recordOf("user-1")].map(textOf));
  expect(found[0]?.entries.length).toBeGreaterThanOrEqual(3);
  const backwards = [];
  for await (const each of recordsBackwards(opened.site, migration)) backwards.push(each);
  expect(backwards.toReversed()).toEqual(found);
  const later = [];
  for await (const { batch } of recordsAfter(opened.site, migration, 1)) later.push(batch);
  expect(later).toEqual([2]);
});

it("does not count a record of which a part is missing, and says whose each part is", async () => {
  const runner = await opened.runner(opened.site);
  const record = recordOf("user-1", { big: { B: randomBytes(390_000) } });
  await writeJournal(opened.site, runner.lock, { migration, batch: 1, records: [record] });
  await runner.lock.release();
  const dynamodb = await opened.aws.dynamodb();
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: opened.site.migrationsTable,
      KeyConditionExpression: "id = :id",
      ExpressionAttributeValues: { ":id": { S: migration } },
    }),
  );
  expect(Items.map(({ userId }) => userId)).toEqual([{ S: "user-1" }, { S: "user-1" }]);
  const { id, entry } = Items[1] ?? {};
  if (id === undefined || entry === undefined) throw new Error("there is one part only");
  await dynamodb.send(new DeleteItemCommand({ TableName: opened.site.migrationsTable, Key: { id, entry } }));
  for await (const each of recordsBackwards(opened.site, migration)) expect(each.record).toBeUndefined();
});
