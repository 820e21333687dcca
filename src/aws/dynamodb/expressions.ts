import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { own } from "../../model/json.ts";

/** Where in an item: the name of an attribute, or names and list indexes from outside in (`["documents", 3, "id"]`). */
export type Path = string | readonly [string, ...(string | number)[]];

/** What must hold for a write; several hold together. */
export type Condition =
  | { readonly path: Path; readonly is: "present" }
  | { readonly path: Path; readonly is: "absent" }
  | { readonly path: Path; readonly is: "equal"; readonly to: AttributeValue };

interface Assignment {
  readonly path: Path;
  readonly value: AttributeValue;
}

export interface Change {
  /** The attribute that a nested path goes through must exist: DynamoDB makes no maps on the way. */
  readonly set?: readonly Assignment[];
  /** Adds to the end of a list, which is made when it is not there. */
  readonly append?:
    | readonly { readonly path: Path; readonly values: readonly AttributeValue[] }[]
    | undefined;
  readonly remove?: readonly Path[];
}

export interface Expressions {
  readonly UpdateExpression: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/**
 * A change and its conditions as DynamoDB's expressions. Every name and value goes by a placeholder: names with dots or
 * dashes, reserved words and foreign text are data, never part of the expression.
 */
export function updateExpressions(change: Change, conditions: readonly Condition[]): Expressions {
  const names = new Map<string, string>();
  const values: Record<string, AttributeValue> = {};
  let valueCount = 0;
  const nameFor = (name: string) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const placeholder = `#n${names.size}`;
    names.set(name, placeholder);
    return placeholder;
  };
  const pathFor = (path: Path) =>
    partsOf(path)
      .map((part, at) => (typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${nameFor(part)}`))
      .join("");
  const valueFor = (value: AttributeValue) => {
    const placeholder = `:v${valueCount++}`;
    values[placeholder] = value;
    return placeholder;
  };

  const set = (change.set ?? []).map(({ path, value }) => `${pathFor(path)} = ${valueFor(value)}`);
  for (const { path, values: added } of change.append ?? []) {
    const list = pathFor(path);
    const before = `if_not_exists(${list}, ${valueFor({ L: [] })})`;
    set.push(`${list} = list_append(${before}, ${valueFor({ L: [...added] })})`);
  }
  const remove = (change.remove ?? []).map(pathFor);
  const clauses = [
    ...(set.length === 0 ? [] : [`SET ${set.join(", ")}`]),
    ...(remove.length === 0 ? [] : [`REMOVE ${remove.join(", ")}`]),
  ];
  const required = conditions.map((condition) => {
    const path = pathFor(condition.path);
    switch (condition.is) {
      case "present":
        return `attribute_exists(${path})`;
      case "absent":
        return `attribute_not_exists(${path})`;
      case "equal":
        return `${path} = ${valueFor(condition.to)}`;
    }
  });
  return {
    UpdateExpression: clauses.join(" "),
    ...(required.length === 0 ? {} : { ConditionExpression: required.join(" AND ") }),
    ExpressionAttributeNames: Object.fromEntries(
      [...names].map(([name, placeholder]) => [placeholder, name]),
    ),
    ...(valueCount === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}

/** The input that reads these attributes only; nothing for all of them. */
export function projection(attributes: readonly string[] | undefined): {
  ProjectionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
} {
  if (attributes === undefined || attributes.length === 0) return {};
  const names = Object.fromEntries(attributes.map((name, at) => [`#p${at}`, name]));
  return { ProjectionExpression: Object.keys(names).join(", "), ExpressionAttributeNames: names };
}

/** What an item has at a path. */
export function valueAt(
  item: Readonly<Record<string, AttributeValue>>,
  path: Path,
): AttributeValue | undefined {
  let value: AttributeValue | undefined = { M: { ...item } };
  for (const part of partsOf(path))
    value = typeof part === "number" ? value?.L?.[part] : own(value?.M ?? {}, part);
  return value;
}

function partsOf(path: Path): readonly (string | number)[] {
  return typeof path === "string" ? [path] : path;
}
