import { Command } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import { isRecord } from "../../model/json.ts";
import { progressAttributes } from "../../model/mawps.ts";
import { progressIn, progressKey } from "../../model/progress.ts";
import { leavingSecretsOut } from "../../model/secrets.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { configuredSite } from "../../target.ts";
import { tellLeftOut } from "../left-out.ts";
import { openDocumentsWith } from "../../documents/site.ts";
import { readStorageSource, withBrowserOptions } from "../storage-source.ts";

/** `mawps progress import`: a device's cache is merged into what is stored. */
export function progressImport(begin: Begin): AnyCommand {
  const command = new Command("import")
    .description("merge the progress in a browser, a file or stdin into a user's; newer data always stays")
    .argument("<user>", "id, user name or e-mail address")
    .argument(
      "[source]",
      "JSON of userProgress_<user id>, a dump of localStorage, or an export; - reads stdin",
    )
    .option("--create-profile", "make a profile for somebody without an account");
  return withBrowserOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  mawps progress import user-123 progress.json --dry-run\n  mawps progress import user-123 --from-browser chrome --origin https://www.example.com",
    )
    .action(async (user, source, options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ createProfile, resolveUser }, { importProgress }, { readProgress }] = await Promise.all([
        import("../../documents/users.ts"),
        import("../../site/progress/store.ts"),
        import("../../site/progress/read.ts"),
      ]);
      run.audit.prepare();
      const { site, seen: userId } = await openDocumentsWith(await run.context("writes"), (look) =>
        resolveUser(look, user, options.createProfile ? "make" : "account"),
      );
      const value = await readStorageSource(
        run,
        { source, ...options },
        {
          key: progressKey(userId),
          fits: (candidate) => progressIn(candidate) !== undefined,
          what: "progress",
        },
      );
      const { secrets } = configuredSite(run.config);
      const { value: open, left } = leavingSecretsOut(secrets, progressIn(value));
      const found = progressIn(open);
      if (found === undefined) throw new CliError("there is no progress in the source");
      const wrapped = isRecord(value) ? value[progressAttributes.updatedAt] : undefined;
      const { lastActivity } = readProgress(found, wrapped);
      tellLeftOut(run, left);
      const { dryRun } = run.config;
      const plan = await importProgress(site, run.audit, {
        userId,
        source: found,
        secrets,
        sourceUpdate: lastActivity === undefined ? undefined : new Date(lastActivity).toISOString(),
        createProfile: () => createProfile(site, { userId, ...(user.includes("@") ? { email: user } : {}) }),
        dryRun,
      });
      if (plan.action === "nothing-to-do") {
        const nothing = { userId, changed: false, newPages: [], changedPages: [], changedSections: [] };
        return run.print(nothing, () => "nothing to do: everything in the source already exists");
      }
      const { newPages, changedPages, changedSections } = plan;
      const result = { userId, changed: !dryRun, newPages, changedPages, changedSections };
      await run.print(result, () => {
        const what = `${count(newPages.length, "new page")}, ${count(changedPages.length, "changed page")}, ${count(changedSections.length, "changed section")}`;
        return dryRun ? `would import ${what} (dry run)` : `imported ${what}`;
      });
    });
}
