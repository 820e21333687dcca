import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";

/** `mawps model init`: a draft of a model from what there is. */
export function modelInit(begin: Begin): AnyCommand {
  return new Command("init")
    .description("write a draft of a model from the buckets and tables that there are, every guess marked")
    .argument("[file]", "where to write it", written, "site.model.jsonc")
    .option("--name <name>", "what the site is called", siteName, "site")
    .option("--only <text>", "only buckets and tables whose names hold this")
    .addHelpText("after", "\nExample:\n  mawps model init shop.model.jsonc --name shop --only shop-")
    .action(async (file, { name, only }, command) => {
      const run = await begin(command as AnyCommand);
      const [{ draftModel }, { readModel }, { writeNewFile }, aws] = await Promise.all([
        import("../../survey/draft.ts"),
        import("../../model/read.ts"),
        import("../../atomic-file.ts"),
        run.aws("reads"),
      ]);
      const progress = await run.progress("looking at buckets and tables");
      const draft = await draftModel(aws, { name, only, signal: run.world.signal });
      progress.stop();
      for (const { what, why } of draft.failures) run.warn(`${what} could not be listed: ${why}`);
      const reading = readModel(draft.text);
      const faults = "faults" in reading ? reading.faults.length : 0;
      const path = resolve(run.world.cwd, file);
      if (!run.config.dryRun) await writeNewFile(path, [draft.text]);
      const { buckets, tables, guesses } = draft;
      await run.print({ path, written: !run.config.dryRun, buckets, tables, guesses, faults }, () =>
        [
          `${run.config.dryRun ? "would write" : "wrote"} ${path}: ${count(buckets, "bucket")}, ${count(tables, "table")}`,
          `${count(guesses, "guess", "guesses")} to look at: lines with "GUESS"`,
          ...(faults === 0 ? [] : [`${count(faults, "fault")} to mend: kinds of things that look alike`]),
          `next: \`mawps model check ${file}\``,
        ].join("\n"),
      );
    });
}

function written(text: string): string {
  if (text === "-") throw new InvalidArgumentError("name a file (./- is called -).");
  return text;
}

function siteName(text: string): string {
  if (!/^[^\p{Cc}]{1,100}$/u.test(text) || text.trim() === "")
    throw new InvalidArgumentError("expected a name of 1 to 100 letters.");
  return text;
}
