import { isUtf8 } from "node:buffer";
import type { TableKeys } from "../model/declaration.ts";
import { isRecord, own, type JsonObject } from "../model/json.ts";
import { DamagedError } from "./damage.ts";

/** DynamoDB nests attributes 32 levels deep, and each is two of JSON. */
const mostLevels = 2 * 33;

/** A table, and the keys that each of its items has. */
export interface ItemTable {
  readonly name: string;
  readonly described: TableKeys;
}

/**
 * The item of a table's line, in DynamoDB's typed JSON. Whoever can write to a repository can write any line: only the
 * value that is given here may go on, written anew, and never the line's own text.
 * @throws DamagedError unless the line is JSON with the one member `Item`, which has the table's keys.
 */
export function parseItemLine(line: Buffer, { name, described }: ItemTable): JsonObject {
  return onlyMember(line, "Item", {
    what: `a line of table ${name} is no item`,
    isRight: (item) => hasKeys(item, described) && !isDeeper(item, mostLevels),
  });
}

function hasKeys(item: JsonObject, { partition, sort }: TableKeys): boolean {
  return [partition, sort].every((key) => {
    if (key === undefined) return true;
    const value = own(item, key.name);
    if (!isRecord(value) || Object.keys(value).length !== 1) return false;
    const text = own(value, key.type);
    return typeof text === "string" && text !== "";
  });
}

/** The object that is the one member of a line. @throws DamagedError, which says what it is not, for any other line. */
export function onlyMember(
  line: Buffer,
  member: string,
  { what, isRight }: { readonly what: string; readonly isRight: (value: JsonObject) => boolean },
): JsonObject {
  if (!isUtf8(line)) throw new DamagedError(what);
  let found: unknown;
  try {
    found = JSON.parse(line.toString());
  } catch (cause) {
    throw new DamagedError(what, cause);
  }
  const value = isRecord(found) && Object.keys(found).length === 1 ? found[member] : undefined;
  if (!isRecord(value) || !isRight(value)) throw new DamagedError(what);
  return value;
}

/** Goes no deeper than it is asked to. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((each) => isDeeper(each, levels - 1));
}
