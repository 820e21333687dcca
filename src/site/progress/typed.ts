import type { AttributeValue } from "../../aws/dynamodb/items.ts";
import { isRecord, own, sameJson } from "../../model/json.ts";
import { assertComesBack, assertRead, typed } from "../../aws/dynamodb/plain.ts";

/**
 * A typed value as JSON has it: sets as lists, binary in base64, and a number that JavaScript cannot hold exactly as its
 * digits. Written for scans: `plain` makes a copy more and looks at each number's notation.
 */
export function jsonOf(value: AttributeValue): unknown {
  assertRead(value);
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return numberOf(value.N);
  if (value.M !== undefined) {
    return Object.fromEntries(Object.entries(value.M).map(([name, element]) => [name, jsonOf(element)]));
  }
  if (value.L !== undefined) return value.L.map(jsonOf);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.SS !== undefined) return value.SS;
  if (value.NS !== undefined) return value.NS.map(numberOf);
  if (value.B !== undefined) return base64(value.B);
  if (value.BS !== undefined) return value.BS.map(base64);
  return null;
}

/** Items of a scan hold binary as it was sent, which is base64 already. */
function base64(binary: Uint8Array | string): string {
  return typeof binary === "string" ? binary : Buffer.from(binary).toString("base64");
}

/**
 * The typed form of `value`, in which everything that is the same as in `stored` keeps the type that it is stored in: long
 * numbers, sets and binary survive a change beside them.
 */
export function typedOver(value: unknown, stored: AttributeValue | undefined): AttributeValue {
  const before = stored?.M;
  if (before !== undefined && isRecord(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    for (const [name] of fields) assertComesBack(name);
    return {
      M: Object.fromEntries(fields.map(([name, field]) => [name, typedOver(field, own(before, name))])),
    };
  }
  return stored !== undefined && sameJson(value, jsonOf(stored)) ? stored : typed(value);
}

function numberOf(digits: string): number | string {
  const number = Number(digits);
  return digits.length <= 15 || String(number) === digits ? number : digits;
}
