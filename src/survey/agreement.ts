import { countsOf } from "../model/counts.ts";
import { derivedAttributes } from "../model/derived.ts";
import { textOf } from "../model/items.ts";
import { isRecord, own, type JsonObject } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import { tableKeysOf } from "../model/table-keys.ts";
import type { Fields } from "../model/template.ts";

/** Items of an entity that are not as the model says, of one kind. */
export interface Disagreement {
  readonly entity: string;
  /** Of its table. */
  readonly role: string;
  readonly count: number;
  /** `lack defaultKey: UserId-Default-Index does not show them` */
  readonly wrong: string;
}

/** Looks at items one after the other, in DynamoDB's typed JSON, and tells at the end. */
export interface Agreement {
  /** @param fields what the item's key attributes say. */
  look(item: JsonObject, of: { readonly name: string; readonly fields: Fields }): void;
  found(): Disagreement[];
}

/** Whether items have what the model derives for an index or for TTL: an item without is missing there without a word. */
export function derivedThere({ entities, tables }: Model, role: string): Agreement {
  const table = own(tables, role);
  const indexes = table === undefined ? {} : tableKeysOf(table).indexes;
  const uses = new Map<string, string>();
  for (const [index, keys] of Object.entries(indexes))
    for (const key of keys) uses.set(key, `${index} does not show them`);
  if (table?.ttl !== undefined) uses.set(table.ttl, "they do not expire");
  const lacking = new Map<string, { entity: string; count: number; wrong: string }>();
  return {
    look(item, { name, fields }) {
      const entity = own(entities, name);
      if (entity === undefined || uses.size === 0) return;
      for (const attribute of Object.keys(derivedAttributes(entity, { ...scalarsOf(item), ...fields }))) {
        const use = uses.get(attribute);
        if (use === undefined || own(item, attribute) !== undefined) continue;
        const wrong = `lack ${attribute}: ${use}`;
        const known = lacking.get(`${name} ${wrong}`);
        lacking.set(`${name} ${wrong}`, { entity: name, wrong, count: (known?.count ?? 0) + 1 });
      }
    },
    found: () => [...lacking.values()].map((each) => ({ ...each, role })),
  };
}

/** Whether what items say of how many refer to them is so, in whatever tables these are; keeps two numbers for each of them. */
export function countsRight(model: Model): Agreement {
  const keys = new Map(
    Object.entries(model.tables).map(([role, table]) => [role, tableKeysOf(table).primary] as const),
  );
  const tallies = Object.keys(model.entities).flatMap((child) =>
    countsOf(model, child).map((place) => ({
      child,
      place,
      said: new Map<string, number>(),
      there: new Map<string, number>(),
    })),
  );
  return {
    look(item, { name }) {
      const concerned = tallies.filter(({ child, place }) => name === child || name === place.parent);
      const from = own(model.entities, name)?.from;
      if (concerned.length === 0 || from === undefined || !("table" in from)) return;
      const primary = keys.get(from.table) ?? [];
      const key = Object.fromEntries(primary.map((each) => [each, own(item, each)]));
      const texts = Object.fromEntries(primary.map((each) => [each, textOf(own(item, each)) ?? ""]));
      for (const { child, place, said, there } of concerned) {
        const number = textOf(own(item, place.attribute));
        if (name === place.parent && number !== undefined) said.set(JSON.stringify(key), Number(number));
        const parent = name === child ? JSON.stringify(place.keyOf(texts)) : undefined;
        if (parent !== undefined) there.set(parent, (there.get(parent) ?? 0) + 1);
      }
    },
    found: () =>
      tallies.flatMap(({ child, place, said, there }) => {
        const count = [...said].filter(([key, number]) => number !== (there.get(key) ?? 0)).length;
        const wrong = `have a ${place.attribute} that is not the number of their ${child}`;
        return count === 0 ? [] : [{ entity: place.parent, role: place.table, count, wrong }];
      }),
  };
}

function scalarsOf(item: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      isRecord(value)
        ? (value["S"] ?? value["BOOL"] ?? (value["N"] === undefined ? undefined : Number(value["N"])))
        : undefined,
    ]),
  );
}
