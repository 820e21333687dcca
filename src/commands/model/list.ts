import { Command } from "@commander-js/extra-typings";
import type { Model } from "../../model/schema.ts";
import { shippedModels } from "../../model/shipped.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";

interface Row {
  readonly name: string;
  readonly about: string;
  readonly entities: number;
  readonly features: readonly string[];
  /** Whether it is the one of the setting `model`; a file that is chosen is the last row. */
  readonly chosen: boolean;
}

/** `mawps model list`: the models that travel with mawps. */
export function modelList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the models that travel with mawps, and which one is chosen")
    .addHelpText("after", "\nExample:\n  mawps model list")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { model: chosen, site } = run.config;
      const row = (name: string, { about = "", entities, features = {} }: Model): Row => ({
        name,
        about,
        entities: Object.keys(entities).length,
        features: Object.keys(features),
        chosen: name === chosen,
      });
      const shipped = await Promise.all(
        Object.entries(shippedModels).map(async ([name, load]) => row(name, await load())),
      );
      const isFile = !Object.hasOwn(shippedModels, chosen);
      await run.printRows([...shipped, ...(isFile ? [row(chosen, site)] : [])], (all, layout) =>
        table(
          all,
          [
            { title: "", cell: ({ chosen }) => (chosen ? "*" : "") },
            { title: "MODEL", cell: ({ name }) => name },
            { title: "ENTITIES", cell: ({ entities }) => String(entities), align: "right" },
            { title: "ABOUT", cell: ({ about }) => about, folds: true },
          ],
          layout,
        ),
      );
    });
}
