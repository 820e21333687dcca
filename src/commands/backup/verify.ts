import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { Verification } from "../../backup/verify.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag, snapshotArgument, snapshotName } from "./flags.ts";

/** `mawps backup verify`: whether a backup is what was written. */
export function backupVerify(begin: Begin): AnyCommand {
  return new Command("verify")
    .description("compare a backup with its hashes and counts; ends with 4 when something is damaged")
    .argument(...snapshotArgument, snapshotName, "latest")
    .option(...repoFlag)
    .option("--sample <percent>", "read this share of the objects, chosen at random, such as 10%", share)
    .option("--all", "read every object (default: every table, and of objects that they are there)")
    .addHelpText("after", "\nExample:\n  mawps backup verify --all")
    .action(async (snapshot, options, command) => {
      const run = await begin(command as AnyCommand);
      if (snapshot !== "latest") run.keepFromMetrics();
      if (options.sample !== undefined && options.all === true) {
        throw new CliError("--sample and --all are both given", { exitCode: exitCodes.usage });
      }
      const { verifyBackup } = await import("../../backup/check.ts");
      const { found, isKept } = await verifyBackup(await run.unconnected("reads"), {
        snapshot,
        repo: options.repo,
        share: options.all === true ? 1 : (options.sample ?? 0),
      });
      const faults = found.faults.length;
      run.measure({ Bytes: found.bytesRead, Problems: faults });
      await run.print(found, asText);
      if (faults > 0) {
        throw new CliError(`backup ${found.snapshot} is damaged: ${count(faults, "fault")}`, {
          exitCode: exitCodes.findings,
          hint: hintOf(found, isKept),
        });
      }
    });
}

function hintOf({ isReadable, damaged }: Verification, isKept: boolean): string {
  if (!isReadable) return "make a new backup; `mawps backup list` shows the older ones, which may be whole";
  if (damaged.length === 0) return "`mawps backup list` shows the other backups, which may be whole";
  return isKept
    ? "`mawps backup create` writes again what the site still has, for this backup too; then verify once more"
    : "verify again with the outcome kept: `mawps backup create` then writes again what the site still has";
}

function share(text: string): number {
  const [, digits] = /^(\d{1,3})%$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits !== undefined && value >= 1 && value <= 100) return value / 100;
  throw new InvalidArgumentError("expected 1% to 100%.");
}

function asText(
  { snapshot, items, rows, objects, users, contents, read, bytesRead, faults, isReadable }: Verification,
  layout: Layout,
): string {
  const found = faults.map((fault) => paint(visible(`  ${fault}`), "bad", layout));
  if (!isReadable) return [`backup ${snapshot} cannot be read:`, ...found].join("\n");
  const inDatabases = rows === undefined ? "" : `, ${count(rows, "row")}`;
  const holds = `${count(items, "item")}, ${count(objects, "object")}, ${count(users, "account")}${inDatabases}`;
  const how =
    read === contents
      ? `all contents of objects were read (${bytes(bytesRead)})`
      : `${read} of ${count(contents, "content")} of objects were read (${bytes(bytesRead)}), the others are there`;
  if (faults.length === 0) return `backup ${snapshot} is ${paint("whole", "good", layout)}: ${holds}\n${how}`;
  return `backup ${snapshot}: ${holds}\n${how}\n${found.join("\n")}`;
}
