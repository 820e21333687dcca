import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { UserAttribute } from "../../aws/cognito/users-list.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { accountJson, accountsToChange, accountText, changingAccounts, userArgument } from "./site.ts";

/** `mawps user set`: attributes of an account. */
export function userSet(begin: Begin): AnyCommand {
  return new Command("set")
    .description("set attributes of an account; an empty value takes one away")
    .argument("<user>", userArgument)
    .argument("<name=value...>", "name, locale, custom:level, ...", assignments)
    .addHelpText("after", '\nExample:\n  mawps user set max@example.com "name=Max Mustermann" locale=de')
    .action(async (given, wanted, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ planAttributes, setAttributes }, { theAccount }] = await Promise.all([
        import("../../users/attributes.ts"),
        import("../../users/pool.ts"),
      ]);
      const site = await accountsToChange(run);
      const plan = await planAttributes(site, await theAccount(site, given), wanted);
      const { dryRun } = run.config;
      const names = [...plan.set.map(({ name }) => name), ...plan.remove];
      const changed = names.length > 0;
      const account =
        changed && !dryRun ? await setAttributes(await changingAccounts(run, site), plan) : plan.account;
      const parts = [
        ...plan.set.map(({ name }) => `${dryRun ? "would set" : "set"} ${name}`),
        ...plan.remove.map((name) => `${dryRun ? "would take away" : "took away"} ${name}`),
      ];
      const what = changed ? visible(parts.join(", ")) : "was so already";
      await run.print({ ...accountJson(account), set: names, changed, dryRun }, () =>
        accountText(account, what),
      );
    });
}

function assignments(text: string, before: readonly UserAttribute[] = []): readonly UserAttribute[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected name=value.");
  return [...before, { name: text.slice(0, at), value: text.slice(at + 1) }];
}
