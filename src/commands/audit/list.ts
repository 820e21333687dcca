import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { auditActions, type AuditEntry } from "../../model/audit.ts";
import { nearest } from "../../model/nearest.ts";
import { csvLine } from "../../output/csv.ts";
import type { Column } from "../../output/table.ts";
import { idColumn } from "../../output/tones.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { periodOf, since, until } from "./period.ts";
import { trailOf } from "../../audit/place.ts";
import { storedTime } from "../stored-time.ts";

/** `mawps audit list`: what was done, newest first. */
export function auditList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("what was done, newest first")
    .option(
      "--user <user>",
      "what was done to the data of this id or e-mail address; owner for the site's own",
      filled,
    )
    .option("--action <action>", "such as document.deleted", actionOption)
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .option("--limit <number>", "no more than so many", limitOption)
    .option("--csv", "print a row an entry as CSV")
    .addHelpText("after", "\nExample:\n  mawps audit list --user owner --since 30d")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { listAudit } = await import("../../audit/list.ts");
      const { action, csv } = options;
      if (csv === true && run.config.json)
        throw new CliError("--csv and --json are two formats", { exitCode: exitCodes.usage });
      const userId = options.user?.includes("@") === true ? await idOf(run, options.user) : options.user;
      const filter = { userId, action, ...periodOf(options, run.world.now()) };
      const place = trailOf(await run.context("reads"));
      const entries = firstOf(listAudit(place, filter), options.limit ?? Infinity);
      if (csv !== true) return run.printTable(entries, columns, "no such entries");
      await run.write(csvLine(["time", "action", "user", "actor", "sequence", "details", "userAgent"]));
      for await (const {
        timestamp,
        action: what,
        userId: whose = "",
        actor,
        sequence,
        details,
        userAgent,
      } of entries)
        await run.write(
          csvLine([timestamp, what, whose, actor, sequence, JSON.stringify(details), userAgent]),
        );
    });
}

/** Entries name nobody by an address. */
async function idOf(run: Run, address: string): Promise<string> {
  const [{ personSite }, { findPerson }] = await Promise.all([
    import("../user/erasure-site.ts"),
    import("../../users/person.ts"),
  ]);
  return (await findPerson(await personSite(run, "reads"), address)).userId;
}

/** A variable that was misspelt in a shell would otherwise ask for everything. */
function filled(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected a text that is not empty.");
  return text;
}

function actionOption(text: string): string {
  const known: readonly string[] = auditActions;
  if (known.includes(text)) return text;
  const near = nearest(text, known) ?? known.find((each) => text !== "" && each.startsWith(text));
  throw new InvalidArgumentError(
    near === undefined ? `expected an action such as ${known[0]}.` : `did you mean ${near}?`,
  );
}

function limitOption(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1) throw new InvalidArgumentError("expected a whole number from 1.");
  return number;
}

/** Nothing more is read behind the last one. */
async function* firstOf<T>(all: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let given = 0;
  for await (const each of all) {
    yield each;
    given += 1;
    if (given === most) return;
  }
}

const columns: readonly Column<AuditEntry>[] = [
  { title: "TIME", cell: ({ timestamp }) => storedTime(timestamp) },
  { title: "ACTION", cell: ({ action }) => action },
  idColumn({ title: "USER", cell: ({ userId }) => userId ?? "-" }),
  { title: "ACTOR", cell: ({ actor }) => actor, least: 12 },
  {
    title: "DETAILS",
    cell: ({ details }) =>
      Object.entries(details)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(" "),
    least: 16,
  },
];
