import { Command } from "@commander-js/extra-typings";
import { modelHash } from "../../model/hash.ts";
import { entityRows, type EntityRow } from "../../model/overview.ts";
import type { Model } from "../../model/schema.ts";
import { paint, type Layout } from "../../output/layout.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { namedModel } from "./named.ts";

/** `mawps model show`: every kind of thing of a model: where, whose, how long. */
export function modelShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("what a site stores: each kind of thing, where it is, whose, and how long it stays")
    .argument("[model]", "a shipped model or a file; by default the one of the setting")
    .addHelpText("after", "\nExamples:\n  mawps model show\n  mawps model show prework --json")
    .action(async (name, _options, command) => {
      const run = await begin(command as AnyCommand);
      const shown = await namedModel(run, name);
      const { about, region, subjects } = shown;
      const entities = entityRows(shown);
      await run.print(
        { name: shown.name, about, region, hash: modelHash(shown), subjects, entities },
        (_result, layout) => [heading(shown), ...entities.map((row) => entityText(row, layout))].join("\n\n"),
      );
    });
}

function heading(model: Model): string {
  const about = model.about === undefined ? [] : [model.about];
  const subjects = Object.entries(model.subjects).map(
    ([name, { what, ids }]) => `  ${name}: ${what} (${ids.join(", ")})`,
  );
  return [model.name, ...about, `hash ${modelHash(model)}`, "", "whose data it is:", ...subjects].join("\n");
}

function entityText(row: EntityRow, layout: Layout): string {
  const lines: (readonly [string, readonly string[]])[] = [
    ["where", [row.where]],
    ["keys", row.keys],
    ["whose", row.whose],
    ["erased", row.erasure],
    ["ends", row.howLong],
  ];
  const told = lines.flatMap(([title, texts]) =>
    texts.map((text, at) => `  ${paint((at === 0 ? title : "").padEnd(8), "dim", layout)}${text}`),
  );
  return [`${row.entity}: ${row.what}`, ...told].join("\n");
}
