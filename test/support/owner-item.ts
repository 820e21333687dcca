import { GetItemCommand, PutItemCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import type { TableShape } from "../../src/model/table-shape.ts";

export type Shape = TableShape["kind"];

/** What hangs on the owner item besides the hero images: nothing of it may ever change. */
export const foreignAttributes: Record<string, AttributeValue> = {
  digitalTwin: {
    M: {
      personality: { M: { traits: { S: "neugierig" } } },
      empty: { S: "" },
      list: { L: [{ NULL: true }] },
    },
  },
  bigNumber: { N: "123456789012345678901234567890" },
  tinyNumber: { N: "1.2345678901234567890123456789012345678E-120" },
  stringSet: { SS: ["a", "b", "ü"] },
  numberSet: { NS: ["1", "22222222222222222222222222222222222222"] },
  binary: { B: new Uint8Array([0, 255, 1, 254]) },
  binarySet: { BS: [new Uint8Array([1]), new Uint8Array([2, 3])] },
  flag: { BOOL: false },
};

/** Key of the item with the hero images. */
export function ownerKey(shape: Shape): Record<string, AttributeValue> {
  return shape === "simple"
    ? { userId: { S: "owner" } }
    : { userId: { S: "owner" }, type: { S: "website-images" } };
}

/** Puts the item that the website may have written: foreign attributes, and whatever is given. */
export async function putOwnerItem(
  aws: Aws,
  table: string,
  item: Record<string, AttributeValue>,
): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(new PutItemCommand({ TableName: table, Item: { userId: { S: "owner" }, ...item } }));
}

export async function ownerItem(
  aws: Aws,
  table: string,
  shape: Shape,
): Promise<Record<string, AttributeValue> | undefined> {
  const dynamodb = await aws.dynamodb();
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: table, Key: ownerKey(shape), ConsistentRead: true }),
  );
  return Item;
}
