import { fileStamp } from "../../model/file-stamp.ts";
import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { partial } from "../partial.ts";
import type { RowOutcome } from "../../users/import.ts";
import { accountsToChange, changingAccounts } from "./site.ts";

/** More people than any site of this kind has. */
const mostBytes = 64 * 1024 ** 2;

/** `mawps user import`: an account for each row of a file. */
export function userImport(begin: Begin): AnyCommand {
  return new Command("import")
    .description("make an account for each row of a CSV or JSON file; addresses that have one are left")
    .argument("<file>", "CSV with a head (email,name,group), a JSON list, or what `user list` prints")
    .option(
      "--invite",
      "have Cognito send each new one an invitation; else nobody is told, and `user invite` does it later",
    )
    .option(
      "--failed <file>",
      "a new file for rows that failed, to be fed in again (default: failed-<time>.csv)",
    )
    .addHelpText("after", "\nExample:\n  mawps user import people.csv --dry-run")
    .action(async (given, { invite: isInvited = false, failed: failedFile }, command) => {
      const run = await begin(command as AnyCommand);
      const { world, config } = run;
      const [
        { readNamedFile },
        { assertFree, writeNewFile },
        { parseRows, rowsText },
        { carryOutImport, planImport },
      ] = await Promise.all([
        import("../../text-file.ts"),
        import("../../atomic-file.ts"),
        import("../../users/import-rows.ts"),
        import("../../users/import.ts"),
      ]);
      const stamp = fileStamp(world.now());
      const file = resolve(world.cwd, failedFile ?? `failed-${stamp}.csv`);
      await assertFree(file);
      const named = await readNamedFile(resolve(world.cwd, given), { what: "a list of people", mostBytes });
      if (named === undefined) throw new CliError(`there is no file ${given}`, { exitCode: exitCodes.usage });
      const rows = parseRows(named, given);
      const site = await accountsToChange(run);
      const plan = await planImport(site, rows);
      if (config.dryRun) {
        return run.printLines(
          streamed(
            plan.map(({ row: { number, email, groups }, existing, fault }) => ({
              row: number,
              email,
              outcome: fault !== undefined ? "failed" : existing === undefined ? "new" : "there",
              groups,
              error: fault ?? null,
              dryRun: true,
            })),
          ),
          ({ row, email, outcome, error }) =>
            `${row}  ${visible(email)}  ${error ?? (outcome === "new" ? "would be made" : "already exists")}`,
        );
      }
      const due = plan.filter(({ existing, fault }) => existing === undefined && fault === undefined).length;
      await run.confirm({
        question: `Make ${count(due, "account")} of ${count(plan.length, "row")}?`,
        destructive: false,
      });
      const changing = await changingAccounts(run, site);
      const failures: { readonly row: RowOutcome["row"]; readonly error: string }[] = [];
      let done = 0;
      const told = async function* () {
        for await (const each of carryOutImport(changing, plan, { isInvited })) {
          const { row, outcome, userId, joined, error, isWaiting = false } = each;
          if (error === undefined) done += 1;
          else failures.push({ row, error });
          yield {
            row: row.number,
            email: row.email,
            outcome,
            userId: userId ?? null,
            joined,
            error: error ?? null,
            isWaiting,
          };
        }
      };
      await run.printLines(told(), ({ row, email, outcome, joined, error, isWaiting }) =>
        [
          `${row}`,
          visible(email),
          outcome,
          ...(joined.length === 0 ? [] : [`into ${visible(joined.join(", "))}`]),
          ...(isWaiting ? ["never signed in: `mawps user invite` sends the invitation again"] : []),
          ...(error === null ? [] : [visible(error)]),
        ].join("  "),
      );
      if (failures.length === 0) return;
      const format = failedFile?.endsWith(".json") === true ? "json" : "csv";
      await writeNewFile(file, rowsText(failures, format));
      throw partial(
        failures.map(({ row, error }) => ({ what: `row ${row.number}, ${visible(row.email)}`, why: error })),
        done,
        { hint: `they are in ${file}; when the reason is gone: \`mawps user import ${file}\`` },
      );
    });
}

async function* streamed<T>(rows: readonly T[]): AsyncGenerator<T> {
  yield* rows;
}
