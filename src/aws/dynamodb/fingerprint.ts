import { createHash } from "node:crypto";
import { canonicalJson } from "../../model/json.ts";
import type { Item } from "./items.ts";

/** The same for the same item, or part of one: DynamoDB's typed form, whatever the order of its attributes. */
export function fingerprint(item: Item): string {
  const json = JSON.stringify(item, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
  return createHash("sha256")
    .update(canonicalJson(JSON.parse(json)))
    .digest("hex");
}
