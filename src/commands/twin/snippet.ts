import { Command } from "@commander-js/extra-typings";
import { twinKey } from "../../model/twin.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { downloadLine } from "../../site/twin/snippets.ts";

/** `mawps twin snippet`: for a browser on another computer. */
export function twinSnippet(begin: Begin): AnyCommand {
  return new Command("snippet")
    .description(`print a line for a browser's console that downloads ${twinKey}, and no other key`)
    .addHelpText("after", "\nExample:\n  mawps twin snippet")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      await run.printCode({ line: downloadLine(twinKey) }, ({ line }) => line);
      run.note(`in the console of a page of the website; then \`mawps twin migrate ${twinKey}.json\``);
    });
}
