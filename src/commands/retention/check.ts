import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { mawpsModel } from "../../model/mawps.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import { whyNoDocuments } from "../../model/reach.ts";
import { duration, localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import { stateColumn } from "../../output/tones.ts";
import type { Breach } from "../../retention/check.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { spanOption } from "../doc/options.ts";
import { noteNobodies } from "../nobodies.ts";
import { whatIs } from "./plan.ts";

/** AWS carries out its own rules (lifecycle, TTL) within about two days. */
const defaultLateMs = 2 * 86_400_000;

/** `mawps retention check`: whether what should be gone is gone; changes nothing. */
export function retentionCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description(
      "look whether what should be gone is gone, and files and entries of documents name each other",
    )
    .option("--late <span>", "how long after its time something may still be there (default: 2d)", spanOption)
    .addHelpText("after", "\nExamples:\n  mawps retention check\n  mawps retention check --late 12h --json")
    .action(async ({ late: lateMs = defaultLateMs }, command) => {
      const run = await begin(command as AnyCommand);
      const [{ breaches }, { openRetention }, { openDocuments }, { memoryOf }] = await Promise.all([
        import("../../retention/check.ts"),
        import("../../retention/site.ts"),
        import("../../documents/site.ts"),
        import("../../documents/remembered.ts"),
      ]);
      const { site: model } = run.config;
      const why = model === mawpsModel ? undefined : whyNoDocuments(model, "check");
      const until = new Date(run.machineNow().getTime() - lateMs);
      const site = await openRetention(await run.unconnected("reads"), until);
      const context = await run.context("reads");
      const nobodies: Nobodies = new Map();
      const documents = why === undefined ? await openDocuments(context) : undefined;
      const checked = documents && { documents, rememberedOf: memoryOf(context), nobodies };
      context.progress("looking for what should be gone");
      const found: Row[] = [];
      for await (const breach of breaches(site, checked)) found.push(rowOf(breach, run.machineNow()));
      await run.printRows(found, (rows, layout) => asText(rows, { layout, lateMs }));
      noteNobodies(run, nobodies);
      if (why !== undefined) run.note(`no documents are looked at: ${why}`);
      run.measure({ Problems: found.length });
      if (found.length > 0) {
        throw new CliError(count(found.length, "finding"), {
          exitCode: exitCodes.findings,
          hint: "`mawps retention plan` shows what is due, `mawps doc check` what helps documents",
        });
      }
    });
}

interface Row {
  readonly kind: Breach["kind"];
  /** The rule that is not kept; null for halves of documents. */
  readonly rule: string | null;
  readonly userId: string | null;
  readonly documentId?: string | undefined;
  readonly what: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly table?: string | undefined;
  /** What names an item in its table. */
  readonly item?: object | undefined;
  readonly bytes?: number | undefined;
  /** Since when an object without an entry is there. */
  readonly storedAt?: string | undefined;
  /** When its time was over, and for how long it has been. */
  readonly dueAt?: string | undefined;
  readonly lateMs?: number | undefined;
  readonly why: string;
}

function rowOf(breach: Breach, now: Date): Row {
  if (breach.kind !== "overdue") {
    const { kind, userId, id: documentId, key, what: why, bucket, storedAt } = breach;
    return { kind, rule: null, userId, documentId, what: key ?? "-", bucket, key, storedAt, why };
  }
  const { kind, entry } = breach;
  const { rule, userId, reason: why, dueAt, bytes: size } = entry;
  return {
    kind,
    rule,
    userId,
    documentId: "documentId" in entry ? entry.documentId : undefined,
    what: whatIs(entry),
    bucket: "bucket" in entry ? entry.bucket : undefined,
    key: "key" in entry ? entry.key : undefined,
    table: "table" in entry ? entry.table : undefined,
    item: "item" in entry ? entry.item : undefined,
    bytes: size,
    dueAt,
    lateMs: dueAt === undefined ? undefined : now.getTime() - Date.parse(dueAt),
    why,
  };
}

function asText(
  rows: readonly Row[],
  { layout, lateMs }: { readonly layout: Layout; readonly lateMs: number },
): Promise<string> | string {
  if (rows.length === 0)
    return `nothing is more than ${duration(lateMs)} overdue, and nothing lacks its other half`;
  return table(
    rows,
    [
      stateColumn({ title: "FINDING", cell: ({ kind }) => kind }),
      { title: "LATE", cell: ({ lateMs: ms }) => (ms === undefined ? "-" : duration(ms)), align: "right" },
      { title: "SIZE", cell: ({ bytes: size }) => (size === undefined ? "-" : bytes(size)), align: "right" },
      { title: "RULE", cell: ({ rule }) => rule ?? "-" },
      { title: "USER", cell: ({ userId }) => userId ?? "-", least: 12 },
      { title: "WHAT", cell: whereIs, least: 20 },
      { title: "WHY", cell: whyIs, folds: true },
    ],
    layout,
  );
}

function whereIs({ what, bucket, key }: Row): string {
  return bucket === undefined || key === undefined ? what : `${bucket}/${what}`;
}

function whyIs({ why, documentId, dueAt }: Row): string {
  const due = dueAt === undefined ? [] : [`due since ${localTime(new Date(dueAt))}`];
  const document = documentId === undefined ? [] : [`document ${documentId}`];
  return [why, ...due, ...document].join("; ");
}
