import { own, type JsonObject } from "./json.ts";
import type { Entity, Model } from "./schema.ts";

/** A reference of an entity to another, from child to parent. */
export interface Reference {
  readonly from: string;
  readonly field: string;
  readonly to: string;
  /** Of the parent; undefined where it is a file. */
  readonly parentField?: string;
}

const objectRef = "object:";

/** What `refs` say: `chatSessions.id`, `object:documentFiles`. An entity that is not there is no reason to fail here. */
export function referencesOf(name: string, { refs = {} }: Pick<Entity, "refs">): Reference[] {
  return Object.entries(refs).flatMap(([field, targets]) =>
    [targets].flat().map((target) => {
      if (target.startsWith(objectRef)) return { from: name, field, to: target.slice(objectRef.length) };
      const dot = target.indexOf(".");
      const [to, parentField] = dot === -1 ? [target, ""] : [target.slice(0, dot), target.slice(dot + 1)];
      return { from: name, field, to, parentField };
    }),
  );
}

/** Keys of all files that a thing names, whichever of its fields may name files: each a text, or the texts of a list or map. */
export function filesNamedBy(entity: Pick<Entity, "refs">, fields: JsonObject): string[] {
  const names = referencesOf("", entity).flatMap(({ field, parentField }) =>
    parentField === undefined ? [field] : [],
  );
  return [...new Set(names)].flatMap((name) => textsOf(own(fields, name))).filter((key) => key !== "");
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

export type Order = { readonly order: readonly string[] } | { readonly circle: readonly string[] };

/**
 * The order in which what is a person's is erased: who refers before who is referred to; files before the entries that tell of
 * them, so that what an interruption leaves is still known; what lies within an item before the item. Else as in the
 * model. A reference to an entity itself decides nothing.
 */
export function erasureOrder({ entities }: Pick<Model, "entities">): Order {
  const names = Object.keys(entities);
  const known = new Set(names);
  /** Entity -> what has to be erased before it. */
  const before = new Map<string, Set<string>>(names.map((name) => [name, new Set()]));
  const put = (first: string, then: string) => {
    if (first !== then && known.has(first)) before.get(then)?.add(first);
  };
  const items = groupedBy(names, (name) => storeText(entities[name]?.from));
  for (const [name, entity] of Object.entries(entities)) {
    for (const { to, parentField } of referencesOf(name, entity)) {
      if (parentField === undefined) put(to, name);
      else put(name, to);
    }
    if (entity.at === undefined) continue;
    for (const around of items.get(storeText(entity.from)) ?? [])
      if (entities[around]?.at === undefined) put(name, around);
  }
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  for (const name of names) {
    const circle = visit(name, { before, state, order });
    if (circle !== undefined) return { circle };
  }
  return { order };
}

interface Visiting {
  readonly before: ReadonlyMap<string, ReadonlySet<string>>;
  readonly state: Map<string, "open" | "done">;
  readonly order: string[];
}

/** Puts what must be before `start`, then `start`, into the order; a circle is answered. Goes down without calling itself. */
function visit(start: string, { before, state, order }: Visiting): string[] | undefined {
  if (state.get(start) === "done") return undefined;
  const path = [{ name: start, rest: [...(before.get(start) ?? [])] }];
  state.set(start, "open");
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.rest.shift();
    if (next === undefined) {
      state.set(top.name, "done");
      order.push(top.name);
      path.pop();
      continue;
    }
    if (state.get(next) === "done") continue;
    if (state.get(next) === "open") {
      const names = path.map(({ name }) => name);
      return [...names.slice(names.indexOf(next)), next];
    }
    state.set(next, "open");
    path.push({ name: next, rest: [...(before.get(next) ?? [])] });
  }
  return undefined;
}

/** Where an entity is, as one text: `bucket userFiles`, `table userProfiles`, `database main.chat_messages`. */
export function storeText(from: Entity["from"] | undefined): string {
  if (from === undefined) return "";
  if ("bucket" in from) return `bucket ${from.bucket}`;
  return "database" in from ? `database ${from.database}.${from.table}` : `table ${from.table}`;
}

/** Values of the same key together, in the order in which the keys first come. */
export function groupedBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

/** The model as a picture in mermaid's language: entities by where they are, references, and whose they are. */
export function mermaid({ entities, subjects }: Pick<Model, "entities" | "subjects">): string {
  const stores = groupedBy(Object.entries(entities), ([, { from }]) => storeText(from));
  const lines = ["flowchart LR"];
  let at = 0;
  for (const [store, within] of stores) {
    lines.push(`  subgraph store${at}["${quoted(store)}"]`);
    for (const [name, { what }] of within) lines.push(`    ${name}["${quoted(`${name}: ${what}`)}"]`);
    lines.push("  end");
    at += 1;
  }
  for (const [name, { what }] of Object.entries(subjects))
    lines.push(`  subject_${name}(("${quoted(what)}"))`);
  for (const [name, entity] of Object.entries(entities)) {
    for (const { field, to } of referencesOf(name, entity))
      lines.push(`  ${name} -->|"${quoted(field)}"| ${to}`);
    for (const { subject, role } of entity.links ?? [])
      lines.push(`  ${name} -.->|${role}| subject_${subject}`);
  }
  return `${lines.join("\n")}\n`;
}

/** As it may stand between quotes there: https://mermaid.js.org/syntax/flowchart.html */
function quoted(text: string): string {
  return text.replaceAll(/["#<>`\n\r]/g, (sign) => `#${sign.codePointAt(0)};`);
}
