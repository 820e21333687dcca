import { tableRole } from "../model/database.ts";
import { groupedBy } from "../model/graph.ts";
import { holds } from "../model/items.ts";
import { rowLinks, type RowLink } from "../model/person-rows.ts";
import type { Model } from "../model/schema.ts";
import { foreignKeysTo } from "../sql/row-table.ts";
import { danglingValues, keyText, streamReading } from "../sql/rows.ts";
import { narrowed, valuesIn, type PersonTables } from "./person-tables.ts";
import type { RowErasure } from "./row-erasure.ts";

/** An id or address of somebody that stands in a row. */
export interface NamedInRow {
  readonly link: RowLink;
  readonly table: string;
  readonly id: string;
  /** Whether an erasure takes it out of there, with its row or alone. */
  readonly isErased: boolean;
}

/** Rows in one column of which stands who is sought, where the model links nothing to them. */
export interface MentioningRows {
  readonly table: string;
  readonly attribute: string;
  readonly items: number;
}

/** What a column holds by which rows are somebody's, where there is nothing that is known by it. */
export interface Ownerless {
  readonly table: string;
  readonly value: string;
}

/** Whom rows name, of whoever they are. */
export interface RowNames {
  /** Whom rows name directly, by links of all kinds of people: each row once for each of its links. */
  everyName(): AsyncGenerator<NamedInRow>;
  /**
   * Reads every table of the model, but for secret columns and rows that go, for texts of which `isNamed` says that they name somebody of a kind;
   * of what is changed, or linked to one of their ids, it is known.
   */
  mentions(
    isNamed: (text: string) => boolean,
    of: {
      readonly subject: string | undefined;
      readonly ids: readonly string[];
      readonly work: readonly RowErasure[];
    },
  ): Promise<readonly MentioningRows[]>;
  /** Rows that are somebody's by others that are gone, where no foreign key holds these. */
  ownerless(): AsyncGenerator<Ownerless>;
}

export function rowNames(model: Model, { tableOf, entityOf }: PersonTables): RowNames {
  return {
    async *everyName() {
      const links = rowLinks(model).filter(({ parent }) => parent === undefined);
      for (const [entity, own] of groupedBy(links, (link) => link.entity)) {
        const { database, rows } = await tableOf(entity);
        const declared = entityOf(entity);
        const columns = own.map(({ column }) => column);
        const narrow = narrowed(rows, [...columns, ...Object.keys(declared.when ?? {})]);
        const table = `${database.name}.${rows.name}`;
        for await (const page of streamReading(database.sql, narrow)) {
          for (const row of page) {
            if (!holds(declared.when, valuesIn({ database, rows: narrow }, declared, row))) continue;
            for (const link of own) {
              const id = row[link.column] ?? "";
              const isErased =
                typeof link.erase === "string"
                  ? link.erase === "delete" || !rows.key.includes(link.column)
                  : "set" in link.erase || "expires" in link.erase;
              if (id !== "") yield { link, table, id, isErased };
            }
          }
        }
      }
    },
    async mentions(isNamed, { subject, ids, work }) {
      const known = new Set(ids.map((id) => id.toLowerCase()));
      const direct = rowLinks(model, subject).filter(({ parent }) => parent === undefined);
      const counts = new Map<string, MentioningRows>();
      const entities = Object.entries(model.entities).filter(([, { from }]) => "database" in from);
      for (const [role, [first]] of groupedBy(entities, ([, { from }]) => tableRole(from) ?? "")) {
        const { database, rows } = await tableOf(first?.[0] ?? "");
        const table = `${database.name}.${rows.name}`;
        const linked = new Set(direct.flatMap((link) => (link.table === role ? [link.column] : [])));
        const own = work.filter((each) => each.table === table);
        const nameOf = (key: Parameters<typeof keyText>[1]) => keyText(rows, key);
        const going = new Set(own.flatMap(({ deletes }) => deletes.map(({ key }) => nameOf(key))));
        const changing = new Map(
          own.flatMap(({ changes }) => changes.map(({ row, values }) => [nameOf(row.key), values])),
        );
        for await (const page of streamReading(database.sql, rows)) {
          for (const row of page) {
            if (going.has(nameOf(row))) continue;
            const changed = changing.get(nameOf(row)) ?? {};
            for (const [attribute, text] of Object.entries(row)) {
              if (text === null || attribute in changed) continue;
              if (linked.has(attribute) && known.has(text.toLowerCase())) continue;
              if (![...textsIn(text)].some(isNamed)) continue;
              const name = `${table} ${attribute}`;
              counts.set(name, { table, attribute, items: (counts.get(name)?.items ?? 0) + 1 });
            }
          }
        }
      }
      return [...counts.values()];
    },
    async *ownerless() {
      const links = new Map(
        rowLinks(model).flatMap((link) =>
          link.parent === undefined ? [] : [[`${link.table} ${link.column} ${link.parent.entity}`, link]],
        ),
      );
      for (const { entity, column, parent } of links.values()) {
        const [child, owner] = [await tableOf(entity), await tableOf(parent?.entity ?? "")];
        const { database, catalogue, rows } = child;
        const isHeld = foreignKeysTo(catalogue, owner.rows.name).some(
          ({ table, columns: [first] }) => table === rows.name && first === column,
        );
        // Two databases cannot be asked by one statement.
        if (isHeld || database !== owner.database || parent === undefined) continue;
        const known = { table: owner.rows.name, column: parent.field };
        const table = `${database.name}.${rows.name}`;
        for await (const page of danglingValues(database.sql, { table: rows, column }, known))
          for (const { value } of page) yield { table, value: value ?? "" };
      }
    },
  };
}

/** A text, and where it is JSON the texts in it, in which quotes and other letters would stand otherwise. */
function* textsIn(text: string): Generator<string> {
  yield text;
  if (!/^\s*[[{"]/.test(text)) return;
  try {
    yield* textsOf(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null)
    for (const each of Object.values(value)) yield* textsOf(each);
}
