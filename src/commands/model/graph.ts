import { Command } from "@commander-js/extra-typings";
import { loadModel } from "../../config/model-file.ts";
import { mermaid } from "../../model/graph.ts";
import type { AnyCommand, Begin } from "../command.ts";

/** `mawps model graph`: the model as a picture. */
export function modelGraph(begin: Begin): AnyCommand {
  return new Command("graph")
    .description("the model as a picture in mermaid, which GitHub and editors draw")
    .argument("[model]", "a shipped model or a file; by default the one of the setting")
    .addHelpText("after", "\nExample:\n  mawps model graph prework > prework.mmd")
    .action(async (name, _options, command) => {
      const run = await begin(command as AnyCommand);
      const drawn =
        name === undefined
          ? run.config.site
          : await loadModel(run.world, { value: name, source: "model graph" });
      const text = mermaid(drawn);
      await run.print({ mermaid: text }, () => text);
    });
}
