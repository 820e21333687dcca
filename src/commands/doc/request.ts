import { Command } from "@commander-js/extra-typings";
import type { Requested, UploadLink } from "../../documents/request.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { mawpsModel } from "../../model/mawps.ts";
import { parseDocument } from "../../model/documents.ts";
import type { AnyCommand, Begin } from "../command.ts";
import {
  assertSayable,
  attachOption,
  attribution,
  byOption,
  documentTypeOption,
  fieldOption,
} from "./options.ts";
import { changeDocumentsWith } from "../../documents/site.ts";
import { assertLinksOpen, expiresOption, tellOfLink } from "../links.ts";

/** `mawps doc request`: a link by which somebody without credentials sends a document. */
export function docRequest(begin: Begin): AnyCommand {
  return new Command("request")
    .description("print a command by which somebody without credentials can send a document")
    .argument("<user>", "sub, user name or e-mail address")
    .option(
      "--type <type>",
      "cv, certificates, cover-letters, ...: needed where the site has types",
      documentTypeOption,
    )
    .requiredOption("--name <name>", "the document's name; its end says what kind of file is taken")
    .addOption(expiresOption())
    .option("--field <name=value>", "a field of the file's key that the site's model asks for", fieldOption)
    .addOption(byOption())
    .addOption(attachOption())
    .option("--post", "a form instead of a plain upload: S3 then refuses what is too large")
    .option("--allow-shorter", "take a link that ends sooner, with temporary credentials")
    .option("--create-profile", "make a profile for somebody without an account")
    .addHelpText(
      "after",
      "\nExample:\n  mawps doc request max@example.com --type cv --name Lebenslauf.pdf --expires 2d",
    )
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      const { config } = run;
      const { type, field, createProfile: creates, by, attach } = options;
      await assertSayable(config.site, { type, field, createProfile: creates, by, attach });
      if (options.post === true && config.site !== mawpsModel) {
        throw new CliError(`--post is not for ${config.site.name}: a form could replace another file`, {
          exitCode: exitCodes.usage,
          hint: "leave it out",
        });
      }
      await assertLinksOpen(run);
      const [{ namedType }, { requestDocument }, { createProfile, resolveUser }] = await Promise.all([
        import("../../documents/content-type.ts"),
        import("../../documents/request.ts"),
        import("../../documents/users.ts"),
      ]);
      const name = options.name.normalize("NFC");
      const kind = namedType(name, config.allowedTypes);
      const { site, seen } = await changeDocumentsWith(await run.context("writes"), async (look) => {
        const userId = await resolveUser(look, given, options.createProfile ? "make" : "account");
        return { userId, ...(await attribution(look, userId, options)) };
      });
      const { userId, ...attributed } = seen;
      const email = given !== userId && given.includes("@") ? { email: given } : {};
      const requested = await requestDocument(site, {
        userId,
        type: options.type ?? "documents",
        given: options.field ?? {},
        ...attributed,
        name,
        kind,
        method: options.post ? "POST" : "PUT",
        maxBytes: config.maxDocumentBytes,
        expiresInSeconds: options.expires,
        allowShorter: options.allowShorter === true,
        createProfile: () => createProfile(site, { userId, ...email }),
        dryRun: config.dryRun,
      });
      await run.printCode(asJson(userId, requested), ({ curl }) => curl ?? "");
      await tellOfLink(run, requested);
      if (requested.link !== null) {
        run.note(`when the document has been sent: \`mawps doc confirm ${userId} ${requested.entry.id}\``);
      }
    });
}

/** `expiresAt` is the end of the link, as with `doc url`. */
function asJson(userId: string, { entry, expiresAt, link }: Requested) {
  const { id, name, type, status } = parseDocument(entry);
  return {
    userId,
    id,
    name,
    type,
    status,
    method: link?.method ?? null,
    url: link?.url ?? null,
    headers: link?.headers ?? {},
    fields: link?.fields ?? {},
    expiresAt: expiresAt.toISOString(),
    curl: link === null ? null : curl(link, name),
  };
}

/** A line for any POSIX shell. Without -g curl would look for patterns in the file's name. */
function curl({ method, url, headers, fields }: UploadLink, fileName: string): string {
  const words = ["curl", "--fail-with-body", "-g"];
  if (method === "PUT") {
    for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
    words.push("-T", quoted(fileName));
  } else {
    for (const [name, value] of Object.entries(fields))
      words.push("--form-string", quoted(`${name}=${value}`));
    const escaped = fileName.replaceAll(/["\\]/g, (sign) => `\\${sign}`);
    words.push("-F", quoted(`file=@"${escaped}"`));
  }
  return [...words, quoted(url)].join(" ");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
