import { Command } from "@commander-js/extra-typings";
import type { Shown } from "../../backup/list.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { facts, table } from "../../output/table.ts";
import { grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag, snapshotArgument, snapshotName } from "./flags.ts";

/** `mawps backup show`: what one backup holds. */
export function backupShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("show what a backup holds, when each part was read, and what could not be")
    .argument(...snapshotArgument, snapshotName, "latest")
    .option(...repoFlag)
    .addHelpText("after", "\nExample:\n  mawps backup show latest")
    .action(async (snapshot, options, command) => {
      const run = await begin(command as AnyCommand);
      const { showBackup } = await import("../../backup/list.ts");
      const { repo } = options;
      await run.print(await showBackup(await run.unconnected("reads"), { snapshot, repo }), asText);
    });
}

async function asText(shown: Shown, layout: Layout): Promise<string> {
  const { tables, buckets, userPool, databases = [], account, target } = shown;
  const checked = (at: Date | undefined, never: string) =>
    at === undefined ? paint(never, "warning", layout) : paint(localTime(at), "good", layout);
  const head = facts([
    ["backup", shown.id],
    ["where", shown.where],
    [
      "of",
      `${shown.model}, ${target === "local" ? "a local store" : `account ${account ?? "unknown"}`}, ${shown.region}`,
    ],
    [
      "read",
      `${localTime(new Date(shown.startedAt))} to ${localTime(new Date(shown.endedAt))}, by ${shown.tool}`,
    ],
    ["migrations", shown.schemaVersion === null ? "none" : `up to ${shown.schemaVersion}`],
    ["verified", checked(shown.verifiedAt, "never as a whole")],
    ["drilled", checked(shown.drilledAt, "never with success")],
    ["left out", shown.left?.join(", ")],
  ]);
  const rows = [
    ...tables.map((each) => ({ what: `table ${each.name}`, count: each.items, size: "", ...each })),
    ...buckets.map((each) => ({
      what: `bucket ${each.name}`,
      count: each.objects,
      size: bytes(each.bytes),
      ...each,
    })),
    ...(userPool === undefined
      ? []
      : [{ what: `user pool ${userPool.id}`, count: userPool.users, size: "", ...userPool }]),
    ...databases.map((each) => ({ what: `database ${each.name}`, count: each.rows, size: "", ...each })),
  ];
  const text = await table(
    rows,
    [
      { title: "WHAT", cell: ({ what }) => what, least: 12 },
      { title: "COUNT", cell: ({ count }) => grouped(count), align: "right" },
      { title: "SIZE", cell: ({ size }) => size, align: "right" },
      { title: "READ FROM", cell: ({ from }) => localTime(new Date(from)) },
      { title: "TO", cell: ({ to }) => localTime(new Date(to)) },
    ],
    layout,
  );
  const changed = buckets.flatMap((bucket) =>
    bucket.changed.map(({ key, what }) => visible(`  ${what}: ${bucket.name}/${key}`)),
  );
  const notIn = changed.length === 0 ? "" : `\n\nnot in it:\n${changed.join("\n")}`;
  return `${head}\n\n${text}${notIn}`;
}
