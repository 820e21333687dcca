import { differences, readCatalogue, type Catalogue, type Difference, type Fact } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { insertRows, keyText, rowsWithKeys } from "../sql/rows.ts";
import { loadScratch, type Seed, type Wanted } from "../sql/scratch.ts";
import { statementsIn } from "../sql/statements.ts";
import type { Sql } from "../sql/connection.ts";
import type { DatabaseWrite, Step } from "./step.ts";

/**
 * Compares a database with the SQL file of its model, which the server itself reads into a scratch database beside it: what
 * is missing is a step, what differs is told; nothing that is there is changed. Changes nothing but the scratch database.
 */
export async function planDatabase(database: Database): Promise<Step[]> {
  return (await compareDatabase(database)).steps;
}

/** A database beside what it should be. */
interface Compared {
  readonly steps: Step[];
  readonly wanted: Catalogue;
  readonly found: Catalogue;
}

/** The same, with both as the server describes them. */
export async function compareDatabase(database: Database): Promise<Compared> {
  const { sql, name, file, isThere, place } = database;
  const wanted = await loadScratch(sql, file, database.scratch);
  const found: Catalogue = isThere ? await readCatalogue(sql, place) : new Map();
  const step = { resource: "database" as const, name };
  const different = differences(wanted.catalogue, found);
  const made = statementsIn(file, sql.engine).flatMap((statement) => {
    const facts = madeBy(statement, wanted.catalogue);
    const [first] = facts;
    const isMissing = first !== undefined && facts.every((fact) => !found.has(fact));
    return isMissing ? [{ statement, facts: [first, ...facts.slice(1)] as const }] : [];
  });
  const told = new Set(made.flatMap(({ facts }) => facts));
  const columns = (table: string) =>
    [...wanted.catalogue.keys()].filter((fact) => fact.startsWith(`column ${table}.`)).length;
  const steps: Step[] = [
    isThere
      ? { ...step, aspect: "database", kind: "ok", to: "is there" }
      : { ...step, aspect: "database", kind: "create", to: sql.where, write: { do: "create-database" } },
    ...made.map(({ statement, facts: [fact] }): Step => {
      const [noun, of = ""] = fact.split(" ", 2);
      const to = noun === "table" ? `${columns(of)} columns` : (wanted.catalogue.get(fact) ?? "");
      const write = { do: "run-statement", statement } as const;
      return { ...step, aspect: fact, kind: "add", to: shortened(to), write };
    }),
    ...(await missingSeeds(sql, wanted, found)).map(({ table, rows }): Step => ({
      ...step,
      aspect: `rows of ${table.name}`,
      kind: "add",
      to: `${rows.length} of the model's file`,
      write: { do: "insert-rows", table, rows },
    })),
    ...partitionSteps(wanted.catalogue, found, database.scratch.now).map((each): Step => ({
      ...step,
      ...each,
    })),
    ...(isThere ? different : []).flatMap((each) => (told.has(each.fact) ? [] : differing(each, step))),
    ...additional(different, step),
  ];
  return { steps, wanted: wanted.catalogue, found };
}

type Resource = Pick<Step, "resource" | "name">;

/** What a statement makes, by the name that stands in it, as the server calls it. */
function madeBy(statement: string, catalogue: Catalogue): Fact[] {
  const [, noun = "", name = ""] =
    /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER|INDEX)\s+(?:IF\s+NOT\s+EXISTS\s+)?[`"]?(\w+)/i.exec(
      statement,
    ) ?? [];
  if (noun === "") return [];
  const kind = noun.toLowerCase();
  return [...catalogue.keys()].filter(
    (fact): fact is Fact =>
      fact === `${kind} ${name}` || (fact.startsWith(`${kind} `) && fact.endsWith(`.${name}`)),
  );
}

function differing({ fact, is, found, wanted }: Difference, step: Resource): Step[] {
  if (is === "additional" || fact.startsWith("partition ")) return [];
  const remedy = "setup changes nothing that is there: a migration does, or the model's file is wrong";
  const to =
    is === "missing"
      ? `is missing: ${shortened(wanted ?? "")}`
      : `is ${shortened(found ?? "")}; should be ${shortened(wanted ?? "")}`;
  return [{ ...step, aspect: fact, kind: "problem", to, remedy }];
}

/** What is there and declared nowhere: in one line, as it may well be right. */
function additional(all: readonly Difference[], step: Resource): Step[] {
  const facts = all
    .filter(({ fact, is }) => is === "additional" && !fact.startsWith("partition "))
    .map(({ fact }) => fact);
  if (facts.length === 0) return [];
  const named = facts.slice(0, mostNamed).join(", ");
  const more = facts.length > mostNamed ? `, and ${facts.length - mostNamed} more` : "";
  return [{ ...step, aspect: "beside the model", kind: "note", to: `${named}${more}` }];
}

const mostNamed = 10;

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Rows of the file that are not there, by their primary key. */
async function missingSeeds(sql: Sql, { seeds }: Wanted, found: Catalogue): Promise<Seed[]> {
  const missing = await Promise.all(
    seeds.map(async ({ table, rows }) => {
      if (!found.has(`table ${table.name}`)) return { table, rows };
      const there = new Set((await rowsWithKeys(sql, table, { rows })).map((row) => keyText(table, row)));
      return { table, rows: rows.filter((row) => !there.has(keyText(table, row))) };
    }),
  );
  return missing.filter(({ rows }) => rows.length > 0);
}

const yearsAhead = 2;

/**
 * Tables that have a partition for each year, `p2026`, and `future` for what comes later: those of the coming two years are
 * cut off `future`, best while it is empty.
 */
function partitionSteps(
  wanted: Catalogue,
  found: Catalogue,
  now: Date,
): Pick<Step, "aspect" | "kind" | "to" | "write">[] {
  const tables = [...wanted].flatMap(([fact, text]) => {
    const [, table] = /^partition (.+)\.future$/.exec(fact) ?? [];
    return table !== undefined && /^RANGE unix_timestamp\(/i.test(text) ? [table] : [];
  });
  return tables.flatMap((table) => {
    const there = found.has(`table ${table}`) ? found : wanted;
    const until = now.getUTCFullYear() + yearsAhead;
    const years = [...there.keys()].flatMap((fact) => {
      const [, year] = new RegExp(`^partition ${table}\\.p(\\d{4})$`).exec(fact) ?? [];
      return year === undefined ? [] : [Number(year)];
    });
    if (!there.has(`partition ${table}.future`)) return [];
    const from = Math.max(...years) + 1;
    if (years.length === 0 || from > until) return [];
    const missing = Array.from({ length: until - from + 1 }, (_, at) => from + at);
    const parts = missing.map(
      (year) => `PARTITION \`p${year}\` VALUES LESS THAN (UNIX_TIMESTAMP('${year + 1}-01-01 00:00:00'))`,
    );
    const statement = `ALTER TABLE \`${table}\` REORGANIZE PARTITION \`future\` INTO (${parts.join(", ")}, PARTITION \`future\` VALUES LESS THAN MAXVALUE)`;
    return [
      {
        aspect: `partitions of ${table}`,
        kind: "add" as const,
        to: missing.map((year) => `p${year}`).join(", "),
        write: { do: "run-statement", statement } as const,
      },
    ];
  });
}

/** Carries out one step's write on the connection of its database. */
export async function writeDatabase(
  { sql }: Database,
  write: Exclude<DatabaseWrite, { do: "create-database" }>,
): Promise<void> {
  if (write.do === "run-statement") return sql.run(write.statement);
  return insertRows(sql, write.table, write.rows);
}
