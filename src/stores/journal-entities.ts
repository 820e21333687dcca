import { CliError } from "../errors.ts";
import type { Entity, Model } from "../model/schema.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { changesRows } from "../sql/row-change.ts";
import { areJournalsHidden, journalsIn } from "../sql/row-journal.ts";
import { rowTables } from "../sql/row-table.ts";
import { migrationStatements } from "../sql/schema-file.ts";

/**
 * A model with the journals of migrations, as far as they have rows that are somebody's by the same columns as those they come from: an
 * erasure deletes them, whatever it does with the rows themselves, as all that they serve is to bring these back.
 * @throws CliError where a migration changes rows, and the account may not know of the journals that have them as they were.
 */
export async function withJournals(model: Model, databases: readonly Database[]): Promise<Model> {
  const entities: Record<string, Entity> = {};
  for (const database of databases) {
    await assertJournalsShown(database);
    const { sql, place, role, engine } = database;
    const journals = await journalsIn(sql, place);
    if (journals.length === 0) continue;
    const tables = rowTables(await readCatalogue(sql, place, "journals"), engine);
    for (const { name, source } of journals) {
      const columns = new Set(tables.find((table) => table.name === name)?.columns.map((each) => each.name));
      for (const [of, entity] of Object.entries(model.entities)) {
        const { from, links = [], refs = {}, fields, what } = entity;
        if (!("database" in from) || from.database !== role || from.table !== source) continue;
        const columnOf = ({ by }: (typeof links)[number]) => (typeof by === "string" ? by : by.via);
        const own = links.filter((link) => columns.has(columnOf(link)));
        const vias = new Set(own.flatMap(({ by }) => (typeof by === "string" ? [] : [by.via])));
        if (own.length === 0) continue;
        entities[`${of} in ${name}`] = {
          what: `${what}, as a migration met them`,
          from: { ...from, table: name },
          ...(fields === undefined ? {} : { fields }),
          refs: Object.fromEntries(Object.entries(refs).filter(([column]) => vias.has(column))),
          links: own.map((link) => ({ ...link, role: "mention", erase: "delete" })),
        };
      }
    }
  }
  return { ...model, entities: { ...model.entities, ...entities } };
}

async function assertJournalsShown({ sql, place, name, engine, migrations }: Database): Promise<void> {
  if (!(await areJournalsHidden(sql, place))) return;
  const changes = Object.entries((await migrations?.()) ?? {}).some(
    ([file, text]) =>
      file.endsWith(".up.sql") &&
      migrationStatements(text, engine, { name: file, direction: "up" }).some(changesRows),
  );
  if (!changes) return;
  throw new CliError(
    `the user may not see the journals of migrations of database ${name}, which may have rows of the person; nothing was changed`,
    {
      hint: "GRANT SELECT, SHOW VIEW on the whole database, and DELETE on its mawps_journal_… tables, or erase as the owner",
    },
  );
}
