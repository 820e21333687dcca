import { Command } from "@commander-js/extra-typings";
import { relative, resolve } from "node:path";
import type { Got, GetPlan, Target, Wanted } from "../../documents/get.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { documentJson, isUnscanned } from "../../model/documents.ts";
import { bytes } from "../../model/bytes.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import { shareOf, transfer } from "../../output/transfer.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { documentTypeOption } from "./options.ts";
import { auditOf, openDocumentsWith } from "../../documents/site.ts";
import { failPartly } from "../failures.ts";
import type { Run } from "../run.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";

/** `mawps doc get`: documents become files. */
export function docGet(begin: Begin): AnyCommand {
  return new Command("get")
    .description("download documents into a folder, each compared with its stored hash")
    .argument("<user>", "sub, user name or e-mail address")
    .argument("[id...]", "ids, as `mawps doc list` shows them")
    .option("--all", "all that are ready")
    .option("--type <type>", "all that are ready, of this type", documentTypeOption)
    .requiredOption("-o, --output <folder>", "where to; made when it is not there")
    .option("--overwrite", "replace files that hold something else")
    .addHelpText("after", "\nExample:\n  mawps doc get user-123 --all -o documents")
    .action(async (given, ids, options, command) => {
      const run = await begin(command as AnyCommand);
      const wanted = wantedOf(ids, options);
      const [{ getDocuments, planGet }, { findDocuments }, { loadObjects }] = await Promise.all([
        import("../../documents/get.ts"),
        import("../../documents/users.ts"),
        import("../../aws/s3/objects.ts"),
      ]);
      const aws = await run.aws("reads");
      // A user that is not there is told before a trail that is not.
      const audited = run.audit.open();
      const [{ site, seen: user }] = await Promise.all([
        openDocumentsWith(await run.context("reads"), (look) => findDocuments(look, given)),
        loadObjects(aws),
      ]);
      const plan = planGet(user, wanted);
      tellOf(run, plan);
      const folder = resolve(run.world.cwd, options.output);
      if (run.config.dryRun) return await print(run, plan.targets.map(plannedRow));
      const progress = await run.progress("downloading");
      const tell = progressTeller(run, plan.targets);
      await audited;
      const got = await getDocuments(site, plan.targets, {
        folder,
        audit: await auditOf(run, site.rows),
        overwrite: options.overwrite === true,
        onReceived: (received) => progress.update(...tell(received)),
        saveWorker: run.world.saveWorker,
      });
      progress.stop();
      const done = got.filter((each) => each.outcome !== "failed");
      await print(
        run,
        done.map((each) => rowOf(run, each)),
      );
      failPartly(
        got.flatMap((each) =>
          each.outcome === "failed" ? [{ what: each.fileName, failure: each.failure }] : [],
        ),
        done.length,
      );
    });
}

function wantedOf(
  ids: readonly string[],
  { all, type }: { readonly all?: true; readonly type?: string },
): Wanted {
  const isAll = all === true || type !== undefined;
  if (ids.length > 0 && !isAll) return { ids };
  if (ids.length === 0 && isAll) return { type };
  throw new CliError(isAll ? "ids exclude --all and --type" : "say which documents: ids, --all or --type", {
    exitCode: exitCodes.usage,
    hint: "mawps doc get <user> --all -o <folder>",
  });
}

function tellOf(run: Run, { targets, leftOut }: GetPlan): void {
  if (leftOut.length > 0) {
    const statuses = [...new Set(leftOut.map(({ document }) => document.status))].join(", ");
    run.note(`${count(leftOut.length, "document is", "documents are")} left out: ${statuses}`);
  }
  const unscanned = targets.filter(({ entry }) => isUnscanned(entry.document)).length;
  if (unscanned > 0) {
    run.note(`${count(unscanned, "document has", "documents have")} not been found clean by a virus scanner`);
  }
}

interface Row {
  readonly target: Target;
  readonly result: string;
  readonly file: string;
  readonly verified: string | null;
  toJSON(): unknown;
}

function rowOf({ world }: Run, got: Exclude<Got, { outcome: "failed" }>): Row {
  const { entry, outcome, path, verified } = got;
  return {
    target: got,
    result: outcome,
    file: relative(world.cwd, path),
    verified,
    toJSON: () => ({ ...documentJson(entry.userId, entry.document), path, verified, outcome }),
  };
}

function plannedRow(target: Target): Row {
  const { entry, fileName } = target;
  return {
    target,
    result: "would be fetched",
    file: fileName,
    verified: null,
    toJSON: () => ({ ...documentJson(entry.userId, entry.document), path: null, verified: null }),
  };
}

async function print(run: Run, rows: readonly Row[]): Promise<void> {
  await run.printRows(rows, (all, layout) =>
    all.length === 0
      ? ""
      : table(
          all,
          [
            stateColumn({ title: "RESULT", cell: ({ result }) => result }),
            { title: "FILE", cell: ({ file }) => file, least: 16 },
            { title: "SIZE", cell: ({ target }) => bytes(target.entry.document.size ?? 0), align: "right" },
            { title: "COMPARED BY", cell: ({ verified }) => verified ?? "" },
            idColumn({ title: "ID", cell: ({ target }) => target.entry.document.id }),
          ],
          layout,
        ),
  );
}

function progressTeller(
  { world }: Run,
  targets: readonly Target[],
): (received: number) => [text: string, share: number | undefined] {
  const totalBytes = targets.reduce((sum, { entry }) => sum + (entry.document.size ?? 0), 0);
  const began = world.now().getTime();
  let doneBytes = 0;
  return (received) => {
    doneBytes += received;
    const elapsedMs = world.now().getTime() - began;
    const amount = transfer({ doneBytes, totalBytes, movedBytes: doneBytes, elapsedMs });
    const text = `downloading ${count(targets.length, "document")}: ${amount}`;
    return [text, shareOf({ doneBytes, totalBytes })];
  };
}
