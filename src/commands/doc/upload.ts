import { Command } from "@commander-js/extra-typings";
import { basename, resolve } from "node:path";
import type { UploadSource } from "../../documents/examine.ts";
import type { UploadProgress, UploadResult } from "../../documents/upload-request.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { parseDocument, type DocumentEntry } from "../../model/documents.ts";
import type { Model } from "../../model/schema.ts";
import { own, timeOf, type JsonObject } from "../../model/json.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { shareOf, transfer } from "../../output/transfer.ts";
import type { AnyCommand, Begin } from "../command.ts";
import {
  ahead,
  assertSayable,
  attribution,
  attachOption,
  byOption,
  documentTypeOption,
  expiryOption,
  fieldOption,
  tagOption,
} from "./options.ts";
import { changeDocumentsWith } from "../../documents/site.ts";
import { scannerOf } from "./scanner.ts";
import { documentColumns } from "./table.ts";
import { failPartly, type Failed } from "../failures.ts";
import type { Run } from "../run.ts";
import { stateColumn } from "../../output/tones.ts";

/** `mawps doc upload`: files become documents of a user. */
export function docUpload(begin: Begin): AnyCommand {
  return new Command("upload")
    .description("check, scan and upload files as documents of a user")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<file...>", "files, or patterns of them (*.pdf); - reads one from stdin")
    .option(
      "--type <type>",
      "cv, certificates, cover-letters, ...: needed where the site has types",
      documentTypeOption,
    )
    .option("--name <name>", "the document's name, instead of the file's")
    .option("--tag <tag>", "a tag; may be given several times", tagOption)
    .option("--expires <when>", "when retention deletes it: 90d, or a day (2027-01-31)", expiryOption)
    .option("--public", "anybody may see it, where the site has a word for that")
    .option("--field <name=value>", "a field of the file's key that the site's model asks for", fieldOption)
    .addOption(byOption())
    .addOption(attachOption())
    .option("--no-scan", "do not ask the virus scanner")
    .option("--create-profile", "make a profile for somebody without an account")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps doc upload max@example.com Lebenslauf.pdf --type cv\n  mawps doc upload user-123 *.pdf --type certificates --tag 2026",
    )
    .action(async (given, words, options, command) => {
      const run = await begin(command as AnyCommand);
      const { config, world } = run;
      await assertSayable(config.site, options);
      const { expandPatterns } = await import("../../documents/file-patterns.ts");
      const files = await expandPatterns(words, world.cwd);
      refuseContradictions(files, options.name);
      const expiresAt = options.expires && ahead("--expires", options.expires, world.now()).toISOString();
      const [{ uploadDocuments }, { createProfile, findDocuments }, { spool }] = await Promise.all([
        import("../../documents/upload.ts"),
        import("../../documents/users.ts"),
        import("../../documents/spool.ts"),
      ]);
      const { site, seen } = await changeDocumentsWith(await run.context("writes"), async (look) => {
        const user = await findDocuments(look, given, options.createProfile ? "make" : "account");
        return { user, ...(await attribution(look, user.userId, options)) };
      });
      const { user, uploader, attached } = seen;
      const { userId } = user;
      // Of somebody of whom nothing else is known there is an account.
      const creates = site.rows === undefined && (options.createProfile === true || !user.isKnown);
      const maxBytes = config.maxDocumentBytes;
      const stdin = files.includes("-")
        ? await spool(world.stdin, { maxBytes, signal: world.signal })
        : undefined;
      const sources = files.map((file): UploadSource => {
        const path = resolve(world.cwd, file);
        const name = (options.name ?? basename(path)).normalize("NFC");
        if (file === "-") return { label: name, path: stdin?.path ?? "", name };
        return { label: file, path, name };
      });
      const progress = await run.progress(
        `checking ${files.length === 1 ? files[0] : `${files.length} files`}`,
      );
      const tell = progressTeller(world);
      const email = given !== userId && given.includes("@") ? { email: given } : {};
      try {
        const results = uploadDocuments(site, {
          user,
          type: options.type ?? "documents",
          files: sources,
          tags: options.tag ?? [],
          expiresAt,
          isPublic: isPublicNamed(config.site) ? options.public === true : undefined,
          given: options.field ?? {},
          uploader,
          attached,
          scanner: options.scan ? scannerOf(run) : "not-asked",
          maxBytes,
          allowed: config.allowedTypes,
          createProfile: creates ? () => createProfile(site, { userId, ...email }) : undefined,
          dryRun: config.dryRun,
          onProgress: (state) => progress.update(tell(state), sharedOf(state)),
          onNote: (note) => run.note(note),
          onWarning: (warning) => run.warn(warning),
        });
        const { tag: tags, public: isPublic } = options;
        await printResults(run, results, { tags, expiresAt, isPublic, attached });
      } finally {
        progress.stop();
        await stdin?.remove();
      }
    });
}

