import { Command } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import { liveIn, liveVariants, pointers, type HeroPointer } from "../../site/hero/live.ts";
import { localTime } from "../../output/dates.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { facts } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";

/** `mawps hero show`: what the website shows now. */
export function heroShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("show which pictures are live")
    .option("--html", "print the <picture> element for them")
    .option("--open", "open the picture in the browser")
    .addHelpText("after", `\nExample:\n  mawps hero show --json | jq -r .${pointers.default}`)
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { readPointer } = await import("../../site/hero/pointer.ts");
      const { pointer } = await readPointer(await run.context("reads"));
      const url = liveIn(pointer, "default");
      if ((options.open ?? options.html) && url === null) {
        throw new CliError("no hero image is set", { hint: "set one with `mawps hero set <image>`" });
      }
      if (options.open && url !== null) await openInBrowser(run, url);
      if (options.html && url !== null) {
        const { pictureHtml } = await import("../../site/hero/html.ts");
        const html = pictureHtml({ url, variants: liveVariants(pointer) });
        await run.printCode({ ...pointer, html }, (result) => result.html);
        return;
      }
      await run.print(pointer, asText);
    });
}

/** @throws CliError when this machine opens none; the address is told then. */
async function openInBrowser(run: Run, url: string): Promise<void> {
  try {
    await run.world.openUrl(url);
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== "string") throw error;
    throw new CliError("there is no browser here to open the picture in", {
      hint: `open it elsewhere: ${visible(url)}`,
      cause: error,
    });
  }
}

function asText(pointer: HeroPointer, layout: Layout): string {
  const [url, hover] = [liveIn(pointer, "default"), liveIn(pointer, "hover")];
  if (url === null && hover === null) {
    return "no hero image is set; set one with `mawps hero set <image>`";
  }
  const live = (url: string | null) =>
    url === null ? paint("none", "dim", layout) : paint(visible(url), "good", layout);
  const variants = liveVariants(pointer);
  return facts([
    ["default", live(url)],
    ["hover", live(hover)],
    [
      "variants",
      variants.length === 0 ? undefined : variants.map(({ width, type }) => `${width} ${type}`).join(", "),
    ],
    ["updated", pointer.updatedAt === null ? undefined : updated(pointer.updatedAt)],
  ]);
}

/** What the website wrote there may be no time at all. */
function updated(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? visible(text) : localTime(date);
}
