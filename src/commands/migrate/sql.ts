import { CliError, exitCodes } from "../../errors.ts";
import { count, visible } from "../../output/text.ts";
import type { SqlOutcome } from "../../migrations/sql-run.ts";
import { lossText } from "../../migrations/sql-losses.ts";
import type { PlannedSql, SqlPlan, SqlWanted } from "../../migrations/sql-plan.ts";
import { partial } from "../partial.ts";
import type { Run } from "../run.ts";
import { nothingToDo, nothingToTakeBack } from "./nothing.ts";

interface Chosen {
  readonly to?: string;
  readonly acceptChanged?: true;
}

interface Checked {
  readonly repo?: string;
  readonly backupCheck: boolean;
}

/** `mawps migrate plan` of databases. */
export async function printSqlPlan(run: Run, options: Chosen): Promise<void> {
  const { planSql } = await import("../../migrations/sql-plan.ts");
  await printPlans(run, await planSql(await run.context("reads"), wantedOf("up", options)));
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
  const [{ planSql }, { applySql }] = await Promise.all([
    import("../../migrations/sql-plan.ts"),
    import("../../migrations/sql-run.ts"),
  ]);
  const context = await run.context("writes");
  const planned = await planSql(context, wantedOf("up", options));
  const { plans, changed } = planned;
  if (context.dryRun) return printPlans(run, planned);
  if (plans.length + changed.length === 0) return run.print({ applied: [] }, () => nothingToDo(options.to));
  await run.outline(() => plansText(plans));
  const question =
    plans.length === 0
      ? `Take ${changed.join(", ")} for applied with the files that are here?`
      : `Apply ${count(plans.length, "migration")} to ${databasesOf(plans)}?`;
  await run.confirm({ question, destructive: true });
  const outcomes = await applySql(context, planned);
  const applied = outcomes.map(({ id, database, statements }) => ({ id, database, statements }));
  await run.print({ applied }, () =>
    outcomes.length === 0
      ? "nothing was left to do: the ledger says so now"
      : outcomes.map(({ id, statements }) => `${id}: applied, ${count(statements, "statement")}`).join("\n"),
  );
}

/** `mawps migrate down` of databases. */
export async function sqlDown(run: Run, options: Pick<Chosen, "to"> & Checked): Promise<void> {
  const [{ planSql }, { revertSql }] = await Promise.all([
    import("../../migrations/sql-plan.ts"),
    import("../../migrations/sql-run.ts"),
  ]);
  const context = await run.context("writes");
  const planned = await planSql(context, wantedOf("down", options));
  const { plans } = planned;
  if (context.dryRun || plans.length === 0) {
    return run.print({ plans }, () =>
      plans.length === 0 ? nothingToTakeBack(options.to) : plansText(plans),
    );
  }
  await run.outline(() => plansText(plans));
  const question = `Take back ${plans.map(({ migration }) => migration).join(", ")} of ${databasesOf(plans)}?`;
  await run.confirm({ question, destructive: true });
  const outcomes = await revertSql(context, planned);
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

function wantedOf(direction: SqlWanted["direction"], options: Chosen & Partial<Checked>): SqlWanted {
  const { to, acceptChanged = false, repo, backupCheck = false } = options;
  return { direction, to, acceptChanged, backupIn: backupCheck ? { repo } : undefined };
}

function databasesOf(plans: readonly SqlPlan[]): string {
  return [...new Set(plans.map(({ database }) => database))].join(", ");
}

async function printPlans(run: Run, { plans, wanted }: PlannedSql): Promise<void> {
  await run.print({ plans }, () => (plans.length === 0 ? nothingToDo(wanted.to) : plansText(plans)));
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
        ...plan.losses.map((loss) => `  goes for good: ${lossText(loss)}`),
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
