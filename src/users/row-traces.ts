import type { Declaration } from "../model/declaration.ts";
import { isAbout } from "../model/links.ts";
import { objectsOf } from "../model/objects.ts";
import { fileOf, isOfOthers, isOwnFile, type FilePlace } from "../model/row-files.ts";
import type { Model } from "../model/schema.ts";
import type { PeopleRows } from "../stores/person-rows.ts";
import type { PersonRow, PersonRows } from "../stores/person-tables.ts";
import type { RowChange, RowErasure } from "../stores/row-erasure.ts";

interface RowSite {
  readonly model: Model;
  readonly declaration: Declaration;
  readonly rows: PeopleRows;
}

/** What an erasure leaves of a kind of things, why, and for how long; null: for ever. */
export interface Kept {
  readonly what: string;
  readonly table: string;
  readonly items: number;
  readonly basis: string;
  readonly days: number | null;
}

/** A file that goes with a row of a database. */
export interface RowFile {
  readonly row: PersonRow;
  readonly place: FilePlace;
}

/** What rows of databases are of a person, by what an erasure does with it. */
export interface RowTraces {
  readonly rows: readonly RowErasure[];
  readonly rowFiles: readonly RowFile[];
  readonly kept: readonly Kept[];
  readonly held: readonly string[];
  /** Files that would go with rows, and are named by others that stay. */
  readonly staying: readonly Pick<FilePlace, "bucket" | "key">[];
  /** Why nothing of this may be done: rows that are somebody else's too. */
  readonly shared: readonly string[];
}

/**
 * Looks for the rows of a person in all databases, with the files that go with them: a row takes the one that is its owner's, and that no
 * row names which stays. Rows that would only expire are deleted, as nothing in them says when.
 */
export async function findRowTraces(site: RowSite, person: Person, pseudonym: string): Promise<RowTraces> {
  const { rows: people } = site;
  const { subject, ids } = person;
  const rows: RowErasure[] = [];
  const kept: Kept[] = [];
  const held = new Set<string>();
  const shared: string[] = [];
  for (const kind of await people.rowsOf(subject, ids)) {
    const { rows: found, ...of } = kind;
    const all = found.filter(({ others }) => others.length === 0);
    const touched = found.filter((row) => row.others.length > 0 && (isDeleted(row) || isEmptied(row)));
    if (touched.length > 0) {
      const columns = [...new Set(touched.flatMap(({ others }) => others))].join(", ");
      shared.push(
        `${touched.length} rows of ${kind.table} are the person's and, by ${columns}, somebody else's`,
      );
    }
    const deletes = all.filter(isDeleted);
    const staying = all.filter((row) => !isDeleted(row));
    const emptied = staying.filter(isEmptied);
    const changes = [
      ...(emptied.length === 0 ? [] : await people.emptying({ ...kind, rows: emptied }, pseudonym)),
      ...staying.flatMap((row) => (isEmptied(row) ? [] : changeOf(row, pseudonym))),
    ];
    kept.push(...keptOf(kind, staying), ...keptKeys(kind, emptied));
    for (const row of [...deletes, ...changes.map((change) => change.row)])
      if (row.held !== undefined) held.add(row.held);
    if (deletes.length + changes.length > 0) rows.push({ ...of, deletes, changes });
  }
  return { rows, ...(await filesOf(site, rows, person)), kept, held: [...held], shared };
}

interface Person {
  readonly subject?: string | undefined;
  readonly ids: readonly string[];
}

/** How many rows there still are to be deleted or changed. */
export function rowsLeft(rows: readonly RowErasure[]): number {
  return rows.reduce((sum, { deletes, changes }) => sum + deletes.length + changes.length, 0);
}

function isDeleted({ links }: PersonRow): boolean {
  return links.some(({ erase }) => erase === "delete" || (typeof erase === "object" && "expires" in erase));
}

/** What is about the person and stays under another name: an account, to which what is kept refers. */
function isEmptied({ links }: PersonRow): boolean {
  return links.some((link) => link.erase === "pseudonym" && isAbout(link));
}

/** Columns that name the person and get another name, or none. Those of the key stay. */
function changeOf(row: PersonRow, pseudonym: string): RowChange[] {
  const values = row.links.flatMap(({ erase, column }): [string, string | null][] => {
    if (column in row.key) return [];
    if (erase === "null") return [[column, null]];
    if (erase === "pseudonym") return [[column, pseudonym]];
    return typeof erase === "object" && "set" in erase ? [[column, erase.set]] : [];
  });
  return values.length === 0 ? [] : [{ row, values: Object.fromEntries(values) }];
}

/** A row counts once, by whichever of its links comes first. */
function keptOf({ what, table }: PersonRows, staying: readonly PersonRow[]): Kept[] {
  const kept = new Map<string, Kept>();
  for (const { links } of staying) {
    const [duty] = links.flatMap(({ erase }) =>
      typeof erase === "object" && "keep" in erase ? [erase.keep] : [],
    );
    if (duty === undefined) continue;
    const { basis, days = null } = duty;
    kept.set(basis, { what, table, items: (kept.get(basis)?.items ?? 0) + 1, basis, days });
  }
  return [...kept.values()];
}

function keptKeys({ what, table }: PersonRows, emptied: readonly PersonRow[]): Kept[] {
  const basis = "the id alone, to which what is kept refers";
  return emptied.length === 0 ? [] : [{ what, table, items: emptied.length, basis, days: null }];
}

async function filesOf(
  { model, declaration, rows: people }: RowSite,
  rows: readonly RowErasure[],
  person: Person,
): Promise<Pick<RowTraces, "rowFiles" | "staying">> {
  const files = declaration.buckets.map(({ role, name }) => ({
    bucket: name,
    kinds: objectsOf(model, role),
  }));
  // A journal's rows name no files of their own.
  const ofModel = rows.filter(({ entity }) => Object.hasOwn(model.entities, entity));
  const named = ofModel.flatMap(({ entity, deletes }) =>
    deletes.flatMap((row): RowFile[] => {
      const naming = { entity, fields: row.fields };
      const place = fileOf({ model, files }, naming);
      if (place === undefined || isOfOthers({ model }, place, person)) return [];
      return isOwnFile({ model }, naming, place) ? [{ row, place }] : [];
    }),
  );
  const others = await people.namedByOthers(
    rows,
    named.map(({ place }) => place.key),
  );
  return {
    rowFiles: named.filter(({ place }) => !others.has(place.key)),
    staying: named.flatMap(({ place }) => (others.has(place.key) ? [place] : [])),
  };
}
