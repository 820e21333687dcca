import type { RestoreOutcome, RestorePlan, RestoreSource } from "../../backup/native-restore.ts";
import { localTime } from "../../output/dates.ts";
import type { Context } from "../../context.ts";
import type { Run } from "../run.ts";

/** Plans, asks, restores and prints: what both of AWS's own restores do alike. */
export async function restoreNatively(
  run: Run,
  context: Context,
  { source, target }: { source: RestoreSource; target: string },
): Promise<void> {
  const { planRestore, carryOutRestore, sourceTable } = await import("../../backup/native-restore.ts");
  const plan = await planRestore(context, { source, target });
  const from = sourceTable(source);
  const at = plan.at === undefined ? "as late as possible" : `as of ${localTime(plan.at)}`;
  if (run.config.dryRun) {
    return run.print(
      { dryRun: true, table: target, from, at: plan.at, step: plan.step, settings: plan.settings },
      () => plannedText(plan, `${from} ${at}`),
    );
  }
  if (plan.step === "begin") {
    await run.confirm({
      question: `Restore ${from} ${at} into the new table ${target}? AWS bills it by the size of the table.`,
      destructive: false,
    });
  }
  await context.audit.open();
  if (plan.step === "begin" && plan.at !== undefined && source.kind === "time" && !source.isNamed) {
    run.note(
      `interrupted, DynamoDB goes on by itself; --at ${plan.at.toISOString()} --into ${target} waits on`,
    );
  }
  context.progress(`DynamoDB restores ${target}`);
  const outcome = await carryOutRestore(context, plan);
  await run.print(outcome, asText);
}

function plannedText({ step, target, settings }: RestorePlan, from: string): string {
  const said = {
    begin: `would restore ${from} into the new table ${target}`,
    wait: `DynamoDB restores ${target} already; would wait for it`,
    settle: `${target} is restored already; would complete its settings`,
  };
  const kept = [
    ...Object.keys(settings.tags).map((tag) => `tag ${tag}`),
    ...(settings.expiryAttribute === undefined ? [] : [`expiry by ${settings.expiryAttribute}`]),
    ...(settings.recoveryDays === undefined ? [] : [`recovery of ${settings.recoveryDays} days`]),
    ...(settings.stream === undefined ? [] : [`stream ${settings.stream}`]),
    ...(settings.deletionProtection ? ["deletion protection"] : []),
  ];
  return kept.length === 0 ? said[step] : `${said[step]}\nand give it back: ${kept.join(", ")}`;
}

function asText({ table, from, at, settings, unsupported }: RestoreOutcome): string {
  const moment = at === undefined ? "" : ` as of ${localTime(at)}`;
  return [
    `table ${table} has the items of ${from}${moment}`,
    ...(settings.length === 0 ? [] : [`given back: ${settings.join(", ")}`]),
    ...(unsupported.length === 0 ? [] : [`unknown to this server: ${unsupported.join(", ")}`]),
  ].join("\n");
}
