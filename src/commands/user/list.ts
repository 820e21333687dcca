import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { attributeOf, type PoolAccount } from "../../aws/cognito/users-list.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { csvLine } from "../../output/csv.ts";
import { localTime } from "../../output/dates.ts";
import type { Column } from "../../output/table.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Where } from "../../users/list.ts";
import { accountJson, accountSite, stateOf } from "./site.ts";

/** `mawps user list`: who has an account. */
export function userList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the accounts of the user pool, as they come")
    .option("--group <group>", "only those in this group")
    .option(
      "--status <status>",
      "only enabled or disabled ones, or in a state such as CONFIRMED",
      statusOption,
    )
    .option(
      "--where <attribute=value>",
      "only where an attribute is this, or with =~text has it in it",
      whereOption,
    )
    .option("--csv", "print a row an account as CSV")
    .addHelpText("after", "\nExample:\n  mawps user list --status enabled --where email=~@example.com")
    .action(async ({ group, status, where = [], csv }, command) => {
      const run = await begin(command as AnyCommand);
      if (csv === true && run.config.json)
        throw new CliError("--csv and --json are two formats", { exitCode: exitCodes.usage });
      const { listAccounts } = await import("../../users/list.ts");
      const accounts = listAccounts(await accountSite(run), { group, status, where });
      if (csv !== true) return run.printTable(rows(accounts), columns, "no such accounts");
      await run.write(csvLine([...csvColumns]));
      for await (const account of accounts) await run.write(csvLine(csvCells(account)));
    });
}

const states = [
  "enabled",
  "disabled",
  "CONFIRMED",
  "UNCONFIRMED",
  "FORCE_CHANGE_PASSWORD",
  "RESET_REQUIRED",
  "EXTERNAL_PROVIDER",
  "ARCHIVED",
  "COMPROMISED",
  "UNKNOWN",
];

function statusOption(text: string): string {
  const wanted = text.toLowerCase().replaceAll("-", "_");
  const state = states.find((each) => each.toLowerCase() === wanted);
  if (state === undefined) throw new InvalidArgumentError(`expected one of ${states.join(", ")}.`);
  return state;
}

function whereOption(text: string, before: readonly Where[] = []): readonly Where[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected attribute=value or attribute=~text.");
  const [attribute, value] = [text.slice(0, at), text.slice(at + 1)];
  const condition = value.startsWith("~") ? { contains: value.slice(1) } : { equals: value };
  return [...before, { attribute, ...condition }];
}

interface Row {
  readonly account: PoolAccount;
  toJSON(): object;
}

async function* rows(accounts: AsyncIterable<PoolAccount>): AsyncGenerator<Row> {
  for await (const account of accounts) yield { account, toJSON: () => accountJson(account) };
}

const columns: readonly Column<Row>[] = [
  { title: "E-MAIL", cell: ({ account }) => attributeOf(account, "email") ?? "", least: 16 },
  { title: "NAME", cell: ({ account }) => attributeOf(account, "name") ?? "", least: 12 },
  stateColumn({ title: "STATE", cell: ({ account }) => stateOf(account) }),
  { title: "SINCE", cell: ({ account }) => localTime(account.createdAt) },
  idColumn({ title: "USER", cell: ({ account }) => account.sub }),
];

const csvColumns = [
  "email",
  "name",
  "username",
  "userId",
  "status",
  "enabled",
  "createdAt",
  "modifiedAt",
] as const;

function csvCells(account: PoolAccount): (string | boolean)[] {
  const { username, sub, status, enabled, createdAt, modifiedAt } = account;
  const named = [attributeOf(account, "email") ?? "", attributeOf(account, "name") ?? ""];
  return [...named, username, sub, status, enabled, createdAt.toISOString(), modifiedAt.toISOString()];
}
