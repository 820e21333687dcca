import { addressAttribute } from "../../model/mawps.ts";
import { Command } from "@commander-js/extra-typings";
import { documentJson, type DocumentEntry } from "../../model/documents.ts";
import { bytes } from "../../model/bytes.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { facts } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import { stateTone } from "../../output/tones.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { openDocumentsWith } from "../../documents/site.ts";
import { storedTime } from "../stored-time.ts";

/** `mawps doc show`: all that an entry says. */
export function docShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("show what is known of one document")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("<id>", "id, as `mawps doc list` shows it")
    .addHelpText("after", "\nExample:\n  mawps doc show user-123 doc-4f9c2a1b7d0e6f35 --json | jq -r .sha256")
    .action(async (given, id, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ entryWithId }, { findDocuments }] = await Promise.all([
        import("../../documents/entries.ts"),
        import("../../documents/users.ts"),
      ]);
      const { seen: user } = await openDocumentsWith(await run.context("reads"), (site) =>
        findDocuments(site, given),
      );
      const { document, userId } = entryWithId(user, id);
      await run.print(documentJson(userId, document), (entry, layout) =>
        asText(entry, { userId, document, layout }),
      );
    });
}

/** What the known lines below say already. */
const known = new Set(
  `userId id name type category s3Key ${addressAttribute} url storage size uploadedAt createdAt fileType contentType sha256 status scanResult scannedAt scanEngine scanSignature scanReason uploadedBy tags expiresAt deletedAt deletedBy`.split(
    " ",
  ),
);

function asText(
  entry: Readonly<Record<string, unknown>>,
  { userId, document, layout }: { userId: string; document: DocumentEntry; layout: Layout },
): string {
  const state = (text: string) => paint(text, stateTone(text), layout);
  const text = (name: string) => (entry[name] === undefined ? undefined : shown(entry[name]));
  const others = Object.keys(entry).filter((name) => !known.has(name));
  return facts([
    ["user", visible(userId)],
    ["id", paint(visible(document.id), "dim", layout)],
    ["name", visible(document.name)],
    ["type", visible(document.type)],
    ["status", state(document.status)],
    ["size", sizeText(document.size)],
    ["content type", text("contentType")],
    ["sha256", document.sha256],
    ["scan", state(document.scanResult ?? "never")],
    ["scanned", document.scannedAt === undefined ? undefined : storedTime(document.scannedAt)],
    ["engine", text("scanEngine")],
    ["signature", text("scanSignature")],
    ["not scanned", text("scanReason")],
    ["key", visible(document.s3Key)],
    ["uploaded", storedTime(document.uploadedAt)],
    ["by", text("uploadedBy")],
    ["tags", document.tags.length === 0 ? undefined : visible(document.tags.join(", "))],
    ["expires", document.expiresAt === undefined ? undefined : storedTime(document.expiresAt)],
    ["deleted", document.deletedAt === undefined ? undefined : storedTime(document.deletedAt)],
    ["deleted by", text("deletedBy")],
    ...others.map((name) => [visible(name), shown(entry[name])] as const),
  ]);
}

/** To the byte, also where it is rounded. */
function sizeText(size: number | undefined): string {
  if (size === undefined) return "unknown";
  return size < 1000 ? bytes(size) : `${bytes(size)} (${size} bytes)`;
}

function shown(value: unknown): string {
  return visible(typeof value === "string" ? value : JSON.stringify(value));
}
