import { queryItems, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { textsIn } from "../aws/dynamodb/texts.ts";
import { heroAttributes, pictureAttributes } from "../model/mawps.ts";
import type { ProfileSite } from "./site.ts";

/** What items say of pictures, as texts in which a picture's name can be looked for. */
export interface References {
  has(stem: string): boolean;
  /** What the tool itself keeps of pictures that were live before: no pointers. */
  readonly history: readonly string[];
}

/**
 * Notes pointers of a user's item to pictures in somebody else's folder. There should be none, so that the set stays
 * small; pointers into the user's own folder are looked up with the pictures.
 */
export function noteStrangers(strangers: Set<string>, userId: string, item: Item): void {
  for (const name of pictureAttributes) {
    for (const text of textsIn(item[name])) {
      if (text.startsWith("data:")) continue;
      const [, owner, rest] = /profile-images\/([^/?#]+)\/([^?#]+)/.exec(text) ?? [];
      if (owner === undefined || rest === undefined) continue;
      if (owner !== userId && owner !== encodeURIComponent(userId)) strangers.add(rest);
    }
  }
}

/** Every pointer to somebody else's picture, by a scan of all profiles. */
export async function findStrangers({ aws, documents, signal }: ProfileSite): Promise<Set<string>> {
  const strangers = new Set<string>();
  const attributes = ["userId", ...pictureAttributes];
  for await (const page of scanItems(aws, { table: documents.table, attributes, signal })) {
    for (const item of page) noteStrangers(strangers, item["userId"]?.S ?? "", item);
  }
  return strangers;
}

/**
 * All that the items of a user point at, and what strangers point at. Every text of every attribute counts, in whatever form it
 * names a picture, but for the tool's own history: a pointer that is not understood must not cost one.
 */
export async function referencesOf(
  { aws, documents, signal }: ProfileSite,
  userId: string,
  strangers: ReadonlySet<string>,
): Promise<References> {
  const texts = [...strangers];
  const history: string[] = [];
  const pages = queryItems(aws, {
    table: documents.table,
    partition: { attribute: "userId", value: { S: userId } },
    consistent: true,
    signal,
  });
  for await (const page of pages) {
    for (const item of page) {
      for (const [name, value] of Object.entries(item)) {
        const into = name === heroAttributes.history ? history : texts;
        for (const text of textsIn(value)) if (!text.startsWith("data:")) into.push(text);
      }
    }
  }
  return {
    history,
    has: (stem) => {
      const encoded = encodeURIComponent(stem);
      return texts.some((text) => text.includes(stem) || text.includes(encoded));
    },
  };
}
