import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import type { Column } from "../../output/table.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";
import type { Accounts } from "../../stores/person-rows.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { AccountQuery, ListedAccount, Where } from "../../users/list.ts";
import { writeCsv } from "../csv-rows.ts";
import type { Run } from "../run.ts";
import { accountSite, listedJson, sinceOf, stateOf } from "./site.ts";

/** `mawps user list`: who has an account. */
export function userList(begin: Begin): AnyCommand {
  return new Command("list")
    .description(
      "the accounts of the user pool, or of the table or database that the model names, as they come",
    )
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
      const { accounts, isOfRows } = await listed(run, { group, status, where });
      if (csv !== true) {
        const isAny = group === undefined && status === undefined && where.length === 0;
        const none = isAny ? "there are no accounts" : "no such accounts";
        return run.printTable(rows(accounts), isOfRows ? rowColumns : columns, none);
      }
      await writeCsv(run, [...csvColumns, ...(isOfRows ? ["kind"] : [])], accounts, (account) => [
        ...csvCells(account),
        ...(isOfRows ? [account.kind ?? ""] : []),
      ]);
    });
}

async function listed(run: Run, query: AccountQuery) {
  const [{ listAccounts, listRowAccounts }, people] = await Promise.all([
    import("../../users/list.ts"),
    modelAccounts(run),
  ]);
  const isOfRows = people !== undefined;
  const accounts = isOfRows
    ? listRowAccounts(run.config.site, people, query)
    : await listAccounts(await accountSite(run), query);
  return { accounts, isOfRows };
}

/** Where accounts are an entity of the model; undefined where they are in a user pool. */
async function modelAccounts(run: Run): Promise<Accounts | undefined> {
  const { site: model } = run.config;
  if (model.userPool === true) return undefined;
  const { openPeople, rowsOfPeople } = await import("../../users/people.ts");
  // Rows alone need nothing of AWS.
  const rows = await rowsOfPeople({
    model,
    databases: async (wants) => (await run.databases()).openThere(wants),
  });
  if (rows !== undefined) return rows;
  const { accountsOfTable } = await import("../../users/account-items.ts");
  return accountsOfTable(await openPeople(await run.context("reads"), "reads"));
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
  readonly account: ListedAccount;
  toJSON(): object;
}

async function* rows(accounts: AsyncIterable<ListedAccount>): AsyncGenerator<Row> {
  for await (const account of accounts) yield { account, toJSON: () => listedJson(account) };
}

const columns: readonly Column<Row>[] = [
  { title: "E-MAIL", cell: ({ account }) => account.email ?? "", least: 16 },
  { title: "NAME", cell: ({ account }) => account.name ?? "", least: 12 },
  stateColumn({ title: "STATE", cell: ({ account }) => stateOf(account) }),
  { title: "SINCE", cell: ({ account: { createdAt } }) => sinceOf(createdAt) ?? "" },
  idColumn({ title: "USER", cell: ({ account }) => account.userId }),
];

const rowColumns: readonly Column<Row>[] = [
  ...columns,
  { title: "KIND", cell: ({ account }) => account.kind ?? "" },
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

function csvCells(account: ListedAccount): (string | boolean)[] {
  const { username = "", userId, status, enabled, createdAt, modifiedAt } = account;
  const named = [account.email ?? "", account.name ?? ""];
  return [...named, username, userId, status ?? "", enabled ?? "", createdAt ?? "", modifiedAt ?? ""];
}
