import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../command.ts";
import { changeAndPrint } from "./changed.ts";
import { changeDocumentsWith } from "../../documents/site.ts";

/** `mawps doc rename`: another name, under which it is listed and downloaded. */
export function docRename(begin: Begin): AnyCommand {
  return new Command("rename")
    .description("give a document another name; the extension stays")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id>", "id, as `mawps doc list` shows it")
    .argument("<name>", "the new name")
    .addHelpText("after", "\nExample:\n  mawps doc rename user-123 doc-4f9c2a1b7d0e6f35 Lebenslauf-2026.pdf")
    .action(async (given, id, name, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ planRenaming }, { findDocuments }] = await Promise.all([
        import("../../documents/change.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: user } = await changeDocumentsWith(await run.context("writes"), (look) =>
        findDocuments(look, given),
      );
      await changeAndPrint(run, { site, user }, planRenaming(user, id, name.normalize("NFC")));
    });
}
