import type { Aws } from "../aws/clients.ts";
import {
  getItem,
  queryItems,
  scanItems,
  type AttributeValue,
  type Item,
  type QueryItems,
} from "../aws/dynamodb/items.ts";
import { isPartOnly } from "../aws/dynamodb/part-only.ts";
import { inParallel } from "../concurrency.ts";
import type { KeyAttribute } from "../model/declaration.ts";
import { keyTemplates } from "../model/derived.ts";
import type { Entity } from "../model/schema.ts";
import { build } from "../model/template.ts";
import type { FieldValues } from "./store.ts";

/** An entity and where it is. */
export interface Queried {
  readonly entity: Entity;
  readonly table: {
    readonly name: string;
    readonly keys: readonly KeyAttribute[];
    /** Partition keys of its indexes, by their names. */
    readonly indexes: ReadonlyMap<string, KeyAttribute>;
  };
}

interface Place {
  readonly aws: Aws;
  readonly signal: AbortSignal;
}

/** Items that are read at once. */
const sideBySide = 8;

/**
 * The items among which those are that have one of these values in a field, each whole: by queries where the field alone makes a
 * partition key, else by reading the table.
 */
export function itemsBy(
  place: Place,
  kind: Queried,
  { field, values }: FieldValues,
): AsyncIterable<readonly Item[]>[] {
  const { aws, signal } = place;
  const { table } = kind;
  const key = keyFor(kind, field);
  if (key === undefined) return [scanItems(aws, { table: table.name, signal })];
  return values.flatMap((value) => {
    const typed = typedValue(key.attribute, key.valueOf(value));
    if (typed === undefined) return [];
    const query = { table: table.name, partition: { attribute: key.attribute.name, value: typed }, signal };
    if (key.index === undefined) return [queryItems(aws, { ...query, consistent: true })];
    return [wholeItems(place, kind, { ...query, index: key.index })];
  });
}

interface PartitionKey {
  readonly attribute: KeyAttribute;
  /** Undefined for the table itself. */
  readonly index: string | undefined;
  /** What it holds where the field has that value. */
  readonly valueOf: (value: string) => string;
}

/** The partition key that the field alone makes: of the table, else of an index. */
function keyFor({ entity, table }: Queried, field: string): PartitionKey | undefined {
  const [primary] = table.keys;
  const all = [
    ...(primary === undefined ? [] : [{ attribute: primary, index: undefined }]),
    ...[...table.indexes].map(([index, attribute]) => ({ attribute, index })),
  ];
  for (const each of all) {
    const [only, ...others] = keyTemplates(entity).find(([name]) => name === each.attribute.name)?.[1] ?? [];
    if (only === undefined) {
      if (each.attribute.name === field) return { ...each, valueOf: (value) => value };
      continue;
    }
    const isAlone = others.length === 0 && only.fields.length === 1 && only.fields[0] === field;
    if (isAlone) return { ...each, valueOf: (value) => build(only, { [field]: value }) };
  }
  return undefined;
}

/** Undefined where no key of that type has it: DynamoDB refuses a text where a number is the key. */
function typedValue({ type }: KeyAttribute, value: string): AttributeValue | undefined {
  if (type === "S") return { S: value };
  if (type === "B") return { B: Buffer.from(value, "base64") };
  return isNumber(value) ? { N: value } : undefined;
}

/** Of DynamoDB: 38 digits, and from 1E-130 to 9.9E+125 ("Supported data types", Number). */
function isNumber(text: string): boolean {
  const [, digits, behind = ""] = /^[+-]?(\d+)(?:\.(\d+))?(?:e[+-]?\d+)?$/i.exec(text) ?? [];
  const significant = `${digits ?? ""}${behind}`.replaceAll(/^0+|0+$/g, "");
  const size = Math.abs(Number(text));
  const isInRange = significant === "" || (size >= 1e-130 && size < 1e126);
  return digits !== undefined && significant.length <= 38 && isInRange;
}

/** By an index that may hold keys only: whatever decides over an item must see all of it. */
async function* wholeItems(
  { aws, signal }: Place,
  { table }: Queried,
  query: QueryItems,
): AsyncGenerator<readonly Item[]> {
  try {
    yield* queryItems(aws, { ...query, whole: true });
    return;
  } catch (error) {
    if (!isPartOnly(error)) throw error;
  }
  for await (const page of queryItems(aws, query)) {
    const found = await inParallel(page, sideBySide, (item) => {
      const key: Item = {};
      for (const { name } of table.keys) if (item[name] !== undefined) key[name] = item[name];
      return getItem(aws, { table: table.name, key, signal });
    });
    yield found.filter((item) => item !== undefined);
  }
}
