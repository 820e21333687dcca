import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { LeftContents, Pruned } from "../../backup/prune.ts";
import type { PrunePolicy, Verdict } from "../../backup/prune-policy.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { count, grouped } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "./flags.ts";
import type { Run } from "../run.ts";
import type { Layout } from "../../output/layout.ts";
import { idColumn } from "../../output/tones.ts";

/** `mawps backup prune`: removes old backups by a policy, and what only they hold. */
export function backupPrune(begin: Begin): AnyCommand {
  return new Command("prune")
    .description("remove old backups, then what no backup refers to any more; the newest verified one stays")
    .option(...repoFlag)
    .option("--keep-last <n>", "the newest ones", whole)
    .option("--keep-daily <n>", "the newest of each of so many days that have one", whole)
    .option("--keep-weekly <n>", "of so many weeks, which begin on Monday", whole)
    .option("--keep-monthly <n>", "of so many months", whole)
    .option("--keep-within <time>", "all that are at most so much older than the newest: 36h, 14d, 8w", time)
    .addHelpText(
      "after",
      "\nExample:\n  mawps backup prune --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run",
    )
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const policy: PrunePolicy = {
        last: options.keepLast,
        daily: options.keepDaily,
        weekly: options.keepWeekly,
        monthly: options.keepMonthly,
        withinMs: options.keepWithin,
      };
      const [{ isEmptyPolicy }, { openPrune }, { previewSweep, prune }] = await Promise.all([
        import("../../backup/prune-policy.ts"),
        import("../../backup/prune-plan.ts"),
        import("../../backup/prune.ts"),
      ]);
      if (isEmptyPolicy(policy)) {
        throw new CliError("nothing says what is to be kept", {
          exitCode: exitCodes.usage,
          hint: "for example --keep-daily 7 --keep-weekly 4 --keep-monthly 12",
        });
      }
      const context = await run.context("writes");
      const { site, verdicts } = await openPrune(context, { policy, repo: options.repo });
      if (context.dryRun) {
        const preview = await previewSweep(site, verdicts);
        const planned = { ...preview, removed: goingIn(verdicts), abandoned: [] };
        return run.print(asJson(run, verdicts, planned), async (_result, layout) =>
          asText(planned, { isDone: false, told: await verdictText(verdicts, layout) }),
        );
      }
      if (run.interactive) await run.outline((layout) => verdictText(verdicts, layout));
      await run.confirm({ question: questionOf(verdicts), destructive: true, deletes: true });
      await context.audit.open();
      context.progress("pruning");
      const pruned = await prune(site, { policy, doomed: new Set(goingIn(verdicts)) });
      run.measure({ Bytes: pruned.bytes });
      await run.print(asJson(run, verdicts, pruned), async (_result, layout) =>
        asText(pruned, { isDone: true, told: run.interactive ? "" : await verdictText(verdicts, layout) }),
      );
    });
}

function whole(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number.");
}

const hourMs = 60 * 60_000;

function time(text: string): number {
  const [, amount, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError("expected hours, days or weeks: 36h, 14d, 8w.");
  return Number(amount) * (unit === "h" ? 1 : unit === "d" ? 24 : 7 * 24) * hourMs;
}

function goingIn(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ isKept }) => !isKept).map(({ id }) => id);
}

function questionOf(verdicts: readonly Verdict[]): string {
  const going = goingIn(verdicts).length;
  if (going === 0) return "Remove what no backup refers to? No backup is to be removed.";
  const all = grouped(verdicts.length);
  return `Remove ${grouped(going)} of ${all} backups, and what only they hold?`;
}

function asJson(run: Run, verdicts: readonly Verdict[], pruned: Pruned) {
  const backups = verdicts.map(({ id, startedAt, reasons }) => ({
    id,
    startedAt,
    // Told by what was done: one that a policy gave up may have been spared since.
    kept: !pruned.removed.includes(id),
    reasons,
  }));
  return { dryRun: run.config.dryRun, backups, ...pruned };
}

function asText(
  pruned: Pruned,
  { isDone, told }: { readonly isDone: boolean; readonly told: string },
): string {
  const { removed, abandoned, contents, bytes: size, left } = pruned;
  const lines = told === "" ? [] : [told, ""];
  const what = `${count(removed.length, "backup")} and ${count(contents, "content")} of ${bytes(size)}`;
  lines.push(isDone ? `removed ${what}` : `would remove ${what}`);
  if (abandoned.length > 0) lines.push(`interrupted and not taken up: ${abandoned.join(", ")}`);
  if (left !== undefined) lines.push(leftText(left));
  return lines.join("\n");
}

function leftText(left: LeftContents): string {
  if (left.why === "damaged")
    return `contents stay: what ${left.ids.join(", ")} refer to cannot be read; remove them from snapshots/ by hand if they are nobody's`;
  return `contents stay: a backup is on its way, or was interrupted less than a day ago (${left.ids.join(", ")})`;
}

async function verdictText(verdicts: readonly Verdict[], layout: Layout): Promise<string> {
  if (verdicts.length === 0) return "";
  const { table } = await import("../../output/table.ts");
  return table(
    verdicts,
    [
      {
        title: "",
        cell: ({ isKept }) => (isKept ? "keep" : "remove"),
        tone: ({ isKept }) => (isKept ? "good" : "bad"),
      },
      idColumn({ title: "BACKUP", cell: ({ id }) => id }),
      { title: "WHY", cell: ({ reasons }) => reasons.join(", "), folds: true },
    ],
    layout,
  );
}
