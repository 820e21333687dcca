import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import type { AuditFilter } from "../../audit/list.ts";
import type { SiteEntry } from "../../audit/site-trail.ts";
import { auditActions, type AuditEntry } from "../../model/audit.ts";
import type { Model } from "../../model/schema.ts";
import { nearest } from "../../model/nearest.ts";
import type { Column } from "../../output/table.ts";
import { idColumn } from "../../output/tones.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { writeCsv } from "../csv-rows.ts";
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
    .option("--action <action>", "such as document.deleted", filled)
    .option("--site", "of the trail that the site itself writes; --user is who did it")
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .option("--limit <number>", "no more than so many", limitOption)
    .option("--csv", "print a row an entry as CSV")
    .addHelpText("after", "\nExample:\n  mawps audit list --user owner --since 30d")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { action, csv } = options;
      if (action !== undefined && options.site !== true) assertAction(action, run.config.site);
      if (csv === true && run.config.json)
        throw new CliError("--csv and --json are two formats", { exitCode: exitCodes.usage });
      const userId = options.user?.includes("@") === true ? await idOf(run, options.user) : options.user;
      const filter = { userId, action, ...periodOf(options, run.world.now()) };
      const most = options.limit ?? Infinity;
      if (options.site === true) return listOfSite(run, filter, { most, isCsv: csv === true });
      const { listAudit } = await import("../../audit/list.ts");
      const place = trailOf(await run.context("reads"));
      const entries = firstOf(listAudit(place, filter), most);
      if (csv !== true) return run.printTable(entries, columns, "no such entries");
      const head = ["time", "action", "user", "actor", "sequence", "details", "userAgent"];
      await writeCsv(run, head, entries, (entry) => [
        entry.timestamp,
        entry.action,
        entry.userId ?? "",
        entry.actor,
        entry.sequence,
        JSON.stringify(entry.details),
        entry.userAgent,
      ]);
    });
}

async function listOfSite(
  run: Run,
  filter: AuditFilter,
  { most, isCsv }: { readonly most: number; readonly isCsv: boolean },
): Promise<void> {
  const { listSiteTrail } = await import("../../audit/site-trail.ts");
  const entries = firstOf(listSiteTrail(await run.context("reads"), filter), most);
  if (filter.userId !== undefined)
    run.note("in the site's own trail --user is who did it, not whom it was about");
  if (!isCsv) return run.printTable(entries, siteColumns, "no such entries");
  const head = ["time", "action", "actor", "about", "id", "details", "ipAddress", "userAgent"];
  await writeCsv(run, head, entries, (entry) => [
    entry.timestamp,
    entry.action,
    entry.actor,
    entry.about,
    entry.id,
    JSON.stringify(entry.details),
    entry.ipAddress,
    entry.userAgent,
  ]);
}

/** Entries name nobody by an address. */
async function idOf(run: Run, address: string): Promise<string> {
  const [{ openPeople }, { findPerson }] = await Promise.all([
    import("../../users/people.ts"),
    import("../../users/person.ts"),
  ]);
  return (await findPerson(await openPeople(await run.context("reads"), "reads"), address)).userId;
}

/** A variable that was misspelt in a shell would otherwise ask for everything. */
function filled(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected a text that is not empty.");
  return text;
}

function assertAction(text: string, { features }: Model): void {
  const known: readonly string[] = auditActions;
  if (known.includes(text)) return;
  const near = nearest(text, known) ?? known.find((each) => each.startsWith(text));
  const ofSite = features?.audit === undefined ? "" : "; --site lists the trail that the site itself writes";
  throw new CliError(`${JSON.stringify(text)} is no action of the trail`, {
    exitCode: exitCodes.usage,
    hint: near === undefined ? `such as document.deleted${ofSite}` : `did you mean ${near}?`,
  });
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

const siteColumns: readonly Column<SiteEntry>[] = [
  { title: "TIME", cell: ({ timestamp }) => storedTime(timestamp) },
  { title: "ACTION", cell: ({ action }) => action },
  idColumn({ title: "ACTOR", cell: ({ actor }) => actor ?? "-" }),
  idColumn({ title: "ABOUT", cell: ({ about }) => about ?? "-" }),
  { title: "DETAILS", cell: ({ details }) => (details === null ? "-" : JSON.stringify(details)), least: 16 },
];

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
