import { Command } from "@commander-js/extra-typings";
import type { Checking } from "../../documents/check.ts";
import type { Finding } from "../../documents/check-finding.ts";
import type { Repaired } from "../../documents/repair.ts";
import { CliError, exitCodes } from "../../errors.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { idColumn } from "../../output/tones.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { noteNobodies } from "../nobodies.ts";
import { changeDocuments, openDocumentsWith } from "../../documents/site.ts";
import { scannerOf } from "./scanner.ts";
import type { Run } from "../run.ts";

/** `mawps doc check`: whether entries and objects say the same, and with `--repair` makes them. */
export function docCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description("find lost entries, lost objects, half-done uploads and the like")
    .argument("[user]", "sub, user name or e-mail address; without one everybody is checked")
    .option("--repair", "repair what can be repaired; asks first")
    .option(
      "--bring-back <name>",
      "with --repair: write the entry of an object without one, by its key or id; may be given several times",
      nameOption,
    )
    .option("--read", "read every object and compare its bytes, instead of trusting the hash in its metadata")
    .addHelpText("after", "\nExample:\n  mawps doc check user-123 --repair")
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      if (given !== undefined) run.keepFromMetrics();
      const names = options.bringBack ?? [];
      if (names.length > 0 && options.repair === undefined) {
        throw new CliError("--bring-back is for --repair", {
          exitCode: exitCodes.usage,
          hint: `mawps doc check ${given ?? "<user>"} --repair --bring-back ${names.join(" --bring-back ")}`,
        });
      }
      const [{ checkDocuments }, { memoryOf }, { resolveUser }] = await Promise.all([
        import("../../documents/check.ts"),
        import("../../documents/remembered.ts"),
        import("../../documents/users.ts"),
      ]);
      const context = await run.context(options.repair ? "writes" : "reads");
      const { site, seen: userId } = await openDocumentsWith(context, async (look) =>
        given === undefined ? undefined : resolveUser(look, given, "take"),
      );
      const progress = await run.progress("checking");
      const findings: Finding[] = [];
      const nobodies: Nobodies = new Map();
      const checking = { readAll: options.read === true, oldUploadMs: oldUploadMs(run) };
      const checks = checkDocuments(site, userId, {
        ...checking,
        rememberedOf: memoryOf(context),
        nobodies,
      });
      for await (const { users, findings: found } of checks) {
        findings.push(...found);
        progress.update(`checking: ${count(users, "user")}, ${count(findings.length, "finding")}`);
      }
      progress.stop();
      // Somebody whose entries are lost may have files; who has neither has to be somebody.
      if (given !== undefined && findings.length === 0) await resolveUser(site, given, "account");
      const { done: repaired, refused }: Repaired = options.repair
        ? await repairAll(run, findings, { ...checking, names })
        : { done: new Set(), refused: new Map() };
      await run.printRows(
        findings.map((finding) =>
          rowOf(finding, { repaired: repaired.has(finding), refused: refused.get(finding) }),
        ),
        asText,
      );
      noteNobodies(run, nobodies);
      const left = findings.length - repaired.size;
      run.measure({ Problems: left });
      if (left > 0) {
        throw new CliError(
          `${count(left, "finding")}${repaired.size === 0 ? "" : `, ${repaired.size} repaired`}`,
          {
            exitCode: exitCodes.findings,
          },
        );
      }
    });
}

/** One more name. */
function nameOption(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}

function oldUploadMs({ config }: Run): number {
  const days = config.retention.multipartUploads;
  // Other models may have no such period.
  return typeof days === "number" ? days * 86_400_000 : Number.POSITIVE_INFINITY;
}

async function repairAll(
  run: Run,
  findings: readonly Finding[],
  { names, ...checking }: Checking & { readonly names: readonly string[] },
): Promise<Repaired> {
  const chosen = await chooseLost(run, findings, names);
  const repairable = findings.filter(
    (finding) => finding.repair !== undefined && (finding.repair.does !== "rebuild" || chosen.has(finding)),
  );
  const done = new Set<Finding>();
  const refused = new Map<Finding, string>();
  if (repairable.length === 0 || run.config.dryRun) return { done, refused };
  await run.confirm({ question: questionOf(repairable, findings.length), destructive: true });
  const [{ repair }, { holdsOfSite }] = await Promise.all([
    import("../../documents/repair.ts"),
    import("../../audit/holds.ts"),
  ]);
  const { config } = run;
  const context = await run.context("writes");
  const site = await changeDocuments(context);
  const repairing = {
    ...checking,
    holds: () => holdsOfSite(context),
    scanner: scannerOf(run),
    maxBytes: config.maxDocumentBytes,
    allowed: config.allowedTypes,
  };
  for (const userId of new Set(repairable.map((finding) => finding.userId))) {
    const own = repairable.filter((finding) => finding.userId === userId);
    const outcome = await repair(site, own, repairing);
    for (const finding of outcome.done) done.add(finding);
    for (const [finding, why] of outcome.refused) refused.set(finding, why);
  }
  return { done, refused };
}

