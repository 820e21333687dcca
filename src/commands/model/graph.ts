import { Command } from "@commander-js/extra-typings";
import { mermaid } from "../../model/graph.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { namedModel } from "./named.ts";

/** `mawps model graph`: the model as a picture. */
export function modelGraph(begin: Begin): AnyCommand {
  return new Command("graph")
    .description("the model as a picture in mermaid, which GitHub and editors draw")
    .argument("[model]", "a shipped model or a file; by default the one of the setting")
    .addHelpText("after", "\nExample:\n  mawps model graph prework > prework.mmd")
    .action(async (name, _options, command) => {
      const run = await begin(command as AnyCommand);
      const drawn = await namedModel(run, name);
      const text = mermaid(drawn);
      await run.printCode({ mermaid: text }, () => text);
    });
}
