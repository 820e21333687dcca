import { scanItems, type Item } from "../aws/dynamodb/items.ts";
import { textsIn } from "../aws/dynamodb/texts.ts";
import { whereThere } from "../aws/setting.ts";
import { personalTables } from "../model/links.ts";
import type { PeopleSite, Sought, Traces } from "./traces.ts";

/** Items or rows of a table in one attribute of which somebody is named, where the model links nothing to them. */
export interface Mention {
  readonly table: string;
  readonly attribute: string;
  readonly items: number;
}

/**
 * Reads every table of the model for texts, at any depth, that name somebody by one of these ids, and which nobody links to them: what
 * people wrote into notes, say. What an erasure deletes is left out, as is the audit trail. Changes nothing.
 */
export async function findMentions(
  site: PeopleSite,
  { ids, subject }: Sought,
  { items: deleted, rows: work }: Pick<Traces, "items" | "rows">,
): Promise<Mention[]> {
  const { aws, declaration, model, rows, signal } = site;
  const isNamed = namedIn(ids);
  const going = new Set(deleted.map(({ table, key }) => nameOf(table, key, Object.keys(key))));
  const personal = new Map(personalTables(model).map((each) => [each.role, each]));
  const counts = new Map<string, Mention>();
  for (const { role, name: table } of declaration.tables) {
    if (table === declaration.trail?.table) continue;
    const keys = await site.keysOf(table);
    if (keys === undefined) continue;
    await whereThere(async () => {
      for await (const page of scanItems(aws, { table, consistent: true, signal })) {
        for (const item of page) {
          if (going.has(nameOf(table, item, keys.primary))) continue;
          const links = personal.get(role)?.linksOf(item, ids, keys) ?? [];
          const linked = new Set(links.map(({ place: { attribute } }) => attribute));
          for (const [attribute, value] of Object.entries(item)) {
            if (linked.has(attribute) || ![...textsIn(value)].some(isNamed)) continue;
            const name = `${table} ${attribute}`;
            counts.set(name, { table, attribute, items: (counts.get(name)?.items ?? 0) + 1 });
          }
        }
      }
    });
  }
  return [...counts.values(), ...((await rows?.mentions(isNamed, { subject, ids, work })) ?? [])];
}

function nameOf(table: string, item: Item, key: readonly string[]): string {
  return JSON.stringify([table, key.toSorted().map((name) => item[name])]);
}

/**
 * Whether a text names somebody by one of these ids, in whatever case and as a word of its own: `user-1` is not in `user-12`. Ids that
 * would be found everywhere, such as short ones and bare numbers, are not looked for.
 */
export function namedIn(ids: readonly string[]): (text: string) => boolean {
  const telling = ids.filter((id) => id.length >= shortest && !/^\d+$/.test(id));
  if (telling.length === 0) return () => false;
  const words = telling.map((id) => id.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join("|");
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_.+-])(?:${words})(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])`,
    "iu",
  );
  return (text) => pattern.test(text);
}

const shortest = 4;
