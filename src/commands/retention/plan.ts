import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { heroFolder } from "../../model/keys.ts";
import { localTime } from "../../output/dates.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { RuleTotal, Totals } from "../../retention/plan.ts";
import type { PlanEntry } from "../../retention/plan-entry.ts";
import { ahead, expiryOption } from "../doc/options.ts";
import { overwriteFlag } from "../page-file.ts";
import type { Run } from "../run.ts";
import { stateColumn, stateTone } from "../../output/tones.ts";

/** `mawps retention plan`: each object and item that is due, and why; changes nothing. */
export function retentionPlan(begin: Begin): AnyCommand {
  return new Command("plan")
    .description("show each object and item that is due to be deleted, with the rule and the reason")
    .option("--output <file>", "also write the plan to a file, for `retention run <file>`")
    .option(...overwriteFlag)
    .option(
      "--until <when>",
      "what will be due by then, as things stand: 30d, or a day (2027-01-31)",
      expiryOption,
    )
    .option("--exit-code", "end with 5 when something is due")
    .addHelpText("after", "\nExample:\n  mawps retention plan --output plan.json")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [
        { environmentOf },
        { openRetention },
        { isActedOn, planRetention },
        { missingEngines },
        { taken, writePlan },
        { assertFree },
      ] = await Promise.all([
        import("./environment.ts"),
        import("../../retention/site.ts"),
        import("../../retention/plan.ts"),
        import("../../retention/engines.ts"),
        import("../../retention/plan-file.ts"),
        import("../../atomic-file.ts"),
      ]);
      const { dryRun } = run.config;
      const replaces = options.overwrite === true;
      if (options.until !== undefined) run.keepFromMetrics();
      const until = options.until && ahead("--until", options.until, run.machineNow());
      if (until !== undefined && options.output !== undefined)
        throw new CliError("--until looks ahead, and --output keeps what is to be carried out now", {
          exitCode: exitCodes.usage,
          hint: "leave one of the two out",
        });
      const path = options.output === undefined ? undefined : resolve(run.world.cwd, options.output);
      if (path !== undefined) await assertFree(path, { isReplaced: replaces, ...taken });
      const site = await openRetention(await run.unconnected("reads"), until);
      const missing = missingEngines(site);
      missing.catch(() => undefined);
      let entries = planRetention(site);
      if (path !== undefined && !dryRun) {
        const head = { created: site.rules.at.toISOString(), environment: await environmentOf(run, site) };
        entries = writePlan({ path, replaces }, head, entries);
      }
      let totals: Totals = { rules: [], there: 0 };
      let isArchived = false;
      const rows = async function* (): AsyncGenerator<PlanEntry> {
        let next = await entries.next();
        for (; next.done !== true; next = await entries.next()) {
          isArchived ||= isToArchive(next.value);
          yield next.value;
        }
        totals = next.value;
      };
      await run.printLines(rows(), asLine);
      if (!run.config.json) await run.print(totals, totalsText);
      if (until !== undefined)
        run.note(
          totals.rules.length === 0
            ? `that is until ${localTime(until)}, as things stand now`
            : `due by ${localTime(until)}, as things stand now; \`mawps retention run\` does it when it is due`,
        );
      if (path !== undefined) run.note(`${dryRun ? "would write" : "wrote"} ${path}`);
      noteUnknown(run, totals);
      if (isArchived) run.note(archiveText(run));
      for (const what of await missing) run.note(`${what}: \`mawps setup\` installs it`);
      const { count: due, bytes: dueBytes } = actedOn(totals.rules.filter(isActedOn));
      run.measure({ ItemsDue: due, Bytes: dueBytes });
      if (options.exitCode === true && due > 0) {
        const by = until === undefined ? "" : ` by ${localTime(until)}`;
        throw new CliError(`${count(due, "thing is", "things are")} due${by}`, {
          exitCode: exitCodes.due,
          hint: "`mawps retention run` does it",
        });
      }
    });
}

/** Whether the rows of a partition have to be kept before they go. */
export function isToArchive(entry: PlanEntry): boolean {
  return entry.kind === "partition" && entry.action === "purge" && entry.rows > 0;
}

function archiveText({ config }: Run): string {
  const isNamed = config.backup.repository !== undefined || config.target === "local";
  return isNamed
    ? "a run keeps the rows of partitions in the backup repository before it drops them"
    : "a run drops partitions once their rows are in a backup repository: name it by --repo or backup.repository, or pass --no-archive";
}

function asLine(entry: PlanEntry, layout: Layout): string {
  const { action, rule, reason, userId, ageDays } = entry;
  const columns = [
    `${ageDays} d`.padStart(7),
    bytes(entry.bytes).padStart(8),
    `${userId ?? "-"}  ${whatIs(entry)}`,
    `${rule}: ${reason}`,
  ];
  return `${paint(action.padEnd(12), stateTone(action), layout)}  ${visible(columns.join("  "))}`;
}

/** What some rules sum up to. */
export function actedOn(rules: readonly RuleTotal[]): Pick<RuleTotal, "count" | "bytes"> {
  return {
    count: rules.reduce((sum, rule) => sum + rule.count, 0),
    bytes: rules.reduce((sum, rule) => sum + rule.bytes, 0),
  };
}

/** The key of an object, or what names an item. */
export function whatIs(entry: PlanEntry): string {
  if ("key" in entry && entry.key !== undefined) {
    const [version] = entry.kind === "version" ? entry.versions : [];
    return version === undefined ? entry.key : `${entry.key} (version ${version.version})`;
  }
  if (entry.kind === "partition")
    return `partition ${entry.partition} of ${entry.table}: ${count(entry.rows, "row")}`;
  if (entry.kind === "document") return `document ${entry.documentId}`;
  return "item" in entry ? `${entry.table} ${Object.values(entry.item).join(" ")}` : "";
}

/** Tells of what is left alone although it is as old as what goes, place by place. */
export function noteUnknown(run: Run, { unknownPictures = [] }: Totals): void {
  for (const { bucket, prefix, count: number } of unknownPictures) {
    const [what, more] =
      prefix === heroFolder
        ? ["hero images", " (`mawps hero list --unknown` shows all there are)"]
        : ["avatars", ""];
    run.note(
      `${count(number, "old picture")} left alone under ${bucket}/${prefix}: nothing says that they ever were ${what}${more}`,
    );
  }
}

const doers = { run: "retention run", lifecycle: "S3's lifecycle, or retention run", ttl: "DynamoDB's TTL" };

/** The totals by rule, for people. */
export async function totalsText(
  { rules }: { rules: readonly RuleTotal[] },
  layout: Layout,
): Promise<string> {
  if (rules.length === 0) return "nothing is due";
  return `\n${await table(
    rules,
    [
      { title: "RULE", cell: ({ rule }) => rule },
      stateColumn({ title: "ACTION", cell: ({ action }) => action }),
      { title: "COUNT", cell: (total) => grouped(total.count), align: "right" },
      { title: "SIZE", cell: (total) => bytes(total.bytes), align: "right" },
      { title: "DONE BY", cell: ({ action, by }) => (action === "keep" ? "nobody" : doers[by]) },
    ],
    layout,
  )}`;
}
