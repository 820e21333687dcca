import { Command } from "@commander-js/extra-typings";
import type { Finding } from "../../documents/check-finding.ts";
import { CliError, exitCodes } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../../program.ts";
import { auditSite } from "../audit/site.ts";
import { changingSite, documentSite } from "./site.ts";
import type { Run } from "../run.ts";

/** `mawps doc check`: whether entries and objects say the same, and with `--repair` makes them. */
export function docCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description("find lost entries, lost objects, half-done uploads and the like")
    .argument("[user]", "sub, user name or e-mail address; without one everybody is checked")
    .option("--repair", "repair what can be repaired; asks first")
    .option("--read", "read every object and compare its bytes, instead of trusting the hash in its metadata")
    .addHelpText("after", "\nExample:\n  mawps doc check user-123 --repair")
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ checkDocuments }, { resolveUser }] = await Promise.all([
        import("../../documents/check.ts"),
        import("../../documents/users.ts"),
      ]);
      const site = await documentSite(run, options.repair ? "writes" : "reads");
      const userId = given === undefined ? undefined : await resolveUser(site, given, "take");
      const progress = await run.progress("checking");
      const findings: Finding[] = [];
      const checks = checkDocuments(site, userId, {
        readAll: options.read === true,
        oldUploadMs: oldUploadMs(run),
      });
      for await (const { users, findings: found } of checks) {
        findings.push(...found);
        progress.update(`checking: ${count(users, "user")}, ${count(findings.length, "finding")}`);
      }
      progress.stop();
      const repaired = options.repair ? await repairAll(run, findings) : new Set<Finding>();
      await run.printRows(
        findings.map((finding) => rowOf(finding, repaired.has(finding))),
        asText,
      );
      const left = findings.length - repaired.size;
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

function oldUploadMs({ config }: Run): number {
  const days = config["retention.multipartUploads"];
  return days === "off" ? Number.POSITIVE_INFINITY : days * 86_400_000;
}

async function repairAll(run: Run, findings: readonly Finding[]): Promise<ReadonlySet<Finding>> {
  const repairable = findings.filter(({ repair }) => repair !== undefined);
  const done = new Set<Finding>();
  if (repairable.length === 0 || run.config.dryRun) return done;
  await run.confirm({ question: questionOf(repairable, findings.length), destructive: true });
  const [{ repair }, { rememberedOf }] = await Promise.all([
    import("../../documents/repair.ts"),
    import("../../documents/remembered.ts"),
  ]);
  const { config, world } = run;
  const site = await changingSite(run);
  for (const userId of new Set(repairable.map((finding) => finding.userId))) {
    const own = repairable.filter((finding) => finding.userId === userId);
    const isRebuilt = own.some(({ repair: each }) => each?.does === "rebuild");
    const remembered =
      isRebuilt && config.audit !== "off"
        ? await rememberedOf(auditSite({ aws: site.aws, config, world }), userId)
        : new Map<string, never>();
    for (const finding of await repair(site, userId, own, remembered)) done.add(finding);
  }
  return done;
}

const doings = {
  rebuild: "write lost entries",
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

interface Row {
  readonly finding: Finding;
  readonly repaired: boolean;
  toJSON(): JsonObject;
}

function rowOf(finding: Finding, repaired: boolean): Row {
  const { repair, ...shown } = finding;
  return {
    finding,
    repaired,
    toJSON: () => ({ ...shown, repairable: repair !== undefined, repaired }),
  };
}

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "entries and objects say the same";
  return table(
    rows,
    [
      { title: "USER", cell: ({ finding }) => finding.userId },
      { title: "FINDING", cell: ({ finding }) => finding.kind },
      { title: "DOCUMENT", cell: ({ finding }) => finding.id ?? finding.key ?? "" },
      { title: "WHAT", cell: ({ finding }) => finding.what, least: 24 },
      {
        title: "REMEDY",
        cell: ({ finding, repaired }) => (repaired ? "repaired" : finding.remedy),
        least: 16,
      },
    ],
    layout,
  );
}
