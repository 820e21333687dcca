import { deleteItems } from "../../src/aws/dynamodb/delete-items.ts";
import { scanLines } from "../../src/aws/raw/scan-lines.ts";
import { writeRawItems } from "../../src/aws/raw/write-raw-items.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { TestHome } from "./world.ts";

async function* once<T>(all: readonly T[]): AsyncGenerator<readonly T[]> {
  yield all;
}

/** Puts items in DynamoDB's typed JSON into a table of the home's store. */
export async function putTyped(home: TestHome, table: string, items: readonly JsonObject[]): Promise<void> {
  await home.look((aws) =>
    writeRawItems(aws, {
      table,
      items: once(items),
      onLeft: ({ why }) => {
        throw new Error(why);
      },
    }),
  );
}

/** A table's items in the very text that the store answers, sorted. */
export async function textOf(home: TestHome, table: string): Promise<string[]> {
  return home.look(async (aws) => {
    const lines: string[] = [];
    for await (const page of scanLines(aws, { table, segment: 0, segments: 1 }))
      lines.push(...page.lines.toString().split("\n").filter(Boolean));
    return lines.toSorted();
  });
}

/** Removes items by their `userId`, of a table with that key alone. */
export async function removeUsers(home: TestHome, table: string, userIds: readonly string[]): Promise<void> {
  const keys = userIds.map((userId) => ({ userId: { S: userId } }));
  await home.look((aws) => deleteItems(aws, table, { keys }));
}
