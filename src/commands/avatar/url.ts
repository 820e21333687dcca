import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../command.ts";
import { changeDocumentsWith } from "../../documents/site.ts";
import { assertLinksOpen, expiresOption, tellOfLink } from "../links.ts";

/** `mawps avatar url`: a link that shows a user's picture, for a while. */
export function avatarUrl(begin: Begin): AnyCommand {
  return new Command("url")
    .description("print a link that shows a user's picture for a while")
    .argument("<user>", "sub, user name or e-mail address")
    .addOption(expiresOption())
    .option("--allow-shorter", "take a link that ends sooner, with temporary credentials")
    .addHelpText("after", "\nExample:\n  mawps avatar url max@example.com --expires 1h")
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      await assertLinksOpen(run);
      const [{ linkToAvatar }, { resolveUser }] = await Promise.all([
        import("../../site/avatars/link.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: userId } = await changeDocumentsWith(await run.context("writes"), (look) =>
        resolveUser(look, given, "refuse"),
      );
      const link = await linkToAvatar(site, userId, {
        expiresInSeconds: options.expires,
        allowShorter: options.allowShorter === true,
        dryRun: run.config.dryRun,
      });
      const result = { url: link.url, expiresAt: link.expiresAt.toISOString() };
      await run.printCode(result, ({ url }) => url ?? "");
      await tellOfLink(run, link);
    });
}
