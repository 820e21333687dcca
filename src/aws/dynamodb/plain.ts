import { convertToAttr, unmarshall } from "@aws-sdk/util-dynamodb";
import type { AttributeValue, Item } from "./items.ts";

/**
 * An item as plain JavaScript values, for reading attributes that the model knows. A number that JavaScript cannot hold
 * exactly stays a string of its digits. Never write the result back: sets, binary and long numbers have lost their type.
 */
export function plain(item: Item): Record<string, unknown> {
  return unmarshall(item, {
    wrapNumbers: (digits: string) => (isExact(digits) ? Number(digits) : digits),
  });
}

/**
 * A plain value in DynamoDB's typed form. Attributes of `undefined` are left out; class instances are refused. A number is
 * written as JavaScript has it, also beyond 2^53.
 */
export function typed(value: unknown): AttributeValue {
  return convertToAttr(value, { removeUndefinedValues: true, allowImpreciseNumbers: true });
}

/** Whether JavaScript gives the same number back, in whichever notation: 1e-7 comes back as 0.0000001. */
function isExact(digits: string): boolean {
  return significant(String(Number(digits))) === significant(digits);
}

/** Sign, digits without zeros at either end, and the power of ten that they are multiplied by. */
export function significant(number: string): string {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  if (short === "") return "0";
  return `${sign.replace("+", "")}${short}e${Number(power) - fraction.length + digits.length - short.length}`;
}
