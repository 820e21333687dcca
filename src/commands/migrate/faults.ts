import { CliError, exitCodes } from "../../errors.ts";
import type { Standing } from "../../migrations/choose.ts";
import { count } from "../../output/text.ts";

/** @throws CliError with what is wrong (4), or where it is asked for with what is due (5). */
export function judge(
  rows: readonly Standing[],
  { faults, exitCode }: { readonly faults: readonly string[]; readonly exitCode: boolean },
): void {
  if (faults.length > 0) {
    throw new CliError(faults.join("; "), {
      exitCode: exitCodes.findings,
      hint: "docs/migrations.md tells what each means and what to do",
    });
  }
  const due = rows.filter(({ status }) => status === "pending" || status === "reverted").length;
  if (!exitCode || due === 0) return;
  throw new CliError(`${count(due, "migration is", "migrations are")} pending`, {
    exitCode: exitCodes.due,
    hint: "`mawps migrate plan` shows what they would do",
  });
}

/** What is wrong with a migration. */
export function faultOf(
  { id, status, isKnown, isCodeChanged, state }: Standing,
  isRunning: boolean,
): string[] {
  const conflicts = state?.counts.conflicts ?? 0;
  return [
    ...(isCodeChanged ? [`the code of ${id} is not the one that was applied`] : []),
    ...(isKnown || status === "reverted" ? [] : [`${id} was run by a newer version of mawps`]),
    ...(status === "applying" && !isRunning ? [`${id} was begun and not finished`] : []),
    ...(status === "reverting" && !isRunning
      ? [
          conflicts > 0
            ? `${id} is taken back but for ${count(conflicts, "user")}`
            : `taking back ${id} was interrupted`,
        ]
      : []),
  ];
}
