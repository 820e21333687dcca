import type { Item } from "../aws/dynamodb/items.ts";
import { textsIn } from "../aws/dynamodb/texts.ts";
import { entriesAttribute } from "../model/mawps.ts";

/**
 * The attribute of a user's item, beside its list of documents, in which some text names an object: by its key, or by an
 * address that ends in it, however that is encoded. What stands there would not find the object any more once it is moved or
 * deleted. Undefined where none does.
 */
export function namedBy(item: Item | undefined, key: string): string | undefined {
  if (key === "") return undefined;
  const wanted = decoded(key);
  for (const [attribute, value] of Object.entries(item ?? {})) {
    if (attribute === entriesAttribute) continue;
    for (const text of textsIn(value)) {
      // A file that stands in the text itself names none.
      if (!text.startsWith("data:") && decoded(text).includes(wanted)) return attribute;
    }
  }
  return undefined;
}

/** One form for all ways in which addresses write a key. Only for comparing. */
function decoded(text: string): string {
  const plain = text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
  return plain.replaceAll("+", " ");
}
