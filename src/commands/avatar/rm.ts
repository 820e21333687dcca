import { Command } from "@commander-js/extra-typings";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { changeDocuments, openDocumentsWith } from "../../documents/site.ts";

/** `mawps avatar rm`: no picture any more; the object stays until retention removes it. */
export function avatarRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("take a user's picture off their profile")
    .argument("<user>", "sub, user name or e-mail address")
    .addHelpText("after", "\nExample:\n  mawps avatar rm user-123 --yes")
    .action(async (given, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readAvatar, tellable }, { removeAvatar }, { resolveUser }] = await Promise.all([
        import("../../site/avatars/pointer.ts"),
        import("../../site/avatars/rm.ts"),
        import("../../documents/users.ts"),
      ]);
      run.audit.prepare();
      const context = await run.context("writes");
      const { site: read, seen: pointer } = await openDocumentsWith(context, async (site) =>
        readAvatar(site, await resolveUser(site, given, "refuse")),
      );
      const { userId, value } = pointer;
      const changed = value !== undefined && !run.config.dryRun;
      if (changed) {
        await run.confirm({
          question: `Take the picture of ${visible(userId)} off their profile? Its object stays until retention removes it.`,
          destructive: true,
          deletes: true,
        });
        await removeAvatar(await changeDocuments(context, read), pointer);
      }
      await run.print({ userId, previousImage: tellable(value), changed }, ({ previousImage }) =>
        previousImage === null
          ? `${visible(userId)} has no picture`
          : `${changed ? "no picture any more, it was" : "would take away"} ${visible(previousImage)}`,
      );
    });
}
