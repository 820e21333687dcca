/** One attribute of a table's key, as DescribeTable tells it. */
export interface KeyPart {
  readonly attribute: string;
  readonly role: "HASH" | "RANGE";
}

/**
 * How a table of the model keeps its items. `simple`: one item for each partition key, so that items of different `type` are
 * the same item. `composite`: one item for each partition key and type.
 */
export type TableShape = { readonly kind: "simple" } | { readonly kind: "composite" };

/** The two key schemas that are understood, in words. */
export const knownShapes = 'partition key "userId" alone, or partition key "userId" with sort key "type"';

/** The shape that a key schema means; undefined when it is none of the two. */
export function shapeOfKeys(keys: readonly KeyPart[]): TableShape | undefined {
  const partition = keys.filter((key) => key.role === "HASH").map((key) => key.attribute);
  const sort = keys.filter((key) => key.role === "RANGE").map((key) => key.attribute);
  if (partition.length !== 1 || partition[0] !== "userId") return undefined;
  if (sort.length === 0) return { kind: "simple" };
  return sort.length === 1 && sort[0] === "type" ? { kind: "composite" } : undefined;
}

/** A key schema in words, for the message that refuses it. */
export function describeKeys(keys: readonly KeyPart[]): string {
  const words = keys.map((key) => `${key.role === "HASH" ? "partition" : "sort"} key "${key.attribute}"`);
  return words.length === 0 ? "no key at all" : words.join(" with ");
}