/**
 * Which of the objects without an entry are to come back, oldest first: those named on the command line, and on a terminal those
 * for which the answer is yes, one by one. `--yes` is an answer for none of them.
 * @throws CliError for a name that is none of theirs.
 */
async function chooseLost(
  run: Run,
  findings: readonly Finding[],
  names: readonly string[],
): Promise<ReadonlySet<Finding>> {
  const lost = findings
    .filter(({ repair }) => repair?.does === "rebuild")
    .toSorted((one, other) => ((one.storedAt ?? "") < (other.storedAt ?? "") ? -1 : 1));
  const isNamed = ({ id, key }: Finding, name: string) => name === id || name === key;
  for (const name of names) {
    if (lost.some((finding) => isNamed(finding, name))) continue;
    const known = findings.find((finding) => isNamed(finding, name));
    throw new CliError(
      known === undefined
        ? `no object without an entry is called ${JSON.stringify(name)}; nothing was changed`
        : `${name} cannot come back: ${known.what}`,
      { hint: "`mawps doc check` shows their keys and ids" },
    );
  }
  const chosen = new Set(lost.filter((finding) => names.some((name) => isNamed(finding, name))));
  if (!run.interactive || run.config.yes || run.config.dryRun || names.length > 0) return chosen;
  for (const finding of lost) {
    const { userId, key = "", what } = finding;
    const question = visible(`Bring back ${key} of ${userId}? ${what}`);
    if (await run.world.prompts.confirm(visible(question), false)) chosen.add(finding);
  }
  return chosen;
}

const doings = {
  rebuild: "write lost entries",
  "keep-deleted": "keep deleted ones for retention",
  point: "make entries name their object",
  finish: "finish uploads",
  withdraw: "withdraw uploads",
  "correct-size": "correct sizes",
  "drop-entry": "take copies of entries away",
  "rename-id": "give new ids",
  move: "move entries to the profile",
  "delete-object": "delete left-over objects",
  "abort-upload": "remove parts of old uploads",
} as const;

function questionOf(repairable: readonly Finding[], all: number): string {
  const kinds = Object.entries(doings)
    .map(([does, words]) => ({
      words,
      number: repairable.filter(({ repair }) => repair?.does === does).length,
    }))
    .filter(({ number }) => number > 0)
    .map(({ words, number }) => `${words} (${number})`);
  return `Repair ${repairable.length} of ${count(all, "finding")}: ${kinds.join(", ")}?`;
}

/** What `--repair` made of a finding. */
interface Outcome {
  readonly repaired: boolean;
  readonly refused: string | undefined;
}

interface Row extends Outcome {
  readonly finding: Finding;
  toJSON(): JsonObject;
}

function rowOf(finding: Finding, outcome: Outcome): Row {
  const { repair, ...shown } = finding;
  const { repaired, refused } = outcome;
  return {
    finding,
    ...outcome,
    toJSON: () => ({
      ...shown,
      repairable: repair !== undefined,
      repaired,
      ...(refused === undefined ? {} : { refused }),
    }),
  };
}

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "entries and objects say the same";
  return table(
    rows,
    [
      { title: "USER", cell: ({ finding }) => finding.userId },
      { title: "FINDING", cell: ({ finding }) => finding.kind, tone: () => "warning" },
      idColumn({ title: "DOCUMENT", cell: ({ finding }) => finding.id ?? finding.key ?? "" }),
      { title: "WHAT", cell: ({ finding }) => finding.what, least: 24 },
      {
        title: "REMEDY",
        cell: ({ finding, repaired, refused }) =>
          repaired ? "repaired" : refused === undefined ? finding.remedy : `not repaired: ${refused}`,
        folds: true,
        tone: ({ repaired, refused }) => (repaired ? "good" : refused === undefined ? undefined : "bad"),
      },
    ],
    layout,
  );
}
