import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import { nobodiesCount, type Nobodies } from "../../model/nobodies.ts";
import { progressAttributes } from "../../model/mawps.ts";
import { leavingSecretsOut } from "../../model/secrets.ts";
import { count, json } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { UserProgress } from "../../site/progress/store.ts";
import { configuredSite } from "../../target.ts";
import { openDocuments } from "../../documents/site.ts";
import { tellLeftOut } from "../left-out.ts";
import { noteNobodies } from "../nobodies.ts";
import { BrokenData } from "./problems.ts";

/** `mawps progress export`: the progress of one user or of all, as it is stored or as rows for a spreadsheet. */
export function progressExport(begin: Begin): AnyCommand {
  return new Command("export")
    .description("print the progress of one user or of all, whole as JSON, or a row a page as CSV")
    .argument("[user]", "id, user name or e-mail address; default all who have progress")
    .option("-o, --output <file>", "write to a new file instead of stdout")
    .addOption(
      new Option("--format <format>", "what to write")
        .choices(["json", "ndjson", "csv"] as const)
        .default("json" as const),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mawps progress export user-123 -o progress.json\n  mawps progress export --format csv -o progress.csv",
    )
    .action(async (user, { format, output }, command) => {
      const run = await begin(command as AnyCommand);
      const [
        { progressJson, scanProgress, userProgress },
        { readProgress },
        { progressColumns, progressRows },
        { csvLine },
      ] = await Promise.all([
        import("../../site/progress/store.ts"),
        import("../../site/progress/read.ts"),
        import("../../site/progress/rows.ts"),
        import("../../output/csv.ts"),
      ]);
      // A user that is not there is told before a trail that is not.
      void run.audit.open();
      const site = await openDocuments(await run.context("reads"));
      const broken = new BrokenData();
      const { secrets } = configuredSite(run.config);
      const leftOut: string[] = [];
      const nobodies: Nobodies = new Map();
      // One user's is an object, as an import takes it.
      const isList = format === "json" && user === undefined;
      let users = 0;

      const record = async (userId: string | undefined) =>
        run.audit.record({
          action: "progress.exported",
          userId,
          details: { table: site.table, method: format },
        });
      async function* chosen(): AsyncGenerator<UserProgress> {
        if (user === undefined) {
          await record(undefined);
          return yield* scanProgress(site, nobodies);
        }
        const { resolveUser } = await import("../../documents/users.ts");
        const stored = await userProgress(site, await resolveUser(site, user, "refuse"));
        if (stored.progress === undefined) throw new CliError(`${stored.userId} has no progress yet`);
        await record(stored.userId);
        yield stored;
      }
      async function* texts(): AsyncGenerator<string> {
        if (format === "csv") yield csvLine(progressColumns);
        if (isList) yield "[";
        for await (const found of chosen()) {
          if (found.progress === undefined) continue;
          const { value: progress, left } = leavingSecretsOut(secrets, found.progress);
          leftOut.push(...left.map((path) => `${found.userId} ${progressAttributes.data}.${path}`));
          const stored = { ...found, progress };
          const read = readProgress(stored.progress, stored.updatedAt);
          broken.add(stored.userId, read);
          users += 1;
          if (format === "csv") yield progressRows(stored.userId, read.pages).map(csvLine).join("");
          else if (!isList) yield `${json(progressJson(stored))}\n`;
          else yield `${users === 1 ? "" : ","}${json(progressJson(stored))}`;
        }
        if (isList) yield "]\n";
      }

      if (output === undefined) {
        for await (const text of texts()) await run.write(text);
      } else {
        const file = resolve(run.world.cwd, output);
        const { dryRun } = run.config;
        if (dryRun) for await (const _text of texts());
        else await (await import("../../atomic-file.ts")).writeNewFile(file, texts());
        await run.print({ file, format, users, nobodies: nobodiesCount(nobodies), dryRun }, () =>
          dryRun
            ? `would write ${count(users, "user")} to ${file}`
            : `${count(users, "user")} written to ${file}`,
        );
      }
      noteNobodies(run, nobodies);
      tellLeftOut(run, leftOut);
      broken.warn(run);
      broken.end();
    });
}
