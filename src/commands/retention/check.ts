import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../audit/place.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { mawpsModel } from "../../model/mawps.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import { whyNoDocuments } from "../../model/reach.ts";
import { duration } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import { stateColumn } from "../../output/tones.ts";
import type { Breach } from "../../retention/check.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { spanOption } from "../doc/options.ts";
import { noteNobodies } from "../nobodies.ts";
import { whatIs } from "./plan.ts";
import { retentionSite } from "./site.ts";

/** AWS carries out its own rules (lifecycle, TTL) within about two days. */
const defaultLateMs = 2 * 86_400_000;

/** `mawps retention check`: whether what should be gone is gone; changes nothing. */
export function retentionCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description(
      "look whether what should be gone is gone, and files and entries of documents name each other",
    )
    .option("--late <span>", "how long after its time something may still be there (default: 2d)", spanOption)
    .addHelpText("after", "\nExamples:\n  mawps retention check\n  mawps retention check --late 12h --json")
    .action(async ({ late: lateMs = defaultLateMs }, command) => {
      const run = await begin(command as AnyCommand);
      const [{ breaches }, { openDocuments }, { rememberedOf }] = await Promise.all([
        import("../../retention/check.ts"),
        import("../../documents/site.ts"),
        import("../../documents/remembered.ts"),
      ]);
      const { site: model } = run.config;
      const why = model === mawpsModel ? undefined : whyNoDocuments(model, "check");
      const site = await retentionSite(run, "reads", new Date(run.machineNow().getTime() - lateMs));
      const context = await run.context("reads");
      const nobodies: Nobodies = new Map();
      const documents = why === undefined ? await openDocuments(context) : undefined;
      const remembered = async (userId: string) =>
        context.declaration.trail === undefined ? new Map() : rememberedOf(trailOf(context), userId);
      const checked = documents && { documents, rememberedOf: remembered, nobodies };
      context.progress("looking for what should be gone");
      const found: Row[] = [];
      for await (const breach of breaches(site, checked)) found.push(rowOf(breach));
      await run.printRows(found, (rows, layout) => asText(rows, { layout, lateMs }));
      noteNobodies(run, nobodies);
      if (why !== undefined) run.note(`no documents are looked at: ${why}`);
      run.measure({ Problems: found.length });
      if (found.length > 0) {
        throw new CliError(count(found.length, "finding"), {
          exitCode: exitCodes.findings,
          hint: "`mawps retention plan` shows what is due, `mawps doc check` what helps documents",
        });
      }
    });
}

interface Row {
  readonly kind: Breach["kind"];
  /** The rule that is not kept; null for halves of documents. */
  readonly rule: string | null;
  readonly userId: string | null;
  readonly what: string;
  readonly why: string;
}

function rowOf(breach: Breach): Row {
  if (breach.kind === "overdue") {
    const { rule, userId, reason } = breach.entry;
    return { kind: breach.kind, rule, userId, what: whatIs(breach.entry), why: reason };
  }
  const { kind, userId, key, what } = breach;
  return { kind, rule: null, userId, what: key ?? "-", why: what };
}

function asText(
  rows: readonly Row[],
  { layout, lateMs }: { readonly layout: Layout; readonly lateMs: number },
): Promise<string> | string {
  if (rows.length === 0)
    return `nothing is more than ${duration(lateMs)} overdue, and nothing lacks its other half`;
  return table(
    rows,
    [
      stateColumn({ title: "FINDING", cell: ({ kind }) => kind }),
      { title: "RULE", cell: ({ rule }) => rule ?? "-" },
      { title: "USER", cell: ({ userId }) => userId ?? "-", least: 12 },
      { title: "WHAT", cell: ({ what }) => what, least: 20 },
      { title: "WHY", cell: ({ why }) => why, least: 20 },
    ],
    layout,
  );
}
