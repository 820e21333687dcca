import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { EndsWithSession } from "../aws/s3/presign.ts";
import { CliError } from "../errors.ts";
import { duration, localTime } from "../output/dates.ts";
import { spanOption } from "./doc/options.ts";
import type { Run } from "./run.ts";

/** `--expires` of a link, in seconds. */
export function expiresOption() {
  return new Option("--expires <span>", "how long it works: 15m, 12h, at most 7d")
    .argParser(linkSpan)
    .default(15 * 60, "15m");
}

function linkSpan(text: string): number {
  const seconds = spanOption(text) / 1000;
  if (seconds > 7 * 86_400) throw new InvalidArgumentError("S3 signs no link for longer than 7d.");
  return seconds;
}

/**
 * Stops where a link could never open: the address of a store that is not served is known only while its port is fixed.
 * To be asked before a link is made.
 */
export async function assertLinksOpen({ config, world, sources }: Run): Promise<void> {
  if (config.target !== "local" || config.local.port !== 0) return;
  const { isLocalServed } = await import("../target.ts");
  if (await isLocalServed(config, world)) return;
  throw new CliError(
    `no link can be made: the port of the local store is any free one (${sources["local.port"]})`,
    {
      hint: "start `mawps local serve` first, or name a port",
    },
  );
}

/** Tells when a link ends, if that is sooner than asked, and whether it opens at all. */
export async function tellOfLink(
  run: Run,
  { expiresAt, endsWithSession }: { readonly expiresAt: Date; readonly endsWithSession: EndsWithSession },
): Promise<void> {
  const { config, world } = run;
  const left = duration(Math.max(0, expiresAt.getTime() - world.now().getTime()));
  if (endsWithSession === "perhaps") {
    run.warn("temporary credentials sign the link, which ends with them; when that is, they do not tell");
  } else if (endsWithSession) {
    run.warn(
      `the link ends sooner than asked, with the credentials that sign it: ${expiresAt.toISOString()}`,
    );
  }
  const until = `good until ${localTime(expiresAt)} (${left})`;
  if (config.dryRun) return run.note(`no link was made (dry run); it would be ${until}`);
  run.note(until);
  if (config.target !== "local") return;
  const { isLocalServed } = await import("../target.ts");
  if (!(await isLocalServed(config, world))) {
    run.note(`it opens only while \`mawps local serve --port ${config.local.port}\` runs on this machine`);
  }
}
