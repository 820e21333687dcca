import { CliError, exitCodes } from "../../errors.ts";
import { whyNoMigrations } from "../../model/reach.ts";
import { count, visible } from "../../output/text.ts";
import type { SqlOutcome } from "../../migrations/sql-run.ts";
import type { SqlPlan } from "../../migrations/sql-plan.ts";
import type { SqlSite } from "../../migrations/sql-site.ts";
import { version } from "../../version.ts";
import { partial } from "../partial.ts";
import type { Run } from "../run.ts";
import { nothingToDo, nothingToTakeBack } from "./nothing.ts";

/** Whether the migrations of the site are those of its databases: MAWPS itself has none. */
export function hasSqlMigrations(run: Pick<Run, "config">): boolean {
  return whyNoMigrations(run.config.site) === undefined;
}

interface Chosen {
  readonly to?: string;
  readonly acceptChanged?: true;
}

interface Checked {
  readonly repo?: string;
  readonly backupCheck: boolean;
}

const tool = `mawps/${version}`;

/** `mawps migrate plan` of databases. */
export async function printSqlPlan(run: Run, options: Chosen): Promise<void> {
  const { plans } = await planned(run, "up", { ...options, access: "reads" });
  await printPlans(run, plans, options.to);
}

/** `mawps migrate up` of databases. */
export async function sqlUp(
  run: Run,
  options: Chosen & Checked & { readonly nativeBackup?: true; readonly batch?: number },
): Promise<void> {
  const { nativeBackup, batch } = options;
  if (nativeBackup === true || batch !== undefined) {
    const given = nativeBackup === true ? "--native-backup" : "--batch";
    throw new CliError(`${given} is for tables of DynamoDB: these migrations are of a database`, {
      exitCode: exitCodes.usage,
    });
  }
  const { sites, plans, changed } = await planned(run, "up", { ...options, access: "writes" });
  if (run.config.dryRun) return printPlans(run, plans, options.to);
  if (plans.length + changed.length === 0) return run.print({ applied: [] }, () => nothingToDo(options.to));
  await ask(run, plans, {
    options,
    question:
      plans.length === 0
        ? `Take ${changed.join(", ")} for applied with the files that are here?`
        : `Apply ${count(plans.length, "migration")} to ${databasesOf(plans)}?`,
  });
  const { applySql } = await import("../../migrations/sql-run.ts");
  const context = await run.context("writes");
  const wanted = { to: options.to, acceptChanged: options.acceptChanged === true, tool };
  const outcomes: SqlOutcome[] = [];
  for (const site of sites) outcomes.push(...(await applySql(context, site, wanted)));
  await run.print({ applied: outcomes }, () =>
    outcomes.length === 0
      ? "nothing was left to do: the ledger says so now"
      : outcomes.map(({ id, statements }) => `${id}: applied, ${count(statements, "statement")}`).join("\n"),
  );
}

/** `mawps migrate down` of databases. */
export async function sqlDown(run: Run, options: Pick<Chosen, "to"> & Checked): Promise<void> {
  const { sites, plans } = await planned(run, "down", { ...options, access: "writes" });
  if (run.config.dryRun || plans.length === 0) {
    return run.print({ plans }, () =>
      plans.length === 0 ? nothingToTakeBack(options.to) : plansText(plans),
    );
  }
  await ask(run, plans, {
    options,
    question: `Take back ${plans.map(({ migration }) => migration).join(", ")} of ${databasesOf(plans)}?`,
  });
  const { revertSql } = await import("../../migrations/sql-run.ts");
  const context = await run.context("writes");
  const outcomes: SqlOutcome[] = [];
  for (const site of sites) outcomes.push(...(await revertSql(context, site, { tool, to: options.to })));
  await run.print({ reverted: outcomes }, () => outcomes.map(revertedText).join("\n"));
  const left = outcomes.flatMap(({ id, back }) =>
    back.left.map(({ table, key, why }) => ({ what: `${id} ${table} ${key}`, why: `${why}; it stays` })),
  );
  const rows = outcomes.reduce((sum, { back }) => sum + back.rows, 0);
  if (left.length > 0) throw partial(left, rows);
}

function revertedText({ id, statements, back: { rows } }: SqlOutcome): string {
  const put = rows === 0 ? "" : `, ${count(rows, "row")} put back`;
  return `${id}: taken back, ${count(statements, "statement")}${put}`;
}

interface PlannedSites {
  readonly sites: readonly SqlSite[];
  readonly plans: readonly SqlPlan[];
  /** Applied, of which the files are others now. */
  readonly changed: readonly string[];
}

async function planned(
  run: Run,
  direction: "up" | "down",
  options: Chosen & { readonly access: "reads" | "writes" },
): Promise<PlannedSites> {
  const [{ openSqlMigrations }, { planSql }] = await Promise.all([
    import("../../migrations/sql-site.ts"),
    import("../../migrations/sql-plan.ts"),
  ]);
  const context = await run.context(options.access);
  const sites = await openSqlMigrations(context, { proves: true });
  return planSql(sites, { direction, to: options.to, acceptChanged: options.acceptChanged === true });
}

/** Where rows would go a backup has to be there, and whoever is asked is told of them. */
async function ask(
  run: Run,
  plans: readonly SqlPlan[],
  { options, question }: { readonly options: Checked; readonly question: string },
): Promise<void> {
  const [context, { assertDatabaseBackup }] = await Promise.all([
    run.context("writes"),
    import("../../migrations/safety-net.ts"),
  ]);
  for (const database of new Set(plans.map((plan) => plan.database))) {
    if (!options.backupCheck) break;
    const would = plans.filter((plan) => plan.database === database).flatMap(lossTexts);
    await assertDatabaseBackup(context, options.repo, { database, would });
  }
  await run.outline(() => plansText(plans));
  await run.confirm({ question, destructive: true });
}

function databasesOf(plans: readonly SqlPlan[]): string {
  return [...new Set(plans.map(({ database }) => database))].join(", ");
}

async function printPlans(run: Run, plans: readonly SqlPlan[], to: string | undefined): Promise<void> {
  await run.print({ plans }, () => (plans.length === 0 ? nothingToDo(to) : plansText(plans)));
}

function plansText(plans: readonly SqlPlan[]): string {
  return plans
    .map((plan) => {
      const { migration, description, database, statements, direction, isBegun } = plan;
      const does = direction === "up" ? "on" : "to take it back from";
      return [
        `${migration}  ${description}`,
        ...(isBegun ? ["  begun and interrupted: goes on"] : []),
        `  ${count(statements, "statement")} ${does} ${database}; tried there and back in a scratch database`,
        ...rowTexts(plan).map((text) => `  ${text}`),
        ...lossTexts(plan).map((text) => `  goes for good: ${text}`),
      ];
    })
    .map((lines) => lines.map(visible).join("\n"))
    .join("\n\n");
}

function rowTexts({ rows: all, direction }: SqlPlan): string[] {
  return all.map(({ table, rows }) => {
    if (direction === "down")
      return rows === null
        ? `rows of ${table} stay as they are: this database has no journal of what they were`
        : `puts back: ${count(rows, "row")} of ${table}, but for those changed since`;
    const many = rows === null ? "how many is known when it is run" : count(rows, "row");
    return `changes rows of ${table} (${many}); what they were is kept in a journal`;
  });
}

function lossTexts({ losses }: SqlPlan): string[] {
  return losses.map(({ what, rows }) =>
    what.startsWith("table ") ? `${what} (${count(rows, "row")})` : `${what} (${count(rows, "value")})`,
  );
}
