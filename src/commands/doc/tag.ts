import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { changeAndPrint } from "./changed.ts";
import { tagOption } from "./options.ts";
import { changeDocumentsWith } from "../../documents/site.ts";

/** `mawps doc tag`: adds and removes tags of a document. */
export function docTag(begin: Begin): AnyCommand {
  return new Command("tag")
    .description("add tags to a document, or take them away")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id>", "id, as `mawps doc list` shows it")
    .argument("[tag...]", "tags to add", tagOption)
    .option("--remove <tag>", "a tag to take away; may be given several times", tagOption)
    .addHelpText("after", "\nExample:\n  mawps doc tag user-123 doc-4f9c2a1b7d0e6f35 checked --remove new")
    .action(async (given, id, add, options, command) => {
      const run = await begin(command as AnyCommand);
      const remove = options.remove ?? [];
      if (run.config.site.features?.documents?.fields.tags === undefined) {
        throw new CliError(`${run.config.site.name} has no tags`, {
          exitCode: exitCodes.usage,
          hint: 'its model says so: features.documents.fields has no "tags"',
        });
      }
      if (add.length === 0 && remove.length === 0) {
        throw new CliError("no tag given", {
          exitCode: exitCodes.usage,
          hint: "mawps doc tag <user> <id> <tag...>",
        });
      }
      const [{ planTags }, { findDocuments }] = await Promise.all([
        import("../../documents/change.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: user } = await changeDocumentsWith(await run.context("writes"), (look) =>
        findDocuments(look, given),
      );
      await changeAndPrint(run, { site, user }, planTags(user, id, { add, remove }));
    });
}
