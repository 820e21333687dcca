import { Command } from "@commander-js/extra-typings";
import type { HeroPictures, StoredPicture } from "../../site/hero/history.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { idColumn } from "../../output/tones.ts";

type UnknownPicture = HeroPictures["unknown"][number];

/** `mawps hero list`: every picture that is or was live, newest first; or all others that lie where these do. */
export function heroList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("every picture that is or was a hero image, newest first, the live ones marked")
    .option(
      "--unknown",
      "the others under the same prefix: the website's own pictures, which mawps never touches",
    )
    .addHelpText("after", "\nExamples:\n  mawps hero list --json | jq -r .id\n  mawps hero list --unknown")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { heroPictures } = await import("../../site/hero/history.ts");
      const { heroes, unknown, unlisted } = await heroPictures(await run.context("reads"));
      for (const bucket of unlisted)
        run.warn(`the pictures in ${bucket} are not among these: it may not be listed`);
      if (options.unknown === true) return run.printRows(unknown, unknownText);
      await run.printRows(heroes, heroText);
      if (unknown.length > 0) {
        run.note(
          `${count(unknown.length, "more object")} beside them, of which nothing says that it ever was a hero image: \`mawps hero list --unknown\``,
        );
      }
    });
}

async function heroText(pictures: readonly StoredPicture[], layout: Layout): Promise<string> {
  if (pictures.length === 0) return "no hero images yet; set one with `mawps hero set <image>`";
  const buckets = new Set(pictures.map(({ bucket }) => bucket));
  return table(
    pictures,
    [
      idColumn({ title: "ID", cell: ({ id }) => id }),
      { title: "LIVE AS", cell: ({ liveAs }) => liveAs.join(", "), tone: () => "good" },
      { title: "MADE FOR", cell: ({ role }) => role },
      { title: "DATE", cell: made },
      { title: "SIZE", cell: (picture) => bytes(picture.bytes), align: "right" },
      {
        title: "VARIANTS",
        cell: ({ variants }) => (variants.length === 0 ? "" : String(variants.length)),
        align: "right",
      },
      ...(buckets.size > 1 ? [{ title: "BUCKET", cell: ({ bucket }: StoredPicture) => bucket }] : []),
    ],
    layout,
  );
}

async function unknownText(pictures: readonly UnknownPicture[], layout: Layout): Promise<string> {
  if (pictures.length === 0) return "no other pictures";
  return table<UnknownPicture>(
    pictures,
    [
      { title: "KEY", cell: ({ key }) => key },
      { title: "DATE", cell: made },
      { title: "SIZE", cell: (picture) => bytes(picture.bytes), align: "right" },
      { title: "BUCKET", cell: ({ bucket }) => bucket },
    ],
    layout,
  );
}

function made({ createdAt }: Pick<StoredPicture, "createdAt">): string {
  return createdAt === null ? "" : localTime(new Date(createdAt));
}
