import type { Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { scanLines } from "../aws/raw/scan-lines.ts";
import { sideBySide } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { secretPaths, secretTraces, type Secrets } from "../model/secrets.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { parseItemLine, type ItemTable } from "./item-line.ts";
import type { PlannedTable } from "./create.ts";
import type { BackupSite } from "./site.ts";
import { pacing, rateOf, type Rate } from "./rate.ts";

/** Items that are named; what more there are is counted. */
const mostNamed = 20;

/** Where secrets may not lie open, and what to do about it. */
export interface OpenPlace {
  readonly tables: readonly Pick<PlannedTable, "role" | "name" | "description" | "measure">[];
  /** At which the tables are read. */
  readonly rate: Rate | undefined;
  readonly databases?: readonly SecretDatabase[];
  readonly hint: string;
}

/** A database with the columns of it that are secret. */
export interface SecretDatabase {
  readonly database: Database;
  readonly columns: readonly { readonly table: string; readonly column: string }[];
}

/**
 * Looks at every item of the tables in which there may be secrets.
 * @throws CliError with where they are, as id and attributes of a table, and never what.
 */
export async function refuseOpenSecrets(
  site: Pick<BackupSite, "aws" | "declaration" | "signal" | "now">,
  { tables, rate, databases = [], hint }: OpenPlace,
): Promise<void> {
  const { secrets } = site.declaration;
  const read = tables
    .filter(({ role }) => secrets.tables.includes(role))
    .map(
      (table) => (signal: AbortSignal) =>
        openSecretsIn({ ...site, now: () => site.now(), signal }, table, rate),
    );
  const all = await sideBySide<{ readonly found: readonly string[]; readonly more: number }[]>(
    site.signal,
    read,
  );
  const named = all.flatMap(({ found }) => found);
  for (const each of databases) named.push(...(await openColumns(each)));
  if (named.length === 0) return;
  const shown = named.slice(0, mostNamed);
  const more = all.reduce((sum, each) => sum + each.more, named.length - shown.length);
  throw new CliError("secrets would lie open; nothing was written", {
    details: more === 0 ? shown : [...shown, `and ${more} more`],
    hint,
  });
}

/** Secret columns in which there is anything. */
async function openColumns({ database: { sql, name, place }, columns }: SecretDatabase): Promise<string[]> {
  const catalogue = await readCatalogue(sql, place);
  const open: string[] = [];
  for (const { table, column } of columns) {
    if (!catalogue.has(`column ${table}.${column}`)) continue;
    const some = `SELECT 1 AS found FROM ${sql.quoted(table)} WHERE ${sql.quoted(column)} IS NOT NULL LIMIT 1`;
    if ((await sql.rows(some)).length > 0) open.push(`${table}.${column} in database ${name}`);
  }
  return open;
}

/** Where there are secrets in a table, and how many more such places than are named. */
async function openSecretsIn(
  { declaration: { secrets }, ...site }: Pick<BackupSite, "aws" | "declaration" | "signal" | "now">,
  { name, description, measure }: OpenPlace["tables"][number],
  rate: Rate | undefined,
): Promise<{ readonly found: readonly string[]; readonly more: number }> {
  const { aws, signal } = site;
  const traces = secretTraces(secrets);
  const found: string[] = [];
  let more = 0;
  const pace = pacing(rateOf(site, measure, rate));
  const pages = scanLines(aws, { table: name, segment: 0, segments: 1, signal, ...pace });
  for await (const { lines } of pages) {
    if (!traces.test(lines.toString("latin1"))) continue;
    for (const line of linesOf(lines)) {
      const where = traces.test(line.toString("latin1"))
        ? secretsOf(secrets, line, { name, described: description.keys })
        : undefined;
      if (where === undefined) continue;
      if (found.length < mostNamed) found.push(where);
      else more += 1;
    }
  }
  return { found, more };
}

function* linesOf(page: Buffer): Generator<Buffer> {
  for (let start = 0; start < page.byteLength;) {
    const end = page.indexOf(0x0a, start);
    yield page.subarray(start, end === -1 ? page.byteLength : end);
    start = end === -1 ? page.byteLength : end + 1;
  }
}

function secretsOf(secrets: Secrets, line: Buffer, table: ItemTable): string | undefined {
  const item = plain(parseItemLine(line, table) as Item);
  const id = String(item[table.described.partition.name]);
  const paths = secretPaths(secrets, item, id);
  return paths.length === 0 ? undefined : `${id} (${paths.join(", ")}) in table ${table.name}`;
}
