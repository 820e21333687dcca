import { Command } from "@commander-js/extra-typings";
import type { Column } from "../../output/table.ts";
import { idColumn } from "../../output/tones.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Orphan } from "../../users/orphans.ts";

/** `mawps user orphans`: data without an account, and accounts without data. */
export function userOrphans(begin: Begin): AnyCommand {
  return new Command("orphans")
    .description("data of nobody who has an account, and accounts without any data")
    .addHelpText("after", "\nExample:\n  mawps user orphans")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ findOrphans }, { openPeople }] = await Promise.all([
        import("../../users/orphans.ts"),
        import("../../users/people.ts"),
      ]);
      const site = await openPeople(await run.context("reads"), "reads");
      const none =
        site.rows === undefined
          ? "every account has data, and all data have an account"
          : "all data have an account";
      await run.printTable(streamed(await findOrphans(site)), columns, none);
    });
}

const columns: readonly Column<Orphan>[] = [
  { title: "WHAT", cell: ({ kind }) => kind },
  { title: "E-MAIL", cell: ({ email }) => email ?? "", least: 12 },
  { title: "WHERE", cell: ({ places }) => places.join(", "), least: 16 },
  idColumn({ title: "USER", cell: ({ userId }) => userId }),
];

async function* streamed<T>(rows: readonly T[]): AsyncGenerator<T> {
  yield* rows;
}
