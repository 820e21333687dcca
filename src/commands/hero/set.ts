import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import type { SetHero, SetPicture } from "../../site/hero/set.ts";
import { bytes } from "../../model/bytes.ts";
import { duration } from "../../output/dates.ts";
import { facts } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { warnOfForeignType } from "./warnings.ts";

/** `mawps hero set`: a photo becomes the picture on the home page. */
export function heroSet(begin: Begin): AnyCommand {
  return new Command("set")
    .description("make an image the picture on the home page")
    .argument("[image]", "JPEG, PNG, WebP, AVIF, TIFF or GIF; - reads it from stdin")
    .option("--hover <image>", "the picture shown on hover; alone it leaves the other one as it is")
    .option("--max-width <pixels>", "scale down to at most this width", pixels, 2560)
    .option("--quality <1-100>", "quality of the JPEG", quality, 82)
    .option("--keep-original", "upload the bytes as they are, metadata (such as GPS) included")
    .option("--responsive", "also make WebP and AVIF at 640, 1280 and 1920 pixels")
    .option("--no-verify", "do not look at the public URL afterwards")
    .addOption(new Option("--retry", "what is done anyway; scripts may still say it").hideHelp())
    .addHelpText(
      "after",
      "\nExamples:\n  mawps hero set photo.jpg\n  mawps hero set photo.jpg --hover smile.png --responsive",
    )
    .action(async (image, options, command) => {
      const run = await begin(command as AnyCommand);
      const { world } = run;
      const started = world.now().getTime();
      const sources = [
        ...(image === undefined ? [] : [{ role: "default" as const, source: image }]),
        ...(options.hover === undefined ? [] : [{ role: "hover" as const, source: options.hover }]),
      ];
      if (sources.length === 0) {
        throw new CliError("no image given", {
          exitCode: exitCodes.usage,
          hint: "mawps hero set <image> [--hover <image>]",
        });
      }
      if (sources.every(({ source }) => source === "-") && sources.length > 1) {
        throw new CliError("stdin can be read only once", { exitCode: exitCodes.usage });
      }

      const [{ withImages }, { setHero }] = await Promise.all([
        import("../../site/hero/prepare.ts"),
        import("../../site/hero/set.ts"),
      ]);
      const result = await withImages(sources, world, {
        maxWidth: options.maxWidth,
        quality: options.quality,
        keepOriginal: options.keepOriginal === true,
        responsive: options.responsive === true,
        use: async (images) => setHero(await run.context("writes"), images, { verify: options.verify }),
      });
      warnOfForeignType(run, result.foreignType);
      for (const picture of result.pictures) warnOfSize(run, picture);
      if (options.keepOriginal) run.warn(keptMetadata(result));
      const tookMs = world.now().getTime() - started;
      await run.print(asJson(result, tookMs), () => asText(result, tookMs));
    });
}

function pixels(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 16 || number > 16_384) {
    throw new InvalidArgumentError("expected 16 to 16384 pixels.");
  }
  return number;
}

function quality(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 100)
    throw new InvalidArgumentError("expected 1 to 100.");
  return number;
}

/** On the home page the picture stands large; a browser would blow a smaller one up. */
const fewestPixels = 600;

function warnOfSize(run: Run, { role, width, height }: SetPicture): void {
  if (Math.max(width, height) >= fewestPixels) return;
  run.warn(
    `the ${role} picture is only ${width} x ${height} pixels: it will look blurred on the home page; ${fewestPixels} are enough`,
  );
}

function keptMetadata({ keptMetadata: kinds }: SetHero): string {
  return kinds.length === 0
    ? "--keep-original: the bytes are public as they are; no metadata was found in them"
    : `--keep-original: metadata stays readable for everybody: ${kinds.join(", ")}`;
}

/** One object: the first picture's facts at the top, as scripts want them, a second one under its role. */
function asJson({ pictures, keptMetadata: _told, ...rest }: SetHero, tookMs: number) {
  const [first, second] = pictures;
  return { ...first, ...(second === undefined ? {} : { [second.role]: second }), ...rest, tookMs };
}

function asText(result: SetHero, tookMs: number): string {
  const seen = result.dryRun ? "nothing was uploaded (dry run)" : seenText(result);
  return facts([
    ...result.pictures.flatMap((picture) => pictureFacts(picture)),
    ["public", seen],
    ["took", duration(tookMs)],
  ]);
}

function seenText({ verified, readAt }: SetHero): string {
  if (readAt !== undefined) return `read back at ${readAt}, byte for byte; the URL itself was not asked`;
  return verified ? "read back from outside, byte for byte" : "not verified";
}

function pictureFacts(picture: SetPicture): [string, string | undefined][] {
  const { role, url, width, height, originalBytes, previousUrl, variants } = picture;
  return [
    [role, url],
    ["pixels", `${width} x ${height}`],
    ["size", `${bytes(originalBytes)} -> ${bytes(picture.bytes)}`],
    [
      "variants",
      variants.length === 0 ? undefined : variants.map((each) => `${each.width} ${each.type}`).join(", "),
    ],
    ["before", visible(previousUrl ?? "none")],
  ];
}
