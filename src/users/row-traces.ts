import type { Declaration } from "../model/declaration.ts";
import { isAbout } from "../model/links.ts";
import { objectsOf } from "../model/objects.ts";
import { fileOf, isOwnFile, type FilePlace } from "../model/row-files.ts";
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
}

/**
 * Looks for the rows of a person in all databases, with the files that go with them: a row takes the one that is its owner's, and that no
 * row names which stays. Rows that would only expire are deleted, as nothing in them says when.
 */
export async function findRowTraces(
  site: RowSite,
  { subject, ids }: { readonly subject?: string | undefined; readonly ids: readonly string[] },
  pseudonym: string,
): Promise<RowTraces> {
  const { rows: people } = site;
  const rows: RowErasure[] = [];
  const kept: Kept[] = [];
  const held = new Set<string>();
  for (const kind of await people.rowsOf(subject, ids)) {
    const { rows: all, ...of } = kind;
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
  const { rowFiles, staying } = await filesOf(site, rows);
  for (const [bucket, files] of staying)
    kept.push({
      what: "files",
      table: bucket,
      items: files,
      basis: "an entry that stays names them",
      days: null,
    });
  return { rows, rowFiles, kept, held: [...held] };
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
): Promise<{ readonly rowFiles: readonly RowFile[]; readonly staying: ReadonlyMap<string, number> }> {
  const files = declaration.buckets.map(({ role, name }) => ({
    bucket: name,
    kinds: objectsOf(model, role),
  }));
  const named = rows.flatMap(({ entity, deletes }) =>
    deletes.flatMap((row): RowFile[] => {
      const naming = { entity, fields: row.fields };
      const place = fileOf({ model, files }, naming);
      return place !== undefined && isOwnFile({ model }, naming, place) ? [{ row, place }] : [];
    }),
  );
  const others = await people.namedByOthers(
    rows,
    named.map(({ place }) => place.key),
  );
  const staying = new Map<string, number>();
  for (const { place } of named)
    if (others.has(place.key)) staying.set(place.bucket, (staying.get(place.bucket) ?? 0) + 1);
  return { rowFiles: named.filter(({ place }) => !others.has(place.key)), staying };
}
