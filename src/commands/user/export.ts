import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { facts } from "../../output/table.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { partial } from "../partial.ts";
import type { Run } from "../run.ts";
import type { ExportNumbers, ExportPlan } from "../../users/export/plan.ts";
import type { Exported } from "../../users/export/parts.ts";

/** `mawps user export`: everything of a person in one file; and the check of one. */
export function userExport(begin: Begin): AnyCommand {
  return new Command("export")
    .description("all that is stored of a person in one file; `export verify <file>` checks one")
    .argument("<user>", "sub, user name or e-mail address, or owner for the site's own; or the word verify")
    .argument("[file]", "behind verify: the file of an export")
    .option("-o, --output <file>", "write to this new file (default: export-<time>.zip)")
    .option(
      "--encrypt-to <recipient>",
      "encrypt it with age: only who has this recipient's identity can open it; may be given several times",
      recipientOption,
    )
    .addOption(
      new Option("--lang <language>", "language of its first page; the other is beside it")
        .choices(["de", "en"] as const)
        .default("de" as const),
    )
    .option("--identity <file>", "behind verify: the age identity that opens an encrypted one")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps user export max@example.com -o max.zip\n  mawps user export verify max.zip",
    )
    .action(async (given, file, options, command) => {
      const run = await begin(command as AnyCommand);
      if (given === "verify") {
        if (file !== undefined) return verifyExport(run, file, options.identity);
        throw new CliError("which file is meant is not said: `mawps user export verify <file>`", {
          exitCode: exitCodes.usage,
        });
      }
      if (file === undefined) return exportPerson(run, given, options);
      throw new CliError(`one user at a time: ${visible(given)}, ${visible(file)}`, {
        exitCode: exitCodes.usage,
      });
    });
}

/** One more recipient. */
function recipientOption(recipient: string, before: readonly string[] = []): readonly string[] {
  return [...before, recipient];
}

interface Options {
  readonly output?: string;
  readonly encryptTo?: readonly string[];
  readonly lang: "de" | "en";
}

async function exportPerson(
  run: Run,
  given: string,
  { output, encryptTo = [], lang }: Options,
): Promise<void> {
  const [
    { assertFree },
    { defaultName, writeExport },
    { exportNumbers, planExport },
    { openPeople },
    { assertRecipient },
  ] = await Promise.all([
    import("../../atomic-file.ts"),
    import("../../users/export/file.ts"),
    import("../../users/export/plan.ts"),
    import("../../users/people.ts"),
    import("../../backup/encryption.ts"),
  ]);
  const { config, world } = run;
  for (const recipient of encryptTo) await assertRecipient(recipient);
  const file = resolve(world.cwd, output ?? defaultName(world.now(), encryptTo.length > 0));
  await assertFree(file);
  if (!config.dryRun) run.audit.prepare();
  const context = await run.context("reads");
  const site = await openPeople(context, "reads");
  const plan = await planExport(site, given);
  const numbers = exportNumbers(plan);
  const { userId } = plan;
  if (config.dryRun) {
    return run.print({ userId, ...numbers, file, dryRun: true }, () => planText(plan, numbers));
  }
  const exported = await writeExport(
    { ...site, trail: run.audit, machine: context.machine, note: (text) => context.note(text) },
    plan,
    {
      file,
      recipients: encryptTo,
      language: lang,
      onFile: (done, total) => context.progress("files", { done, total, of: "files" }),
    },
  );
  const { parts, missing, leftOut } = exported;
  const sizes = parts.reduce((sum, part) => sum + part.bytes, 0);
  await run.print({ userId, ...numbers, file, parts: parts.length, leftOut, missing, dryRun: false }, () =>
    [planText(plan, numbers), exportText(exported, file, sizes)].join("\n"),
  );
  if (missing.length > 0) {
    throw partial(
      missing.map(({ entity, name: what, why }) => ({ what: `${entity} ${what}`, why: unreadable[why] })),
      parts.length,
    );
  }
}

function planText(
  { userId, name, sharedAddresses }: ExportPlan,
  { account, items, files, earlierVersions, bytes: size }: ExportNumbers,
): string {
  return facts([
    ["person", `${visible(name)} (${visible(userId)})`],
    ["account", account ? "yes" : "none"],
    ...Object.entries(items).map(([what, found]): [string, string] => [what, count(found, "item")]),
    ...Object.entries(files).map(([what, found]): [string, string] => [what, count(found, "file")]),
    ["before", earlierVersions === 0 ? undefined : `${count(earlierVersions, "earlier version")} of files`],
    ["size", bytes(size)],
    [
      "shared",
      sharedAddresses.length === 0
        ? undefined
        : "the address is not verified, or another account's too: nothing under it",
    ],
  ]);
}

const reasons = {
  secret: "secret",
  others: "of other people",
  elsewhere: "outside of the person's folders",
  unreached: "not looked through",
  unfinished: "never uploaded to its end",
  shared: "not verified, or another account's too",
} as const;

const unreadable = {
  vanished: "vanished meanwhile",
  archived: "archived: restore it first, then export again",
  denied: "access denied",
} as const;

function exportText({ parts, leftOut }: Exported, file: string, size: number): string {
  const left = leftOut.map(
    ({ entity, path, reason, times }) => `${visible(entity)} ${visible(path)} (${reasons[reason]}, ${times})`,
  );
  return facts([
    ["left out", left.length === 0 ? "nothing" : left.join(", ")],
    ["written", `${count(parts.length, "part")}, ${bytes(size)}, to ${visible(file)}`],
  ]);
}

async function verifyExport(run: Run, given: string, identityFile: string | undefined): Promise<void> {
  const [{ checkExport }, { readTextFile }] = await Promise.all([
    import("../../users/export/check.ts"),
    import("../../text-file.ts"),
  ]);
  const { cwd } = run.world;
  const identity =
    identityFile === undefined
      ? undefined
      : await readTextFile(resolve(cwd, identityFile), { what: "an age identity", mostBytes: 1024 ** 2 });
  if (identityFile !== undefined && identity === undefined)
    throw new CliError(`there is no file ${identityFile}`, { exitCode: exitCodes.usage });
  const file = resolve(cwd, given);
  const checked = await checkExport(file, identity);
  const { findings, parts, exportedAt } = checked;
  await run.print({ isWhole: findings.length === 0, ...checked }, () =>
    findings.length === 0
      ? `all ${count(parts, "part")} of the export of ${exportedAt.slice(0, 10)} are as they were written`
      : findings.map(visible).join("\n"),
  );
  if (findings.length > 0) {
    throw new CliError(`${visible(given)} is not as it was written`, { exitCode: exitCodes.findings });
  }
}
