import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { differences, readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";
import { missingRows } from "../sql/rows.ts";
import { withServerLock } from "../sql/server-lock.ts";
import { inTransaction } from "../sql/transaction.ts";
import { changedCode, pending, revertible } from "./choose.ts";
import { withLock, type Holding } from "./locked.ts";
import { insertsRows, type RegisteredSql } from "./sql-files.ts";
import { doneStatements, ledgerId, noteState, noteStatement } from "./sql-ledger.ts";
import type { PlannedSql } from "./sql-plan.ts";
import { assertAtVersion, course, standNow, type SqlSite, type Standpoint } from "./sql-site.ts";
import { putBackAt, runAnyStatement, type BroughtBack } from "./sql-rows.ts";
import { placeOf, type Direction, type Statement } from "./sql-statement.ts";
import { differenceTexts, fingerprint, narrowed, statesWithin } from "./sql-versions.ts";
import { noCounts, type MigrationState } from "./state.ts";

/** What came of one migration. */
export interface SqlOutcome extends Done {
  readonly id: string;
  readonly database: string;
}

interface Done {
  /** Statements that this run has sent. */
  readonly statements: number;
  /** What a `down` has put back. */
  readonly back: BroughtBack;
}

interface Working extends Holding {
  readonly context: Context;
  readonly site: SqlSite;
}

/**
 * Applies what is pending, in order, or goes on where a run was interrupted: what is pending is read again from ledger and schema once
 * nobody else can change them.
 * @throws CliError as `pending` and `assertAtVersion` do, and when somebody else is at it.
 */
export async function applySql(
  context: Context,
  { sites, wanted }: PlannedSql,
): Promise<readonly SqlOutcome[]> {
  const outcomes: SqlOutcome[] = [];
  for (const site of sites) {
    const done = await working(context, site, "up", async (run, stand) => {
      for (const { migration, checksum } of changedCode(site.registered, stand.states)) {
        const state = stand.states.get(migration.id);
        if (state === undefined) continue;
        const details = { migration: ledgerId(site.ledger, migration.id), method: "accept-changed" };
        await context.audit.change({ action: "migration.applied", details }, () =>
          noteState(site.ledger, run.lock, { ...state, checksum }),
        );
      }
      return each(run, pending(site.registered, stand.states, wanted), "up", stand);
    });
    outcomes.push(...done);
  }
  return outcomes;
}

/**
 * Takes back the newest migration, or all behind `to`, the newest first.
 * @throws CliError as `revertible` and `assertAtVersion` do, and when somebody else is at it.
 */
export async function revertSql(
  context: Context,
  { sites, wanted }: PlannedSql,
): Promise<readonly SqlOutcome[]> {
  const outcomes: SqlOutcome[] = [];
  for (const site of sites) {
    const done = await working(context, site, "down", (run, stand) =>
      each(run, revertible(site.registered, stand.states, wanted.to), "down", stand),
    );
    outcomes.push(...done);
  }
  return outcomes;
}

async function working<T>(
  context: Context,
  site: SqlSite,
  direction: Direction,
  work: (run: Working, stand: Standpoint) => Promise<T>,
): Promise<T> {
  const { sql, place } = site.database;
  return withLock(context, site.ledger, (holding) => {
    const onWait = (who: string) => context.progress(`connection ${who} is at it: waiting`);
    return withServerLock(sql, { place, signal: context.signal, onWait }, async () => {
      await limitWaiting(sql);
      const run = { ...holding, context, site };
      return work(run, await settled(run, await standNow(site), direction));
    });
  });
}

/** Whoever waits for a table longer than a minute has everybody else wait behind; a statement that works may take hours. */
async function limitWaiting(sql: Sql): Promise<void> {
  if (sql.engine === "postgres") {
    for (const setting of ["lock_timeout = '60s'", "statement_timeout = 0"]) await sql.run(`SET ${setting}`);
    return;
  }
  await sql.run("SET SESSION lock_wait_timeout = 60");
  // Of MariaDB alone; a limit that is not there is an empty answer.
  const limits = await sql.rows("SHOW VARIABLES LIKE 'max_statement_time'");
  if (limits.length > 0) await sql.run("SET SESSION max_statement_time = 0");
}

/**
 * A run that died behind its last statement, or before its first, has left no more than a note.
 * @throws CliError where the schema is at no version, or the other direction is under way.
 */
async function settled(run: Working, stand: Standpoint, direction: Direction): Promise<Standpoint> {
  const { site, lock } = run;
  assertAtVersion(site, stand, direction);
  if (!("at" in stand.place)) return stand;
  const { at } = stand.place;
  let isNoted = false;
  for (const [place, { migration }] of site.registered.entries()) {
    const state = stand.states.get(migration.id);
    if (state?.status !== "applying" && state?.status !== "reverting") continue;
    const status = place < at ? "applied" : "reverted";
    await noteState(site.ledger, lock, { ...state, status, endedAt: site.ledger.now().toISOString() });
    isNoted = true;
  }
  return isNoted ? standNow(site) : stand;
}

async function each(
  run: Working,
  chosen: readonly RegisteredSql[],
  direction: Direction,
  stand: Standpoint,
): Promise<readonly SqlOutcome[]> {
  const done: SqlOutcome[] = [];
  const { audit } = run.context;
  for (const registered of chosen) {
    const migration = ledgerId(run.site.ledger, registered.migration.id);
    const action = direction === "up" ? "migration.applied" : "migration.reverted";
    const known = stand.states.get(registered.migration.id);
    done.push(
      await audit.irreversible(
        { action, details: { migration } },
        () => carryOut(run, registered, direction, known),
        ({ statements }) => ({ done: statements }),
      ),
    );
  }
  return done;
}

/** One migration up or down, from wherever the schema is in it. */
async function carryOut(
  run: Working,
  registered: RegisteredSql,
  direction: Direction,
  known: MigrationState | undefined,
): Promise<SqlOutcome> {
  const { site, lock, by, context } = run;
  const { ledger, database, versions } = site;
  const { id } = registered.migration;
  const { from, to } = course(site, registered, direction);
  const [begun, ended] =
    direction === "up" ? (["applying", "applied"] as const) : (["reverting", "reverted"] as const);
  const goesOn = known?.status === begun;
  const state: MigrationState = {
    id,
    status: begun,
    checksum: registered.checksum,
    startedAt: goesOn ? known.startedAt : ledger.now().toISOString(),
    by,
    tool: `mawps/${context.version}`,
    counts: noCounts,
    batch: 0,
  };
  const found = await readCatalogue(database.sql, database.place);
  const isAtBegin = fingerprint(narrowed(found, versions.known)) === fingerprint(from);
  const first = isAtBegin
    ? 0
    : await statementAt(run, { registered, direction, found, since: state.startedAt });
  await noteState(ledger, lock, state);
  const done = await (database.engine === "mysql" ? oneByOne : atOnce)(run, {
    registered,
    direction,
    first,
    found,
    wanted: to,
  });
  await noteState(ledger, lock, { ...state, status: ended, endedAt: ledger.now().toISOString() });
  return { id, database: database.name, ...done };
}

interface Course {
  readonly registered: RegisteredSql;
  readonly direction: Direction;
  /** The first statement that is run. */
  readonly first: number;
  /** The live schema before it. */
  readonly found: Catalogue;
  /** What concerns migrations of the schema behind the last. */
  readonly wanted: Catalogue;
}

/** MySQL keeps each change of a schema at once: each statement is noted before and after it. */
async function oneByOne(
  run: Working,
  { registered, direction, first, found, wanted }: Course,
): Promise<Done> {
  const { site, lock, context } = run;
  const { sql, place } = site.database;
  const all = registered.migration[direction];
  const { id } = registered.migration;
  let live = found;
  const back: BroughtBack[] = [];
  for (const [at, statement] of all.entries()) {
    if (at < first) continue;
    context.signal.throwIfAborted();
    back.push(await bringBack(run, { id, direction, at }));
    context.progress(`${id}: statement ${at + 1} of ${all.length}`);
    const one = { id, direction, at, statement };
    const begun = { begunAt: site.ledger.now().toISOString(), before: fingerprint(live) };
    await noteStatement(site.ledger, lock, { ...one, ...begun });
    lock.assertHeld();
    await carryOutOne(run, one);
    live = await readCatalogue(sql, place);
    const done = { doneAt: site.ledger.now().toISOString(), after: fingerprint(live) };
    await noteStatement(site.ledger, lock, { ...one, ...begun, ...done });
  }
  back.push(await bringBack(run, { id, direction, at: all.length }));
  assertLedTo(run, registered, { live, wanted });
  return { statements: all.length - first, back: together(back) };
}

/** PostgreSQL takes a change of a schema back like any other: all of a migration is one transaction. */
async function atOnce(run: Working, { registered, direction, found, wanted }: Course): Promise<Done> {
  const { site, lock, context } = run;
  const { sql, place } = site.database;
  const all = registered.migration[direction];
  const { id } = registered.migration;
  const whole = { id, direction, at: 0, statement: all.join(";\n") };
  const begun = { begunAt: site.ledger.now().toISOString(), before: fingerprint(found) };
  await noteStatement(site.ledger, lock, { ...whole, ...begun });
  lock.assertHeld();
  const back: BroughtBack[] = [];
  const after = await inTransaction(sql, "COMMIT", async () => {
    for (const [at, statement] of all.entries()) {
      back.push(await bringBack(run, { id, direction, at }));
      context.progress(`${id}: statement ${at + 1} of ${all.length}`);
      await carryOutOne(run, { id, direction, at, statement });
    }
    back.push(await bringBack(run, { id, direction, at: all.length }));
    const live = await readCatalogue(sql, place);
    assertLedTo(run, registered, { live, wanted });
    return fingerprint(live);
  });
  await noteStatement(site.ledger, lock, {
    ...whole,
    ...begun,
    doneAt: site.ledger.now().toISOString(),
    after,
  });
  return { statements: all.length, back: together(back) };
}

/** Puts back the rows that `up` changed, where the way down has come to their place. */
async function bringBack(
  { site, lock, context }: Working,
  { id, direction, at }: Pick<Statement, "id" | "direction" | "at">,
): Promise<BroughtBack> {
  const putBacks = direction === "down" ? (site.versions.putBacks.get(id) ?? []) : [];
  if (!putBacks.some(({ point }) => point === at)) return together([]);
  context.progress(`${id}: putting rows back`);
  lock.assertHeld();
  return putBackAt(site.database, putBacks, at);
}

function together(all: readonly BroughtBack[]): BroughtBack {
  return { rows: all.reduce((sum, { rows }) => sum + rows, 0), left: all.flatMap(({ left }) => left) };
}

/** Rows that are there already are not put in a second time, nor changed twice. */
async function carryOutOne({ site }: Working, statement: Statement): Promise<void> {
  const { sql, place } = site.database;
  const seed = insertsRows(statement.statement) ? site.versions.seeds.get(placeOf(statement)) : undefined;
  const then =
    sql.engine === "mysql"
      ? `what stands before it is done; when the cause is mended, \`mawps migrate ${statement.direction}\` goes on with it`
      : "all of the migration was taken back";
  if (seed === undefined) return runAnyStatement(sql, { ...statement, place }, then);
  const { table, rows } = seed;
  const missing = await missingRows(sql, table, rows);
  if (missing.length > 0) await sql.insert(table, missing);
}

/**
 * Behind which statement of a migration the live schema is. Where it is the same behind several (rows were put in), the one that the
 * ledger has noted, or else the first: to put rows in twice does no harm.
 * @throws CliError where it is behind none of them.
 */
async function statementAt(
  { site }: Working,
  {
    registered,
    direction,
    found,
    since,
  }: Pick<Course, "registered" | "direction" | "found"> & { readonly since: string },
): Promise<number> {
  const { migration } = registered;
  const states = await statesWithin(site.database, site.registered, { migration, direction });
  const known = new Set([...site.versions.known, ...states.flatMap((each) => [...each.keys()])]);
  const facts = new Set([...known].filter((fact) => site.versions.isOfMigrations(fact)));
  const is = fingerprint(narrowed(found, facts));
  const same = states.flatMap((each, at) => (fingerprint(narrowed(each, facts)) === is ? [at] : []));
  const [first] = same;
  if (first === undefined) {
    const all = states.map((each) => differences(narrowed(each, facts), narrowed(found, facts)));
    const nearest = all.reduce((best, each) => (each.length < best.length ? each : best));
    throw new CliError(`the schema of ${site.database.name} is behind no statement of ${migration.id}`, {
      details: differenceTexts(nearest),
      hint: "nothing was changed; mend by hand what is told here, and run the same command again",
    });
  }
  const done = await doneStatements(site.ledger, { id: migration.id, direction, since });
  return same.includes(done) ? done : first;
}

function assertLedTo(
  { site }: Working,
  { migration }: RegisteredSql,
  { live, wanted }: { readonly live: Catalogue; readonly wanted: Catalogue },
): void {
  const left = differences(wanted, narrowed(live, site.versions.known));
  if (left.length === 0) return;
  throw new CliError(`${migration.id} led to another schema here than in the scratch database`, {
    details: differenceTexts(left),
    hint: "somebody else may have changed the schema meanwhile: mend it by hand, and run the same command again",
  });
}
