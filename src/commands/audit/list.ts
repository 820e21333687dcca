import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { AuditEntry } from "../../model/audit.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { periodOf, since, until } from "./period.ts";
import { trailOf } from "../../audit/place.ts";
import { storedTime } from "../stored-time.ts";

/** `mawps audit list`: what was done, newest first. */
export function auditList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("what was done, newest first")
    .option("--user <id>", "what was done to this user's data; owner for the site's own", filled)
    .option("--action <action>", "such as document.deleted", filled)
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .addHelpText("after", "\nExample:\n  mawps audit list --user owner --since 30d")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { listAudit } = await import("../../audit/list.ts");
      const { user: userId, action } = options;
      const filter = { userId, action, ...periodOf(options, run.world.now()) };
      const place = trailOf(await run.context("reads"));
      await run.printLines(listAudit(place, filter), line);
    });
}

/** A variable that was misspelt in a shell would otherwise ask for everything. */
function filled(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected a text that is not empty.");
  return text;
}

/** One line an entry, so that a list of any length is printed as it is read. */
function line({ timestamp, action, userId, actor, details }: AuditEntry, layout: Layout): string {
  const told = Object.entries(details).map(([name, value]) => `${name}=${String(value)}`);
  const whose = paint(visible((userId ?? "-").padEnd(12)), "dim", layout);
  const what = visible(action.padEnd(20));
  return `${visible(storedTime(timestamp))}  ${what}  ${whose}  ${visible([actor, ...told].join(" "))}`;
}
