import { isRecord } from "./json.ts";

/** DynamoDB's limit for one item, attribute names included. */
export const maxItemBytes = 400 * 1024;

/** DynamoDB refuses attributes that are nested deeper. */
export const maxItemDepth = 32;

/**
 * Bytes that a JSON value takes as an attribute, by DynamoDB's published rules: UTF-8 for texts and names, about half
 * a byte a digit for numbers, 3 bytes for a list or map and 1 more for each element.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function attributeBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number")
    return Math.min(21, Math.ceil(String(value).replaceAll(/[^\d]/g, "").length / 2) + 2);
  if (Array.isArray(value))
    return value.reduce((sum: number, element) => sum + 1 + attributeBytes(element), 3);
  if (!isRecord(value)) return 1;
  return Object.entries(value).reduce(
    (sum, [name, element]) => sum + 1 + Buffer.byteLength(name) + attributeBytes(element),
    3,
  );
}
