import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../audit/place.ts";
import { documentJson } from "../../model/documents.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { scannerOf } from "./scanner.ts";
import { documentColumns } from "./table.ts";

/** `mawps doc confirm`: what was sent for a requested document is looked at, and taken or removed. */
export function docConfirm(begin: Begin): AnyCommand {
  return new Command("confirm")
    .description("check and scan what was sent for a requested document; take it, or remove it")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id>", "id, as `mawps doc request` told it")
    .addHelpText("after", "\nExample:\n  mawps doc confirm user-123 doc-4f9c2a1b7d0e6f35")
    .action(async (given, id, _options, command) => {
      const run = await begin(command as AnyCommand);
      const { config } = run;
      const [{ confirmDocument }, { changeUnheld }, { wasRequested }] = await Promise.all([
        import("../../documents/confirm.ts"),
        import("../../documents/held.ts"),
        import("../../documents/remembered.ts"),
      ]);
      const context = await run.context("writes");
      const { site, user, assertFree } = await changeUnheld(context, given, id);
      const progress = await run.progress("looking at what was sent");
      const { entry, outcome } = await confirmDocument(site, user, {
        id,
        assertFree,
        wasRequested: (key) => wasRequested(trailOf(context), { documentId: id, key }),
        scanner: scannerOf(run),
        maxBytes: config.maxDocumentBytes,
        allowed: config.allowedTypes,
        dryRun: config.dryRun,
        onWarning: (warning) => run.warn(warning),
      });
      progress.stop();
      await run.print(documentJson(entry.userId, entry.document), (_result, layout) =>
        table(
          [entry.document],
          [
            { title: "RESULT", cell: () => outcome },
            ...documentColumns<typeof entry.document>((each) => each),
          ],
          layout,
        ),
      );
    });
}
