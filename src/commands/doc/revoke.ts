import { Command } from "@commander-js/extra-typings";
import { documentJson } from "../../model/documents.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";

/** `mawps doc revoke`: no link to a document works any more. */
export function docRevoke(begin: Begin): AnyCommand {
  return new Command("revoke")
    .description("end all links to a document, by moving its object; the document stays as it is")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id>", "id, as `mawps doc list` shows it")
    .addHelpText("after", "\nExample:\n  mawps doc revoke user-123 doc-4f9c2a1b7d0e6f35")
    .action(async (given, id, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ revokeLinks }, { changeUnheld }] = await Promise.all([
        import("../../documents/revoke.ts"),
        import("../../documents/held.ts"),
      ]);
      const { site, user, assertFree } = await changeUnheld(await run.context("writes"), given, id);
      const { dryRun } = run.config;
      const { entry, previousKey, key } = await revokeLinks(site, user, { id, dryRun, assertFree });
      await run.print(documentJson(entry.userId, entry.document), () =>
        visible(
          dryRun
            ? `would move ${previousKey} to ${key}`
            : `no link to ${entry.document.name} works any more; its object is at ${key}`,
        ),
      );
    });
}
