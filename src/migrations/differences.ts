import type { AttributeValue } from "../aws/dynamodb/items.ts";
import { own } from "../model/json.ts";
import { parseKey } from "../model/keys.ts";
import { parsePublicUrl } from "../model/urls.ts";
import type { ItemChange } from "./migration.ts";
import { sameValue } from "./typed-json.ts";
import { touched } from "./write-changes.ts";

/** One attribute that differs, with its values as they may be told. */
export interface Difference {
  /** `documents[2].status`; of a person's other item `(document) documents[0].status` */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * What a change does to an item, attribute by attribute as deep as they go. Names are told in full; values are people's own
 * and told by their kind and length only, but for the few words of the model, and the layout of keys.
 */
export function differences({ place, before, set, remove }: ItemChange): Difference[] {
  const where = place === "profile" ? "" : `(${place}) `;
  return touched({ set, remove })
    .flatMap((name) => compare(name, before[name], set[name]))
    .map((difference) => ({ ...difference, path: `${where}${difference.path}` }));
}

function compare(
  path: string,
  one: AttributeValue | undefined,
  other: AttributeValue | undefined,
): Difference[] {
  if (sameValue(one, other)) return [];
  if (one?.M !== undefined && other?.M !== undefined) {
    const names = new Set([...Object.keys(one.M), ...Object.keys(other.M)]);
    return [...names].flatMap((name) =>
      compare(`${path}.${name}`, own(one.M ?? {}, name), own(other.M ?? {}, name)),
    );
  }
  if (one?.L !== undefined && other?.L !== undefined) {
    const length = Math.max(one.L.length, other.L.length);
    return Array.from({ length }, (_, at) => compare(`${path}[${at}]`, one.L?.[at], other.L?.[at])).flat();
  }
  const name = path.slice(path.lastIndexOf(".") + 1);
  return [{ path, before: told(name, one), after: told(name, other) }];
}

/** Attributes whose values are words of the model. */
const wordAttributes = new Set(["status", "contentType", "type", "scanResult"]);

function told(name: string, value: AttributeValue | undefined): string {
  if (value === undefined) return "absent";
  if (value.S !== undefined) return toldText(name, value.S);
  if (value.N !== undefined) return `number of length ${value.N.length}`;
  if (value.BOOL !== undefined) return "boolean";
  if (value.NULL !== undefined) return "null";
  if (value.B !== undefined) return `binary of length ${value.B.byteLength}`;
  if (value.M !== undefined) return `map of ${Object.keys(value.M).join(", ") || "nothing"}`;
  const [kind = "", elements] = Object.entries(value)[0] ?? [];
  return `${kind === "L" ? "list" : "set"} of ${Array.isArray(elements) ? elements.length : 0}`;
}

function toldText(name: string, text: string): string {
  if (wordAttributes.has(name) && /^[\w./+-]{1,80}$/.test(text)) return JSON.stringify(text);
  const layout = layoutOf(text) ?? layoutOf(parsePublicUrl(text)?.key ?? "");
  const length = `text of length ${text.length}`;
  return layout === undefined ? length : `${length}: ${layout}`;
}

/** A key without what it says of a person. */
function layoutOf(key: string): string | undefined {
  const parsed = parseKey(key);
  switch (parsed?.layout) {
    case "document":
      return `public/documents/{userId}/${parsed.fileType}/{time}-{random}.{ext}`;
    case "old-document":
      return `users/{userId}/documents/${parsed.fileType}/{time}-{name}`;
    case "avatar":
      return "public/profile-images/{userId}/{time}-{random}.{ext}";
    case "old-avatar":
      return "profile-images/{userId}/avatar-{time}.{ext}";
    case "hero":
    case undefined:
      return undefined;
  }
}
