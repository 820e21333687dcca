import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { leavingSecretsOut } from "../../model/secrets.ts";
import { twinKey, twinType } from "../../model/twin.ts";
import { ownerId } from "../../model/user-id.ts";
import { bytes } from "../../model/bytes.ts";
import { json } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { configuredSite } from "../../target.ts";
import { tellLeftOut } from "../left-out.ts";
import { currentTwin } from "./current.ts";

/** `mawps twin export`: the twin as JSON, or as a console line that puts it back into a browser. */
export function twinExport(begin: Begin): AnyCommand {
  return new Command("export")
    .description("print the twin as JSON, or as a line for a browser's console that puts it back there")
    .addOption(
      new Option("--format <format>", "what to write")
        .choices(["json", "localstorage"] as const)
        .default("json" as const),
    )
    .option("-o, --output <file>", "write to a new file instead of stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps twin export -o twin.json\n  mawps twin export --format localstorage",
    )
    .action(async ({ format, output }, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readTwin }, { localStorageLine }] = await Promise.all([
        import("../../site/twin/store.ts"),
        import("../../site/twin/snippets.ts"),
      ]);
      // A twin that is not there is told before a trail that is not.
      void run.audit.open();
      const { value: whole, version } = currentTwin(await readTwin(await run.context("reads")));
      const { value, left } = leavingSecretsOut(configuredSite(run.config).secrets, whole);
      tellLeftOut(run, left);
      await run.audit.record({
        action: "twin.exported",
        userId: ownerId,
        details: { itemType: twinType, version: String(version), method: format },
      });
      const isLine = format === "localstorage";
      const text = isLine ? localStorageLine(twinKey, JSON.stringify(value)) : json(value, 2);
      if (output === undefined) return run.printCode(isLine ? { line: text } : value, () => text);
      const { writeNewFile } = await import("../../atomic-file.ts");
      const file = resolve(run.world.cwd, output);
      const { dryRun } = run.config;
      const content = `${text}\n`;
      if (!dryRun) await writeNewFile(file, [content]);
      const result = { file, version, format, bytes: Buffer.byteLength(content), dryRun };
      await run.print(
        result,
        (written) =>
          `${dryRun ? "would write" : "wrote"} version ${version}, ${bytes(written.bytes)}, to ${file}`,
      );
    });
}
