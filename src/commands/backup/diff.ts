import { Argument, Command } from "@commander-js/extra-typings";
import type { Change, Difference } from "../../backup/diff.ts";
import { isRecord } from "../../model/json.ts";
import { paint, type Layout, type Tone } from "../../output/layout.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag, snapshotName } from "./flags.ts";

/** `mawps backup diff`: what is different in one backup from another, by key. */
export function backupDiff(begin: Begin): AnyCommand {
  return new Command("diff")
    .description("show which items, objects and accounts differ between two backups")
    .addArgument(
      new Argument(
        "<from>",
        "the older one: an id as `mawps backup list` shows it, or its beginning",
      ).argParser(snapshotName),
    )
    .addArgument(new Argument("<to>", "the newer one, or latest").argParser(snapshotName))
    .option(...repoFlag)
    .addHelpText("after", "\nExample:\n  mawps backup diff 20261120 latest")
    .action(async (from, to, options, command) => {
      const run = await begin(command as AnyCommand);
      const { diffBackups } = await import("../../backup/diff.ts");
      const counts: Record<Change, number> = { added: 0, removed: 0, changed: 0 };
      const { ends, differences } = await diffBackups(await run.context("reads"), {
        from,
        to,
        repo: options.repo,
      });
      async function* counted(): AsyncGenerator<Difference> {
        for await (const difference of differences) {
          counts[difference.change] += 1;
          yield difference;
        }
      }
      await run.printLines(counted(), asLine);
      const { added, removed, changed } = counts;
      run.note(
        `${count(added, "addition")}, ${count(removed, "removal")}, ${count(changed, "change")} from ${ends.from.id} to ${ends.to.id}`,
      );
    });
}

const signs = { added: "+", removed: "-", changed: "~" } as const satisfies Record<Change, string>;
const tones = { added: "good", removed: "bad", changed: "warning" } as const satisfies Record<Change, Tone>;

/** `~ item profiles user-1 + user-profile` */
function asLine({ change, what, in: where, key }: Difference, layout: Layout): string {
  const text = `${signs[change]} ${what} ${where} ${typeof key === "string" ? key : keyWords(key)}`;
  return paint(visible(text), tones[change], layout);
}

function keyWords(key: Readonly<Record<string, unknown>>): string {
  const values = Object.values(key).map((value) => (isRecord(value) ? Object.values(value)[0] : value));
  return values.map(String).join(" + ");
}
