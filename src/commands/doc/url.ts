import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { LiveLink } from "../../documents/live-links.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { trailOf } from "../../audit/place.ts";
import { changeDocumentsWith, openDocumentsWith } from "../../documents/site.ts";
import { assertLinksOpen, expiresOption, tellOfLink } from "../links.ts";
import type { Run } from "../run.ts";

/** `mawps doc url`: a link by which anybody can read a document, for a while. */
export function docUrl(begin: Begin): AnyCommand {
  return new Command("url")
    .description("print a link that opens one document for a while, or list the links that are still alive")
    .argument("[user]", "sub, user name or e-mail address")
    .argument("[id]", "id, as `mawps doc list` shows it")
    .addOption(expiresOption())
    .addOption(new Option("--inline", "the browser shows it").conflicts("download"))
    .option("--download", "the browser saves it under its name (this is the default)")
    .option("--allow-shorter", "take a link that ends sooner, with temporary credentials")
    .option("--allow-unscanned", "also for a document that no virus scanner has found clean")
    .addOption(
      new Option(
        "--cdn [transformation]",
        "the address at the site's CDN (cdnBaseUrl) instead, with a transformation such as 'w=300&h=300&fit=crop&format=webp'",
      )
        .argParser(transformationOption)
        .conflicts(["expires", "inline", "download", "allowShorter", "list"]),
    )
    .option("--list", "links handed out that still work, of a user or of all; never the links themselves")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps doc url user-123 doc-4f9c2a1b7d0e6f35 --expires 1h\n  mawps doc url --list",
    )
    .action(async (given, id, options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.list) {
        if (id !== undefined) throw usage("--list takes a user at most, no document");
        return await printLinks(run, given);
      }
      if (given === undefined || id === undefined) throw usage("say whose document, and which");
      const cdn = cdnOf(run, options.cdn);
      if (cdn === undefined) await assertLinksOpen(run);
      const [{ cdnAddress, linkTo }, { entryWithId }, { findDocuments }] = await Promise.all([
        import("../../documents/link.ts"),
        import("../../documents/entries.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: user } = await changeDocumentsWith(await run.context("writes"), (look) =>
        findDocuments(look, given),
      );
      if (cdn !== undefined) {
        const { url, contentType } = await cdnAddress(site, entryWithId(user, id), {
          ...cdn,
          allowUnscanned: options.allowUnscanned === true,
          dryRun: run.config.dryRun,
        });
        await run.printCode({ url, expiresAt: null }, () => url ?? "");
        if (url === null) run.note("no address was told (dry run)");
        if (cdn.transformation !== "" && contentType?.startsWith("image/") !== true)
          run.warn(`a CDN transforms pictures, and this is ${contentType ?? "of no known kind"}`);
        return run.note("it has no end, and opens for whomever the CDN serves");
      }
      const link = await linkTo(site, entryWithId(user, id), {
        expiresInSeconds: options.expires,
        inline: options.inline === true,
        allowShorter: options.allowShorter === true,
        allowUnscanned: options.allowUnscanned === true,
        dryRun: run.config.dryRun,
      });
      const result = { url: link.url, expiresAt: link.expiresAt.toISOString() };
      await run.printCode(result, ({ url }) => url ?? "");
      await tellOfLink(run, link);
    });
}

/** The CDN to tell an address at; undefined where a link is wanted. @throws CliError where there is none. */
function cdnOf({ config: { cdnBaseUrl: baseUrl } }: Run, wanted: string | true | undefined) {
  if (wanted === undefined) return undefined;
  if (baseUrl !== undefined) return { baseUrl, transformation: wanted === true ? "" : wanted };
  throw new CliError("--cdn needs the setting cdnBaseUrl: what stands in front of the bucket of documents", {
    exitCode: exitCodes.usage,
    hint: "MAWPS_CDN_BASE_URL=https://d111111abcdef8.cloudfront.net",
  });
}

/** Names and values as CDNs have them; `&` stands between two. */
function transformationOption(text: string): string {
  if (/^[\w.-]+=[\w.,:-]+(&[\w.-]+=[\w.,:-]+)*$/.test(text)) return text;
  throw new InvalidArgumentError("expected names and values, such as 'w=300&h=300&fit=crop&format=webp'.");
}

function usage(message: string): CliError {
  return new CliError(message, {
    exitCode: exitCodes.usage,
    hint: "mawps doc url <user> <id>, or mawps doc url --list [user]",
  });
}

async function printLinks(run: Run, given: string | undefined): Promise<void> {
  const [{ liveLinks }, { resolveUser }] = await Promise.all([
    import("../../documents/live-links.ts"),
    import("../../documents/users.ts"),
  ]);
  if (run.config.audit === "off") run.note("the audit trail is off: links made without it are not listed");
  // Somebody whose profile is lost may still have links.
  const { site, seen: userId } = await openDocumentsWith(await run.context("reads"), async (look) =>
    given === undefined ? undefined : resolveUser(look, given, "take"),
  );
  const links = await liveLinks(site, trailOf(await run.context("reads")), userId);
  if (given !== undefined && links.length === 0) await resolveUser(site, given, "account");
  await run.printRows(links, asText);
}

async function asText(links: readonly LiveLink[], layout: Layout): Promise<string> {
  if (links.length === 0) return "no link is alive";
  return table(
    links,
    [
      { title: "USER", cell: ({ userId }) => userId },
      { title: "OPENS", cell: ({ kind }) => kind },
      { title: "ID", cell: ({ id }) => id ?? "" },
      { title: "NAME", cell: ({ name }) => name ?? "", least: 12 },
      {
        title: "UNTIL",
        cell: ({ expiresAt }) => (expiresAt === null ? "no end" : localTime(new Date(expiresAt))),
      },
      { title: "MADE", cell: ({ createdAt }) => localTime(new Date(createdAt)) },
      { title: "BY", cell: ({ createdBy }) => createdBy, least: 12 },
    ],
    layout,
  );
}
