import { Command } from "@commander-js/extra-typings";
import type { AccountChange } from "../../users/change.ts";
import { duration } from "../../output/dates.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import {
  accountJson,
  accountsToChange,
  accountText,
  changingAccounts,
  listedJson,
  userArgument,
} from "./site.ts";

interface AccountVerb {
  readonly name: string;
  /** How it is called, where its name is not all of that. */
  readonly path?: string;
  readonly description: string;
  readonly change: AccountChange;
  /** Before and behind the account: what is asked first. Nothing is asked where it harms nobody. */
  readonly question?: readonly [before: string, behind: string];
  /** What was done to an account, and what was there to do already. */
  readonly done: string;
  readonly wasSo: string;
  /** Whether tokens that were given out live on for a while. */
  readonly endsSessions?: boolean;
}

/** A verb that does one thing to one account. */
export function accountVerb(begin: Begin, verb: AccountVerb): AnyCommand {
  const { name, path = name, description, change, question, done, wasSo, endsSessions = false } = verb;
  return new Command(name)
    .description(description)
    .argument("<user>", userArgument)
    .addHelpText("after", `\nExample:\n  mawps user ${path} max@example.com`)
    .action(async (given, _options, command) => {
      const run = await begin(command as AnyCommand);
      if (run.config.site.userPool !== true) return switchInTable(run, verb, given);
      const [{ changeAccount, isDue, tokensLiveMinutes }, { theAccount }] = await Promise.all([
        import("../../users/change.ts"),
        import("../../users/pool.ts"),
      ]);
      const site = await accountsToChange(run);
      const account = await theAccount(site, given);
      const { dryRun } = run.config;
      const tokensMinutes = endsSessions ? await tokensLiveMinutes(site) : undefined;
      if (!dryRun && question !== undefined && isDue(account, change)) {
        const [before, behind] = question;
        await run.confirm({ question: `${before} ${visible(given)}${behind}?`, destructive: true });
      }
      const result = dryRun
        ? { account, changed: isDue(account, change) }
        : await changeAccount(await changingAccounts(run, site), account, change);
      const what = result.changed ? `${dryRun ? "would be " : ""}${done}` : wasSo;
      const told = { ...accountJson(result.account), changed: result.changed, dryRun, tokensMinutes };
      await run.print(told, () => accountText(result.account, what));
      if (tokensMinutes !== undefined && tokensMinutes > 0) {
        const span = duration(tokensMinutes * 60_000);
        run.note(`access tokens that were given out work up to ${span} longer; nothing renews them`);
      }
    });
}

/** The same where accounts are items of a table: what the model has for whether one is in use is written, and nothing else done. */
async function switchInTable(run: Run, { change, question }: AccountVerb, given: string): Promise<void> {
  const isActive = change === "enable";
  run.audit.prepare();
  const [{ accountInTable, isSaid, setActive }, { openPeople }] = await Promise.all([
    import("../../users/active.ts"),
    import("../../users/people.ts"),
  ]);
  const site = await openPeople(await run.context("writes"), "writes");
  const found = await accountInTable(site, given);
  const isDue = !isSaid(site, found, isActive);
  const { dryRun } = run.config;
  if (!dryRun && question !== undefined && isDue)
    await run.confirm({ question: `${question[0]} ${visible(given)}?`, destructive: true });
  let { account } = found;
  if (!dryRun && isDue) {
    await run.audit.open();
    account = await setActive({ ...site, trail: run.audit }, found, isActive);
  }
  const done = isActive ? "enabled" : "disabled";
  const what = isDue ? `${dryRun ? "would be " : ""}${done}` : `was ${done} already`;
  await run.print({ ...listedJson(account), changed: isDue, dryRun }, () => accountText(account, what));
  if (!isActive)
    run.note("sessions and tokens that the website gave out are not ended: they work until it looks at this");
}
