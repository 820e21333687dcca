import { Command } from "@commander-js/extra-typings";
import { configFileName } from "../config/config-file.ts";
import { valueOf } from "../config/config.ts";
import { settingsOf, type SettingKey } from "../config/settings.ts";
import { CliError } from "../errors.ts";
import { table } from "../output/table.ts";
import type { AnyCommand, Begin } from "./command.ts";

/** `mawps config show|trust`: every setting, its value, where it came from, and where it could be said. */
export function config(noun: AnyCommand, begin: Begin): void {
  noun.addCommand(
    new Command("show")
      .description("every setting with its value and where it came from")
      .addHelpText("after", "\nExample:\n  mawps config show --json")
      .action(async (_options, command) => {
        const run = await begin(command as AnyCommand);
        const rows = Object.entries(settingsOf(run.config.site)).map(([key, { env }]) => ({
          key,
          value: valueOf(run.config, key) ?? null,
          source: run.sources[key as SettingKey],
          variable: env[0],
        }));
        await run.printRows(rows, (all, layout) =>
          table(
            all,
            [
              { title: "SETTING", cell: ({ key }) => key },
              { title: "VALUE", cell: ({ value }) => valueText(value), least: 12 },
              {
                title: "FROM",
                cell: ({ source }) => source,
                least: 12,
                tone: ({ source }) => (source === "default" ? "dim" : undefined),
              },
              { title: "VARIABLE", cell: ({ variable }) => variable ?? "" },
            ],
            layout,
          ),
        );
      }),
  );
  noun.addCommand(
    new Command("trust")
      .description("believe the configuration file found from here, as it is now, and where it sends things")
      .addHelpText("after", "\nExample:\n  mawps config trust")
      .action(async (_options, command) => {
        const run = await begin(command as AnyCommand);
        const { file } = run;
        if (file === undefined) throw new CliError(`there is no ${configFileName} here or above`);
        const { placesOfOthers, trust, wordOf } = await import("../config/trust.ts");
        const places = placesOfOthers(run, file, "writes");
        if (!run.config.dryRun) await trust(run.world, wordOf(run, file));
        const does = run.config.dryRun ? "would believe" : "believed";
        await run.print({ path: file.path, places, dryRun: run.config.dryRun }, () =>
          [`${does} ${file.path}, until it changes`, ...places.map((place) => `  sends to ${place}`)].join(
            "\n",
          ),
        );
      }),
  );
}

/** As a variable takes it. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (Array.isArray(value)) return value.join(",");
  if (typeof value !== "object") return typeof value === "string" ? value : JSON.stringify(value);
  const pairs = Object.entries(value).map(([name, each]) => `${name}=${String(each)}`);
  return pairs.length === 0 ? "-" : pairs.join(",");
}
