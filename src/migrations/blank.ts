import type { AttributeValue } from "../aws/dynamodb/items.ts";

/** Whether an attribute says nothing: absent, null, or an empty text. */
export function isBlank(value: AttributeValue | undefined): boolean {
  return value === undefined || value.NULL === true || value.S === "";
}