function isPublicNamed({ features }: Model): boolean {
  return features?.documents?.fields.isPublic !== undefined;
}

function refuseContradictions(files: readonly string[], name: string | undefined): void {
  const usage = (message: string, hint: string) => new CliError(message, { exitCode: exitCodes.usage, hint });
  if (name !== undefined && files.length > 1) {
    throw usage("--name names one document, and there are several files", "upload that one on its own");
  }
  if (name === undefined && files.includes("-")) {
    throw usage("what comes from stdin has no name", "add --name, such as --name Lebenslauf.pdf");
  }
}

/** One outcome as a row: with --json the entry alone. */
interface Row {
  readonly outcome: string;
  readonly document: DocumentEntry;
  toJSON(): JsonObject;
}

const words = { uploaded: "uploaded", unchanged: "already exists", planned: "would be uploaded" } as const;

/** Prints what is done as it is done; the failures end the command, each listed. */
async function printResults(run: Run, results: AsyncIterable<UploadResult>, asked: Asked): Promise<void> {
  const failures: Failed[] = [];
  let done = 0;
  async function* rows(): AsyncGenerator<Row> {
    for await (const result of results) {
      if (result.outcome === "failed") {
        failures.push({ what: result.label, failure: result.failure });
        continue;
      }
      done += 1;
      const { entry, label, outcome } = result;
      if (outcome === "unchanged") run.note(`${label}: already exists, nothing to upload`);
      const left = notTaken(entry, asked);
      if (left.length > 0)
        run.warn(
          `${label}: it was there before, and stays without ${left.join(", ")} (\`mawps doc tag\` changes tags)`,
        );
      yield { outcome: words[outcome], document: parseDocument(entry), toJSON: () => entry };
    }
  }
  await run.printRows(rows(), asText);
  failPartly(failures, done);
}

/** What the command line says of documents that may be there already, with words of their own. */
interface Asked {
  readonly tags: readonly string[] | undefined;
  readonly expiresAt: string | undefined;
  readonly isPublic: boolean | undefined;
  /** What they are to be attached to, by the fields of their entries. */
  readonly attached: Readonly<Record<string, string>> | undefined;
}

/** The options that an entry does not follow: one that was there keeps what it says. */
function notTaken(entry: JsonObject, { tags = [], expiresAt, isPublic, attached = {} }: Asked): string[] {
  const stored = parseDocument(entry);
  // Some sites keep whole seconds.
  const second = (time: string | undefined) => Math.floor((timeOf(time) ?? Number.NaN) / 1000);
  return [
    ...(tags.every((tag) => stored.tags.includes(tag)) ? [] : ["--tag"]),
    ...(expiresAt === undefined || second(expiresAt) === second(stored.expiresAt) ? [] : ["--expires"]),
    ...(isPublic !== true || entry["isPublic"] === true ? [] : ["--public"]),
    ...(Object.entries(attached).every(([field, id]) => own(entry, field) === id) ? [] : ["--attach"]),
  ];
}

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "";
  return table(
    rows,
    [
      stateColumn({ title: "RESULT", cell: ({ outcome }) => outcome }),
      ...documentColumns<Row>(({ document }) => document),
    ],
    layout,
  );
}

/** The state as one line. What an earlier run had sent comes at once with the first bytes, and says nothing of the rate. */
function progressTeller(world: Run["world"]): (state: UploadProgress) => string {
  let began: { at: number; bytes: number } | undefined;
  return ({ files, doneFiles, checkedBytes, sentBytes, bytesToSend }) => {
    if (sentBytes === 0) return transferred("checking", { files, doneFiles }, transferOf(checkedBytes));
    const at = world.now().getTime();
    began ??= { at, bytes: sentBytes };
    const text = transfer({
      doneBytes: sentBytes,
      totalBytes: bytesToSend,
      movedBytes: sentBytes - began.bytes,
      elapsedMs: at - began.at,
    });
    return transferred("uploading", { files, doneFiles }, text);
  };
}

function sharedOf({ sentBytes, bytesToSend }: UploadProgress): number | undefined {
  return sentBytes === 0 ? undefined : shareOf({ doneBytes: sentBytes, totalBytes: bytesToSend });
}

function transferred(
  what: string,
  { files, doneFiles }: { files: number; doneFiles: number },
  amount: string,
): string {
  return files === 1 ? `${what}: ${amount}` : `${what}: ${doneFiles} of ${files} files, ${amount}`;
}

function transferOf(checkedBytes: number): string {
  return `${Math.floor(checkedBytes / 1e6)} MB read`;
}
