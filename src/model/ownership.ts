import type { Declaration, Owned } from "./declaration.ts";
import { textOf } from "./items.ts";
import { own, type JsonObject } from "./json.ts";
import { fieldsOf, parseTemplate, type Template } from "./template.ts";

/** Whose something is, and what an erasure of that person does with it. */
export interface Ownership {
  readonly userId: string;
  /** Of which of the model's people they are, where the same id can be of several. */
  readonly subject?: string | undefined;
  readonly erasure: "delete" | "keep";
}

/** Finds out whose an item or object is, by what a declaration says is owned. */
export interface Owners {
  /** Of an item in DynamoDB's typed JSON; undefined when it is nobody's. */
  ofItem(table: string, item: JsonObject): Ownership | undefined;
  /** Of an object's key; undefined when it is nobody's. */
  ofKey(bucket: string, key: string): Ownership | undefined;
}

interface Pattern {
  readonly before: string;
  readonly after: string;
  readonly template: Template | undefined;
  readonly subject: string | undefined;
  readonly erasure: "delete" | "keep";
}

const placeholder = "{userId}";

/**
 * Prepares the declared ownership; tables and buckets are named by their roles. Pure. A key is somebody's when it begins
 * with a declared prefix in which one path segment stands for the id, the id not being empty.
 */
export function ownersOf({ owned }: Pick<Declaration, "owned">): Owners {
  const attributes = grouped(owned, (each) => {
    if (each.kind !== "items") return undefined;
    const template = each.template === undefined ? undefined : parseTemplate(each.template, "attribute");
    return [each.table, { ...each, template }] as const;
  });
  const patterns = grouped(owned, (each) =>
    each.kind === "objects" ? [each.bucket, patternOf(each)] : undefined,
  );
  return {
    ofItem(table, item) {
      for (const { attribute, template, erasure } of attributes.get(table) ?? []) {
        const text = textOf(own(item, attribute));
        const userId =
          template === undefined || text === undefined ? text : fieldsOf(template, text)?.["userId"];
        if (userId !== undefined && userId !== "") return { userId, erasure };
      }
      return undefined;
    },
    ofKey(bucket, key) {
      for (const { before, after, template, ...of } of patterns.get(bucket) ?? []) {
        const owner = template === undefined ? undefined : fieldsOf(template, key)?.["userId"];
        if (owner !== undefined) return { userId: owner, ...of };
        if (!key.startsWith(before)) continue;
        const end = key.indexOf("/", before.length);
        const userId = key.slice(before.length, end === -1 ? undefined : end);
        if (userId !== "" && key.startsWith(after, before.length + userId.length)) return { userId, ...of };
      }
      return undefined;
    },
  };
}

function patternOf({ prefix, template, subject, erasure }: Extract<Owned, { kind: "objects" }>): Pattern {
  const at = prefix.indexOf(placeholder);
  if (at === -1) throw new RangeError(`the prefix ${prefix} has no ${placeholder}`);
  const before = prefix.slice(0, at);
  const parsed = template === undefined ? undefined : parseTemplate(template, "object");
  return { before, after: prefix.slice(at + placeholder.length), template: parsed, subject, erasure };
}

function grouped<T>(
  owned: readonly Owned[],
  of: (each: Owned) => readonly [string, T] | undefined,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of owned) {
    const found = of(each);
    if (found === undefined) continue;
    const [role, value] = found;
    groups.set(role, [...(groups.get(role) ?? []), value]);
  }
  return groups;
}
