import { Command } from "@commander-js/extra-typings";
import type { Hold } from "../../audit/holds.ts";
import { attributeOf } from "../../aws/cognito/users-list.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import { facts } from "../../output/table.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { storedTime } from "../stored-time.ts";
import type { Shown, ShownRows } from "../../users/show.ts";
import { openDocuments } from "../../documents/site.ts";
import type { Run } from "../run.ts";
import { accountJson, accountSite, listedJson, sinceOf, stateOf, userArgument } from "./site.ts";

/** `mawps user show`: an account, and what is stored of its person. */
export function userShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("an account, its groups and second factors, and what is stored of the person")
    .argument("<user>", userArgument)
    .addHelpText("after", "\nExample:\n  mawps user show max@example.com")
    .action(async (given, _options, command) => {
      const run = await begin(command as AnyCommand);
      if (run.config.site.userPool !== true) return showRow(run, given);
      const site = await accountSite(run);
      const context = await run.context("reads");
      const [{ showUser }, documents] = await Promise.all([
        import("../../users/show.ts"),
        openDocuments(context),
      ]);
      const shown = await showUser({ ...site, declaration: context.declaration }, documents, given);
      await run.print(asJson(shown), () => asText(shown));
    });
}

/** The same where accounts are rows of a database or items of a table. */
async function showRow(run: Run, given: string): Promise<void> {
  const [{ showRowUser }, { openPeople }] = await Promise.all([
    import("../../users/show.ts"),
    import("../../users/people.ts"),
  ]);
  const people = await openPeople(await run.context("reads"), "reads");
  const found = await showRowUser(people, given);
  const { userId, kind, account, holds, numbers, activity, isActivityTold } = found;
  const { items, files, earlierVersions, bytes: sizeBytes } = numbers;
  const shown = {
    userId,
    ...(kind === undefined ? {} : { kind }),
    account: account === undefined ? null : listedJson(account),
    holds: holdsJson(holds),
    items,
    files,
    earlierVersions,
    bytes: sizeBytes,
    lastActivity: activity ?? null,
  };
  await run.print(shown, () =>
    facts([
      [kind ?? "user", visible(userId)],
      ["kind", account?.kind],
      ["name", account?.name === undefined ? undefined : visible(account.name)],
      ["e-mail", account?.email === undefined ? undefined : visible(account.email)],
      ["account", kind === undefined ? accountText(account) : undefined],
      ...holdFacts(holds),
      ["since", sinceOf(account?.createdAt ?? null)],
      ...Object.entries(items).map(([what, found]): [string, string] => [what, String(found)]),
      ...Object.entries(files).map(([what, found]): [string, string] => [what, count(found, "file")]),
      ["earlier versions", earlierVersions === 0 ? undefined : String(earlierVersions)],
      ["bytes", sizeBytes === 0 ? undefined : bytes(sizeBytes)],
      ["last seen", kind === undefined ? activityText({ activity, isActivityTold }) : undefined],
    ]),
  );
}

function accountText(account: ShownRows["account"]): string {
  return account === undefined ? "none" : stateOf(account) || "yes";
}

function activityText({ activity, isActivityTold }: Pick<ShownRows, "activity" | "isActivityTold">): string {
  if (activity !== undefined) return `${localTime(activity.at)} by the account's own record`;
  return isActivityTold ? "never" : "not known: accounts do not tell";
}

function holdsJson(holds: readonly Hold[]): object[] {
  return holds.map(({ sequence: hold, since, reason }) => ({ hold, since, reason }));
}

function holdFacts(holds: readonly Hold[]): [string, string][] {
  return holds.map(({ since, reason }) => ["legal hold", `${visible(reason)}, since ${storedTime(since)}`]);
}

function asJson({ userId, details, holds, holdings, progress, activity }: Shown): object {
  return {
    userId,
    account:
      details === undefined
        ? null
        : {
            ...accountJson(details.account),
            groups: details.groups,
            secondFactors: details.account.secondFactors,
            areSignInsKnown: details.signedInAt !== "not known",
          },
    holds: holdsJson(holds),
    ...holdings,
    progress,
    lastActivity: activity ?? null,
  };
}

const sources = {
  "sign-in": "by the user pool's record of sign-ins",
  progress: "by the progress",
  upload: "by the newest document",
  profile: "by the profile",
  account: "by the account alone",
} as const;

function asText({ userId, details, holds, holdings, progress, activity }: Shown): string {
  const { account, groups = [] } = details ?? {};
  const attribute = (name: string) => (account === undefined ? undefined : attributeOf(account, name));
  const seen = (text: string | undefined) => (text === undefined ? undefined : visible(text));
  const { documents, deletedDocuments } = holdings;
  const deleted = deletedDocuments === 0 ? "" : `, and ${deletedDocuments} deleted`;
  return facts([
    ["user", visible(userId)],
    ["name", seen(attribute("name") ?? holdings.name)],
    ["e-mail", seen(attribute("email"))],
    ["account", account === undefined ? "none" : stateOf(account)],
    ...holdFacts(holds),
    ["since", account === undefined ? undefined : localTime(account.createdAt)],
    ["groups", groups.length === 0 ? undefined : visible(groups.join(", "))],
    ["second factors", account === undefined ? undefined : account.secondFactors.join(", ") || "none"],
    ["profile", holdings.hasProfile ? "yes" : "none"],
    ["documents", `${count(documents, "document")}, ${bytes(holdings.bytes)}${deleted}`],
    ["progress", `${progress.completed} of ${count(progress.pages, "page")}, ${progress.percent} %`],
    ["last seen", activity === undefined ? "never" : `${localTime(activity.at)} ${sources[activity.source]}`],
    ["signed in", details?.signedInAt === "not known" ? "not known: the user pool did not tell" : undefined],
  ]);
}
