import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { accountItems } from "../../model/links.ts";
import { mawpsModel } from "../../model/mawps.ts";
import { grouped } from "../../output/text.ts";
import { groupings, topOf } from "../../usage/sums.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { openDocuments } from "../../documents/site.ts";
import type { Run } from "../run.ts";
import { doingBy, engineOption } from "./engine.ts";
import { tellOfInventories, tellWhatIsLeftOut } from "./left-out.ts";
import { usageCsv, usageText } from "./usage-text.ts";

/** `mawps storage usage`: what there is and how much room it takes, the hidden part included. */
export function storageUsage(begin: Begin): AnyCommand {
  return new Command("usage")
    .description("what is stored and how much room it takes: old versions and unfinished uploads, too")
    .addOption(new Option("--by <what>", "sum up files by").choices(groupings).default("entity" as const))
    .option(
      "--top <number>",
      "so many groups, the rest in one; by default 20, and all with --json and --csv",
      atLeastOne,
    )
    .option("--user <user>", "only the files of this person: sub, user name or e-mail address")
    .addOption(engineOption())
    .option("--csv", "print a row a group, table, index as CSV")
    .option("--no-record", "do not keep today's sums for the comparison with later days")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps storage usage\n  mawps storage usage --by type --top 5\n  mawps storage usage --engine inventory",
    )
    .action(async ({ by, top, user: given, engine, csv, record }, command) => {
      const run = await begin(command as AnyCommand);
      if (csv === true && run.config.json)
        throw new CliError("--csv and --json are two formats", { exitCode: exitCodes.usage });
      const [{ measureUsage }, { measureDatabase }, { keptDays }, { namedPlace }] = await Promise.all([
        import("../../usage/measure.ts"),
        import("../../usage/databases.ts"),
        import("../../usage/history.ts"),
        import("../../backup/place.ts"),
      ]);
      if (given !== undefined) run.keepFromMetrics();
      const user = given === undefined ? undefined : await idOf(run, given);
      const doing = doingBy[engine];
      const progress = await run.progress(doing);
      const context = await run.context("reads");
      const { model, declaration } = context;
      const usage = await measureUsage(context.aws, {
        model,
        declaration,
        by,
        user,
        engine,
        ...(model.databases && { database: (role) => measureDatabase(context, role) }),
        repository: namedPlace(context),
        now: run.world.now(),
        signal: run.world.signal,
        onProgress: (looked) => progress.update(`${doing}: ${grouped(looked)} looked at`),
      });
      progress.stop();
      const isWhole = usage.failures.length === 0;
      if (isWhole) run.measure({ Bytes: usage.groups.reduce((sum, { bytes }) => sum + bytes, 0) });
      const before =
        user === undefined && isWhole
          ? (await keptDays(context, usage, { isKept: record })).at(-1)
          : undefined;
      const groups = topOf(usage.groups, top ?? (csv === true || run.config.json ? undefined : 20));
      if (csv === true) await run.write(usageCsv({ ...usage, by, groups }));
      else
        await run.print({ ...usage, by, user, groups, before }, (_result, layout) =>
          usageText({ ...usage, by, groups, before }, layout),
        );
      if (usage.tables.length > 0 && by === "entity" && run.config.target === "aws")
        run.note("tables and accounts are as AWS last counted them, some six hours ago at most");
      if ((usage.databases ?? []).length > 0 && by === "entity")
        run.note("tables of databases are as their servers have them in their books; rows are estimates");
      tellOfInventories(run, usage);
      tellWhatIsLeftOut(run, usage);
    });
}

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 on.");
  return Number(text);
}

/** By the accounts that the site's model tells of; where it tells of none, the id is what stands in the keys. */
async function idOf(run: Run, given: string): Promise<string> {
  const { site } = run.config;
  if (site === mawpsModel) {
    const { resolveUser } = await import("../../documents/users.ts");
    return resolveUser(await openDocuments(await run.context("reads")), given, "take");
  }
  if (accountItems(site) === undefined) return given;
  const [{ findPerson }, { openPeople }] = await Promise.all([
    import("../../users/person.ts"),
    import("../../users/people.ts"),
  ]);
  return (await findPerson(await openPeople(await run.context("reads"), "reads"), given)).userId;
}
