import { Command } from "@commander-js/extra-typings";
import { shippedModels } from "../../model/shipped.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";

interface Row {
  readonly name: string;
  readonly about: string;
  readonly entities: number;
  readonly features: readonly string[];
  /** Whether it is the one of the setting `model`. */
  readonly chosen: boolean;
}

/** `mawps model list`: the models that travel with mawps. */
export function modelList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the models that travel with mawps, and which one is chosen")
    .addHelpText("after", "\nExample:\n  mawps model list")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const rows = await Promise.all(
        Object.entries(shippedModels).map(async ([name, load]): Promise<Row> => {
          const { about = "", entities, features = {} } = await load();
          return {
            name,
            about,
            entities: Object.keys(entities).length,
            features: Object.keys(features),
            chosen: name === run.config.model,
          };
        }),
      );
      await run.printRows(rows, (all, layout) =>
        table(
          all,
          [
            { title: "", cell: ({ chosen }) => (chosen ? "*" : "") },
            { title: "MODEL", cell: ({ name }) => name },
            { title: "ENTITIES", cell: ({ entities }) => String(entities), align: "right" },
            { title: "ABOUT", cell: ({ about }) => about, least: 20 },
          ],
          layout,
        ),
      );
    });
}
