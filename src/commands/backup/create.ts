import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { BackupPlan, CreatedBackup } from "../../backup/create.ts";
import type { Rate } from "../../backup/rate.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { duration } from "../../output/dates.ts";
import { count, grouped } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "./flags.ts";
import { s3Place } from "./native/names.ts";

/** `mawps backup create`: tables, files and accounts in one snapshot. */
export function backupCreate(begin: Begin): AnyCommand {
  return new Command("create")
    .description("back up tables, files and accounts in one snapshot; interrupted, the next call goes on")
    .option(...repoFlag)
    .option("--only <what...>", "tables, files, users, databases, or roles and names of single ones")
    .option(
      "--rate <percent>",
      "read tables at this share of what they bear (default: 25% of provisioned capacity)",
      percent,
    )
    .option("--max-rcu <units>", "read tables at so many read capacity units a second", units)
    .option("--encrypt-to <recipient...>", "make the repository encrypted, to these age recipients")
    .option("--with-secrets", "also unencrypted where it would hold API keys or other secrets")
    .addOption(
      new Option("--engine <engine>", "aws: DynamoDB exports the tables to S3 itself")
        .choices(["scan", "aws"] as const)
        .default("scan" as const),
    )
    .option("--export-to <place>", "for --engine aws: s3://bucket/prefix (default: the repository)", s3Place)
    .addHelpText("after", "\nExample:\n  mawps backup create --repo ./mawps-backups")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.rate !== undefined && options.maxRcu !== undefined) {
        throw new CliError("--rate and --max-rcu are both given: a table is read at one pace", {
          exitCode: exitCodes.usage,
        });
      }
      const { planCreation, createPlanned } = await import("../../backup/creation.ts");
      const planned = await planCreation(await run.unconnected("writes"), {
        ...options,
        only: options.only ?? [],
        rate: options.rate ?? options.maxRcu,
      });
      if (run.config.dryRun) return run.print(toldPlan(planned.plan), planText);
      const progress = await run.progress("reading");
      const { followReading } = await import("./create-progress.ts");
      const reading = followReading(run, { aws: planned.context.aws, plan: planned.plan });
      const created = await createPlanned(planned, (now) => progress.update(...reading.tell(now))).finally(
        () => reading.end(),
      );
      progress.stop();
      run.measure({ Bytes: created.bytes, BackupAge: created.seconds });
      await run.print(created, createdText);
      if (created.unreadable.length + created.lacking.length > 0) throw await notWhole(created);
    });
}

/** Most of those that are not in it that are named; `backup show` names all. */
const named = 20;

/** A backup is made, and what cannot be read is not in it: nobody must take that for all. */
async function notWhole({ id, objects, rows = 0, unreadable, lacking }: CreatedBackup): Promise<CliError> {
  const { partial } = await import("../partial.ts");
  const all = [
    ...lacking.map((what) => ({ what, why: "is not there, or this account does not see it" })),
    ...unreadable.map((what) => ({ what, why: "may not be read, or lies in an archive" })),
  ];
  const failures = all.slice(0, named);
  const more = all.length - failures.length;
  const told = partial(failures, objects + rows);
  const next =
    lacking.length === 0
      ? ""
      : "; `mawps doctor` tells what makes the tables: `mawps migrate up`, or `mawps setup`";
  return new CliError(told.message, {
    exitCode: exitCodes.partial,
    details: more > 0 ? [...told.details, `and ${grouped(more)} more`] : told.details,
    hint: `the backup is made, without them: \`mawps backup show ${id}\`${next}`,
  });
}

function percent(text: string): Rate {
  const [, digits] = /^(\d{1,3})%$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits !== undefined && value >= 1 && value <= 100) return { percent: value };
  throw new InvalidArgumentError("expected 1% to 100%.");
}

function units(text: string): Rate {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1) return { unitsPerSecond: value };
  throw new InvalidArgumentError("expected a whole number from 1 on.");
}

function toldPlan({ tables, buckets, userPoolId, databases, missing, left }: BackupPlan) {
  return {
    tables: tables.map(({ name, measure }) => ({ name, items: measure.items, bytes: measure.bytes })),
    buckets: buckets.map(({ name }) => name),
    userPool: userPoolId,
    databases: databases?.map(({ name }) => name),
    missing,
    left,
  };
}

function planText({ tables, buckets, userPool, databases = [], left }: ReturnType<typeof toldPlan>): string {
  return [
    "would be read:",
    ...tables.map(
      ({ name, items, bytes: size }) => `  table ${name}, about ${count(items, "item")}, ${bytes(size)}`,
    ),
    ...buckets.map((name) => `  bucket ${name}`),
    ...(userPool === undefined ? [] : [`  user pool ${userPool}`]),
    ...databases.map((name) => `  database ${name}`),
    ...(left.length === 0 ? [] : [`left out: ${left.join(", ")}`]),
  ].join("\n");
}

function createdText({
  id,
  items,
  objects,
  users,
  rows,
  bytes: size,
  storedBytes,
  changed,
  left,
  mended,
  damaged,
  seconds,
}: CreatedBackup): string {
  const lines = [
    `backup ${id}: ${count(items, "item")}, ${count(objects, "object")} of ${bytes(size)}, ${count(users, "account")}${rows === undefined ? "" : `, ${count(rows, "row")}`}`,
    `${bytes(storedBytes)} new in the repository, ${duration(seconds * 1000)}`,
  ];
  if (changed > 0) {
    lines.push(
      `${count(changed, "object")} changed while being read and is not in it: \`mawps backup show ${id}\``,
    );
  }
  if (left.length > 0) lines.push(`left out: ${left.join(", ")}`);
  if (mended + damaged > 0) lines.push(mendedText(mended, damaged));
  return lines.join("\n");
}

function mendedText(mended: number, damaged: number): string {
  const written = `${count(mended, "damaged content")} written again`;
  if (damaged === 0) return written;
  return `${written}; ${grouped(damaged)} cannot be: nothing that was read for this backup has the bytes`;
}
