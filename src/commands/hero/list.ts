import { Command } from "@commander-js/extra-typings";
import type { StoredPicture } from "../../site/hero/history.ts";
import { bytes } from "../../output/bytes.ts";
import { localTime } from "../../output/dates.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../../program.ts";
import { heroSite } from "./site.ts";

/** `mawps hero list`: every picture that is in the bucket, newest first. */
export function heroList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("every hero image in the bucket, newest first, the live ones marked")
    .addHelpText("after", "\nExample:\n  mawps hero list --json | jq -r .id")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readPointer }, { heroHistory }] = await Promise.all([
        import("../../site/hero/pointer.ts"),
        import("../../site/hero/history.ts"),
      ]);
      const site = await heroSite(run, "reads");
      const { pointer } = await readPointer(site);
      await run.printRows(await heroHistory(site, pointer), asText);
    });
}

async function asText(pictures: readonly StoredPicture[]): Promise<string> {
  if (pictures.length === 0) return "no hero images yet; set one with `mawps hero set <image>`";
  return table(pictures, [
    { title: "ID", cell: ({ id }) => id },
    { title: "LIVE AS", cell: ({ current }) => current ?? "" },
    { title: "MADE FOR", cell: ({ role }) => role },
    { title: "DATE", cell: ({ createdAt }) => localTime(new Date(createdAt)) },
    { title: "SIZE", cell: (picture) => bytes(picture.bytes), align: "right" },
    {
      title: "VARIANTS",
      cell: ({ variants }) => (variants.length === 0 ? "" : String(variants.length)),
      align: "right",
    },
  ]);
}
