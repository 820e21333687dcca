import {
  differences,
  readCatalogue,
  tableOfFact,
  type Catalogue,
  type Difference,
  type Fact,
} from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { tableOfTwin } from "../sql/partition-twin.ts";
import { missingRows, raiseSequences, someRows } from "../sql/rows.ts";
import { loadScratch, type Seed, type Wanted } from "../sql/scratch.ts";
import { seen, unseenFacts } from "../sql/unseen.ts";
import type { Row } from "../sql/connection.ts";
import type { DatabaseWrite, Step } from "./step.ts";

/** A database beside what it should be. */
export interface Compared {
  readonly database: Database;
  /** What setup would do. */
  readonly steps: Step[];
  /** By the model's file, and as it is: both as the server describes them. */
  readonly wanted: Catalogue;
  readonly found: Catalogue;
}

/**
 * Compares a database with the SQL file of its model, which the server itself reads into a scratch database beside it: what
 * is missing is a step, what differs is told; nothing that is there is changed. Changes nothing but the scratch database.
 */
export async function compareDatabase(database: Database): Promise<Compared> {
  const { sql, role, name, file, isThere, place } = database;
  const wanted = await loadScratch(sql, file, database.scratch);
  const found: Catalogue = isThere ? await readCatalogue(sql, place) : new Map();
  const unseen = isThere
    ? await unseenFacts(sql, place, { wanted: wanted.catalogue, found })
    : new Set<Fact>();
  const step = { resource: "database" as const, name };
  const different = differences(seen(wanted.catalogue, unseen), seen(found, unseen));
  const made = wanted.effects.flatMap(({ statement, makes }) => {
    const facts = makes.filter((fact) => !unseen.has(fact));
    const [first] = facts;
    const isMissing = first !== undefined && facts.every((fact) => !found.has(fact));
    const isTrigger = makesTrigger(statement);
    return isMissing ? [{ statement, facts: [first, ...facts.slice(1)] as const, isTrigger }] : [];
  });
  const told = new Set(made.flatMap(({ facts }) => facts));
  const columns = (table: string) =>
    [...wanted.catalogue.keys()].filter((fact) => fact.startsWith(`column ${table}.`)).length;
  const adding = ({ statement, facts: [fact] }: (typeof made)[number]): Step => {
    const [noun, of = ""] = fact.split(" ", 2);
    const to = noun === "table" ? `${columns(of)} columns` : (wanted.catalogue.get(fact) ?? "");
    return {
      ...step,
      aspect: fact,
      kind: "add",
      to: shortened(to),
      write: { role, do: "run-statement", statement },
    };
  };
  const steps: Step[] = [
    isThere
      ? { ...step, aspect: "database", kind: "ok", to: "is there" }
      : {
          ...step,
          aspect: "database",
          kind: "create",
          to: sql.where,
          write: { role, do: "create-database" },
        },
    // What triggers write beside the rows of the file is among these rows already.
    ...made.filter(({ isTrigger }) => !isTrigger).map(adding),
    ...(await missingSeeds(database, wanted, { found, unseen })).map(({ table, rows }): Step => ({
      ...step,
      aspect: `rows of ${table.name}`,
      kind: "add",
      to: `${rows.length} of the model's file`,
      write: { role, do: "insert-rows", table, rows },
    })),
    ...made.filter(({ isTrigger }) => isTrigger).map(adding),
    ...partitionSteps(wanted.catalogue, found, database.scratch.now).map(({ statement, ...each }): Step => ({
      ...step,
      ...each,
      kind: "add",
      write: { role, do: "run-statement", statement },
    })),
    ...different.flatMap((each) => (told.has(each.fact) ? [] : differing(each, step))),
    ...additional(different, step, found),
    ...hidden(unseen, step),
  ];
  return { database, steps, wanted: wanted.catalogue, found };
}

/** Whether what a statement makes is a trigger, which has to come behind rows that are written as they were. Pure. */
export function makesTrigger(statement: string): boolean {
  return /^CREATE\s+(OR\s+REPLACE\s+)?TRIGGER\b/i.test(statement);
}

type Resource = Pick<Step, "resource" | "name">;

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
function additional(all: readonly Difference[], step: Resource, found: Catalogue): Step[] {
  const there = all
    .filter(({ fact, is }) => is === "additional" && !fact.startsWith("partition "))
    .map(({ fact }) => fact);
  const ofTwin = (fact: string) => tableOfTwin(found, fact.slice("table ".length));
  const twins = there.filter((fact) => ofTwin(fact) !== undefined);
  const facts = there.filter((fact) => !twins.includes(fact));
  return [...twins.map((fact) => leftOut(fact, ofTwin(fact) ?? "", step)), ...notes(facts, step)];
}

/** What a retention run has taken out of a table, and was killed before it came to an end with. */
function leftOut(fact: Difference["fact"], table: string, step: Resource): Step {
  const to = `has rows of ${table}, which a retention run took out of it and did not come to an end with`;
  return { ...step, aspect: fact, kind: "problem", to, remedy: "`mawps retention run` goes on with them" };
}

function notes(facts: readonly string[], step: Resource): Step[] {
  if (facts.length === 0) return [];
  return [{ ...step, aspect: "beside the model", kind: "note", to: listed(facts) }];
}

/** What the account may not see: whether it is right nobody can say. Of a table that is hidden only the table is named. */
function hidden(unseen: ReadonlySet<Fact>, step: Resource): Step[] {
  const isHidden = (table: string) => unseen.has(`table ${table}`);
  const facts = [...unseen].filter(
    (fact) => fact.startsWith("table ") || tableOfFact(fact, isHidden) === undefined,
  );
  if (facts.length === 0) return [];
  return [{ ...step, aspect: "not shown to this account", kind: "note", to: listed(facts) }];
}

function listed(facts: readonly string[]): string {
  const more = facts.length > mostNamed ? `, and ${facts.length - mostNamed} more` : "";
  return `${facts.slice(0, mostNamed).join(", ")}${more}`;
}

const mostNamed = 10;

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/**
 * Rows of the file that are not there: all of them where their table is new or empty, else those whose keys stand in the file. A
 * key that the server makes up (`UUID()`) is another one each time.
 */
async function missingSeeds(
  { sql, file }: Database,
  { seeds }: Wanted,
  { found, unseen }: { readonly found: Catalogue; readonly unseen: ReadonlySet<Fact> },
): Promise<Seed[]> {
  const missing = await Promise.all(
    seeds.map(async ({ table, rows }) => {
      if (unseen.has(`table ${table.name}`)) return { table, rows: [] };
      if (!found.has(`table ${table.name}`)) return { table, rows };
      // Of a table that lacks a column no row is as the file has it: the column is told.
      if (table.columns.some(({ name }) => !found.has(`column ${table.name}.${name}`)))
        return { table, rows: [] };
      if ((await someRows(sql, table, 1)).length === 0) return { table, rows };
      const isOfFile = (row: Row) =>
        table.key.length > 0 && table.key.every((column) => file.includes(`'${row[column] ?? ""}'`));
      return { table, rows: await missingRows(sql, table, rows.filter(isOfFile)) };
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
): (Pick<Step, "aspect" | "to"> & { readonly statement: string })[] {
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
        to: missing.map((year) => `p${year}`).join(", "),
        statement,
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
  await sql.insert(write.table, write.rows);
  await raiseSequences(sql, write.table);
}
