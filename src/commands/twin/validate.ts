import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { maxItemBytes } from "../../model/item-size.ts";
import { twinKey } from "../../model/twin.ts";
import { bytes } from "../../model/bytes.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { facts } from "../../output/table.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { TwinReport } from "../../site/twin/validate.ts";
import { withBrowserOptions } from "../storage-source.ts";
import { readTwinSource } from "./migrate.ts";

/** `mawps twin validate`: looks at a source without storing it; exit 4 when something is wrong. */
export function twinValidate(begin: Begin): AnyCommand {
  const command = new Command("validate")
    .description("look at a source without storing it: what is in it, what looks wrong, what would be lost")
    .argument("[source]", `JSON of ${twinKey}, a dump of localStorage, or an export; - reads stdin`);
  return withBrowserOptions(command)
    .addHelpText("after", "\nExample:\n  mawps twin validate digitalTwinTraining.json")
    .action(async (source, options, command) => {
      const run = await begin(command as AnyCommand);
      const twin = await readTwinSource(run, { source, ...options });
      const { validateTwin } = await import("../../site/twin/validate.ts");
      const report = validateTwin(twin);
      await run.print(report, asText);
      const { findings } = report;
      if (findings.length > 0) {
        const unusable = findings.filter(({ severity }) => severity === "unusable").length;
        throw new CliError(
          `${count(findings.length, "finding")}${unusable === 0 ? "" : `, ${unusable} of which ${unusable === 1 ? "keeps" : "keep"} it from being stored`}`,
          { exitCode: exitCodes.findings },
        );
      }
    });
}

function asText({ findings, unknownFields, counts, sizes, totalBytes }: TwinReport, layout: Layout): string {
  const { anecdotes, insights, filledFields } = counts;
  const table = facts([
    [
      "content",
      `${count(filledFields, "field")} filled, ${count(anecdotes, "anecdote")}, ${count(insights, "insight")}`,
    ],
    ["size", `${bytes(totalBytes)}, ${Math.ceil((100 * totalBytes) / maxItemBytes)}% of what an item holds`],
    ...Object.entries(sizes).map(([name, size]) => [`  ${visible(name)}`, bytes(size)] as const),
    ["unknown", unknownFields.length === 0 ? undefined : `${visible(unknownFields.join(", "))} (kept)`],
  ]);
  const lines = findings.map(({ severity, path, problem }) => {
    const isUnusable = severity === "unusable";
    const text = visible(`${isUnusable ? "!" : "?"} ${path === "" ? "the twin" : path} ${problem}`);
    return paint(text, isUnusable ? "bad" : "warning", layout);
  });
  return [table, ...lines].join("\n");
}
