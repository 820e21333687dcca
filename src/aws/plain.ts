import { convertToAttr, unmarshall } from "@aws-sdk/util-dynamodb";
import type { AttributeValue, Item } from "./items.ts";

/**
 * An item as plain JavaScript values, for reading attributes that the model knows. A number that JavaScript cannot hold
 * exactly stays a string of its digits. Never write the result back: sets, binary and long numbers have lost their type.
 */
export function plain(item: Item): Record<string, unknown> {
  return unmarshall(item, {
    // The digits are exact when they come back; both ends write a number in its shortest form.
    wrapNumbers: (digits: string) => (String(Number(digits)) === digits ? Number(digits) : digits),
  });
}

/** A plain value in DynamoDB's typed form. Attributes of `undefined` are left out; class instances are refused. */
export function typed(value: unknown): AttributeValue {
  return convertToAttr(value, { removeUndefinedValues: true });
}
