import { Command } from "@commander-js/extra-typings";
import { settings, type SettingKey } from "../config/config.ts";
import { table } from "../output/table.ts";
import type { AnyCommand, Begin } from "../program.ts";

/** `mawps config show`: every setting, its value, where it came from, and where it could be said. */
export function config(noun: AnyCommand, begin: Begin): void {
  noun.addCommand(
    new Command("show")
      .description("every setting with its value and where it came from")
      .addHelpText("after", "\nExample:\n  mawps config show --json")
      .action(async (_options, command) => {
        const run = await begin(command as AnyCommand);
        const rows = (Object.keys(settings) as SettingKey[]).map((key) => ({
          key,
          value: run.config[key] ?? null,
          source: run.sources[key],
          variable: settings[key].env[0],
        }));
        await run.printRows(rows, (all) =>
          table(all, [
            { title: "SETTING", cell: ({ key }) => key },
            { title: "VALUE", cell: ({ value }) => (value === null ? "-" : String(value)) },
            { title: "FROM", cell: ({ source }) => source },
            { title: "VARIABLE", cell: ({ variable }) => variable ?? "" },
          ]),
        );
      }),
  );
}
