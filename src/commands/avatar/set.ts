import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { resolve } from "node:path";
import type { SetAvatar } from "../../site/avatars/set.ts";
import { bytes } from "../../model/bytes.ts";
import { facts } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { changeDocumentsWith } from "../../documents/site.ts";

/** On JPEG's scale, as the hero image has it. */
const quality = 82;

/** `mawps avatar set`: a photo becomes a user's own picture. */
export function avatarSet(begin: Begin): AnyCommand {
  return new Command("set")
    .description("make an image a user's picture: cut square, upright, without metadata, private")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<image>", "JPEG, PNG, WebP, AVIF, TIFF or GIF; - reads it from stdin")
    .option("--size <pixels>", "of a side; a smaller picture is not enlarged", side, 512)
    .addHelpText("after", "\nExample:\n  mawps avatar set max@example.com photo.jpg")
    .action(async (given, image, { size }, command) => {
      const run = await begin(command as AnyCommand);
      const { world, config } = run;
      const [{ setAvatar }, { resolveUser }, { renderJpeg }, { readImage }] = await Promise.all([
        import("../../site/avatars/set.ts"),
        import("../../documents/users.ts"),
        import("../../images/picture.ts"),
        import("../../images/read.ts"),
      ]);
      const progress = await run.progress("preparing the picture");
      const name = image === "-" ? "standard input" : image;
      const read = await readImage(image === "-" ? world.stdin : resolve(world.cwd, image), { name });
      const crop = { width: size, height: size };
      const picture = await renderJpeg(read, { name, maxWidth: size, quality, crop });
      const { site, seen: userId } = await changeDocumentsWith(await run.context("writes"), (look) =>
        resolveUser(look, given, "refuse"),
      );
      const result = await setAvatar(site, userId, { picture, dryRun: config.dryRun });
      progress.stop();
      await run.print(result, (set) => asText(set, config.dryRun));
    });
}

function side(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 16 || number > 4096) {
    throw new InvalidArgumentError("expected 16 to 4096 pixels.");
  }
  return number;
}

function asText(set: SetAvatar, dryRun: boolean): string {
  return facts([
    ["user", visible(set.userId)],
    [dryRun ? "would be" : "picture", set.key],
    ["pixels", `${set.width} x ${set.height}`],
    ["size", bytes(set.bytes)],
    ["before", visible(set.previousImage ?? "none")],
  ]);
}
