import type { AttributeValue } from "./items.ts";

/** Every text in an attribute, at any depth; no names of maps. */
export function* textsIn(value: AttributeValue | undefined): Generator<string> {
  if (value === undefined) return;
  if (value.S !== undefined) yield value.S;
  for (const text of value.SS ?? []) yield text;
  for (const element of value.L ?? []) yield* textsIn(element);
  for (const element of Object.values(value.M ?? {})) yield* textsIn(element);
}
