import { Command } from "@commander-js/extra-typings";
import type { StoredEntry } from "../../documents/entry.ts";
import type { DocumentFilter } from "../../documents/list.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { documentJson } from "../../model/documents.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import { table, type Column } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { since } from "../audit/period.ts";
import { mostShown, rememberShown, type Shown } from "../at-hand.ts";
import { noteNobodies } from "../nobodies.ts";
import { ahead, assertFields, documentTypeOption, expiryOption, statusOption } from "./options.ts";
import { openDocuments, openDocumentsWith } from "../../documents/site.ts";
import { documentColumns } from "./table.ts";
import { storedTime } from "../stored-time.ts";
import type { Run } from "../run.ts";

/** `mawps doc list`: the documents of a user, or of all. */
export function docList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the documents of a user, newest first, or of all users")
    .argument("[user]", "sub, user name or e-mail address")
    .option("--all", "of all users: user by user as the table gives them, each one's newest first")
    .option("--type <type>", "only this type", documentTypeOption)
    .option("--status <status>", "only those that stand so: ready, uploading, infected, ...", statusOption)
    .option("--deleted", "the deleted ones, which are left out otherwise")
    .option("--since <when>", "uploaded since then: 90d, or a day (2026-03-01)", since)
    .option("--expiring <when>", "whose end comes by then: 30d, or a day (2027-01-31)", expiryOption)
    .addHelpText(
      "after",
      "\nExamples:\n  mawps doc list --all --status infected --json\n  mawps doc list --all --expiring 30d",
    )
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      const { all, type, status, deleted } = options;
      const now = run.world.now();
      const from = options.since?.(now);
      assertFields(run.config.site, { expiring: options.expiring });
      const expiringBy = options.expiring && ahead("--expiring", options.expiring, now);
      if ((given === undefined) === (all === undefined)) {
        throw new CliError("say whose documents: a user, or --all", { exitCode: exitCodes.usage });
      }
      const [{ listAllDocuments, wanted }, { findDocuments }] = await Promise.all([
        import("../../documents/list.ts"),
        import("../../documents/users.ts"),
      ]);
      const filter: DocumentFilter = { type, status, deleted, since: from, expiringBy };
      if (given === undefined) {
        const nobodies: Nobodies = new Map();
        const shown: Shown[] = [];
        const listed = listAllDocuments(await openDocuments(await run.context("reads")), {
          filter,
          nobodies,
        });
        // What comes further down is not known: a column that is empty costs nothing where rows are blocks.
        const mayExpire = run.config.site.features?.documents?.fields.expiresAt !== undefined;
        await printAll(run, noting(listed, shown), mayExpire ? withExpiry : columns);
        await rememberShown(run, shown);
        return noteNobodies(run, nobodies);
      }
      const { seen } = await openDocumentsWith(await run.context("reads"), (site) =>
        findDocuments(site, given),
      );
      const entries = wanted(seen.entries, filter);
      const shown = entries.some(({ document }) => document.expiresAt !== undefined) ? withExpiry : columns;
      await run.printRows(entries.map(row), (rows, layout) =>
        rows.length === 0 ? noDocuments : table(rows, shown, layout),
      );
      await rememberShown(run, entries.map(shownOf));
    });
}

function shownOf({ userId, document }: StoredEntry): Shown {
  return { userId, id: document.id };
}

/** The same entries; what is kept of them for completion is noted on the way, in bounded memory. */
async function* noting(entries: AsyncIterable<StoredEntry>, shown: Shown[]): AsyncGenerator<StoredEntry> {
  for await (const entry of entries) {
    if (shown.length < mostShown) shown.push(shownOf(entry));
    yield entry;
  }
}

const noDocuments = "no such documents";

/** An entry as a row: with --json its attributes alone. */
interface Row {
  readonly entry: StoredEntry;
  toJSON(): JsonObject;
}

const columns = documentColumns<Row>(({ entry }) => entry.document);

const withExpiry: Column<Row>[] = [
  ...columns,
  { title: "EXPIRES", cell: ({ entry }) => storedTime(entry.document.expiresAt) },
];

function row(entry: StoredEntry): Row {
  return { entry, toJSON: () => documentJson(entry.userId, entry.document) };
}

async function printAll(
  run: Run,
  entries: AsyncIterable<StoredEntry>,
  shown: readonly Column<Row>[],
): Promise<void> {
  async function* rows() {
    for await (const entry of entries) yield row(entry);
  }
  const whose = { title: "USER", cell: ({ entry }: Row) => entry.userId };
  await run.printTable(rows(), [whose, ...shown], noDocuments);
}
