import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { mawpsModel } from "../../model/mawps.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { count } from "../../output/text.ts";
import { changeAndPrint } from "./changed.ts";
import { changeDocuments, openDocumentsWith } from "../../documents/site.ts";

/** `mawps doc rm`: a soft delete. */
export function docRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("delete documents; `mawps doc restore` brings them back until retention removes them")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id...>", "ids, as `mawps doc list` shows them")
    .option("--hard", "also take the entries away from where the website lists them")
    .addHelpText("after", "\nExample:\n  mawps doc rm user-123 doc-4f9c2a1b7d0e6f35 --hard --yes")
    .action(async (given, ids, options, command) => {
      const run = await begin(command as AnyCommand);
      const isMawps = run.config.site === mawpsModel;
      if (options.hard === true && !isMawps) {
        throw new CliError(`--hard is not for ${run.config.site.name}: its documents are in no list`, {
          exitCode: exitCodes.usage,
          hint: "leave it out",
        });
      }
      const [{ planDeletion }, { findDocuments }, { assertPersonNotHeld }, { holdsOfSite }] =
        await Promise.all([
          import("../../documents/change.ts"),
          import("../../documents/users.ts"),
          import("../../documents/held.ts"),
          import("../../audit/holds.ts"),
        ]);
      run.audit.prepare();
      const context = await run.context("writes");
      const [{ site: read, seen: user }, holds, actor] = await Promise.all([
        openDocumentsWith(context, (site) => findDocuments(site, given)),
        holdsOfSite(context),
        run.actor(),
      ]);
      const hard = options.hard === true;
      const by = { now: run.world.now(), actor, hard };
      const entries = user.entries.filter(({ document }) => ids.includes(document.id));
      const plan = planDeletion(user, ids, by);
      await assertPersonNotHeld(holds, read, { ...user, entries });
      if (plan.changes.length > 0 && !run.config.dryRun) {
        const names = plan.changes.map(({ entry }) => entry.document.name).join(", ");
        await run.confirm({
          question: `Delete ${count(plan.changes.length, "document")} of ${user.userId} (${names})${hard ? ", on the website too" : ""}?`,
          destructive: true,
          deletes: true,
        });
        // An answer may have been long in coming.
        if (!run.config.yes)
          await assertPersonNotHeld(await holdsOfSite(context), read, { ...user, entries });
      }
      await changeAndPrint(run, { site: await changeDocuments(context, read), user }, plan);
      if (isMawps && !hard && plan.changes.length > 0 && !run.config.dryRun) {
        run.note(
          "the website knows no deletion: its pages go on listing the entry; --hard takes it away there",
        );
      }
    });
}
