import { Command, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { leavingSecretsOut } from "../../model/secrets.ts";
import { isTwin, twinKey } from "../../model/twin.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { TwinAge } from "../../site/twin/merge.ts";
import { configuredSite } from "../../target.ts";
import { tellLeftOut } from "../left-out.ts";
import { readStorageSource, withBrowserOptions, type SourceOptions } from "../storage-source.ts";
import type { Run } from "../run.ts";
import { changesText, toldChanges } from "./changes.ts";
import { carryOut, nothingToDo, type TwinOutcome } from "./write.ts";

/** `mawps twin migrate`: the twin comes from the browser into DynamoDB, and a newer state is never lost. */
export function twinMigrate(begin: Begin): AnyCommand {
  const command = new Command("migrate")
    .description("bring the twin from a browser, a file or stdin into DynamoDB, unless a newer one is there")
    .argument("[source]", `JSON of ${twinKey}, a dump of localStorage, or an export; - reads stdin`);
  return withBrowserOptions(command)
    .addOption(new Option("--merge", "take the newer of each section").conflicts("force"))
    .option("--force", "take the source, also when it is older")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps twin migrate digitalTwinTraining.json --dry-run\n  mawps twin migrate --from-browser chrome --origin https://www.example.com",
    )
    .action(async (source, options, command) => {
      const run = await begin(command as AnyCommand);
      const mode = options.merge === true ? "merge" : options.force === true ? "force" : "newer";
      const twin = await readTwinSource(run, { source, ...options });
      const [{ planMigration }, { readTwin }] = await Promise.all([
        import("../../site/twin/migration-plan.ts"),
        import("../../site/twin/store.ts"),
      ]);
      await refuseUnusable(run, twin);
      const context = await run.context("writes");
      context.audit.prepare();
      let read = await readTwin(context);
      if (!read.place.exists && !run.config.dryRun) {
        const { makeTwinTable } = await import("./table.ts");
        await makeTwinTable(run, context);
        read = await readTwin(context);
      }
      const plan = planMigration({ stored: read.current, source: twin, mode });
      if (plan.action === "refuse-newer") {
        await run.outline((layout) => changesText(toldChanges(run, plan.changes), layout));
        throw new CliError(
          `the stored twin is newer: ${ageText(plan.stored)}, the source ${ageText(plan.source)}; nothing was changed`,
          { hint: "--merge takes the newer of each section, --force takes the source" },
        );
      }
      if (plan.action === "nothing-to-do") {
        return run.print(nothingToDo(read), ({ version }) => `nothing to do: version ${version} is the same`);
      }
      // A merged twin is another one than the source that was looked at.
      if (mode === "merge") await refuseUnusable(run, plan.value);
      const outcome = await carryOut(
        run,
        { context, read },
        { ...plan, action: "twin.migrated", method: mode },
      );
      await run.print(outcome, (result) => outcomeText(result, run.config.dryRun));
    });
}

/** The twin in a source, without the secrets that a page may have put into it: they stay where they are. */
export async function readTwinSource(
  run: Run,
  options: SourceOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const value = await readStorageSource(run, options, { key: twinKey, fits: isTwin, what: "digital twin" });
  const { value: twin, left } = leavingSecretsOut(configuredSite(run.config).secrets, value);
  tellLeftOut(run, left);
  // What `fits` has let through.
  return twin as Readonly<Record<string, unknown>>;
}

async function refuseUnusable(run: Run, twin: unknown): Promise<void> {
  const { validateTwin } = await import("../../site/twin/validate.ts");
  const { findings } = validateTwin(twin);
  const unusable = findings.filter(({ severity }) => severity === "unusable");
  if (unusable.length > 0) {
    throw new CliError("this twin cannot be stored:", {
      details: unusable.map(({ path, problem }) => `${path === "" ? "the twin" : path} ${problem}`),
      exitCode: exitCodes.findings,
      hint: "`mawps twin validate` shows all that was found; nothing was changed",
    });
  }
  if (findings.length > 0) {
    run.note(`${count(findings.length, "finding")} in this twin; \`mawps twin validate\` shows more`);
  }
}

function ageText(age: TwinAge | undefined): string {
  return age === undefined ? "has no date" : `${age.field} ${age.date}`;
}

function outcomeText({ changes, table, version }: TwinOutcome, dryRun: boolean): string {
  const fields = count(changes.length, "field");
  return dryRun
    ? `${fields} would change in ${table}; nothing was changed (dry run)`
    : `${fields} changed; the digital twin is version ${version} in ${table}`;
}
