import { Command } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { changeAndPrint } from "./changed.ts";
import { changeDocumentsWith } from "../../documents/site.ts";

/** `mawps doc restore`: a soft delete is taken back. */
export function docRestore(begin: Begin): AnyCommand {
  return new Command("restore")
    .description("bring deleted documents back")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id...>", "ids, as `mawps doc list --deleted` shows them")
    .addHelpText("after", "\nExample:\n  mawps doc restore user-123 doc-4f9c2a1b7d0e6f35")
    .action(async (given, ids, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ isExpired, planRestoration, restorableObjects }, { findDocuments }] = await Promise.all([
        import("../../documents/change.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: user } = await changeDocumentsWith(await run.context("writes"), (look) =>
        findDocuments(look, given),
      );
      const plan = planRestoration(site, user, ids);
      const entries = plan.changes.map(({ entry }) => entry);
      const objects = await restorableObjects(site, entries);
      const [gone] = objects.gone;
      if (gone !== undefined) {
        throw new CliError(
          `the object of ${gone.document.id} (${gone.document.name}) is not there any more`,
          {
            hint: "a backup may hold it",
          },
        );
      }
      for (const { document } of entries) {
        if (isExpired(document, run.world.now())) {
          run.warn(`${document.id} is past its expiresAt: the next retention run deletes it again`);
        }
      }
      // Before the entry: what lives again S3 must not take.
      const kept = run.config.dryRun ? 0 : await objects.keep();
      if (kept > 0)
        run.note(
          `${count(kept, "object")} taken back from S3, which was to expire what retention had left to it`,
        );
      await changeAndPrint(run, { site, user }, plan);
    });
}
