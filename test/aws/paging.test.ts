import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { onwards } from "../../src/aws/paging.ts";
import { scanItems } from "../../src/aws/dynamodb/items.ts";
import { listPoolUsers } from "../../src/aws/cognito/users-list.ts";
import { listObjects } from "../../src/aws/s3/listing.ts";

describe("a list that goes round in circles", () => {
  it("is found, however long its way in and the circle are", () => {
    const lengths = fc.record({ before: fc.nat(50), circle: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(lengths, ({ before, circle }) => {
        const onward = onwards<number>("things");
        const page = (at: number) => onward(at < before ? at : before + ((at - before) % circle));
        expect(() => {
          for (let at = 0; at < 4 * (before + circle) + 4; at += 1) page(at);
        }).toThrow("goes round in circles");
      }),
    );
  });

  it("is none where every page is another", () => {
    const onward = onwards<{ key: number }>("things");
    for (let at = 0; at < 10_000; at += 1) expect(onward({ key: at })).toEqual({ key: at });
    expect(onward(undefined)).toBeUndefined();
  });

  /** A server that answers every call alike. */
  const answering = (answer: object) => async () => ({ send: async () => answer }) as never;

  it.each<[string, Partial<Aws>, (aws: Aws) => AsyncGenerator]>([
    [
      "of objects",
      { s3: answering({ IsTruncated: true, NextContinuationToken: "again", Contents: [] }) },
      (aws) => listObjects(aws, { bucket: "b" }),
    ],
    [
      "of items",
      { dynamodb: answering({ Items: [], LastEvaluatedKey: { id: { S: "again" } } }) },
      (aws) => scanItems(aws, { table: "t" }),
    ],
    [
      "of accounts",
      { cognito: answering({ Users: [], PaginationToken: "again" }) },
      (aws) => listPoolUsers(aws, "pool", { paced: (call) => call() }),
    ],
  ])("%s ends with an error", async (_, parts, list) => {
    const read = async () => {
      for await (const _page of list(parts as Aws)) continue;
    };
    await expect(read()).rejects.toThrow("goes round in circles");
  });
});
