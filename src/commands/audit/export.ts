import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../command.ts";
import { count, json } from "../../output/text.ts";
import { periodOf, since, until } from "./period.ts";
import { trailOf } from "../../audit/place.ts";

/** `mawps audit export`: the stored entries as they are, for an auditor or an archive. */
export function auditExport(begin: Begin): AnyCommand {
  return new Command("export")
    .description("the entries as they are stored, oldest first, one JSON object a line")
    .option("-o, --output <file>", "write to this file, which must not be there yet")
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .addHelpText("after", "\nExample:\n  mawps audit export --since 2026-01-01 -o audit-2026.ndjson")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ exportAudit }, { writeLines }] = await Promise.all([
        import("../../audit/list.ts"),
        import("../../audit/export-file.ts"),
      ]);
      const place = trailOf(await run.context("reads"));
      const entries = exportAudit(place, periodOf(options, run.world.now()));
      const { output } = options;
      if (output === undefined) {
        for await (const entry of entries) await run.write(`${json(entry)}\n`);
        return;
      }
      const { dryRun } = run.config;
      const written = await writeLines(entries, { path: output, cwd: run.world.cwd, dryRun });
      await run.print({ ...written, dryRun }, ({ file, entries: number }) =>
        dryRun
          ? `would write ${count(number, "entry", "entries")} to ${file}`
          : `${count(number, "entry", "entries")} written to ${file}`,
      );
    });
}
